"""Figures of why.md."""

import numpy as np
from keras import layers

from keras_masking import MaskedMean
from sitekit.drawn.parts import MEANS, behind, value_grid, written


def why_mean(word):
    mask = behind(layers.Masking(), MEANS)
    counted = MEANS.mean(axis=1)[:, :1]
    masked = np.asarray(MaskedMean()(layers.Masking()(MEANS)))[:, :1]
    line = [
        value_grid(word("batch"), MEANS[..., 0], mask),
        value_grid(word("counted"), counted),
        value_grid(word("masked"), masked, np.ones_like(masked)),
    ]
    facts = {"counted": written(counted.T), "masked": written(masked.T)}
    return [line], facts
