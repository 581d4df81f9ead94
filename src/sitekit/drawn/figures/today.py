"""Figures of today.md."""

import warnings

import keras
import tf_keras
from keras import layers

from keras_masking import trace
from keras_masking.rendering.grid import Arrow, Note
from sitekit.drawn.parts import MEANS, mask_grid, mask_of, no_mask


def three_eras(word):
    x = MEANS[1:2]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        flatten = layers.Flatten(name="flatten")
        model = keras.Sequential([keras.Input((4, 2)), layers.Masking(), flatten])
    flatten = trace(model, x)["flatten"]
    (given,) = flatten.inputs
    assert flatten.warning
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        old = tf_keras.layers.Masking()(x)
        assert mask_of(tf_keras.layers.Flatten()(old)) is None
    arrow, none = Arrow("Flatten", flatten.loses), no_mask(word("none"), given.mask.shape)
    lines = [
        [mask_grid(word("era-2"), given.mask), arrow, Note("TypeError")],
        [mask_grid("tf_keras", mask_of(old)), arrow, none, Note(word("silence"))],
        [mask_grid("Keras 3", given.mask), arrow, none, Note("UserWarning")],
    ]
    return lines, {}
