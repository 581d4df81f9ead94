"""Figures of backends.md."""

import numpy as np
from keras import ops

from keras_masking.rendering.grid import Arrow
from sitekit.drawn.parts import marked, value_grid, written


def product_with_a_mask(word):
    x, mask = np.array([[0.5, 2, 6]], "float32"), np.array([[True, False, True]])
    right = np.asarray(ops.multiply(x, mask))
    found = np.asarray(ops.convert_to_tensor(x) * ops.convert_to_tensor(mask))
    kinds = np.where(found == (right != 0), np.where(mask, "keep", "drop"), "wrong")
    lines = [
        [value_grid("x", x, mask)],
        [Arrow("x * mask"), marked(word("booleans"), found.astype(int), kinds)],
        [Arrow("ops.multiply(x, mask)"), value_grid(word("numbers"), right, mask)],
    ]
    return lines, {"x": written(x), "found": written(found.astype(int)), "right": written(right)}
