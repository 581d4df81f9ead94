import numpy as np
import pytest
from conftest import array
from keras_twin import (
    masks_are_judged,
    without_a_mask_it_is_the_layer_of_keras,
)

from keras_masking import MaskedZeroPadding1D

X = np.array([[[1], [2], [np.nan]]], "float32")
MASK = np.array([[True, True, False]])


def test_steps_that_are_added_are_padding():
    layer = MaskedZeroPadding1D((2, 1))
    np.testing.assert_array_equal(array(layer(X, mask=MASK))[..., 0], [[0, 0, 1, 2, 0, 0]])
    np.testing.assert_array_equal(array(layer.compute_mask(X, MASK)), [[0, 0, 1, 1, 0, 0]])


def test_a_mask_of_inner_steps():
    x = np.ones((1, 2, 3))
    found = array(MaskedZeroPadding1D((0, 1)).compute_mask(x, x.astype(bool)))
    np.testing.assert_array_equal(found, [[[1, 1, 1], [1, 1, 1], [0, 0, 0]]])


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_without_a_mask_it_is_the_layer_of_keras(data_format):
    without_a_mask_it_is_the_layer_of_keras(MaskedZeroPadding1D((2, 1), data_format))


def test_bad_input_is_refused():
    masks_are_judged(MaskedZeroPadding1D())
    with pytest.raises(ValueError, match='Received: data_format="channels_first"'):
        MaskedZeroPadding1D(data_format="channels_first")(X, mask=MASK)


def test_an_empty_batch():
    assert array(MaskedZeroPadding1D()(X[:0], mask=MASK[:0])).shape == (0, 5, 1)
