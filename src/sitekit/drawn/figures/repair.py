"""Figures of repair.md."""

import keras
import numpy as np
from keras import layers

from keras_masking import repair
from sitekit.drawn.figures.debug import Picture


def repaired(word):
    keras.utils.clear_session(free_memory=False)  # the operator is named as on the page
    ids = keras.Input((None,), dtype="int32", name="ids")
    x = layers.Embedding(9, 2, mask_zero=True, name="words")(ids)
    model = keras.Model(ids, layers.GlobalAveragePooling1D(name="mean")(x * 2), name="small")
    model.get_layer("words").set_weights([np.arange(18.0).reshape(9, 2)])
    done = repair(model, np.array([[3, 1, 4], [1, 5, 0]]))
    (change,) = done.changes
    pictures = [Picture(report, word("language")) for report in (done.before, done.report)]
    facts = {"path": change.path, "after": done.report.verdict, "before": done.before.verdict}
    return [pictures], facts
