"""What holds for every layer that summarizes the entries of one axis."""

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
from keras import ops

import keras_masking

# by the name of the results in CASES: what Keras gives without a mask
KERAS = {
    "mean": ops.mean,
    "sum": ops.sum,
    "max": ops.max,
    "min": ops.min,
    "std": ops.std,
    "first": lambda x, axis: ops.take(x, 0, axis),
    "last": lambda x, axis: ops.take(x, -1, axis),
}
every_summary = pytest.mark.parametrize("name", KERAS)


def layer_class(name):
    return getattr(keras_masking, f"Masked{name.title()}")


@pytest.mark.filterwarnings("ignore:invalid value")  # numpy, of inf in valid steps
@every_summary
@pytest.mark.parametrize("case", CASES)
def test_named_case(name, case):
    case = CASES[case]
    layer = layer_class(name)(axis=case.axis)
    result = layer(np.asarray(case.x, "float32"), mask=boolean(case.mask))
    np.testing.assert_allclose(array(result), getattr(case, name), rtol=1e-6)


@every_summary
def test_without_a_mask_it_is_what_keras_gives(name):
    x = np.random.default_rng(0).normal(size=(3, 5, 2)).astype("float32")
    result, expected = array(layer_class(name)()(x)), array(KERAS[name](x, axis=1))
    # jax compiles its standard deviation as a whole, and torch has one: in another order
    last_bits = name == "std" and keras.backend.backend() in ("jax", "torch")
    np.testing.assert_allclose(result, expected, rtol=1e-6 if last_bits else 0)


@every_summary
def test_the_mask_ends_with_the_time_axis(name):
    x, mask = np.ones((2, 3, 4), "float32"), np.ones((2, 3), bool)
    assert layer_class(name)().compute_mask(x, mask) is None
    assert layer_class(name)(axis=2).compute_mask(x, mask).shape == (2, 3)


@every_summary
def test_a_mask_over_two_time_axes_loses_one(name):
    mask = np.array([[[True, True], [False, True], [False, False]]])
    x = np.ones((1, 3, 2, 4), "float32")
    inner = layer_class(name)(axis=2).compute_mask(x, mask)
    np.testing.assert_array_equal(array(inner), [[True, True, False]])
    outer = layer_class(name)(axis=1).compute_mask(x, mask)
    np.testing.assert_array_equal(array(outer), [[True, True]])


@every_summary
def test_bad_input_is_refused(name):
    refuses_bad_masks(layer_class(name)())
    refuses_bad_axes(layer_class(name))


@every_summary
def test_zeros_and_ones_are_a_mask(name):
    mask = np.array([[True, False, True], [False, False, False]])
    accepts_numbers_as_truth(layer_class(name)(), mask)


@needs["tensorflow"]
@every_summary
def test_ragged_tensors_and_strings_are_refused(name):
    refuses_ragged_and_strings(layer_class(name)())
