import keras
import numpy as np
import pytest
from bad_input import (
    accepts_numbers_as_truth,
    refuses_bad_axes,
    refuses_bad_masks,
    refuses_ragged_and_strings,
)
from cases import CASES
from conftest import array, boolean, needs
from keras import layers

from keras_masking import MaskedMean


@pytest.mark.parametrize("name", CASES)
def test_named_case(name):
    x, mask, axis, mean, _ = CASES[name]
    result = MaskedMean(axis=axis)(np.asarray(x, "float32"), mask=boolean(mask))
    np.testing.assert_allclose(array(result), mean, rtol=1e-6)


def test_the_batch_of_the_article():
    x = np.array(
        [
            [[10, 10], [0, 0], [0, 0], [0, 0]],
            [[10, 10], [20, 20], [0, 0], [0, 0]],
            [[10, 10], [20, 20], [30, 30], [0, 0]],
            [[10, 10], [20, 20], [30, 30], [40, 40]],
        ],
        dtype="float32",
    )
    result = array(MaskedMean()(x, mask=layers.Masking().compute_mask(x)))
    np.testing.assert_array_equal(result, [[10, 10], [15, 15], [20, 20], [25, 25]])


def test_without_a_mask_it_is_the_mean_of_keras():
    x = np.random.default_rng(0).normal(size=(3, 5, 2)).astype("float32")
    np.testing.assert_array_equal(array(MaskedMean()(x)), array(keras.ops.mean(x, axis=1)))


def test_integers_are_averaged_as_floats():
    assert array(MaskedMean()(np.array([[1, 2, 9]]), mask=np.array([[True, True, False]]))) == 1.5


def test_a_long_row_of_half_precision_does_not_overflow():
    x = np.full((1, 4000, 1), 1000, "float16")
    mask = np.arange(4000)[None] < 3000
    result = array(MaskedMean(dtype="float16")(x, mask=mask))
    assert (result.dtype, result[0, 0]) == ("float16", 1000)


def test_the_mask_ends_with_the_time_axis():
    x, mask = np.ones((2, 3, 4), "float32"), np.ones((2, 3), bool)
    assert MaskedMean().compute_mask(x, mask) is None
    assert MaskedMean(axis=2).compute_mask(x, mask).shape == (2, 3)


def test_a_mask_over_two_time_axes_loses_one():
    mask = np.array([[[True, True], [False, True], [False, False]]])
    x = np.ones((1, 3, 2, 4), "float32")
    inner = MaskedMean(axis=2)
    np.testing.assert_array_equal(array(inner.compute_mask(x, mask)), [[True, True, False]])
    outer = MaskedMean(axis=1)
    np.testing.assert_array_equal(array(outer.compute_mask(x, mask)), [[True, True]])


def test_bad_input_is_refused():
    refuses_bad_masks(MaskedMean())
    refuses_bad_axes(MaskedMean)


def test_zeros_and_ones_are_a_mask():
    accepts_numbers_as_truth(MaskedMean(), np.array([[True, False, True], [False, False, False]]))


@needs["tensorflow"]
def test_ragged_tensors_and_strings_are_refused():
    refuses_ragged_and_strings(MaskedMean())
