"""Runs a model on a changed batch and compares every call with the run on the batch as it was."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np

from keras_masking._keras import get_mask, leading, to_numpy
from keras_masking.attached import Attached
from keras_masking.leaks import valid
from keras_masking.leaks.aligning import Alone, Longer, Pair
from keras_masking.leaks.following import Base, Entry, Follower, Key, key
from keras_masking.leaks.probing import Padded
from keras_masking.leaks.rounding import (
    DIGITS,
    by_sample_and_feature,
    distance,
    dtype_of,
    tensor_like,
)
from keras_masking.records import Place
from keras_masking.tracing import Frame

# A smaller share of the largest valid value of the same sample and feature is no difference.
TOLERANCE = {"float16": 2e-2, "bfloat16": 1e-1, "float32": 1e-4, "float64": 1e-9}
if DIGITS["float64"] == DIGITS["float32"]:
    TOLERANCE["float64"] = TOLERANCE["float32"]


class Difference(NamedTuple):
    """As in `records.Leak`. The larger one is the worse."""

    amount: float
    relative: float
    sample: int


class Change(NamedTuple):
    """What one run of a probe changes.

    Attributes:
        inputs: the model's, flat.
        align: what tells which entries are compared.
        padding: from valid values and a shape, what padded steps hold; None leaves them.
        into: where it goes: after the layers that the padding of an input goes into, further
            back in every tensor that carries a mask, or in both.
    """

    inputs: list[Padded]
    align: Alone | Longer
    padding: Callable[[np.ndarray, tuple], Any] | None = None
    into: Literal["entries", "deeper", "all"] = "entries"


class Comparison(Follower):
    """A run on a changed batch, compared with the base call by call.

    Args:
        heal: whether valid steps that differ are set right again, so that the calls after them are
            seen for what they do themselves.
    """

    def __init__(self, base: Base, change: Change, heal: bool = False):
        super().__init__(base.model, change.inputs)
        self.base, self.change, self.heal = base, change, heal
        self.differs = Attached()
        # of what does not differ, by how much that differs which it was computed from
        self.behind = Attached()
        self.judged = Attached()
        self.tolerance = TOLERANCE["float64"]
        self.found: dict[tuple[int | None, Place], Difference] = {}
        self.result = 0.0
        self.new_axes: dict[Key, tuple[int, ...]] = {}
        self.kept: dict[Key, tuple] = {}
        self.strayed = False
        self.compared: set[int] = set()  # outputs of the model
        self.changed = any(x is not y for x, y in zip(change.inputs, base.inputs, strict=True))
        self.needs_rounding = False  # which was not measured, and may explain a difference

    def entered(self, frame, flat) -> None:
        frame.note = State()
        super().entered(frame, flat)
        note = frame.note
        differing = [self.differs.get(x) for x in flat if x in self.differs]
        note.given = max(differing, default=None)
        rounded = (self.differs.get(x) for x in flat if x in self.differs and not _whole(x))
        note.rounded = max(rounded, default=None)

    def met(self, frame, i, x) -> None:
        at = key(frame, "given", i)
        found = self.difference(at, x, self.steps.get(x))
        if found and found.difference and self.frames:
            gap = self.base.gaps.get(at)
            place = (self.base.rows_at[frame.place], "before") if gap is None else (gap, "in")
            self.found[place] = found.difference
            self.differs[x] = found.difference
            self.spread(found.difference)

    def gave(self, frame, i, x, mask):
        if not frame.listed:  # an operation that makes booleans, which may hide a difference
            if frame.note.given:
                self.behind[x] = frame.note.given
            return x
        self.tolerance = max(self.tolerance, TOLERANCE.get(dtype_of(x), 0.0))
        at = key(frame, "output", i)
        made_here = x not in self.judged
        found = self.difference(at, x, mask)
        difference = found.difference if found else None
        if found and found.whole:
            # whole numbers can hide what they were made from
            by_code = frame.note.latest if made_here else None
            exact = dtype_of(x).startswith("float") and not frame.note.rounded
            given = self.behind.get(x) or (None if exact else frame.note.given)
            difference = difference or self.differs.get(x) or given or by_code
        if difference:
            frame.note.differences.append(difference)
        elif frame.note.rounded:
            self.behind[x] = frame.note.rounded
        entry = self.base.entries.get(at)
        own = self.read(get_mask(x)) if self.change.padding else None
        if found and found.difference and self.heal:
            x = tensor_like(x, found.healed)
        if self.change.padding is not None and "float" in dtype_of(x):
            x = self.with_padding(x, entry, own)
        if difference and not self.heal:
            self.differs[x] = difference
        if found:
            self.judged[x] = True
        return x

    def left(self, frame) -> None:
        state = frame.note
        if self.frames:
            self.frames[-1].note.latest = None
        if not state.differences:
            return
        worst = max(state.differences)
        if not self.frames:
            self.result = worst.amount
        if not state.given and not state.inside:
            self.found.setdefault(self.place(frame), worst)
        if not self.heal:
            self.spread(worst)

    def place(self, frame: Frame) -> tuple[int | None, Place]:
        row = self.base.rows_at[frame.place]
        if not self.base.rows:  # nothing but code directly in the model
            return None, "end"
        if not frame.rows or frame.of_keras:
            return (row or 0), "in"
        for gap in self.base.rows:
            if gap and gap.kind == "gap" and gap.after is None and gap.parent == row:
                return gap.index, "in"
        return row, "end"

    def spread(self, difference: Difference) -> None:
        """The calls that this one happens in differ too, and not by themselves."""
        for frame in self.frames:
            frame.note.inside = True
        if self.frames:
            self.frames[-1].note.latest = difference

    def with_padding(self, x: Any, entry: Entry | None, own: np.ndarray | None) -> Any:
        into = self.change.into
        if entry is not None and into != "deeper":
            mask = entry.valid if into == "all" or not entry.zeros else None
        elif into == "entries" or (entry is not None and not entry.zeros):
            mask = None
        else:
            mask = own
        if mask is None or not leading(tuple(x.shape), mask.shape) or mask.all():
            return x
        self.changed = True
        values = to_numpy(x).astype("float64")
        values[~mask] = self.change.padding(values[mask], values[~mask].shape)
        return tensor_like(x, values)

    def difference(self, key: Key, x: Any, mask: np.ndarray | None) -> "Found | None":
        """How far valid steps are from those of the base, and the same tensor set right."""
        if key not in self.base.tensors:
            self.strayed = True
            return None
        seen = self.base.tensors[key]
        a, b = to_numpy(seen.values), to_numpy(x)
        if a is None or b is None or a.ndim != b.ndim or not a.ndim:
            return None
        if a.dtype == bool and self.frames:
            return None  # masks inside, which padding changes where it should
        whole = a.dtype.kind in "iub" or (not self.frames and whole_numbers(a))
        samples = self.base.sample_axes.get(key, (0,))
        if 0 not in samples:
            return None
        if isinstance(self.change.align, Longer) and not self.in_place(a.shape, b.shape):
            return None
        changed = self.changed_axes(a.shape, b.shape)
        axes = self.new_axes[key] = tuple(axis for axis in changed if axis not in samples)
        if not axes and mask is not None:
            axes = tuple(x for x in self.axes(key, a.shape, mask) if x not in samples)
        a, run_values = a.astype("float64"), b.astype("float64")
        exists = self.base.exists.get(key, {})
        pairs = self.change.align.pairs(a, run_values, seen.mask, mask, axes, exists, samples)
        best = None
        for pair in pairs:
            found = self.judge(key, pair, dtype_of(x), axes)
            # where a tensor can be read in several ways, it differs if it does by each of them
            best = (pair, found) if found is None or best is None else best
            if found is None:
                break
        if best is None:
            return None
        pair, found = best
        if pair.kept:
            self.kept[key] = pair.kept
        if not self.frames and pair.where.any():
            self.compared.add(key[-1])
        if found is None:
            return Found(None, None, whole)
        pair.run[pair.where] = pair.base[pair.where]  # a view of what the run gave
        return Found(found, run_values, whole)

    def judge(self, key: Key, pair: Pair, dtype: str, axes: tuple[int, ...]) -> Difference | None:
        """The largest difference that rounding does not explain."""
        apart = distance(pair.base, pair.run)
        apart[~pair.where] = 0
        if not apart.any():
            return None
        counted = pair.where & np.isfinite(pair.base)
        largest = by_sample_and_feature(pair.base, counted, axes)
        of_feature = largest.max(axis=0, keepdims=True, initial=0.0)
        if (digits := DIGITS.get(dtype)) is not None:
            tolerance = np.maximum(self.tolerance * largest, 2.0**-digits * of_feature)
            apart[apart <= tolerance] = 0
            if not apart.any():
                return None
        if self.base.rounding is None:
            self.needs_rounding = True
        elif key in self.base.rounding.moved:
            apart[apart <= pair.of_base(self.base.rounding.moved[key].bound)] = 0
            if not apart.any():
                return None
        worst = np.unravel_index(np.argmax(apart), apart.shape)
        share = apart[worst] / (np.broadcast_to(of_feature, apart.shape)[worst] or 1.0)
        sample = int(worst[0])
        if isinstance(self.change.align, Alone):
            sample = int(self.change.align.rows[sample])
        return Difference(float(apart[worst]), float(share), sample)

    def in_place(self, shape: tuple, longer: tuple) -> bool:
        """Whether what a longer run has more comes after the rest: of entries in one row it does
        where each step has as many, and not in a matrix of steps that was laid out."""
        if len(shape) != 2 or shape[1] == longer[1]:
            return True
        pairs = zip(self.base.inputs, self.change.inputs, strict=True)
        lengths = [(x.mask.shape[1], y.mask.shape[1]) for x, y in pairs if x.mask is not None]
        before, after = shape[1], longer[1]
        return any(before * m == after * n or after - before == m - n for n, m in lengths)

    def changed_axes(self, shape: tuple, other: tuple) -> tuple[int, ...]:
        """The axes that hold steps; the one of a flattened result holds features as well."""
        lengths = [x.mask.shape[1] for x in self.base.inputs if x.mask is not None]
        if len(shape) == 2 and shape[1] not in lengths:
            return ()
        return valid.changed_axes(shape, other)

    def axes(self, key, shape, mask):
        known = self.base.known_axes.get(key)
        return super().axes(key, shape, mask) if known is None else known


class Found(NamedTuple):
    """
    Attributes:
        difference: None where there is none that rounding would not explain.
        healed: the values of the run with those of the base where they are compared.
        whole: whether the values are whole numbers.
    """

    difference: Difference | None
    healed: np.ndarray | None
    whole: bool


@dataclass
class State:
    """What a comparison knows of a call that is under way.

    Attributes:
        given: how much a tensor it was given differs.
        rounded: how much one differs that holds more than whole numbers, which its output may hide.
        inside: whether something inside it differs.
        latest: the difference of the call inside it that ended last.
        differences: of its outputs.
    """

    given: Difference | None = None
    rounded: Difference | None = None
    inside: bool = False
    latest: Difference | None = None
    differences: list[Difference] = field(default_factory=list)


def _whole(x: Any) -> bool:
    values = to_numpy(x)
    return values is not None and whole_numbers(values)


def whole_numbers(values: np.ndarray) -> bool:
    """Whether a result holds booleans, integers, or floats that could be some, all but for what a
    saturated activation leaves."""
    if values.dtype.kind != "f":
        return values.dtype.kind in "biu"
    finite = values[np.isfinite(values)]
    whole = np.round(finite)
    # zeros that are not quite zero are rounding, or small
    near = 1e-3 if whole.any() else 0.0
    return bool(finite.size) and bool((np.abs(finite - whole) <= near).all())
