"""Figures of shape.md."""

import numpy as np
from keras import layers, ops

from keras_masking import MaskedFlatten
from keras_masking.rendering.grid import Arrow
from sitekit.drawn.parts import IDS, behind, mask_grid, value_grid, written


def shape_steps(word):
    mask = behind(layers.Embedding(5, 3, mask_zero=True), IDS)
    flat = behind(MaskedFlatten(), np.zeros((*IDS.shape, 3)), mask)
    column = mask[1][:, None]
    lines = [
        [
            value_grid(f"{word('ids')} {IDS.shape}", IDS, mask),
            Arrow("Embedding"),
            mask_grid(f"{word('mask')} {mask.shape}", mask),
        ],
        [
            mask_grid(word("column"), column),
            Arrow(word("broadcast")),
            mask_grid(word("features"), np.broadcast_to(column, (4, 3))),
        ],
        [mask_grid(f"MaskedFlatten {flat.shape}", flat)],
    ]
    return lines, {"mask": written(mask), "row": written(flat[1])}


def shape_time_distributed(word):
    ids = np.array([[[1, 2, 0], [3, 0, 0], [0, 0, 0]]])
    words_mask = behind(layers.Embedding(5, 2, mask_zero=True), ids)
    sentences = np.asarray(ops.any(words_mask, axis=-1))
    line = [
        value_grid(word("ids"), ids[0], words_mask[0]),
        mask_grid(f"{word('words')} {words_mask.shape}", words_mask[0]),
        Arrow("any"),
        mask_grid(f"{word('sentences')} {sentences.shape}", sentences.T),
    ]
    return [line], {"words": written(words_mask[0]), "sentences": written(sentences)}


def shape_attention(word):
    ids = np.array([[1, 2, 3, 0]])
    padding = behind(layers.Embedding(5, 2, mask_zero=True), ids)
    keys = np.repeat(padding, 4, axis=0)
    causal = np.tril(np.ones((4, 4), dtype=bool))
    both = keys & causal
    line = [
        mask_grid(word("padding"), keys),
        Arrow("&"),
        mask_grid(word("causal"), causal),
        Arrow("="),
        mask_grid(word("both"), both),
    ]
    return [line], {"both": written(both)}
