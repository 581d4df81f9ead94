"""What the layers cost beside those of Keras without a mask: the record of `make bench`, what they
may cost, and why some cost more."""

import json
from collections.abc import Iterator

from sitekit import ROOT

RECORD = ROOT / "docs/shared/costs.json"

MODES = ("graph", "XLA", "jit")  # TensorFlow without XLA and with it, jax
GOAL = 1.25
ARITHMETIC_GOAL = 1.1  # where a selection is little beside the arithmetic
ARITHMETIC = {
    "MaskedConv1D",
    "MaskedConv1DTranspose",
    "MaskedDepthwiseConv1D",
    "MaskedGroupQueryAttention",
    "MaskedMultiHeadAttention",
    "MaskedSeparableConv1D",
}

# What takes more where more is needed, as keys of the texts in [costs]
WHY = {
    "MaskedMax": ("selection", "reduction"),
    "MaskedMin": ("selection", "reduction"),
    "MaskedStd": ("selection",),
    "MaskedFirst": ("lookup",),
    "MaskedLast": ("lookup",),
    "MaskedAttentionPooling": ("check",),
    "MaskedSoftmax": ("selection", "reduction"),
    "MaskedFlatten": ("idle",),
    "MaskedConv1D": ("selection",),
    "MaskedConv1D, strides=2": ("selection", "moving"),
    "MaskedDepthwiseConv1D": ("selection",),
    "MaskedSeparableConv1D": ("selection",),
    "MaskedConv1DTranspose": ("selection",),
    "MaskedMaxPooling1D": ("selection", "moving"),
    "MaskedAveragePooling1D": ("selection", "moving"),
    "MaskedMultiHeadAttention": ("selection",),
    "MaskedGroupQueryAttention": ("selection",),
    "MaskedRMSNormalization": ("selection", "reduction"),
    "MaskedRMSNormalization, axis=[1, 2]": ("selection",),
    "MaskedGroupNormalization": ("selection",),
    "MaskedBatchNormalization": ("selection",),
    "MaskedPermute": ("idle",),
    "MaskedReshape": ("idle",),
    "MaskedCropping1D": ("idle",),
    "MaskedZeroPadding1D": ("idle",),
    "MaskedUpSampling1D": ("idle",),
    "MaskedEinsumDense": ("selection",),
    "MaskedTimeDistributed": ("selection", "inner"),
    "MaskedLambda": ("selection",),
}


class CostError(Exception):
    """A layer costs more than it may, and nothing says why."""


def record() -> dict:
    return json.loads(RECORD.read_text(encoding="utf-8"))


def goal(layer: str) -> float:
    """For a layer, or a case of it after a comma."""
    return ARITHMETIC_GOAL if layer.partition(",")[0] in ARITHMETIC else GOAL


def above(measured: dict) -> Iterator[tuple[str, str]]:
    """Each layer above its goal, and the mode."""
    for mode in MODES:
        for layer, ratio in measured[mode].items():
            if ratio > goal(layer):
                yield layer, mode


def why(layer: str, measured: dict) -> tuple[str, ...]:
    """The reasons why it is above its goal; none where it is not.

    Raises:
        CostError: it is, and `WHY` has no reason.
    """
    modes = [mode for name, mode in above(measured) if name == layer]
    if modes and layer not in WHY:
        ratios = ", ".join(f"{measured[mode][layer]:.2f} times as long in {mode}" for mode in modes)
        raise CostError(
            f"{RECORD.relative_to(ROOT)}: {layer} takes {ratios}, and its goal is {goal(layer)}. "
            "Say why in WHY of src/sitekit/measured/costs.py, or measure again on an idle machine "
            "with `make bench`."
        )
    return WHY[layer] if modes else ()


def unexplained(measured: dict) -> Iterator[tuple[str, str]]:
    """Those of them without a reason."""
    return ((layer, mode) for layer, mode in above(measured) if layer not in WHY)
