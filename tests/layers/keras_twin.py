"""A layer of this package beside the layer of Keras that it stands in for."""

import keras
import numpy as np
from bad_input import X as ONES
from bad_input import accepts_numbers_as_truth, refuses_bad_masks
from conftest import array, mask_of
from keras import layers

import keras_masking


def without_a_mask_it_is_the_layer_of_keras(layer, shape=(3, 4, 6), **options):
    """The same numbers bit for bit, the same weights, and the same shapes and arguments."""
    plain = getattr(layers, type(layer).__name__.removeprefix("Masked"))
    plain = plain.from_config(layer.get_config())
    x = np.random.default_rng(0).normal(size=shape).astype("float32")
    plain.build(shape), layer.build(shape)
    weights = [np.random.default_rng(1).uniform(0.5, 2, w.shape) for w in plain.weights]
    plain.set_weights(weights)
    layer.set_weights(weights)
    assert [w.path.split("/")[-1] for w in layer.weights] == [
        w.path.split("/")[-1] for w in plain.weights
    ]
    ours, theirs = layer(x, **options), plain(x, **options)
    np.testing.assert_array_equal(array(ours), array(theirs))
    assert mask_of(ours) is None
    assert layer(keras.Input(shape[1:])).shape == plain(keras.Input(shape[1:])).shape
    assert layer.get_config() == plain.get_config()


class Model(keras.Model):
    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def call(self, x):
        return self.layer(x)


def its_weights_load(layer, folder, shape=(3, 4, 6)):
    """From the file of a model that differs in the name of the class only."""
    plain = getattr(layers, type(layer).__name__.removeprefix("Masked"))
    x = np.ones(shape, "float32")
    saved, ours = Model(plain.from_config(layer.get_config())), Model(layer)
    saved(x), ours(x)
    saved.set_weights([np.random.default_rng(1).uniform(0.5, 2, w.shape) for w in saved.weights])
    saved.save_weights(folder / "plain.weights.h5")
    ours.load_weights(folder / "plain.weights.h5")
    np.testing.assert_array_equal(array(ours(x)), array(saved(x)))


def ours_takes_its_place_in_a_saved_model(plain, folder, shape):
    """The model is loaded, cloned with our layer in it, and hands its weights over."""
    ours = getattr(keras_masking, f"Masked{type(plain).__name__}")
    model = keras.Sequential([keras.Input(shape[1:]), plain])
    model.set_weights([np.random.default_rng(1).uniform(0.5, 2, w.shape) for w in model.weights])
    model.save(folder / "model.keras")
    loaded = keras.saving.load_model(folder / "model.keras")
    clone = keras.models.clone_model(
        loaded, clone_function=lambda layer: ours.from_config(layer.get_config())
    )
    clone.set_weights(loaded.get_weights())
    assert type(clone.layers[-1]) is ours
    x = np.random.default_rng(0).normal(size=shape).astype("float32")
    np.testing.assert_array_equal(array(clone(x)), array(model(x)))


def masks_are_judged(layer):
    refuses_bad_masks(layer)
    accepts_numbers_as_truth(layer, np.array([[True, True, False], [True, False, False]]))
    assert ONES.shape == (2, 3, 4)


def compiled(function, shape):
    """`function(x, mask)` in each way that the backend compiles; sizes may be None."""
    if keras.backend.backend() == "jax":
        import jax

        return [jax.jit(function)]
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        signature = [tf.TensorSpec(shape), tf.TensorSpec(shape[:2], tf.bool)]
        options = {"input_signature": signature, "autograph": False}
        return [tf.function(function, jit_compile=xla, **options) for xla in (False, True)]
    return [function]
