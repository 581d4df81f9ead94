"""What to do about a leak: a key of the texts, and the layer of this package that does it right."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import keras
import numpy as np

from keras_masking._keras import Functional, Merge, mask_arguments
from keras_masking.leaks.following import embedding_of
from keras_masking.records import Call, Leak, Note, Place, ProbeName
from keras_masking.tracing import is_stock

if TYPE_CHECKING:
    from keras_masking.leaks.probes import Bench, Found

# by the class that drops the mask, or computes with padding although it has it
REPLACEMENTS = {
    "AveragePooling1D": "MaskedAveragePooling1D",
    "BatchNormalization": "MaskedBatchNormalization",
    "Conv1D": "MaskedConv1D",
    "Conv1DTranspose": "MaskedConv1DTranspose",
    "Cropping1D": "MaskedCropping1D",
    "DepthwiseConv1D": "MaskedDepthwiseConv1D",
    "EinsumDense": "MaskedEinsumDense",
    "Flatten": "MaskedFlatten",
    "GlobalAveragePooling1D": "MaskedMean",
    "GlobalMaxPooling1D": "MaskedMax",
    "GroupNormalization": "MaskedGroupNormalization",
    "GroupQueryAttention": "MaskedGroupQueryAttention",
    "Lambda": "MaskedLambda",
    "Max": "MaskedMax",
    "MaxPooling1D": "MaskedMaxPooling1D",
    "Mean": "MaskedMean",
    "Min": "MaskedMin",
    "MultiHeadAttention": "MaskedMultiHeadAttention",
    "Permute": "MaskedPermute",
    "RMSNormalization": "MaskedRMSNormalization",
    "RepeatVector": "MaskedRepeatVector",
    "Reshape": "MaskedReshape",
    "SeparableConv1D": "MaskedSeparableConv1D",
    "Softmax": "MaskedSoftmax",
    "Std": "MaskedStd",
    "Sum": "MaskedSum",
    "TimeDistributed": "MaskedTimeDistributed",
    "UpSampling1D": "MaskedUpSampling1D",
    "ZeroPadding1D": "MaskedZeroPadding1D",
}


class Site(NamedTuple):
    """Where it leaks, and where the mask was lost, as in `records.Leak`."""

    call: int | None
    place: Place
    lost: int | None
    probes: frozenset[ProbeName]


def leaks_of(bench: Bench, found: dict[ProbeName, Found]) -> list[Leak]:
    """What the probes found, each with its cause and what to do."""
    probes: dict[tuple, set[ProbeName]] = {}
    for name, places in found.items():
        for at in places:
            probes.setdefault(at, set()).add(name)
    leaks = []
    for name, places in found.items():
        for (call, place), difference in places.items():
            lost = _lost_at(bench, call, place)
            site = Site(call, place, lost, frozenset(probes[call, place]))
            remedy, replacement = _remedy(bench, name, site)
            leaks.append(Leak(name, call, place, *difference, lost, remedy, replacement))
    return leaks


def _lost_at(bench: Bench, index: int | None, place: Place) -> int | None:
    trace = bench.trace
    if index is None:
        return max((call.index for call in trace.losses), default=None)
    call = trace[index]
    if call.loses:
        return _flagless_block(bench, index if call.cause is None else call.cause, index)
    if place != "in":
        before = (lost.index for lost in trace.losses if lost.index < index)
        return max(before, default=None)
    lost = bench.base.lost_before.get(index)
    return None if lost is None else _flagless_block(bench, lost, index)


def _flagless_block(bench: Bench, lost: int, leaking: int) -> int:
    """The outermost own layer around a loss that drops its mask for want of `supports_masking`,
    where it leaks after that layer."""
    around = [lost]
    while (parent := bench.trace[around[-1]].parent) is not None:
        around.append(parent)
    inside = {leaking}
    while (parent := bench.trace[max(inside, key=lambda i: bench.trace[i].depth)].parent) not in (
        None,
        *inside,
    ):
        inside.add(parent)
    for index in reversed(around[1:]):
        if index not in inside and _lacks_flag(bench, index):
            return index
    return lost


def _lacks_flag(bench: Bench, index: int) -> bool:
    operation = bench.base.operations.get(index)
    return (
        bench.trace[index].warning is not None
        and isinstance(operation, keras.Layer)
        and not is_stock(operation)
        and not isinstance(operation, (keras.Sequential, Functional))
    )


def _remedy(bench: Bench, probe: ProbeName, site: Site) -> tuple[Note, str | None]:
    trace, lost = bench.trace, site.lost
    call = None if site.call is None else trace[site.call]
    own = call is not None and site.place == "in"
    replacement = REPLACEMENTS.get(_class(call)) if own else None
    if probe == "gradients":
        return Note("slope"), None
    if probe == "nan":
        return Note("nan"), replacement
    if site.probes <= {"alone", "company"} and "company" in site.probes and own and lost is None:
        return Note("batch"), None
    if own and lost in (None, site.call) and _not_handed(call):
        return Note("not-handed"), None
    if (
        own
        and "query_mask" in call.explicit
        and not {"value_mask", "key_mask"} & set(call.explicit)
    ):
        return Note("query-mask"), None
    if own and "attention_mask" in call.explicit:
        return Note("attention-mask"), None
    if own and lost == site.call and call.kind == "layer" and not _is_stock(bench, call):
        return _own_call(call), None
    if lost is not None:
        return _loss(bench, lost, call)
    if not own:
        return Note("gap"), None
    if not call.explicit and all(x.mask is None for x in call.inputs):
        # with a mask it would be the one that drops it
        return _no_mask(bench, call)[0], None if _takes_mask(bench, call) else replacement
    if not _is_stock(bench, call):
        return _own_call(call), None
    inner = call.class_name.partition("(")[2].rstrip(")")
    if _class(call) == "TimeDistributed" and inner in REPLACEMENTS:
        return Note("inner", {"inner": inner}), REPLACEMENTS[inner]
    return _ignored(bench, call), replacement


def _own_call(call: Call) -> Note:
    return Note("own-call-mask" if "uses" in call.events else "own-call")


def _ignored(bench: Bench, call: Call) -> Note:
    """What a layer of Keras does that has the mask and lets padding in."""
    operation = bench.base.operations.get(call.index)
    if isinstance(operation, Merge):
        return Note("merge")
    if getattr(operation, "go_backwards", False) and call.mask is not None:
        return Note("backwards")
    if "Normalization" in _class(call):
        return Note("ignores-normalization")
    return Note("ignores" if _class(call) not in REPLACEMENTS else "ignores-replaced")


def _loss(bench: Bench, index: int, leaking: Call | None) -> tuple[Note, str | None]:
    call = bench.trace[index]
    replacement = REPLACEMENTS.get(_class(call))
    if _lacks_flag(bench, index):
        return Note("flag"), None
    if any(x.taken for x in call.inputs):
        return Note("taken" if _takes_mask(bench, leaking) else "taken-no-argument"), replacement
    if call.kind in ("gap", "operation"):
        return Note(call.kind), replacement
    operation = bench.base.operations.get(index)
    if isinstance(operation, keras.layers.Dot):
        return Note("dot"), None
    if isinstance(operation, Merge):
        return Note("merge"), replacement
    if call.loses and embedding_of(operation) is not None:
        return _no_mask(bench, call if leaking is None else leaking)
    if call.loses and _moves_steps(call):
        return Note("moves"), None
    if call.loses and replacement:
        return Note("drops-replaced"), replacement
    if call.loses:
        return Note("drops" if _takes_mask(bench, leaking) else "drops-no-argument"), None
    if isinstance(operation, keras.layers.Masking):
        if call.mask is not None and call.mask.ndim > 2:
            return Note("pixel", {"axes": str(call.mask.ndim)}), None
        if index in bench.base.reading:
            value = f"{np.ravel(operation.mask_value)[0]:g}"
            return Note("masking-value", {"value": value}), None
        return Note("masking-late"), None
    if call.mask is not None and any(
        "float" in x.dtype and x.mask is not None and x.mask.ndim >= len(x.shape)
        for x in call.outputs
    ):
        return Note("too-many-axes"), replacement
    return Note("wrong-mask"), replacement


def _moves_steps(call: Call) -> bool:
    """Whether it joins steps or gives their axis another place, so that the mask fits no more."""
    if _class(call) not in ("Reshape", "Permute"):
        return False
    (x, *_), (y, *_) = call.inputs, call.outputs
    return x.shape[:2] != y.shape[:2]


def _no_mask(bench: Bench, call: Call) -> tuple[Note, str | None]:
    """No layer made a mask of the padding: which one should."""
    for index, operation in sorted(
        (at, x) for at, x in bench.base.operations.items() if at is not None and at <= call.index
    ):
        embedding = embedding_of(operation)
        if embedding is None or embedding.mask_zero:
            continue
        values = [x.padding for x in bench.masked if x.vocabulary is not None and x.is_padded]
        name = bench.trace[index].path
        if values and all(np.all(value == 0) for value in values):
            return Note("mask-zero", {"embedding": name}), None
        if values:
            return Note(
                "mask-other", {"embedding": name, "value": f"{values[0].ravel()[0]:g}"}
            ), None
    wide = [x for x in bench.masked if x.is_padded and x.values.ndim > 3]
    if wide:
        return Note("no-mask-wide"), None
    return Note("no-mask"), None


def _takes_mask(bench: Bench, call: Call | None) -> bool:
    operation = None if call is None else bench.base.operations.get(call.index)
    return operation is not None and bool(mask_arguments(operation))


def _not_handed(call: Call) -> bool:
    """Whether a layer that takes `mask` got none because it was given a state as well."""
    recurrent = issubclass(_stock(call) or object, (keras.layers.RNN, keras.layers.Bidirectional))
    return recurrent and len(call.inputs) > 1 and "mask" not in call.explicit


def _is_stock(bench: Bench, call: Call) -> bool:
    operation = bench.base.operations.get(call.index)
    return operation is not None and is_stock(operation)


def _class(call: Call) -> str:
    return call.class_name.partition("(")[0]


def _stock(call: Call) -> type | None:
    """The layer of Keras with this class name."""
    return getattr(keras.layers, _class(call), None)
