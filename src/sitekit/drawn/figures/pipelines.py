"""Figures of pipelines.md."""

import keras
import numpy as np
from keras import layers

from keras_masking.rendering.grid import Arrow, Cell, Grid
from sitekit.drawn.parts import behind, kept, marked, said, value_grid, written


def cut_and_padded(word):
    rows, steps = [[1, 2, 3, 4], [5]], 3
    lines, facts = [], {}
    for name, options in (("default", {}), ("post", {"padding": "post", "truncating": "post"})):
        x = keras.utils.pad_sequences(rows, maxlen=steps, **options)
        mask = behind(layers.Embedding(6, 1, mask_zero=True), x)
        cells = tuple(
            tuple(Cell(said(v), "keep" if v in left else "wrong") for v in row)
            + (None,) * (len(rows[0]) - len(row))
            for row, left in zip(rows, x, strict=True)
        )
        lines.append(
            [Grid(word("rows"), cells), Arrow("pad_sequences"), value_grid(word(name), x, mask)]
        )
        facts |= {name: written(x), f"{name}_mask": written(mask)}
    return lines, facts


def normalized_padding(word):
    x = np.array([[3, 4, 6, 4], [3, 4, 0, 0]], dtype="float32")
    before = behind(layers.Masking(), x[..., None])
    normalize = layers.Normalization()
    normalize.adapt(x[before][:, None])
    normalized = np.asarray(normalize(x[..., None]))
    after = behind(layers.Masking(), normalized)
    line = [
        value_grid(word("x"), x, before),
        Arrow("Normalization"),
        value_grid(word("normalized"), normalized[..., 0], before),
        Arrow("Masking"),
        marked(word("mask"), after, np.where(after == before, kept(after), "wrong")),
    ]
    facts = {
        "x": written(x),
        "before": written(before),
        "normalized": written(normalized[..., 0]),
        "after": written(after),
        "wrong": said((after != before).sum()),
    }
    return [line], facts
