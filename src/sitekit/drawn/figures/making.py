"""Figures of making.md."""

import numpy as np
from keras import layers

from keras_masking.rendering.grid import Arrow
from sitekit.drawn.parts import IDS, behind, kept, marked, mask_grid, said, value_grid, written


def masking_layer(word):
    x = np.array([[[1, 2], [0, 5], [0, 0], [0, 0]], [[3, 0], [4, 4], [5, 1], [0, 0]]])
    mask = behind(layers.Masking(), x)
    steps = [[" ".join(map(str, step)) for step in row] for row in x]
    line = [
        value_grid(word("steps"), steps, mask),
        Arrow("Masking()"),
        mask_grid(word("mask"), mask),
    ]
    return [line], {"mask": written(mask)}


def embedding_mask(word):
    mask = behind(layers.Embedding(5, 3, mask_zero=True), IDS)
    line = [
        value_grid(word("ids"), IDS, mask),
        Arrow("Embedding(mask_zero=True)"),
        mask_grid(word("mask"), mask),
    ]
    return [line], {"mask": written(mask)}


def mask_value_collision(word):
    lines, masks = [], []
    nan = np.nan
    for value, row, data in (
        (0.0, [7, 0, 8, 0], [True, True, True, False]),
        (-1.0, [7, 0, 8, -1], [True, True, True, False]),
        (nan, [7, 9, nan, nan], [True, True, False, False]),
    ):
        x = np.array([row], dtype="float32")[..., None]
        (mask,) = behind(layers.Masking(mask_value=value), x)
        masks.append(mask)
        wrong = mask != data
        lines.append(
            [
                value_grid(f"mask_value={said(value)}", row, data),
                Arrow("Masking"),
                marked(
                    word("wrong" if wrong.any() else "right"),
                    mask,
                    np.where(wrong, "wrong", kept(mask)),
                ),
            ]
        )
    return lines, {"zero": written(masks[0]), "minus": written(masks[1]), "nan": written(masks[2])}
