import numpy as np
from conftest import array
from keras import ops

from keras_masking import MaskedDepthwiseConv1D

X = np.array([[[1, 10], [2, 20], [3, 30], [9, 9], [9, 9]]], dtype="float32")
MASK = np.array([[True, True, True, False, False]])


def added(**options):
    """The sum of each window by channel, and which of them stay."""
    layer = MaskedDepthwiseConv1D(3, depthwise_initializer="ones", **options)
    result, left = layer(X, mask=MASK), layer.compute_mask(ops.array(X), MASK)
    return array(result)[0].tolist(), array(left)[0].astype(int).tolist()


def test_same():
    sums = [[3, 30], [6, 60], [5, 50], [0, 0], [0, 0]]
    assert added(padding="same") == (sums, [1, 1, 1, 0, 0])


def test_valid_has_the_windows_that_fit_into_the_sequence():
    assert added() == ([[6, 60], [0, 0], [0, 0]], [1, 0, 0])


def test_all_keeps_windows_without_any_padding():
    sums = [[0, 0], [6, 60], [0, 0], [0, 0], [0, 0]]
    assert added(padding="same", mask_rule="all") == (sums, [0, 1, 0, 0, 0])


def test_the_rule_is_saved():
    layer = MaskedDepthwiseConv1D(3, mask_rule="all")
    assert MaskedDepthwiseConv1D.from_config(layer.get_config()).mask_rule == "all"
