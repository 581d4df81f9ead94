import numpy as np
from conftest import array
from keras_twin import (
    masks_are_judged,
    without_a_mask_it_is_the_layer_of_keras,
)

from keras_masking import MaskedCropping1D


def cropped(cropping, x, mask):
    layer, x = MaskedCropping1D(cropping), np.array(x, "float32")[..., None]
    mask = np.array(mask, bool)
    return array(layer(x, mask=mask))[..., 0].tolist(), array(layer.compute_mask(x, mask)).astype(
        int
    ).tolist()


def test_the_first_and_last_valid_steps_go_wherever_padding_stands():
    assert cropped((1, 1), [[1, 2, 3, 4, 9]], [[1, 1, 1, 1, 0]]) == ([[2, 3, 0]], [[1, 1, 0]])
    assert cropped((1, 1), [[9, 1, 2, 3, 4]], [[0, 1, 1, 1, 1]]) == ([[0, 2, 3]], [[0, 1, 1]])
    assert cropped((1, 1), [[1, 9, 2, 9, 3]], [[1, 0, 1, 0, 1]]) == ([[0, 2, 0]], [[0, 1, 0]])
    assert cropped((2, 0), [[1, 2, 3, 9]], [[1, 1, 1, 0]]) == ([[3, 0]], [[1, 0]])
    assert cropped((0, 2), [[9, 1, 2, 3]], [[0, 1, 1, 1]]) == ([[0, 1]], [[0, 1]])


def test_a_short_sequence_becomes_fully_padded():
    x, mask = [[1, 2, 9], [1, 2, 3]], [[1, 1, 0], [1, 1, 1]]
    assert cropped((1, 1), x, mask) == ([[0], [2]], [[0], [1]])
    assert cropped((2, 1), x, mask) == ([[], []], [[], []])


def test_a_mask_of_inner_steps():
    layer, mask = MaskedCropping1D((1, 0)), np.array([[[1, 0], [0, 1], [0, 0]]], bool)
    x = np.ones((1, 3, 2), "float32")
    np.testing.assert_array_equal(array(layer.compute_mask(x, mask)), [[[0, 1], [0, 0]]])
    result = array(layer(x, mask=mask))
    np.testing.assert_array_equal(result, [[[0, 1], [0, 0]]])


def test_without_a_mask_it_is_the_layer_of_keras():
    for cropping in (1, (2, 1), (0, 2)):
        without_a_mask_it_is_the_layer_of_keras(MaskedCropping1D(cropping))


def test_bad_input_is_refused():
    masks_are_judged(MaskedCropping1D((1, 0)))


def test_an_empty_batch():
    assert cropped((1, 1), np.zeros((0, 5)), np.zeros((0, 5))) == ([], [])
