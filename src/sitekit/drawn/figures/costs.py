"""Figures of costs.md."""

import numpy as np

from keras_masking.rendering.grid import Grid
from sitekit.drawn.parts import mask_grid

LENGTHS = np.array([2, 8, 1, 7, 2, 6, 1, 5])


def costs_steps(word):
    lines, facts = [], {}
    for order, lengths in (("given", LENGTHS), ("sorted", np.sort(LENGTHS))):
        batches = [_mask(batch) for batch in lengths.reshape(2, 4)]
        facts[order] = str(sum(mask.size for mask in batches))
        grids: list[Grid] = [
            mask_grid(word("batch").format(size=mask.size, order=word(order)), mask)
            for mask in batches
        ]
        lines.append(grids)
    return lines, facts | {"needed": str(LENGTHS.sum())}


def _mask(lengths: np.ndarray) -> np.ndarray:
    return np.arange(lengths.max()) < lengths[:, None]
