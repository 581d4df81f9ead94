"""Which entries of a tensor mean the same in two runs whose numbers of steps differ."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np

from keras_masking.leaks import valid
from keras_masking.leaks.probing import Padded, Places, taken


class Pair(NamedTuple):
    """
    Attributes:
        base, run: values of one shape, of the base run and, as a view, of the other one.
        where: the entries that are valid in both, in that shape.
        kept: of axes of windows, by axis the sample, the size in the base run, and the places that
            the sample fills alone.
    """

    base: np.ndarray
    run: np.ndarray
    where: np.ndarray
    kept: tuple[tuple[int, tuple[int, int, np.ndarray]], ...] = ()


@dataclass(frozen=True)
class Longer:
    """The run has more padded steps than the base, or as many.

    Attributes:
        rows: the samples that count, `(batch,)` booleans.
        left: whether steps were added in front.
    """

    rows: np.ndarray
    left: bool = False

    def pair(self, a, b, mask_a, mask_b, axes, exists) -> Pair | None:
        there = tuple(
            slice(m - n, m) if self.left else slice(0, n)
            for n, m in zip(a.shape, b.shape, strict=True)
        )
        if b[there].shape != a.shape:
            return None
        where = valid.entries(a.shape, mask_a, axes, self.rows, exists)
        others = [axis for axis in axes if axis not in exists]
        where_b = valid.entries(b.shape, mask_b, others, self.rows)
        return Pair(a, b[there], where & where_b[there])


@dataclass(frozen=True)
class Alone:
    """The run holds some samples, each cut to its own steps.

    Attributes:
        rows: their places in the batch.
        counted: which of them count, as booleans.
        total: how many samples the batch has.
        cut: of each input, in the batch, with the places its steps had there.
        left: whether padding stands in front.
    """

    rows: Sequence[int]
    counted: np.ndarray
    total: int
    cut: list[tuple[Padded, Places]]
    left: bool

    def pair(self, a, b, mask_a, mask_b, axes, exists) -> Pair | None:
        if a.shape[0] != self.total or b.shape[0] != len(self.rows):
            return None
        rows = list(self.rows)
        base = a[rows]
        where = np.zeros(base.shape, bool)
        where[self.counted] = True
        kept: list = []
        for axis in range(1, a.ndim):
            if a.shape[axis] == b.shape[axis]:
                continue
            found = self.places(axis, a.shape[axis], b.shape[axis], mask_a)
            if found is None:
                return None
            places, ok, counted = found
            if counted:
                kept += [
                    (axis, (row, a.shape[axis], at))
                    for row, at, counts in zip(rows, places, self.counted, strict=True)
                    if counts
                ]
            base, where = taken(base, places, axis), taken(where, places, axis)
            shape = [1] * a.ndim
            shape[0], shape[axis] = ok.shape
            where = where & ok.reshape(shape)
        if mask_b is not None and not mask_b.all():
            where = where & valid.entries(b.shape, mask_b, axes, np.ones(len(b), bool))
        return Pair(base, b, where, tuple(kept) if mask_b is None or mask_b.all() else ())

    def places(self, axis: int, before: int, after: int, mask) -> tuple | None:
        """Where the steps of an axis stood, `(rows, after)`, which of them can be compared, and
        whether they are windows of which a sample alone has as many as touch its own steps."""
        alike = sorted(self.cut, key=lambda x: not _same(x[0].mask, mask))
        for padded, places in alike:
            for at_axis, at in places.items():
                fits = padded.values.shape[at_axis] == before and at.shape[1] == after
                if fits and (at_axis == axis or len(places) == 1 or padded.pairs):
                    return at, np.ones(at.shape, bool), False
        if after > before:
            return None
        rows = list(self.rows)
        known = [x for x in (mask, *(x.mask for x, at in alike if at)) if x is not None]
        for strided, of, reading in product((None, True), known, (valid.along, valid.touched)):
            steps = reading(valid.flat(of), before, strided)
            if steps is not None and (steps[rows].sum(axis=1) == after).all():
                at = np.stack([np.flatnonzero(row) for row in steps[rows]])
                return at, np.ones(at.shape, bool), True
        steps = valid.along(valid.flat(known[0]), before) if known else None
        at = np.broadcast_to(self._at_the_end(before, after), (len(rows), after))
        if steps is None:
            return at, np.ones(at.shape, bool), False
        return at, np.take_along_axis(steps[rows], at, axis=1), False

    def _at_the_end(self, before: int, after: int) -> np.ndarray:
        return np.arange(after) + (before - after if self.left else 0)


def _same(a: np.ndarray | None, b: np.ndarray | None) -> bool:
    return a is not None and b is not None and a.shape == b.shape and np.array_equal(a, b)
