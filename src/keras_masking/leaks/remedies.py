"""What to do about a leak: a key of the texts, and the layer of this package that does it right."""

import keras

from keras_masking._keras import Merge
from keras_masking.records import Call, ProbeName, Trace

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


def remedy_for(
    probe: ProbeName, trace: Trace, index: int | None, place: str, lost: int | None
) -> tuple[str, str | None]:
    """
    Args:
        index, place: where it leaks, as in `records.Leak`.
        lost: the call where the mask was lost, or None.
    """
    call = None if index is None else trace[index]
    own = call is not None and place == "in"
    if probe == "nan":
        return "nan", REPLACEMENTS.get(call.class_name) if own else None
    if own and lost in (None, index) and _not_handed(call):
        return "not-handed", None
    if lost is not None:
        return _loss(trace[lost]), REPLACEMENTS.get(trace[lost].class_name)
    if not own:
        return "gap", None
    if probe == "company":
        return "batch", None
    if not call.explicit and all(x.mask is None for x in call.inputs):
        return "no-mask", None
    return ("ignores", REPLACEMENTS.get(call.class_name)) if _stock(call) else ("own-call", None)


def _loss(call: Call) -> str:
    if any(x.taken for x in call.inputs):
        return "taken"
    if call.kind in ("gap", "operation"):
        return call.kind
    if issubclass(_stock(call) or object, Merge):
        return "merge"
    return "drops" if call.loses else "wrong-mask"


def _not_handed(call: Call) -> bool:
    """Whether a layer that takes `mask` got none because it was given a state as well."""
    recurrent = issubclass(_stock(call) or object, (keras.layers.RNN, keras.layers.Bidirectional))
    return recurrent and len(call.inputs) > 1 and "mask" not in call.explicit


def _stock(call: Call) -> type | None:
    """The layer of Keras with this class name."""
    return getattr(keras.layers, call.class_name.partition("(")[0], None)
