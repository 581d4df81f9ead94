import keras
import numpy as np
import pytest
from bad_input import accepts_numbers_as_truth, refuses_bad_masks, refuses_ragged_and_strings
from conftest import array, boolean, gradient, mask_of, needs, needs_gradients
from keras import layers

from keras_masking import MaskedSoftmax

nan, inf = np.nan, np.inf
# Softmax of Keras takes no list on numpy, although it says so
TWO_AXES = (1, 2) if keras.backend.backend() == "numpy" else [1, 2]

# by name: inputs, mask, axis, result; logarithms, so that weights are easy to see
CASES = {
    "no mask": (np.log([[[1, 3]]]), None, -1, [[[0.25, 0.75]]]),
    "over time": (np.log([[[1], [3], [9]]]), [[1, 1, 0]], 1, [[[0.25], [0.75], [0]]]),
    "over the features": (np.log([[[1, 3], [9, 9]]]), [[1, 0]], -1, [[[0.25, 0.75], [0, 0]]]),
    "padding on the left": (np.log([[[9], [1], [3]]]), [[0, 1, 1]], 1, [[[0], [0.25], [0.75]]]),
    "padding in between": (np.log([[[1], [9], [3]]]), [[1, 0, 1]], 1, [[[0.25], [0], [0.75]]]),
    "a fully padded row": ([[[5], [5]], [[5], [5]]], [[1, 1], [0, 0]], 1, [[[0.5]] * 2, [[0]] * 2]),
    "nan and inf in padding": ([[[7], [nan], [inf]]], [[1, 0, 0]], 1, [[[1], [0], [0]]]),
    "far below the fill value of Keras": ([[[-3e9], [0]]], [[1, 0]], 1, [[[1], [0]]]),
    "an empty batch": (np.zeros((0, 3, 2)), np.zeros((0, 3)), 1, np.zeros((0, 3, 2))),
    "a mask in the shape of the inputs": (
        np.log([[[1, 9], [3, 5]]]),
        [[[1, 0], [1, 1]]],
        1,
        [[[0.25, 0], [0.75, 1]]],
    ),
    "scores of attention": (
        np.zeros((1, 2, 3, 4)),
        [[[[1, 1, 1, 0]]]],
        -1,
        [[[[1 / 3, 1 / 3, 1 / 3, 0]] * 3] * 2],
    ),
    "over two axes": (
        np.zeros((1, 3, 2)),
        [[1, 1, 0]],
        TWO_AXES,
        [[[0.25, 0.25], [0.25, 0.25], [0, 0]]],
    ),
    "a mask over two time axes": (
        np.zeros((1, 2, 3, 1)),
        [[[1, 1, 0], [0, 0, 0]]],
        2,
        [[[[0.5], [0.5], [0]], [[0], [0], [0]]]],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_named_case(name):
    x, mask, axis, expected = CASES[name]
    result = array(MaskedSoftmax(axis=axis)(np.asarray(x, "float32"), mask=boolean(mask)))
    np.testing.assert_allclose(result, expected, rtol=1e-6)


@pytest.mark.parametrize("axis", [-1, 1, TWO_AXES])
def test_without_a_mask_it_is_the_softmax_of_keras(axis):
    x = np.random.default_rng(0).normal(size=(3, 5, 2)).astype("float32")
    expected = array(layers.Softmax(axis)(x))
    np.testing.assert_array_equal(array(MaskedSoftmax(axis)(x)), expected)
    assert MaskedSoftmax(axis).get_config()["axis"] == axis


def test_a_mask_that_fits_the_inputs_gives_what_keras_gives():
    x = np.random.default_rng(0).normal(size=(3, 2, 4, 5)).astype("float32")
    mask = np.arange(5) < np.array([5, 3, 1])[:, None, None, None]
    expected = array(layers.Softmax()(x, mask=mask))
    np.testing.assert_array_equal(array(MaskedSoftmax()(x, mask=mask)), expected)


def test_keras_refuses_the_mask_that_this_layer_takes():
    x = np.ones((2, 3, 4), "float32")
    mask = np.ones((2, 3), bool)
    with pytest.raises(ValueError, match="must be broadcastable"):
        layers.Softmax(axis=1)(x, mask=mask)
    assert array(MaskedSoftmax(axis=1)(x, mask=mask)).shape == (2, 3, 4)


def test_the_mask_goes_on():
    x = layers.Masking()(np.array([[[1.0], [0.0]]], "float32"))
    np.testing.assert_array_equal(mask_of(MaskedSoftmax(axis=1)(x)), [[True, False]])


def test_a_long_row_of_half_precision_sums_to_1():
    x, mask = np.zeros((1, 9000, 1), "float16"), np.arange(9000)[None] < 5000
    weights = array(MaskedSoftmax(axis=1, dtype="float16")(x, mask=mask))
    assert weights.dtype == "float16"
    np.testing.assert_allclose(weights.astype("float64").sum(), 1, rtol=1e-3)


@needs_gradients
@pytest.mark.parametrize("axis", [-1, 1, TWO_AXES])
def test_the_gradient_of_a_fully_padded_row_is_0(axis):
    x = np.full((2, 3, 4), np.nan, "float32")
    x[0] = 1
    mask = np.array([[True] * 3, [False] * 3])
    slope = gradient(MaskedSoftmax(axis), x, mask)
    assert np.all(slope[1] == 0) and np.all(np.isfinite(slope))


def test_bad_input_is_refused():
    refuses_bad_masks(MaskedSoftmax())
    for shape in ((2, 3, 4), (3, 1, 1), (2, 3)):
        with pytest.raises(ValueError, match="The mask must have the shape of the leading axes"):
            MaskedSoftmax()(np.ones((2, 4, 4), "float32"), mask=np.ones(shape, bool))


def test_zeros_and_ones_are_a_mask():
    mask = np.array([[True, False, True], [False, False, False]])
    accepts_numbers_as_truth(MaskedSoftmax(axis=1), mask)


@needs["tensorflow"]
def test_ragged_tensors_and_strings_are_refused():
    refuses_ragged_and_strings(MaskedSoftmax())
