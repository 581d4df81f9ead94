"""Figures of convolutions.md."""

import numpy as np

from keras_masking import MaskedConv1D
from keras_masking.rendering.grid import Arrow
from sitekit.drawn.parts import behind, mask_grid, value_grid, written


def convolution_masks(word):
    mask = np.array([[1, 1, 1, 0, 0, 0], [1, 0, 0, 0, 1, 1]], dtype=bool)
    x = np.where(mask, np.arange(1, 7), 0)
    lines, facts = [[value_grid(word("steps"), x, mask)]], {"mask": written(mask)}
    for padding in ("same", "causal", "valid"):
        items = [Arrow(f'padding="{padding}"')]
        for rule in ("any", "all"):
            layer = MaskedConv1D(1, 3, padding=padding, mask_rule=rule)
            left = behind(layer, x[..., None].astype("float32"), mask)
            items.append(mask_grid(word(rule), left))
            facts[f"{padding}_{rule}"] = written(left)
        lines.append(items)
    return lines, facts
