"""Figures of ci.md."""

import keras
import numpy as np
from keras import layers

from keras_masking import MaskedMean, find_leaks
from sitekit.drawn.figures.debug import Picture


def ci_change(word):
    keras.utils.clear_session(free_memory=False)  # the operator is named as on the page
    batch = np.array([[3, 1, 4, 2], [1, 5, 0, 0]])
    reports = []
    for scale in (1, 2):
        ids = keras.Input((None,), dtype="int32", name="ids")
        x = layers.Embedding(9, 2, mask_zero=True, name="words")(ids)
        x = x * scale if scale != 1 else x
        model = keras.Model(ids, MaskedMean(name="mean")(x), name="small")
        reports.append(find_leaks(model, batch))
    before, after = reports
    panels = [[Picture(report, word("language"))] for report in reports]
    return panels, {"before": before.verdict, "after": after.verdict}
