import numpy as np
import pytest
from conftest import array
from keras_twin import (
    masks_are_judged,
    without_a_mask_it_is_the_layer_of_keras,
)

from keras_masking import MaskedPermute

X = np.array([[[1, 2], [3, 4], [np.nan, np.inf]]], "float32")
MASK = np.array([[True, True, False]])


def test_time_and_features_by_hand():
    layer = MaskedPermute((2, 1))
    np.testing.assert_array_equal(array(layer(X, mask=MASK)), [[[1, 3, 0], [2, 4, 0]]])
    np.testing.assert_array_equal(array(layer.compute_mask(X, MASK)), [[[1, 1, 0], [1, 1, 0]]])


@pytest.mark.parametrize(
    ("shape", "given", "dims", "left"),
    [
        ((2, 3, 4), (2, 3), (1, 2), (2, 3)),
        ((2, 3, 4, 5), (2, 3), (1, 3, 2), (2, 3)),
        ((2, 3, 4, 5), (2, 3), (2, 1, 3), (2, 4, 3)),
        ((2, 3, 4, 5), (2, 3), (3, 2, 1), (2, 5, 4, 3)),
        ((2, 3, 4, 5), (2, 3, 4), (2, 1, 3), (2, 4, 3)),
        ((2, 3, 4, 5), (2, 3, 4), (1, 3, 2), (2, 3, 5, 4)),
        ((2, 3), (2, 3), (1,), (2, 3)),
    ],
)
def test_the_mask_has_the_leading_axes_it_needs(shape, given, dims, left):
    """Each entry of the result is masked exactly where the entry that it comes from is."""
    mask = np.random.default_rng(0).random(given) < 0.5
    layer = MaskedPermute(dims)
    every = np.broadcast_to(mask.reshape(given + (1,) * (len(shape) - len(given))), shape)
    expected = every.transpose(0, *dims)
    found = array(layer.compute_mask(np.ones(shape, "float32"), mask))
    assert found.shape == left
    wide = found.reshape(left + (1,) * (len(shape) - len(left)))
    np.testing.assert_array_equal(np.broadcast_to(wide, expected.shape), expected)
    np.testing.assert_array_equal(array(layer(np.ones(shape, "float32"), mask=mask)), expected)


def test_there_and_back():
    x = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
    mask = np.array([[True, True, False], [False, False, False]])
    turn = MaskedPermute((2, 1))
    once = turn(x, mask=mask)
    twice = turn(once, mask=turn.compute_mask(x, mask))
    np.testing.assert_array_equal(array(twice), np.where(mask[..., None], x, 0))


def test_without_a_mask_it_is_the_layer_of_keras():
    without_a_mask_it_is_the_layer_of_keras(MaskedPermute((2, 1)))


def test_bad_input_is_refused():
    masks_are_judged(MaskedPermute((2, 1)))


def test_an_empty_batch():
    assert array(MaskedPermute((2, 1))(X[:0], mask=MASK[:0])).shape == (0, 2, 3)
