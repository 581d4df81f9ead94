"""Figures of invariance.md."""

import numpy as np
from keras import layers

from keras_masking import MaskedMean
from sitekit.drawn.parts import marked, value_grid, written


def alone_and_padded(word):
    x = np.array([[[4], [8], [0]], [[6], [0], [0]]], dtype="float32")
    mask = x.any(axis=-1)
    dense = layers.Dense(1, kernel_initializer="ones", bias_initializer="ones")

    def mean(x, mask=None):
        return np.asarray(MaskedMean()(dense(x), mask=mask)).round(1)

    def line(key, x, mask, changed=False):
        kinds = np.where(mask, "keep", np.where(changed, "wrong", "drop"))
        without, using = mean(x), mean(x, mask)
        results[key] = written(without.T)
        return [
            marked(word(key), x[..., 0], kinds),
            value_grid(word("without"), without),
            value_grid(word("with"), using, np.ones_like(using)),
        ]

    results: dict[str, str] = {}
    own = [sample[None, valid] for sample, valid in zip(x, mask, strict=True)]
    right = np.concatenate([mean(sample) for sample in own])
    first, second = (
        marked(word(key), s[..., 0], "keep")
        for key, s in zip(("first", "second"), own, strict=True)
    )
    longer, longer_mask = np.pad(x, ((0, 0), (0, 3), (0, 0))), np.pad(mask, ((0, 0), (0, 3)))
    lines = [
        [first, second, value_grid(word("without"), right)],
        line("batch", x, mask),
        line("length", longer, longer_mask, np.arange(6) >= 3),
        line("content", np.where(mask[..., None], x, 99), mask, True),
    ]
    return lines, results | {"right": written(right.T)}
