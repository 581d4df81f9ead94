"""Figures of normalization.md."""

import numpy as np
from keras import layers

from keras_masking import MaskedGroupNormalization
from keras_masking.rendering.grid import Arrow
from sitekit.drawn.parts import marked, value_grid, written


def group_normalization(word):
    x = np.array([[[1], [3], [0], [0]]], dtype="float32")
    mask = np.array([[True, True, False, False]])
    plain, masked = (
        np.asarray(made(1)(x, **options))[..., 0].round(2)
        for made, options in (
            (layers.GroupNormalization, {}),
            (MaskedGroupNormalization, {"mask": mask}),
        )
    )
    lines = [
        [
            value_grid(word("steps"), x[..., 0], mask),
            Arrow("GroupNormalization"),
            marked(word("result"), plain, np.where(mask, "wrong", "drop")),
        ],
        [Arrow("MaskedGroupNormalization"), value_grid(word("result"), masked, mask)],
    ]
    return lines, {"plain": written(plain), "masked": written(masked)}
