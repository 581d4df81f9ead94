"""Runs a model on a changed batch and compares every call with the run on the batch as it was."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from keras_masking._keras import get_mask, leading, to_numpy
from keras_masking.attached import Attached
from keras_masking.leaks import valid
from keras_masking.leaks.following import Base, Follower, Key, key
from keras_masking.tracing import Frame

# The largest difference, as a share of the largest valid value, that rounding explains: a sum
# over another number of steps is taken in another order.
TOLERANCE = {"float16": 2e-2, "bfloat16": 1e-1, "float32": 1e-4, "float64": 1e-9}


class Difference(NamedTuple):
    """As in `records.Leak`. The larger one is the worse."""

    amount: float
    relative: float
    sample: int


class Comparison(Follower):
    """A run on a changed batch, compared with the base call by call.

    Args:
        rows: the samples that are compared, `(batch,)`.
        left: whether steps were added on the left.
        padding: what to put into the padded steps of each tensor that carries a mask, from its
            valid values and the shape wanted; None leaves them as they are.
        heal: whether valid steps that differ are set right again, so that the calls behind are
            seen for what they do themselves.
    """

    def __init__(self, base: Base, inputs, rows, left=False, padding=None, heal=False):
        super().__init__(base.model, inputs)
        self.base, self.compared = base, rows
        self.on_the_left, self.padding, self.heal = left, padding, heal
        self.differs = Attached()
        self.tolerance = TOLERANCE["float64"]
        self.found: dict[tuple[int | None, str], Difference] = {}
        self.result = 0.0
        self.new_axes: dict[Key, tuple[int, ...]] = {}
        self.strayed = False
        self.changed = any(x is not y for x, y in zip(inputs, base.inputs, strict=True))

    def entered(self, frame, flat) -> None:
        frame.note = State()
        super().entered(frame, flat)
        frame.note.given = any(x in self.differs for x in flat)

    def met(self, frame, i, x) -> None:
        difference = self.difference(key(frame, "given", i), x, self.steps.get(x))[0]
        if difference and self.frames:
            gap = self.lost.get(x)
            in_gap = gap is not None and self.rows[gap] and self.rows[gap].kind == "gap"
            self.found[(gap, "in") if in_gap else (frame.row, "before")] = difference
            self.differs[x] = True
            self.spread()

    def gave(self, frame, i, x, mask):
        if not frame.listed:
            return x
        self.tolerance = max(self.tolerance, TOLERANCE.get(dtype_of(x), 0.0))
        difference, healed = self.difference(key(frame, "output", i), x, mask)
        if difference:
            frame.note.differences.append(difference)
        own = self.read(get_mask(x)) if self.padding else None
        if difference and self.heal:
            x = tensor_like(x, healed)
        if own is not None and "float" in dtype_of(x) and leading(tuple(x.shape), own.shape):
            x = self.with_padding(x, own)
        if difference and not self.heal:
            self.differs[x] = True
        return x

    def left(self, frame) -> None:
        state = frame.note
        if not state.differences:
            return
        worst = max(state.differences)
        if not self.frames:
            self.result = worst.amount
        if not state.given and not state.inside:
            self.found.setdefault(self.place(frame), worst)
        if not self.heal:
            self.spread()

    def place(self, frame: Frame) -> tuple[int | None, str]:
        if not frame.rows or frame.of_keras:
            return (frame.row or 0), "in"
        for row in self.rows:
            if row and row.kind == "gap" and row.after is None and row.parent == frame.row:
                return row.index, "in"
        return frame.row, "end"

    def spread(self) -> None:
        """The calls that this one happens in differ too, and not by themselves."""
        for frame in self.frames:
            frame.note.inside = True

    def with_padding(self, x: Any, mask: np.ndarray) -> Any:
        self.changed |= not mask.all()
        values = to_numpy(x).astype("float64")
        values[~mask] = self.padding(values[mask], values[~mask].shape)
        return tensor_like(x, values)

    def difference(
        self, key: Key, x: Any, mask: np.ndarray | None
    ) -> tuple[Difference | None, np.ndarray | None]:
        """How far valid steps are from those of the base, and the same tensor set right."""
        if key not in self.base.tensors:
            self.strayed = True
            return None, None
        seen = self.base.tensors[key]
        a, b = to_numpy(seen.values), to_numpy(x)
        if a is None or b is None or a.dtype == bool or a.ndim != b.ndim or not a.ndim:
            return None, None
        axes = self.new_axes[key] = valid.changed_axes(a.shape, b.shape)
        if not axes and mask is not None:
            axes = self.axes(key, a.shape, mask)
        where = valid.entries(a.shape, seen.mask, axes, self.compared)
        there = tuple(
            slice(m - n, m) if self.on_the_left else slice(0, n)
            for n, m in zip(a.shape, b.shape, strict=True)
        )
        if b[there].shape != a.shape:
            return None, None
        where = where & valid.entries(b.shape, mask, axes, self.compared)[there]
        a, b = a.astype("float64"), b.astype("float64")
        distance = _distance(a, b[there])
        distance[~where] = 0
        amount = distance.max(initial=0.0)
        scale = np.abs(a[where & np.isfinite(a)]).max(initial=0.0) or 1.0
        if amount <= self.tolerance * scale:
            return None, None
        sample = int(np.argmax(distance.reshape(len(distance), -1).max(axis=1)))
        b[there][where] = a[where]
        return Difference(float(amount), float(amount / scale), sample), b

    def axes(self, key, shape, mask):
        known = self.base.known_axes.get(key)
        return super().axes(key, shape, mask) if known is None else known


@dataclass
class State:
    """What a comparison knows of a call that is under way.

    Attributes:
        given: whether a tensor it was given differs.
        inside: whether something inside it differs.
        differences: of its outputs.
    """

    given: bool = False
    inside: bool = False
    differences: list[Difference] = field(default_factory=list)


def dtype_of(x: Any) -> str:
    return keras.backend.standardize_dtype(x.dtype)


def tensor_like(x: Any, values: np.ndarray) -> Any:
    """Values in float64 as a tensor of the dtype of `x`."""
    if dtype_of(x) != "float64":
        values = values.astype("float32")  # which each backend takes, and numpy has no bfloat16
    return ops.cast(ops.convert_to_tensor(values), dtype_of(x))


def _distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Absolute differences; inf where only one of the two is finite, 0 where both are not."""
    finite = np.isfinite(a) & np.isfinite(b)
    apart = np.isfinite(a) != np.isfinite(b)
    return np.where(finite, np.abs(np.where(finite, a, 0) - np.where(finite, b, 0)), 0) + np.where(
        apart, np.inf, 0
    )
