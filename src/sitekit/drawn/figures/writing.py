"""Figures of writing.md and layers.md."""

import keras
from keras import layers

from keras_masking import MaskedMean, trace
from keras_masking.rendering.grid import Note
from sitekit.drawn.parts import MEANS, mask_grid, steps, written


def three_roles(word):
    x = keras.Input((4, 2))
    y = MaskedMean()(layers.Dense(2)(layers.Masking()(x)))
    run = trace(keras.Model(x, y), MEANS[1:3])
    lines = []
    for (call, (arrow, _)), role in zip(
        steps(run, word), ("producer", "passer", "consumer"), strict=True
    ):
        before, after = call.inputs[0].mask, call.mask
        lines.append(
            [
                Note(word("none")) if before is None else mask_grid(word("mask"), before),
                arrow,
                Note(word(role)) if after is None else mask_grid(word(role), after),
            ]
        )
    return lines, {"mask": written(run.calls[0].mask)}
