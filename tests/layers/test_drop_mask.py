import warnings

import keras
import numpy as np
import pytest
from conftest import EXAMPLES, array, gradient, mask_of, needs_gradients, padded_batches
from hypothesis import given, settings
from keras import layers, ops
from keras.src.backend import set_keras_mask
from keras_twin import compiled

from keras_masking import DropMask

X = np.array([[[1], [2], [0]], [[3], [0], [0]]], "float32")
MASK = np.array([[True, True, False], [True, False, False]])


def test_the_result_has_no_mask_and_the_tensor_given_keeps_its_own():
    x = layers.Masking()(X)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dropped = DropMask()(x)
    assert mask_of(dropped) is None
    np.testing.assert_array_equal(mask_of(x), MASK)
    np.testing.assert_array_equal(array(dropped), X)


def test_without_a_mask_nothing_changes():
    np.testing.assert_array_equal(array(DropMask()(X)), X)


@settings(deadline=None, max_examples=EXAMPLES, derandomize=True)
@given(batch=padded_batches((2, 3, 1), (0, 3, 1)))
def test_any_values_stay_and_any_mask_goes(batch):
    x, mask = ops.array(batch[0]), ops.array(batch[1])
    set_keras_mask(x, mask)
    dropped = DropMask()(x)
    np.testing.assert_array_equal(array(dropped), batch[0])
    assert mask_of(dropped) is None


@needs_gradients
def test_padded_steps_get_their_gradient_again():
    np.testing.assert_array_equal(gradient(lambda x, mask: DropMask()(x), X + 1, MASK), 2 * X + 2)


@pytest.mark.parametrize("kind", ["functional", "sequential"])
def test_in_a_model_padding_counts_again(kind, tmp_path):
    stack = [layers.Masking(), DropMask(), layers.GlobalAveragePooling1D()]
    if kind == "sequential":
        model = keras.Sequential(stack)
    else:
        x = inputs = keras.Input((None, 1))
        for layer in stack:
            x = layer(x)
        model = keras.Model(inputs, x)
    np.testing.assert_allclose(model.predict(X, verbose=0), [[1], [1]])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(array(loaded(X)), array(model(X)))


def test_compiled():
    drop, keep, pool = DropMask(), layers.Masking(), layers.GlobalAveragePooling1D()
    for function in compiled(lambda x, m: pool(drop(keep(x))), (None, None, 1)):
        np.testing.assert_allclose(array(function(X, MASK)), [[1], [1]])


def test_dtypes_and_an_empty_batch():
    assert keras.backend.standardize_dtype(DropMask()(np.ones((1, 2), "int32")).dtype) == "int32"
    assert keras.backend.standardize_dtype(DropMask(dtype="float16")(X).dtype) == "float16"
    assert array(DropMask()(X[:0])).shape == (0, 3, 1)
