"""Figures of inputs.md."""

import keras
import numpy as np
from keras import layers

from keras_masking import KeepMask, trace
from keras_masking.rendering.grid import Arrow
from sitekit.drawn.parts import value_grid, written

X = np.array([[[1], [3], [0]]], dtype="float32")
AGE = np.array([[7]], dtype="float32")


def inputs_static(word):
    inputs = keras.Input(X.shape[1:]), keras.Input(AGE.shape[1:])
    x = layers.Masking(name="masking")(inputs[0])
    repeated = layers.RepeatVector(3)(inputs[1])
    joined = layers.Concatenate(name="join")([x, repeated])
    model = keras.Model(inputs, [repeated, joined, KeepMask(name="keep")([joined, x])])
    run = trace(model, [X, AGE])
    mask, lost, kept = (run[name].mask for name in ("masking", "join", "keep"))
    ages, *both = (np.asarray(y)[0].T for y in model([X, AGE]))
    lines = [
        [value_grid(word("sequence"), X[..., 0], mask), value_grid(word("age"), ages)],
        [Arrow("Concatenate"), value_grid(word("joined"), both[0], lost)],
        [Arrow("KeepMask"), value_grid(word("kept"), both[1], kept)],
    ]
    return lines, {"mask": written(mask), "lost": written(lost), "kept": written(kept)}
