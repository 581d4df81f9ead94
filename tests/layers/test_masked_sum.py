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

from keras_masking import MaskedFlatten, MaskedSum


@pytest.mark.parametrize("name", CASES)
def test_named_case(name):
    x, mask, axis, _, total = CASES[name]
    result = MaskedSum(axis=axis)(np.asarray(x, "float32"), mask=boolean(mask))
    np.testing.assert_allclose(array(result), total, rtol=1e-6)


@pytest.mark.parametrize("flatten", [True, False])
def test_the_index_batch_of_the_article(flatten):
    ids = np.array([[1, 0, 0, 0], [1, 2, 0, 0], [1, 2, 3, 0], [1, 2, 3, 4]])
    x = layers.Embedding(5, 3, mask_zero=True, embeddings_initializer="ones")(ids)
    if flatten:
        result = array(MaskedSum()(MaskedFlatten()(x)))
    else:
        result = array(MaskedSum()(x)).sum(axis=-1)
    np.testing.assert_array_equal(result, [3, 6, 9, 12])


def test_the_elements_of_valid_steps_are_summed_not_others():
    x = np.arange(12, dtype="float32").reshape(1, 4, 3)
    mask = np.array([[True, True, False, False]])
    layer = MaskedFlatten()
    flat_mask = layer.compute_mask(keras.ops.array(x), mask)
    assert array(MaskedSum()(layer(x, mask=mask), mask=flat_mask)) == 15


def test_without_a_mask_it_is_the_sum_of_keras():
    x = np.random.default_rng(0).normal(size=(3, 5, 2)).astype("float32")
    np.testing.assert_array_equal(array(MaskedSum()(x)), array(keras.ops.sum(x, axis=1)))


def test_a_long_row_of_half_precision_is_added_up_in_float32():
    x = np.ones((1, 5000, 1), "float16")  # where float16 stays at 2048
    mask = np.arange(5000)[None] < 4000
    result = array(MaskedSum(dtype="float16")(x, mask=mask))
    assert (result.dtype, result[0, 0]) == ("float16", 4000)


def test_the_mask_ends_with_the_time_axis():
    x, mask = np.ones((2, 3, 4), "float32"), np.ones((2, 3), bool)
    assert MaskedSum().compute_mask(x, mask) is None
    assert MaskedSum(axis=2).compute_mask(x, mask).shape == (2, 3)


def test_a_mask_over_two_time_axes_loses_one():
    mask = np.array([[[True, True], [False, True], [False, False]]])
    x = np.ones((1, 3, 2, 4), "float32")
    inner = MaskedSum(axis=2)
    np.testing.assert_array_equal(array(inner.compute_mask(x, mask)), [[True, True, False]])
    outer = MaskedSum(axis=1)
    np.testing.assert_array_equal(array(outer.compute_mask(x, mask)), [[True, True]])


def test_bad_input_is_refused():
    refuses_bad_masks(MaskedSum())
    refuses_bad_axes(MaskedSum)


def test_zeros_and_ones_are_a_mask():
    accepts_numbers_as_truth(MaskedSum(), np.array([[True, False, True], [False, False, False]]))


@needs["tensorflow"]
def test_ragged_tensors_and_strings_are_refused():
    refuses_ragged_and_strings(MaskedSum())
