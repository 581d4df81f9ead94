"""Figures of seq2seq.md."""

import numpy as np

from keras_masking import MaskedMultiHeadAttention
from sitekit.drawn.parts import value_grid, written

SOURCE, TARGET = np.array([[True, True, False, False]]), np.array([[True, True, False]])


def seq2seq_weights(word):
    attend_to = MaskedMultiHeadAttention(1, 2)
    line, facts = [], {"source": written(SOURCE), "target": written(TARGET)}
    for key, query, value, causal in (
        ("encoder", SOURCE, SOURCE, False),
        ("decoder", TARGET, TARGET, True),
        ("cross", TARGET, SOURCE, False),
    ):
        _, scores = attend_to(
            np.ones((*query.shape, 2), "float32"),
            np.ones((*value.shape, 2), "float32"),
            query_mask=query,
            value_mask=value,
            use_causal_mask=causal,
            return_attention_scores=True,
        )
        weights = np.asarray(scores)[0, 0].round(2)
        line.append(value_grid(word(key), weights, weights > 0))
        facts[key] = written(weights)
    return [line], facts
