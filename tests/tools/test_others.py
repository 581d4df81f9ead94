"""The survey of models of others, without their packages: what it runs, and its record."""

import sys
from types import ModuleType, SimpleNamespace

import keras
import numpy as np
import pytest
from keras import layers

from sitekit.measured import others


def averaged(*stack):
    ids = keras.Input((None,), dtype="int32", name="token_ids")
    x = layers.Embedding(20, 4, mask_zero=True)(ids)
    for layer in stack:
        x = layer(x)
    return keras.Model(ids, layers.GlobalAveragePooling1D()(x))


def with_padding_mask():
    ids, mask = (keras.Input((None,), dtype="int32", name=n) for n in ("token_ids", "padding_mask"))
    x = layers.GlobalAveragePooling1D()(layers.Embedding(20, 4)(ids), mask=mask)
    return keras.Model({"token_ids": ids, "padding_mask": mask}, x)


def test_every_model_of_the_table_is_in_the_record():
    names = [model["name"] for model in others.record()["models"]]
    assert len(names) == len(set(names))
    assert set(others.BACKBONES) <= set(names)
    assert {m["on"] for m in others.record()["models"]} == {*others.BACKBONES, others.LAYER}


def test_the_record_is_of_the_packages_named_here():
    assert others.record()["packages"] == list(others.PACKAGES)


def test_the_record_accuses_those_that_leak_by_hand():
    # compared by hand with `model(longer) - model(batch)`; all others give the same
    leaking = {model["on"] for model in others.record()["models"] if model["leaks"]}
    assert leaking == {
        "ESMBackbone",  # masks the padded queries instead of the keys
        "RoformerV2Backbone",  # likewise
        "FNetBackbone",  # mixes all steps, takes no mask
        "SigLIPTextEncoder",  # of one length; reads padding as it reads words
        "XLNetBackbone",  # reshapes mask and positions between (batch, time) and (time, batch)
        others.LAYER,
    }


def test_a_batch_is_padded_on_the_right_and_its_mask_tells_where():
    values, valid = others.batch(with_padding_mask())
    np.testing.assert_array_equal(values["padding_mask"], valid["token_ids"])
    np.testing.assert_array_equal(values["token_ids"] != 0, valid["token_ids"])
    np.testing.assert_array_equal(valid["token_ids"].sum(1), others.LENGTHS)


def test_the_decoder_has_other_lengths_than_the_encoder():
    names = ("encoder_token_ids", "decoder_token_ids", "mask_positions")
    values, valid = others.batch(SimpleNamespace(inputs=[SimpleNamespace(name=n) for n in names]))
    assert values["encoder_token_ids"].shape == (3, others.STEPS)
    assert values["decoder_token_ids"].shape == (3, others.DECODER_STEPS)
    assert valid.keys() == {"encoder_token_ids", "decoder_token_ids"}


@pytest.mark.filterwarnings("ignore:Layer .* does not support masking")
@pytest.mark.parametrize(
    ("make", "told", "leaks"),
    [
        (with_padding_mask, "input", []),
        (averaged, "mask", []),
        (lambda: averaged(layers.Conv1D(4, 1)), "mask", ["alone", "length", "content"]),
    ],
)
def test_a_model_is_told_of_padding_and_leaks_or_not(make, told, leaks):
    found = others.examine(others.randomized(make()))
    assert (found["told"], found["leaks"]) == (told, leaks)
    assert (found["first"] is None) == (not leaks)


def test_weights_that_start_as_0_are_random_too():
    model = others.randomized(averaged(layers.Dense(2)))
    assert all(np.asarray(weight).all() for weight in model.weights)


def test_a_model_that_the_table_lacks_is_named(monkeypatch):
    class Backbone:
        pass

    class NewBackbone(Backbone):
        """Reads token_ids."""

    hub = ModuleType("keras_hub")
    hub.models = SimpleNamespace(Backbone=Backbone, NewBackbone=NewBackbone)
    monkeypatch.setitem(sys.modules, "keras_hub", hub)
    with pytest.raises(others.SurveyError, match=r"has \['NewBackbone'\], which .* no \['Albert"):
        next(others.models())
