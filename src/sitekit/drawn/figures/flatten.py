"""Figures of flatten.md."""

import numpy as np
from keras import ops

from keras_masking import MaskedSum
from sitekit.drawn.parts import said, value_grid, written


def repeat_and_tile(word):
    x = np.arange(12.0).reshape(1, 12)
    mask = np.array([[True, True, False, False]])
    repeated = np.asarray(ops.repeat(mask, 3, axis=1))
    tiled = np.asarray(ops.tile(mask, (1, 3)))
    right, wrong = (float(MaskedSum()(x, mask=m)[0]) for m in (repeated, tiled))
    lines = [
        [value_grid(f"{word('repeat')} {right:g}", x, repeated)],
        [value_grid(f"{word('tile')} {wrong:g}", x, tiled)],
    ]
    kept = {"right": written(x[repeated]), "wrong": written(x[tiled])}
    return lines, kept | {"sum": said(right), "wrong_sum": said(wrong)}
