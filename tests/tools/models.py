"""Small models that the tests of the tools share."""

import warnings

import keras
import numpy as np
import pytest
from keras import layers

# data, inputs, numbers and steps are told apart by numpy on each backend
not_on_jax = pytest.mark.skipif(
    keras.backend.backend() == "jax", reason="numpy decides it, where JAX compiles for long"
)

IDS = np.array([[1, 2, 3, 0], [4, 5, 0, 0]])
MASK = IDS != 0


def embedding(name="embedding", **options):
    return layers.Embedding(6, 4, mask_zero=True, name=name, **options)


def functional(*body, steps=None):
    """A Functional model of these layers behind an Embedding with a mask."""
    inputs = keras.Input((steps,), dtype="int32", name="ids")
    x = embedding()(inputs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras tells of lost masks while the model is built
        for layer in body:
            x = layer(x)
    return keras.Model(inputs, x, name="model")


class Subclassed(keras.Model):
    """A model whose `call` is a function of itself and the input."""

    def __init__(self, body, parts):
        super().__init__(name="model")
        for name, layer in parts.items():
            setattr(self, name, layer)
        self.body = body
        self.built = True

    def call(self, x):
        return self.body(self, x)


def subclassed(body, **parts):
    """Such a model, with the weights that a first batch makes."""
    model = Subclassed(body, parts)
    model(IDS)
    return model
