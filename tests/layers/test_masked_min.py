import numpy as np
from conftest import array, gradient, needs_gradients

from keras_masking import MaskedMin

MASK = np.array([[True, True, True, False]])


def test_padding_is_not_the_smallest_where_all_steps_are_positive():
    x = np.array([[[5], [3], [4], [0]]], "float32")
    assert array(MaskedMin()(x, mask=MASK)) == 3


@needs_gradients
def test_values_that_tie_share_the_gradient_as_in_keras():
    x = np.array([[[2], [3], [2], [2]]], "float32")
    slope = gradient(MaskedMin(), x, MASK)
    np.testing.assert_array_equal(slope[0, :, 0], [2, 0, 2, 0])


def test_the_extremes_of_half_precision_are_kept():
    lowest = np.finfo("float16").max
    x = np.full((1, 4, 1), lowest, "float16")
    assert array(MaskedMin(dtype="float16")(x, mask=MASK)) == lowest


def test_integers_become_floats():
    result = array(MaskedMin()(np.array([[7, 8, 9, 0]]), mask=MASK))
    assert (result.dtype, result[0]) == ("float32", 7)
