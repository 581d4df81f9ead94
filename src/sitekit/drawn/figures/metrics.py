"""Figures of metrics.md."""

import keras
import numpy as np

from keras_masking.rendering.grid import Arrow
from sitekit.drawn.parts import said, value_grid, written


def metrics_steps(word):
    mask = np.array([[True, True], [True, False]])
    y_true, y_pred = np.array([[1, 0], [1, 0]]), np.array([[1, 0], [1, 1]])
    line, facts = [value_grid("y_true", y_true, mask), value_grid("y_pred", y_pred, mask)], {}
    line.append(Arrow("Precision"))
    for name, weights in (("plain", None), ("weighted", mask)):
        metric = keras.metrics.Precision()
        metric.update_state(y_true, y_pred, sample_weight=weights)
        result = np.asarray(metric.result()).round(2)
        line.append(value_grid(word(name), result))
        facts[name] = said(result)
    return [line], facts | {"y_true": written(y_true), "y_pred": written(y_pred)}
