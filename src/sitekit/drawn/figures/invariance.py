"""Figures of invariance.md."""

import numpy as np
from keras import layers

from keras_masking import MaskedMean
from sitekit.drawn.parts import marked, value_grid, written


def three_probes(word):
    x = np.array([[[4], [8], [0]], [[6], [0], [0]]], dtype="float32")
    mask = x.any(axis=-1)
    dense = layers.Dense(1, kernel_initializer="ones", bias_initializer="ones")

    def line(key, x, mask, changed=False):
        kinds = np.where(mask, "keep", np.where(changed, "wrong", "drop"))
        means = [np.asarray(MaskedMean()(dense(x), mask=used)).round(1) for used in (None, mask)]
        results[key] = tuple(written(mean.T) for mean in means)
        return [
            marked(word(key), x[..., 0], kinds),
            value_grid(word("without"), means[0]),
            value_grid(word("with"), means[1], np.ones_like(means[1])),
        ]

    results: dict[str, tuple[str, str]] = {}
    longer, longer_mask = np.pad(x, ((0, 0), (0, 3), (0, 0))), np.pad(mask, ((0, 0), (0, 3)))
    lines = [
        line("batch", x, mask),
        line("length", longer, longer_mask, np.arange(6) >= 3),
        line("content", np.where(mask[..., None], x, 99), mask, True),
        line("company", x[1:, :1], mask[1:, :1]),
    ]
    facts = {key: without for key, (without, _) in results.items()}
    return lines, facts | {"right": results["batch"][1]}
