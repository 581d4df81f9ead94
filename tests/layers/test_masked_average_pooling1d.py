import numpy as np
from conftest import array
from keras import ops

from keras_masking import MaskedAveragePooling1D

X = np.array([[[-1], [-2], [-3], [9], [9], [9]]], dtype="float32")
MASK = np.array([[True, True, True, False, False, False]])


def pooled(x=X, mask=MASK, **options):
    """The mean of each window, and which of them stay."""
    layer = MaskedAveragePooling1D(2, **options)
    result, left = layer(x, mask=mask), layer.compute_mask(ops.array(x), mask)
    return array(result)[..., 0].tolist(), array(left).astype(int).tolist()


def test_valid_drops_the_step_that_fills_no_window():
    assert pooled() == ([[-1.5, 0, 0]], [[1, 0, 0]])


def test_same_keeps_it():
    assert pooled(padding="same") == ([[-1.5, -3, 0]], [[1, 1, 0]])


def test_windows_start_at_the_first_valid_step():
    x, mask = np.roll(X, 1, axis=1), np.roll(MASK, 1, axis=1)
    assert pooled(x, mask, padding="same") == ([[-1.5, -3, 0]], [[1, 1, 0]])


def test_padding_in_between_keeps_its_place():
    mask = np.array([[False, True, False, False, False, True]])
    assert pooled(mask=mask, padding="same") == ([[-2, 0, 9]], [[1, 0, 1]])
    mask = np.array([[False, True, False, False, True, True]])
    assert pooled(mask=mask) == ([[-2, 9, 0]], [[1, 1, 0]])


def test_all_keeps_windows_without_any_padding():
    assert pooled(padding="same", mask_rule="all") == ([[-1.5, 0, 0]], [[1, 0, 0]])


def test_the_rule_is_saved():
    layer = MaskedAveragePooling1D(3, mask_rule="all")
    assert MaskedAveragePooling1D.from_config(layer.get_config()).mask_rule == "all"
