"""Functions without a finite slope at 0 behind weights: padding makes no gradient nan.

What is selected away has a gradient of 0, and 0 times an infinite slope is nan. Alone, without its
padding, no sequence here meets such a slope.
"""

import keras
import numpy as np
import pytest
from conftest import array, needs_gradients, slopes
from keras import layers, ops

from keras_masking import (
    MaskedConv1D,
    MaskedConv1DTranspose,
    MaskedDepthwiseConv1D,
    MaskedEinsumDense,
    MaskedSeparableConv1D,
    MaskedTimeDistributed,
)

pytestmark = needs_gradients


def unit(x):
    return x / ops.norm(x, axis=-1, keepdims=True)


def share(x):
    return x / ops.sum(x, axis=-1, keepdims=True)


FUNCTIONS = {"log": ops.log, "sqrt": ops.sqrt, "unit": unit, "share": share}
ONES = {"kernel_initializer": "ones"}
BY_CHANNEL = {"depthwise_initializer": "ones"}


def dense_and(function):
    dense = layers.Dense(3, use_bias=False, kernel_initializer="ones")
    return keras.Sequential([dense, layers.Lambda(function, output_shape=(3,))])


LAYERS = {
    "a convolution": lambda f: MaskedConv1D(3, 2, padding="same", activation=f, **ONES),
    "a causal one": lambda f: MaskedConv1D(3, 2, padding="causal", activation=f, **ONES),
    "with strides": lambda f: MaskedConv1D(3, 2, strides=2, activation=f, **ONES),
    "transposed": lambda f: MaskedConv1DTranspose(3, 2, strides=2, activation=f, **ONES),
    "by channel": lambda f: MaskedDepthwiseConv1D(2, activation=f, **BY_CHANNEL),
    "separable": lambda f: MaskedSeparableConv1D(
        3, 2, activation=f, pointwise_initializer="ones", **BY_CHANNEL
    ),
    "einsum": lambda f: MaskedEinsumDense("btf,fg->btg", (None, 3), activation=f, **ONES),
    "of each step": lambda f: MaskedTimeDistributed(dense_and(f)),
}
X = np.random.default_rng(0).uniform(0.5, 2, (3, 4, 3)).astype("float32")
MASK = np.array([[1, 1, 1, 0], [0, 1, 1, 1], [0, 0, 0, 0]], bool)


def gradients(layer, x, mask):
    """Of a weighted sum of the result, for the inputs and for each weight."""

    def loss(x, result):
        return ops.sum(result * ops.cos(ops.arange(result.shape[-1], dtype="float32")))

    if keras.backend.backend() == "jax":
        import jax

        state = [v.value for v in layer.non_trainable_variables]

        def of(x, weights, mask):
            return loss(x, layer.stateless_call(weights, state, x, mask=mask)[0])

        weights = [v.value for v in layer.trainable_variables]
        found = jax.jit(jax.grad(of, (0, 1)))(x, weights, mask)
        return [array(g) for g in keras.tree.flatten(found)]
    return slopes(lambda x: loss(x, layer(x, mask=mask)), x, *layer.trainable_variables)


@pytest.mark.filterwarnings("ignore:.*destroy the mask")
@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("name", LAYERS)
def test_gradients_are_those_of_each_sequence_alone(name, function):
    layer = LAYERS[name](FUNCTIONS[function])
    layer(X, mask=MASK)
    alone = [
        gradients(layer, X[i : i + 1, row], MASK[i : i + 1, row])
        for i, row in ((0, MASK[0]), (1, MASK[1]))
    ]
    for value in (0, np.nan, np.inf, 1e30):
        x = np.where(MASK[..., None], X, np.float32(value))
        padded, *weights = gradients(layer, x, MASK)
        assert not padded[~MASK].any()
        for i, (expected, *_) in enumerate(alone):
            np.testing.assert_allclose(padded[i, MASK[i]], expected[0], rtol=1e-4, atol=1e-5)
        for found, *parts in zip(weights, *(rest for _, *rest in alone), strict=True):
            np.testing.assert_allclose(found, sum(parts), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("name", LAYERS)
def test_a_batch_without_a_valid_step_changes_no_weight(name, function):
    layer = LAYERS[name](FUNCTIONS[function])
    nothing = np.zeros((2, 4), bool)
    layer(X[:2], mask=nothing)
    for found in gradients(layer, np.full_like(X[:2], np.nan), nothing):
        assert not found.any()
