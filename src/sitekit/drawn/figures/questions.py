"""Figures of questions.md."""

import numpy as np
import tf_keras

from keras_masking import MaskedFlatten
from keras_masking.rendering.grid import Arrow
from sitekit.drawn.parts import behind, mask_grid, value_grid, written


def was_it_flattened(word):
    mask = np.array([[True, True, False, False]])
    x = np.arange(12.0).reshape(1, 4, 3)
    old = tf_keras.backend
    flat_x = np.asarray(old.batch_flatten(old.constant(x)))
    flat_mask = np.asarray(old.batch_flatten(old.constant(mask))) > 0
    needed = behind(MaskedFlatten(), x, mask)
    lines = [
        [value_grid("x (1, 4, 3)", x[0]), Arrow("batch_flatten")],
        [value_grid(f"{flat_x.shape}", flat_x)],
        [
            mask_grid("mask (1, 4)", mask),
            Arrow("batch_flatten"),
            mask_grid(f"{flat_mask.shape}", flat_mask),
        ],
        [mask_grid(f"{word('needed')} {needed.shape}", needed)],
    ]
    return lines, {"flat": written(flat_mask), "needed": written(needed)}
