"""Figures of attention.md."""

import numpy as np

from keras_masking import MaskedMultiHeadAttention
from sitekit.drawn.parts import value_grid, written


def attention_weights(word):
    x, mask = np.ones((1, 4, 2), "float32"), np.array([[False, True, True, True]])
    attend_to = MaskedMultiHeadAttention(1, 2)
    padding, causal = {"query_mask": mask, "value_mask": mask}, {"use_causal_mask": True}
    line, facts = [], {"mask": written(mask)}
    for key, options in (("padding", padding), ("causal", causal), ("both", padding | causal)):
        _, scores = attend_to(x, x, return_attention_scores=True, **options)
        weights = np.asarray(scores)[0, 0].round(2)
        line.append(value_grid(word(key), weights, weights > 0))
        facts[key] = written(weights)
    return [line], facts
