"""Which entries of a tensor mean the same in two runs whose numbers of steps differ."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np

from keras_masking.leaks import probing, valid
from keras_masking.leaks.probing import Padded, Places, taken


class Pair(NamedTuple):
    """
    Attributes:
        base, run: values of one shape, of the base run and, as a view, of the other one.
        where: the entries that are valid in both, in that shape.
        of_base: brings what is told of each entry of the base run into that shape.
        kept: of axes of windows, by axis the sample, the size in the base run, and the places that
            the sample fills alone.
    """

    base: np.ndarray
    run: np.ndarray
    where: np.ndarray
    of_base: Callable[[np.ndarray], np.ndarray]
    kept: tuple[tuple[int, tuple[int, int, np.ndarray]], ...] = ()


class Reading(NamedTuple):
    """One way to understand an axis that a sample alone has shorter.

    Attributes:
        at: where its steps stood in the batch, `(rows, steps)`.
        windows: whether its mask does not tell them: they are windows, of which a sample alone has
            as many as touch its own steps, or the steps of another input.
        compared: which of them can be, as booleans; None for all.
    """

    at: np.ndarray
    windows: bool = False
    compared: np.ndarray | None = None


@dataclass(frozen=True)
class Longer:
    """The run has more padded steps than the base, or as many.

    Attributes:
        rows: the samples that count, `(batch,)` booleans.
        left: whether steps were added in front.
    """

    rows: np.ndarray
    left: bool = False

    def pairs(self, a, b, mask_a, mask_b, axes, exists, samples) -> Iterator[Pair]:
        """The steps that were there before; if both runs have masks of their own for other steps,
        such as those of two sequences in a row, also the valid ones in their order."""
        there = tuple(
            slice(m - n, m) if self.left else slice(0, n)
            for n, m in zip(a.shape, b.shape, strict=True)
        )
        if b[there].shape != a.shape:
            return
        where = valid.entries(a.shape, mask_a, axes, self.rows, exists)
        for axis in samples[1:]:
            where = where & valid.along_axes(self.rows, (axis,), a.ndim)
        others = [axis for axis in axes if axis not in exists]
        where_b = valid.entries(b.shape, mask_b, others, self.rows)
        yield Pair(a, b[there], where & where_b[there], lambda x: x)
        grown = a.shape[1:2] != b.shape[1:2] and a.shape[2:] == b.shape[2:]
        if grown and len(a) == len(self.rows) and _of_steps(mask_a, a) and _of_steps(mask_b, b):
            counts = mask_a[self.rows].sum(axis=1)
            if np.array_equal(counts, mask_b[self.rows].sum(axis=1)) and counts.size:
                yield self.in_order(a, b, mask_a, mask_b, counts.max())

    def in_order(self, a, b, mask_a, mask_b, count: int) -> Pair:
        at_a, at_b = (_valid_first(mask, count) for mask in (mask_a, mask_b))
        where = np.take_along_axis(mask_a, at_a, axis=1) & self.rows[:, None]
        where = valid.along_axes(where, (0, 1), a.ndim)
        base, run = taken(a, at_a, 1), taken(b, at_b, 1)
        where = np.broadcast_to(where, base.shape)
        return Pair(base, run, where, lambda x: taken(x, at_a, 1))


def _of_steps(mask: np.ndarray | None, x: np.ndarray) -> bool:
    return mask is not None and mask.shape == x.shape[:2]


def _valid_first(mask: np.ndarray, count: int) -> np.ndarray:
    return np.argsort(~mask, axis=1, kind="stable")[:, :count]


@dataclass(frozen=True)
class Alone:
    """The run holds some samples, each cut to its own steps.

    Attributes:
        rows: their places in the batch.
        counted: which of them count, as booleans.
        total: how many samples the batch has.
        cut: of each input, in the batch, with the places its steps had there.
        left: whether padding is in front.
    """

    rows: Sequence[int]
    counted: np.ndarray
    total: int
    cut: list[tuple[Padded, Places]]
    left: bool

    def pairs(self, a, b, mask_a, mask_b, axes, exists, samples) -> Iterator[Pair]:
        """By each reading of where the steps of the samples stood."""
        if a.shape[0] != self.total or b.shape[0] != len(self.rows):
            return
        # where the batch has as many samples, each is in its own place
        axes_of_rows = samples if len(self.rows) < self.total else samples[:1]

        def of_rows(x: np.ndarray) -> np.ndarray:
            for axis in axes_of_rows:
                x = x.take(list(self.rows), axis)
            return x

        base = of_rows(a)
        where = np.ones(base.shape, bool)
        for axis in samples:
            where = where & valid.along_axes(self.counted, (axis,), a.ndim)
        if mask_b is not None and not mask_b.all():
            where_b = valid.entries(b.shape, mask_b, axes, np.ones(len(b), bool))
        else:
            where_b = np.ones(b.shape, bool)
        changed = [axis for axis in range(1, a.ndim) if base.shape[axis] != b.shape[axis]]
        readings = (self.readings(x, a.shape, b.shape[x], mask_a) for x in changed)
        for chosen in product(*readings):
            steps = dict(zip(changed, chosen, strict=True))
            yield self.pair(a, b, where, where_b, of_rows, steps)

    def pair(self, a, b, where, where_b, of_rows, steps: dict[int, Reading]) -> Pair:
        def of_base(x: np.ndarray) -> np.ndarray:
            x = of_rows(x)
            for axis, reading in steps.items():
                x = taken(x, reading.at, axis)
            return x

        kept: list = []
        for axis, reading in steps.items():
            if reading.windows and where_b.all():
                kept += [
                    (axis, (row, a.shape[axis], at))
                    for row, at, counts in zip(self.rows, reading.at, self.counted, strict=True)
                    if counts
                ]
            where = taken(where, reading.at, axis)
            if reading.compared is not None:
                where = where & valid.along_axes(reading.compared, (0, axis), a.ndim)
        return Pair(of_base(a), b, where & where_b, of_base, tuple(kept))

    def readings(self, axis: int, shape: tuple, after: int, mask) -> list[Reading]:
        """Where the steps of an axis may have stood."""
        before = shape[axis]
        alike = sorted(self.cut, key=lambda x: not _same(x[0].mask, mask))
        for padded, places in alike:
            for at_axis, at in places.items():
                fits = padded.values.shape[at_axis] == before and at.shape[1] == after
                if fits and (at_axis == axis or len(places) == 1 or padded.pairs):
                    of_another = mask is not None and mask.shape[1] != before
                    return [Reading(at, len(shape) == 2 or of_another)]  # of a row it may be chance
        if after > before:
            return []
        rows = list(self.rows)
        known = [x for x in (mask, *(x.mask for x, at in alike if at)) if x is not None]
        at = np.broadcast_to(self._at_the_end(before, after), (len(rows), after))
        # steps and features in one row are as many as a sample alone has
        in_a_row = [Reading(at, True)] if len(shape) == 2 else []
        for strided, of, reading in product((None, True), known, (valid.along, valid.touched)):
            steps = reading(valid.flat(of), before, strided)
            if steps is not None and (steps[rows].sum(axis=1) == after).all():
                return [_own(steps[rows]), *in_a_row]
        for of in map(valid.flat, known):
            times, rest = divmod(before, of.shape[1])
            if times > 1 and not rest and (of[rows].sum(axis=1) * times == after).all():
                more = (_own(steps[rows]) for steps in valid.repeated(of, times))
                return [*more, *in_a_row]
        for of in known:
            own = valid.flat(of)
            follows = mask is None or mask.ndim > 2 or _same(mask, valid.along(own, before))
            found = self.beside(own, before, after) if own.shape[1] != before and follows else []
            if found:
                return [*found, *in_a_row]
        steps = valid.along(valid.flat(known[0]), before) if known else None
        compared = None if steps is None else taken(steps[rows], at, 1)
        return in_a_row or [Reading(at, False, compared)]

    def beside(self, mask: np.ndarray, before: int, after: int) -> list[Reading]:
        """Where an axis has a few steps more than the samples have, in front, at the end, or both:
        each may be beside a sample's own steps or at an end of the batch."""
        own, time = mask[list(self.rows)], mask.shape[1]
        (count, *others) = {*own.sum(axis=1)}
        if others or count == time or not probing.at_an_end(own):
            return []
        times, rest = divmod(before - after, time - count)
        more = before - times * time
        if rest or not 0 < more <= valid.MOST_BESIDE:
            return []
        found = []
        for moved in range(more + 1):
            size = moved if self.left else after - moved
            at = np.r_[:size, before - (after - size) : before]
            found.append(Reading(np.broadcast_to(at, (len(own), after))))
        return found

    def _at_the_end(self, before: int, after: int) -> np.ndarray:
        return np.arange(after) + (before - after if self.left else 0)


def _own(steps: np.ndarray) -> Reading:
    """Windows that stood at these places, as many in each row."""
    return Reading(np.stack([np.flatnonzero(row) for row in steps]), True)


def _same(a: np.ndarray | None, b: np.ndarray | None) -> bool:
    return a is not None and b is not None and a.shape == b.shape and np.array_equal(a, b)
