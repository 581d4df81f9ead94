"""Figures of why.md, and of glossary.md."""

import keras
import numpy as np
from keras import layers

from keras_masking import MaskedMean
from keras_masking.rendering.grid import Arrow, Cell, Grid
from sitekit.drawn.parts import MEANS, behind, mask_grid, said, value_grid, written


def padding_and_mask(word):
    sequences = [[3], [1, 4], [1, 5, 9], [2, 6, 5, 3]]
    padded = keras.utils.pad_sequences(sequences, padding="post")
    mask = behind(layers.Embedding(10, 1, mask_zero=True), padded)
    ragged = tuple(
        tuple(Cell(said(v), "keep") for v in row) + (None,) * (4 - len(row)) for row in sequences
    )
    line = [
        Grid(word("sequences"), ragged),
        Arrow(word("pad")),
        value_grid(word("padded"), padded, mask),
        Arrow(word("mark")),
        mask_grid(word("mask"), mask),
    ]
    return [line], {"padded": written(padded), "mask": written(mask)}


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
