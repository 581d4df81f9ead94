"""Figures of pooling.md."""

import numpy as np
from keras import layers

from keras_masking import (
    MaskedAttentionPooling,
    MaskedFirst,
    MaskedLast,
    MaskedMax,
    MaskedMean,
    MaskedMin,
    MaskedSoftmax,
    MaskedStd,
)
from keras_masking.rendering.grid import Arrow
from sitekit.drawn.parts import behind, marked, value_grid, written


def pooling_summaries(word):
    rows = [[-3, -1, -2, 0], [5, 1, 3, 7], [0, 0, 0, 0]]
    x = np.array(rows, dtype="float32")[..., None]
    mask = behind(layers.Masking(), x)
    stock = np.asarray(layers.GlobalMaxPooling1D()(x))
    pooled = {
        pooling: np.asarray(pooling()(x, mask=mask)).round(2)
        for pooling in (MaskedMax, MaskedMin, MaskedStd, MaskedFirst, MaskedLast, MaskedMean)
    }
    right = pooled[MaskedMax]
    kinds = np.where(stock == right, "keep", "wrong")
    results = [value_grid(p.__name__, y, mask.any(axis=1)[:, None]) for p, y in pooled.items()]
    lines = [
        [value_grid(word("batch"), x[..., 0], mask), marked("GlobalMaxPooling1D", stock, kinds)],
        results[:3],
        results[3:],
    ]
    facts = {p.__name__.removeprefix("Masked").lower(): written(y.T) for p, y in pooled.items()}
    return lines, facts | {"stock": written(stock.T)}


def pooling_weights(word):
    x = np.log(np.array([[1, 3, 9, 9]], dtype="float32"))[..., None]
    mask = np.array([[True, True, False, False]])
    soft, attention = MaskedSoftmax(axis=1), MaskedAttentionPooling(kernel_initializer="ones")
    stock = np.asarray(layers.Softmax(axis=1)(x))[..., 0].round(2)
    weights = np.asarray(soft(x, mask=mask))[..., 0].round(2)
    pooled, again = attention(x, mask=mask, return_attention_scores=True)
    assert np.allclose(again, weights)
    pooled = np.asarray(pooled).round(2)
    lines = [
        [
            value_grid(word("scores"), x[..., 0].round(2), mask),
            Arrow("Softmax"),
            marked(word("weights"), stock, "wrong"),
        ],
        [Arrow("MaskedSoftmax"), value_grid(word("weights"), weights, mask)],
        [Arrow(word("sum")), value_grid("MaskedAttentionPooling", pooled, np.ones((1, 1)))],
    ]
    facts = {"stock": written(stock), "weights": written(weights), "pooled": written(pooled)}
    return lines, facts
