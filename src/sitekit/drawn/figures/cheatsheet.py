"""Figures of cheatsheet.md."""

import numpy as np
from keras import layers

from keras_masking import MaskedMean
from keras_masking.rendering.grid import Arrow
from sitekit.drawn.parts import mask_of, value_grid, written

X = np.array([[[10], [20], [0], [0]]], dtype="float32")


def cheatsheet_mask(word):
    masked = layers.Masking()(X)
    mask = mask_of(masked)
    plain = X.mean(axis=1)
    mean = np.asarray(MaskedMean()(masked))
    line = [
        value_grid("x", X[..., 0], mask),
        Arrow("mean"),
        value_grid(word("plain"), plain),
        Arrow("MaskedMean"),
        value_grid(word("masked"), mean, np.ones_like(mean, bool)),
    ]
    facts = {"mask": written(mask), "plain": written(plain), "masked": written(mean)}
    return [line], facts
