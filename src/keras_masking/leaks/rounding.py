"""How much rounding alone can change each tensor of a run: measured, since no bound is close.

Method: Monte Carlo arithmetic (D. S. Parker, 1997). The batch runs again with every number that a
call computes, and every weight that is multiplied, changed at random in its last digits. What comes
of that is what another order of summation may do. It is measured by sample and by feature: next to
a price of a million a probability is not small, and -1e9 before a softmax rounds to nothing
after it.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from keras_masking._keras import leading, to_numpy
from keras_masking.attached import Attached
from keras_masking.leaks import valid
from keras_masking.leaks.following import Base, Follower, Key, key, looks_up
from keras_masking.leaks.probing import Padded
from keras_masking.tracing import Frame

RUNS = 2  # one may change a number by next to nothing, by chance
LAST = 4, 12  # by how many units in the last place: more than one, so that they rarely cancel out
SPARE = 4  # by how much what happens inside a layer may exceed that
COMMON = 4  # times what is usual in a sample and feature, where one entry is moved by less
INSIDE = 8  # units that code of the model's own rounds by, as a share of what it was given
SAMPLED = 8  # numbers of an output that are looked for in what it was made from,
MANY = 64  # and found among so many, or where these are all exact, among all

DIGITS = {"float16": 10, "bfloat16": 7, "float32": 23, "float64": 52}  # binary, after the point
if keras.backend.backend() == "numpy":  # where Keras computes a sigmoid of float64 in float32
    DIGITS["float64"] = DIGITS["float32"]


@dataclass
class Moved:
    """By how much two runs of the batch with other last digits have moved a tensor.

    Attributes:
        amount: of each entry, in float32.
        mask: the valid steps, or None.
        least: by how much each may be moved in any case, broadcastable to it.
    """

    amount: np.ndarray
    mask: np.ndarray | None
    least: Any = 0.0

    @cached_property
    def bound(self) -> np.ndarray:
        """By how much rounding may move each entry. What is usual in its sample and feature counts
        too, since one may be moved by next to nothing by chance; but one that is at a threshold
        says nothing of the others."""
        shape, mask = self.amount.shape, self.mask
        axes = () if mask is None else valid.time_axes(shape, valid.flat(mask))
        where = valid.entries(shape, mask, axes, np.ones(shape[0], bool))
        found = np.where(where, self.amount, 0.0)
        if over := apart(len(shape), axes):
            usual = _median(np.where(where, self.amount, np.nan), over)
            found = np.maximum(found, COMMON * usual)
        return np.maximum(SPARE * found, self.least)


# the id of an operation, the number of its call, and that of the output
Output = tuple[int, int, int]


class Inexact(NamedTuple):
    """Which numbers of an output were rounded, as booleans, and to which dtype."""

    where: np.ndarray
    dtype: str

    def rows(self, rows: np.ndarray, total: int) -> "Inexact":
        """Of these samples, where the output is one of all samples."""
        of_all = self.where.shape[:1] == (total,)
        return self._replace(where=self.where[rows]) if of_all else self


class Rounding(NamedTuple):
    """By tensor how far rounding may move each entry, and by output what was rounded."""

    moved: dict[Key, Moved]
    inexact: dict[Output, Inexact]


def by_rounding(base: Base, structure: Any) -> Rounding:
    """What rounding alone changes in the run of a batch."""
    found = Rounding({}, {})
    for seed in range(RUNS):
        rounded = Rounded(base, np.random.default_rng(seed), found)
        rounded.start(structure, rounded.digits.of_weights(base.model.variables))
    return found


class Digits:
    """Other last digits, at random."""

    def __init__(self, random: np.random.Generator):
        self.random = random

    def factor(self, rounded: Inexact) -> np.ndarray:
        """What numbers are multiplied by to have them, in float64."""
        signs = self.random.uniform(-1, 1, rounded.where.shape)
        units = np.copysign(LAST[0] + (LAST[1] - LAST[0]) * np.abs(signs), signs)
        return 1 + 2.0 ** -DIGITS[rounded.dtype] * np.where(rounded.where, units, 0.0)

    def other(self, values: np.ndarray, dtype: str) -> np.ndarray:
        return values.astype("float64") * self.factor(inexact(values, dtype))

    def of_input(self, x: Padded) -> Padded:
        if x.values.dtype.kind != "f" or x.is_mask:
            return x
        values = self.other(x.values, keras.config.floatx())
        if x.mask is not None:
            values[~x.mask] = x.values[~x.mask]  # which a model may know by its value
        return replace(x, values=values.astype(x.values.dtype))

    def of_weights(self, variables: Sequence[keras.Variable]) -> list[tuple[keras.Variable, Any]]:
        """Those variables that are multiplied and summed, and other values for them."""
        return [
            (v, tensor_like(v, self.other(to_numpy(v.value), dtype_of(v))))
            for v in variables
            if len(v.shape) > 1 and dtype_of(v) in DIGITS
        ]


class Rounded(Follower):
    """A run of the batch with other last digits.

    Attributes:
        found: what was measured by this run and those before it.
    """

    def __init__(self, base: Base, random: np.random.Generator, found: Rounding):
        self.random, self.digits = random, Digits(random)
        super().__init__(base.model, [self.digits.of_input(x) for x in base.inputs])
        self.base, self.found = base, found
        self.done = Attached()
        self.least = Attached()

    def entered(self, frame, flat) -> None:
        super().entered(frame, flat)
        frame.note = flat

    def met(self, frame, i, x) -> None:
        self.compare(key(frame, "given", i), x, self.steps.get(x))

    def gave(self, frame, i, x, mask):
        dtype, values = dtype_of(x), to_numpy(x)
        if frame.listed and dtype in DIGITS and values is not None and x not in self.done:
            sources = [to_numpy(y) for y in frame.note]
            found = looks_up(frame.operation, frame.note, x)
            if not (found or self.copied(values, sources, DIGITS[dtype])):
                operation = id(frame.operation)
                rounded = inexact(values, dtype)
                self.found.inexact[operation, self.called[operation], i] = rounded
                x = tensor_like(x, values.astype("float64") * self.digits.factor(rounded))
                if frame.has_code:  # of which only the result is seen
                    share = INSIDE * 2.0 ** -DIGITS[dtype]
                    self.least[x] = share * self.largest_given(frame, values.shape)
            self.done[x] = True
        self.compare(key(frame, "output", i), x, mask)
        return x

    def copied(self, values: np.ndarray, sources: list[np.ndarray | None], digits: int) -> bool:
        """Whether all numbers of an output stood in what it was made from, as in a slice or a
        maximum, which does not round."""
        flat = values.reshape(-1)
        few = self.random.choice(flat, min(MANY, flat.size), replace=False)
        for numbers in (few, flat):
            fractions = numbers[~exact(numbers, digits)][:SAMPLED]
            if fractions.size:
                return all(any(np.any(source == y) for source in sources) for y in fractions)
        return False

    def compare(self, at: Key, x: Any, mask: np.ndarray | None) -> None:
        seen = self.base.tensors.get(at)
        a, b = (None, None) if seen is None else (to_numpy(seen.values), to_numpy(x))
        if a is None or b is None or a.shape != b.shape or not a.ndim or not len(a):
            return
        moved, least = distance(a, b).astype("float32"), self.least.get(x, 0.0)
        if at in self.found.moved:
            moved = np.maximum(moved, self.found.moved[at].amount)
            least = np.maximum(least, self.found.moved[at].least)
        self.found.moved[at] = Moved(moved, mask, least)

    def largest_given(self, frame: Frame, shape: tuple) -> np.ndarray:
        """By sample the largest valid number that a call was given, to broadcast to that shape."""
        found = np.zeros((*shape[:1], *[1] * (len(shape) - 1)))
        for y in frame.note:
            values, mask = to_numpy(y), self.steps.get(y)
            if values is None or values.dtype.kind != "f" or values.shape[:1] != shape[:1]:
                continue
            if mask is not None and leading(values.shape, mask.shape):
                values = np.where(valid.along_axes(mask, range(mask.ndim), values.ndim), values, 0)
            finite = np.abs(np.where(np.isfinite(values), values, 0))
            largest = finite.reshape(*shape[:1], -1).max(axis=-1, initial=0.0)
            found = np.maximum(found, largest.reshape(found.shape))
        return found


def _median(values: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """Of what is no nan, 0 where there is nothing else."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a sample without a valid step
        return np.nan_to_num(np.nanmedian(values, axis=axes, keepdims=True), posinf=np.inf)


def apart(rank: int, axes: Sequence[int]) -> tuple[int, ...]:
    """The axes over which numbers have one size: all but those of samples and features."""
    return tuple(axes) if rank - 1 in axes else tuple(range(1, rank - 1))


def by_sample_and_feature(values: np.ndarray, where: np.ndarray, axes: Sequence[int]) -> np.ndarray:
    """The largest of absolute values that count, of size 1 in all axes but those of samples and
    features; 0 where none does.

    Args:
        axes: those that hold steps.
    """
    counted = np.where(where & ~np.isnan(values), np.abs(values), 0.0)
    return counted.max(axis=apart(values.ndim, axes), keepdims=True, initial=0.0)


def distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Absolute differences; inf where only one of the two is finite, 0 where both are not."""
    a, b = a.astype("float64", copy=False), b.astype("float64", copy=False)
    with np.errstate(invalid="ignore"):
        found = np.abs(a - b)
    odd = ~np.isfinite(found)
    if not odd.any():
        return found
    return np.where(odd, np.where(np.isfinite(a) | np.isfinite(b), np.inf, 0.0), found)


def inexact(values: np.ndarray, dtype: str) -> Inexact:
    return Inexact(~exact(values, DIGITS[dtype]), dtype)


def exact(values: np.ndarray, digits: int) -> np.ndarray:
    """Where numbers are that nothing was rounded to: whole ones, as far as a dtype has each of
    them, and those that need half of its digits only, such as 0.25."""
    values = values.astype("float64")
    whole = (values == np.rint(values)) & (np.abs(values) < 2.0**digits)
    # of 53 digits in float64 those that one of half as many leaves zero
    rest = values.view("int64") & ((1 << (53 - digits // 2)) - 1)
    return whole | (np.isfinite(values) & (rest == 0))


def dtype_of(x: Any) -> str:
    return keras.backend.standardize_dtype(x.dtype)


def tensor_like(x: Any, values: np.ndarray) -> Any:
    """Values in float64 as a tensor of the dtype of `x`."""
    if dtype_of(x) != "float64":
        values = values.astype("float32")  # which each backend takes, and numpy has no bfloat16
    return ops.cast(ops.convert_to_tensor(values), dtype_of(x))
