"""Each remedy names the cause, and the model is clear when it is applied."""

import warnings

import keras
import numpy as np
import pytest
from keras import layers, ops
from reports import CASES, HERE, report

import keras_masking
from keras_masking import KeepMask, find_leaks

pytestmark = pytest.mark.skipif(
    keras.backend.backend() == "jax", reason="they are told from traces, which differ in nothing"
)

# the key of the remedy of each fault; the healthy twin is the fault with that remedy applied
REMEDIES = {
    "mask-zero": ["embedding-without-mask-zero"],
    "operation": [
        "operator",
        "slicing",
        "ops-concatenate",
        "ops-mean",
        "softmax-over-time",
        "cross-attention",
        "bidirectional",
        "nested-model",
        "shared-layer",
        "named-inputs",
    ],
    "gap": ["operator-in-subclass"],
    "flag": [
        "no-supports-masking",
        "supports-masking-too-early",
        "supports-masking-misspelt",
    ],
    "own-call": [
        "no-mask-argument",
        "mask-argument-misnamed",
        "inner-call",
        "centred-over-time",
    ],
    "own-call-mask": ["divided-by-padded-length", "positions-of-left-padding"],
    "batch": ["divided-by-longest-length", "centred-across-batch"],
    "merge": ["add-unmasked", "concatenate-unmasked", "add-unlike-masks"],
    "dot": ["dot"],
    "taken": ["post-norm-transformer"],
    "wrong-mask": ["compute-mask-inverted"],
    "masking-value": ["masking-nan"],
    "backwards": ["backwards"],
    "not-handed": ["initial-state"],
    "ignores-normalization": ["group-normalization", "layer-normalization-over-time"],
    "inner": ["time-distributed"],
    "moves": ["reshape", "permute"],
    "query-mask": ["query-mask"],
    "drops-replaced": [
        "global-max-pooling",
        "flatten",
        "conv",
        "strided-conv",
        "average-pooling",
        "max-pooling",
        "cropping",
        "zero-padding",
        "einsum-dense",
        "rms-normalization",
        "lambda",
    ],
}
KEYS = {name: key for key, names in REMEDIES.items() for name in names}


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras tells of lost masks while models are built
        yield


def test_there_is_a_remedy_for_every_fault():
    assert KEYS.keys() == CASES.keys()


@pytest.mark.parametrize("name", HERE)
def test_the_remedy_names_the_cause(name):
    leak = report(CASES[name]).leaks[0]
    assert leak.remedy.key == KEYS[name]


def replaced(model, names, replacement):
    """The model with layers of this package in the place of those, and the same weights."""
    ours = getattr(keras_masking, replacement)

    def instead(layer):
        if layer.name not in names:
            return layer.__class__.from_config(layer.get_config())
        return ours.from_keras(layer)

    cloned = keras.models.clone_model(model, clone_function=instead)
    cloned.set_weights(model.get_weights())
    return cloned


REPLACED = [
    name
    for name, key in KEYS.items()
    if key in ("drops-replaced", "taken", "ignores-normalization")
    and name != "layer-normalization-over-time"
]


@pytest.mark.parametrize("name", REPLACED)
def test_the_layer_that_is_named_mends_the_model(name):
    fault = CASES[name]
    found = report(fault)
    replacement = found.leaks[0].replacement
    assert replacement
    names = {
        call.name
        for call in found.trace
        if keras_masking.leaks.remedies.REPLACEMENTS.get(call.class_name.partition("(")[0])
        == replacement
    }
    model = replaced(fault.build(), names, replacement)
    after = find_leaks(model, fault.inputs, fault.mask)
    assert after.verdict == "clear", str(after)


@pytest.mark.parametrize("cut", [False, True])
def test_an_embedding_that_is_told_to_mask_mends_the_model(cut):
    def model(mask_zero):
        ids = keras.Input((4 if cut else None,), dtype="int32")
        x = layers.Embedding(9, 4, mask_zero=mask_zero, name="words")(ids)
        return keras.Model(ids, layers.GlobalAveragePooling1D()(layers.Dense(3)(x)))

    batch = CASES["operator"].inputs[:, :4]
    leak = find_leaks(model(False), batch % 9, padding=0).leaks[0]
    assert leak.remedy.key == "mask-zero" and leak.remedy.details == {"embedding": "words"}
    assert find_leaks(model(True), batch % 9, padding=0).verdict == "clear"


def test_keep_mask_mends_an_operation():
    def model(keep):
        ids = keras.Input((None,), dtype="int32")
        x = layers.Embedding(10, 4, mask_zero=True)(ids)
        y = x * 2
        return keras.Model(ids, layers.GlobalAveragePooling1D()(KeepMask()([y, x]) if keep else y))

    fault = CASES["operator"]
    assert find_leaks(model(False), fault.inputs).leaks[0].remedy.key == "operation"
    assert find_leaks(model(True), fault.inputs).verdict == "clear"


@pytest.mark.parametrize("attention", ["MultiHeadAttention", "MaskedMultiHeadAttention"])
def test_a_mask_of_the_steps_that_ask_is_told_from_one_of_those_that_are_read(attention):
    make = getattr(keras_masking, attention, None) or getattr(layers, attention)
    verdicts = []
    for told in (lambda mask: mask[:, :, None], lambda mask: mask[:, None, :]):
        ids = keras.Input((None,), dtype="int32")
        x = layers.Embedding(9, 4, embeddings_initializer="normal")(ids)
        y = make(2, 2)(x, x, attention_mask=told(ops.not_equal(ids, 0)))
        found = find_leaks(keras.Model(ids, y), np.array([[1, 2, 3], [4, 0, 0]]), padding=0)
        verdicts.append(found.verdict)
        if found.leaks:
            assert (found.leaks[0].remedy.key, found.leaks[0].replacement) == (
                "attention-mask",
                None,
            )
            assert "mask[:, None, :]" in found.remedy(found.leaks[0])
    assert verdicts == ["leaks", "clear"]
