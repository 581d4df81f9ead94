import keras
import numpy as np
import pytest
from conftest import array, gradient, mask_of, needs_gradients
from keras import layers
from keras_twin import (
    compiled,
    its_weights_load,
    masks_are_judged,
    without_a_mask_it_is_the_layer_of_keras,
)

from keras_masking import MaskedRMSNormalization

X = np.array([[[3, 4], [6, 8], [9, 9]], [[9, 9], [9, 9], [9, 9]]], "float32")
MASK = np.array([[True, True, False], [False, False, False]])


def test_each_step_by_hand():
    """The root mean square of (3, 4) is 5 / sqrt(2)."""
    result = MaskedRMSNormalization()(X[:1], mask=MASK[:1])
    step = np.array([3, 4]) / 5 * 2**0.5
    np.testing.assert_allclose(array(result), [[step, step, [0, 0]]], rtol=1e-6)
    np.testing.assert_array_equal(mask_of(MaskedRMSNormalization()(layers.Masking(9)(X))), MASK)


def test_over_time_and_features_by_hand():
    """The squares of the two valid steps are 9 + 16 + 36 + 64, over 4 numbers: 31.25."""
    result = array(MaskedRMSNormalization(axis=[1, 2])(X, mask=MASK))
    np.testing.assert_allclose(result[0, :2], X[0, :2] / 31.25**0.5, rtol=1e-6)
    assert not result[0, 2:].any() and not result[1].any()


@pytest.mark.parametrize("axis", [-1, [1, 2]])
def test_it_is_the_layer_of_keras(axis, tmp_path):
    without_a_mask_it_is_the_layer_of_keras(MaskedRMSNormalization(axis))
    its_weights_load(MaskedRMSNormalization(axis), tmp_path)


@pytest.mark.parametrize("value", [0, np.nan, np.inf])
def test_over_time_padding_is_harmless_compiled_too(value):
    layer = MaskedRMSNormalization(axis=[1, 2])
    x = np.where(MASK[..., None], X, np.array(value, "float32"))
    layer.build(X.shape)
    expected = array(layer(X, mask=MASK))
    for function in compiled(lambda x, mask: layer(x, mask=mask), (None, 3, 2)):
        np.testing.assert_allclose(array(function(x, MASK)), expected, rtol=1e-6)


@needs_gradients
def test_over_time_the_gradient_is_that_of_the_valid_steps():
    x = np.where(MASK[..., None], X, np.array(np.nan, "float32"))
    layer = MaskedRMSNormalization(axis=[1, 2], epsilon=0.1)
    found = gradient(layer, x, MASK)
    alone = gradient(MaskedRMSNormalization([1, 2], 0.1), X[:1, :2], np.ones((1, 2), bool))
    np.testing.assert_allclose(found[:1, :2], alone, rtol=1e-4, atol=1e-6)
    assert not found[0, 2:].any() and not found[1].any()


def test_half_precision_does_not_overflow():
    x = np.full((1, 3, 2), 6e4, "float16")
    result = MaskedRMSNormalization([1, 2], dtype="float16")(x, mask=MASK[:1])
    np.testing.assert_allclose(array(result)[0, :2], 1, rtol=1e-2)


def test_bad_input_is_refused():
    masks_are_judged(MaskedRMSNormalization())
    for axis in (1, [0, 1]):
        layer = MaskedRMSNormalization(axis)
        with pytest.raises(ValueError, match=r"last axes .* Received: axis=\[.* \(2, 3, 4\)"):
            layer(np.ones((2, 3, 4), "float32"), mask=MASK)


def test_an_empty_batch():
    layer = MaskedRMSNormalization([1, 2])
    assert array(layer(X[:0], mask=MASK[:0])).shape == (0, 3, 2)
    assert isinstance(layer, keras.layers.RMSNormalization)
