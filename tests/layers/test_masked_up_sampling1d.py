import numpy as np
from conftest import array
from keras_twin import (
    masks_are_judged,
    without_a_mask_it_is_the_layer_of_keras,
)

from keras_masking import MaskedUpSampling1D

X = np.array([[[1], [2], [np.nan]]], "float32")
MASK = np.array([[True, True, False]])


def test_each_step_and_its_entry_are_repeated():
    layer = MaskedUpSampling1D(2)
    np.testing.assert_array_equal(array(layer(X, mask=MASK))[..., 0], [[1, 1, 2, 2, 0, 0]])
    np.testing.assert_array_equal(array(layer.compute_mask(X, MASK)), [[1, 1, 1, 1, 0, 0]])


def test_a_mask_of_inner_steps():
    x, mask = np.ones((1, 2, 2)), np.array([[[1, 0], [0, 1]]], bool)
    found = array(MaskedUpSampling1D(2).compute_mask(x, mask))
    np.testing.assert_array_equal(found, [[[1, 0], [1, 0], [0, 1], [0, 1]]])


def test_without_a_mask_it_is_the_layer_of_keras():
    without_a_mask_it_is_the_layer_of_keras(MaskedUpSampling1D(3))


def test_bad_input_is_refused():
    masks_are_judged(MaskedUpSampling1D())


def test_an_empty_batch():
    assert array(MaskedUpSampling1D(2)(X[:0], mask=MASK[:0])).shape == (0, 6, 1)
