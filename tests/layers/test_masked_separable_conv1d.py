import numpy as np
from conftest import array
from keras import ops

from keras_masking import MaskedSeparableConv1D

X = np.array([[[1, 10], [2, 20], [3, 30], [9, 9], [9, 9]]], dtype="float32")
MASK = np.array([[True, True, True, False, False]])
ONES = {"depthwise_initializer": "ones", "pointwise_initializer": "ones"}


def added(**options):
    """The sum of each window over both channels, and which of them stay."""
    layer = MaskedSeparableConv1D(1, 3, **ONES, **options)
    result, left = layer(X, mask=MASK), layer.compute_mask(ops.array(X), MASK)
    return array(result)[0, :, 0].tolist(), array(left)[0].astype(int).tolist()


def test_same():
    assert added(padding="same") == ([33, 66, 55, 0, 0], [1, 1, 1, 0, 0])


def test_valid_has_the_windows_that_fit_into_the_sequence():
    assert added() == ([66, 0, 0], [1, 0, 0])


def test_all_keeps_windows_without_any_padding():
    assert added(padding="same", mask_rule="all") == ([0, 66, 0, 0, 0], [0, 1, 0, 0, 0])


def test_the_rule_is_saved():
    layer = MaskedSeparableConv1D(1, 3, mask_rule="all")
    assert MaskedSeparableConv1D.from_config(layer.get_config()).mask_rule == "all"
