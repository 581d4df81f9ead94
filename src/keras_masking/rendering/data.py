"""Traces and reports as JSON, by the schemas in `keras_masking/schemas`."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from keras_masking.records import Call, Leak, LeakReport, Tensor, Trace

TRACE, LEAKS = 1, 2  # the versions of the schemas


def encode(x: Trace | LeakReport) -> str:
    """JSON by `trace-1.json` or `leaks-2.json`; a line for each call, to compare two runs."""
    return lines(_report(x) if hasattr(x, "probes") else _trace(x)) + "\n"


def _trace(trace: Trace) -> dict[str, Any]:
    masks = _Masks()
    calls = [_call(call, masks) for call in trace]
    inputs, outputs = ([_tensor(t, masks) for t in ts] for ts in (trace.inputs, trace.outputs))
    return {
        "schema": "keras-masking/trace",
        "version": TRACE,
        "model": trace.model,
        "class_name": trace.class_name,
        "backend": trace.backend,
        "keras": trace.keras,
        "inputs": inputs,
        "outputs": outputs,
        "calls": calls,
        "masks": masks.values,
    }


def _report(report: LeakReport) -> dict[str, Any]:
    return {
        "schema": "keras-masking/leaks",
        "version": LEAKS,
        "ok": report.ok,
        "verdict": report.verdict,
        "random": report.random,
        "probes": [asdict(probe) | {"result": _number(probe.result)} for probe in report.probes],
        "leaks": [of_leak(leak, report.trace) for leak in report.leaks],
        "hazards": [of_leak(leak, report.trace) for leak in report.hazards],
        "notes": [asdict(note) for note in report.notes],
        "trace": _trace(report.trace),
    }


def _call(call: Call, masks: _Masks) -> dict[str, Any]:
    plain = {
        key: value
        for key, value in vars(call).items()
        if key not in ("inputs", "outputs", "explicit", "events")
    }
    return plain | {
        "events": list(call.events),
        "inputs": [_tensor(x, masks) for x in call.inputs],
        "outputs": [_tensor(x, masks) for x in call.outputs],
        "explicit": {name: masks.place(mask) for name, mask in call.explicit.items()},
    }


def _tensor(x: Tensor, masks: _Masks) -> dict[str, Any]:
    return {
        "name": x.name,
        "shape": list(x.shape),
        "dtype": x.dtype,
        "mask": masks.place(x.mask),
        "taken": x.taken,
    }


def of_leak(leak: Leak, trace: Trace) -> dict[str, Any]:
    """With the path of its call."""
    path = None if leak.call is None else trace[leak.call].path
    numbers = {"amount": _number(leak.amount), "relative": _number(leak.relative)}
    return asdict(leak) | numbers | {"path": path}


def _number(value: float | None) -> float | str | None:
    """JSON has no infinity."""
    return "inf" if value is not None and not math.isfinite(value) else value


class _Masks:
    """Each mask once, however many tensors carry it: a long model stays a small file."""

    def __init__(self) -> None:
        self.values: list[list] = []
        self._places: dict[tuple, int] = {}

    def place(self, mask: np.ndarray | None) -> int | None:
        if mask is None:
            return None
        key = (mask.shape, np.packbits(mask).tobytes())
        if key not in self._places:
            self._places[key] = len(self.values)
            self.values.append(mask.astype(int).tolist())
        return self._places[key]


def lines(document: dict[str, Any]) -> str:
    """Compact, with a line for each value and for each entry of a list of objects."""
    parts = []
    for key, value in document.items():
        if isinstance(value, dict) and "schema" in value:
            text = lines(value)
        elif isinstance(value, list) and value:
            text = "[\n" + ",\n".join(_compact(x) for x in value) + "\n]"
        else:
            text = _compact(value)
        parts.append(f"{_compact(key)}: {text}")
    return "{\n" + ",\n".join(parts) + "\n}"


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
