"""Figures of shapes.md."""

import numpy as np

from keras_masking import MaskedCropping1D, MaskedReshape, MaskedUpSampling1D, MaskedZeroPadding1D
from keras_masking.rendering.grid import Arrow
from sitekit.drawn.parts import behind, value_grid, written


def shapes_masks(word):
    mask = np.array([[1, 1, 1, 1, 0, 0], [0, 0, 0, 1, 1, 1]], dtype=bool)
    x = np.where(mask, np.array([[1, 2, 3, 4, 0, 0], [0, 0, 0, 5, 6, 7]]), 0)
    lines, facts = [[value_grid(word("steps"), x, mask)]], {"steps": written(x)}
    for layer in (
        MaskedCropping1D(1),
        MaskedZeroPadding1D(1),
        MaskedUpSampling1D(2),
        MaskedReshape((3, 2, 1)),
    ):
        name = type(layer).__name__
        left = behind(layer, x[..., None].astype("float32"), mask)
        result = np.asarray(layer(x[..., None].astype("float32"), mask=mask))[..., 0]
        shape = f" {left.shape}" if left.ndim > 2 else ""
        rows = (len(x) * left.shape[1], 2) if left.ndim > 2 else left.shape
        grid = value_grid(word("steps") + shape, result.reshape(rows), left.reshape(rows))
        lines.append([Arrow(name), grid])
        facts[name] = written(result.reshape(rows))
    return lines, facts
