"""Figures of mean.md."""

import numpy as np
from keras import layers, ops

from keras_masking import MaskedMean
from keras_masking.rendering.grid import Arrow
from sitekit.drawn.parts import MEANS, behind, mask_grid, value_grid, written


def mean_steps(word):
    x = MEANS[1:2]
    mask = behind(layers.Masking(), x)
    repeated = np.asarray(ops.repeat(mask[:, None], 2, axis=1))
    turned = np.asarray(ops.transpose(repeated, (0, 2, 1)))
    numbers = np.asarray(ops.cast(turned, "float32"))
    mean = np.asarray(MaskedMean()(x, mask=mask))
    lines = [
        [
            mask_grid("mask (1, 4)", mask),
            Arrow("repeat"),
            mask_grid("(1, 2, 4)", repeated[0]),
        ],
        [
            Arrow("transpose"),
            mask_grid("(1, 4, 2)", turned[0]),
            Arrow("cast"),
            value_grid("(1, 4, 2)", numbers[0], turned[0]),
        ],
        [
            value_grid("x", x[0], turned[0]),
            Arrow(word("multiply")),
            value_grid("x * mask", (x * numbers)[0], turned[0]),
            Arrow(word("divide")),
            value_grid(word("mean"), mean),
        ],
    ]
    return lines, {"mask": written(mask), "turned": written(turned[0]), "mean": written(mean)}
