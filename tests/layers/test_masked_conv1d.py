import numpy as np
from conftest import array
from keras import ops

from keras_masking import MaskedConv1D

X = np.array([[[1], [2], [3], [9], [9], [9]]], dtype="float32")
MASK = np.array([[True, True, True, False, False, False]])


def added(x=X, mask=MASK, size=3, **options):
    """The sum of each window plus 10, and which of them stay."""
    layer = MaskedConv1D(
        1,
        size,
        kernel_initializer="ones",
        bias_initializer=lambda s, dtype: ops.full(s, 10.0),
        **options,
    )
    result, left = layer(x, mask=mask), layer.compute_mask(ops.array(x), mask)
    return array(result)[..., 0].tolist(), array(left).astype(int).tolist()


def test_same():
    assert added(padding="same") == ([[13, 16, 15, 0, 0, 0]], [[1, 1, 1, 0, 0, 0]])


def test_valid_has_the_windows_that_fit_into_the_sequence():
    assert added(padding="valid") == ([[16, 0, 0, 0]], [[1, 0, 0, 0]])
    assert added(padding="valid", size=4) == ([[0, 0, 0]], [[0, 0, 0]])


def test_causal():
    assert added(padding="causal") == ([[11, 13, 16, 0, 0, 0]], [[1, 1, 1, 0, 0, 0]])


def test_strides_start_at_the_first_valid_step():
    assert added(padding="valid", size=1, strides=2) == ([[11, 13, 0]], [[1, 1, 0]])
    x, mask = np.roll(X, 1, axis=1), np.roll(MASK, 1, axis=1)
    assert added(x, mask, padding="valid", size=1, strides=2) == ([[11, 13, 0]], [[1, 1, 0]])


def test_padding_in_between_keeps_its_place():
    mask = np.array([[True, False, False, False, True, False]])
    expected = [[11, 11, 0, 19, 19, 0]], [[1, 1, 0, 1, 1, 0]]
    assert added(mask=mask, padding="same") == expected


def test_all_keeps_windows_without_any_padding():
    options = {"mask_rule": "all"}
    assert added(padding="same", **options) == ([[0, 16, 0, 0, 0, 0]], [[0, 1, 0, 0, 0, 0]])
    assert added(padding="causal", **options) == ([[0, 0, 16, 0, 0, 0]], [[0, 0, 1, 0, 0, 0]])
    assert added(padding="valid", **options) == added(padding="valid")


def test_the_rule_is_saved():
    layer = MaskedConv1D(1, 3, mask_rule="all")
    assert MaskedConv1D.from_config(layer.get_config()).mask_rule == "all"


def test_groups():
    x = np.array([[[1, 5], [2, 6], [9, 9]]], dtype="float32")
    layer = MaskedConv1D(2, 2, padding="same", groups=2, kernel_initializer="ones")
    result = array(layer(x, mask=np.array([[True, True, False]])))
    assert result.tolist() == [[[3, 11], [2, 6], [0, 0]]]
