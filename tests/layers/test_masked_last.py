import keras
import numpy as np
from conftest import array, gradient, needs_gradients

from keras_masking import MaskedLast

MASK = np.array([[False, True, True, False]])


def test_padding_on_both_sides():
    x = np.array([[[1, 2], [3, 4], [5, 6], [7, 8]]], "float32")
    np.testing.assert_array_equal(array(MaskedLast()(x, mask=MASK)), [[5, 6]])


def test_the_dtype_of_the_inputs_stays():
    x = np.array([[2**24 + 1] * 4], "int32")  # which float32 cannot hold
    layer = MaskedLast()
    result = array(layer(x, mask=MASK))
    assert (result.dtype, result[0]) == ("int32", 2**24 + 1)
    assert layer(keras.Input((4,), dtype="int32")).dtype == "int32"


@needs_gradients
def test_the_gradient_goes_to_one_step():
    slope = gradient(MaskedLast(), np.full((1, 4, 1), 0.5, "float32"), MASK)
    np.testing.assert_array_equal(slope[0, :, 0], [0, 0, 1, 0])
