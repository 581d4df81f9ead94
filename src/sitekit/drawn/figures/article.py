"""Figures of article.md."""

import keras
import numpy as np
from keras import layers

from keras_masking import MaskedMean, trace
from keras_masking.rendering.grid import Arrow, Note
from sitekit.drawn.parts import MEANS, mask_grid, value_grid, written


def article_pipeline(word):
    x = keras.Input((4, 2))
    masked = layers.Masking(name="masking")(x)
    mean = MaskedMean(name="mean")(layers.LSTM(2, return_sequences=True, name="lstm")(masked))
    run = trace(keras.Model(x, mean), MEANS)
    made, passed = run["masking"].mask, run["lstm"].mask
    assert np.array_equal(made, passed)
    assert run["mean"].mask is None
    lines = [
        [
            value_grid(word("input"), MEANS[..., 0], made),
            Arrow("Masking"),
            mask_grid(word("mask"), made),
        ],
        [
            Arrow("LSTM"),
            mask_grid(word("mask"), passed),
            Arrow("MyMeanPool"),
            Note(word("none")),
        ],
    ]
    return lines, {"mask": written(made)}
