"""The probes: what each changes of a batch, and what it found to differ."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import Any

import keras
import numpy as np

from keras_masking._keras import any_length, global_seed_generator, in_short, sublayers
from keras_masking.inputs import listed
from keras_masking.leaks import probing, valid
from keras_masking.leaks.aligning import Alone, Longer
from keras_masking.leaks.comparing import (
    Change,
    Comparison,
    Difference,
    whole_numbers,
)
from keras_masking.leaks.following import Base, Entry, Scout, sample_axes
from keras_masking.leaks.gradients import Gradients, NoGradients
from keras_masking.leaks.probing import Padded
from keras_masking.leaks.rounding import by_rounding
from keras_masking.records import Note, Place, Probe, ProbeName

# of how many different ones samples are run alone: JAX compiles each anew
LENGTHS = 4 if keras.backend.backend() == "jax" else 16
DRAWS = 20  # more of other content, where it may only by chance have changed nothing
MORE_STEPS = (1, 2, 4, 8, 16)  # that a sample keeps where the model does not take it alone

Found = dict[tuple[int | None, Place], Difference]
Taken = tuple[float, Found, Note]


class Impossible(Exception):
    """A probe that this model or batch does not allow; holds the note that says why."""

    def __init__(self, key: str, **details: str):
        super().__init__(key)
        self.note = Note(key, details)


class Bench:
    """The base run of a model, and the probes that are compared with it.

    Args:
        scout: a run with other seeds.
        inputs: flat, with their masks; names: theirs.

    Attributes:
        measured_by: by the number of each input that has padding, the probes that measured it.
        run_alone: how many samples were run alone.
        unfollowed: those that differ alone at a call, where no result could be compared.
        hazards: what only nan, or values that the model never has there, would change.
    """

    def __init__(self, scout: Scout, structure: Any, inputs: list[Padded], names: list[str]):
        self.scout, self.model = scout, scout.model
        self.structure, self.inputs, self.names = structure, inputs, names
        self.random = np.random.default_rng(0)
        self.masked = [x for x in inputs if x.mask is not None]
        self.rows = probing.valid_samples(inputs)
        self.left = any(probing.on_the_left(x.mask[self.rows]) for x in self.masked)
        self.base = Base(self.model, inputs)
        self.base.start(structure)
        self.trace = self.base.trace()
        self.padded = [i for i, x in enumerate(inputs) if x.shows_padding(self.rows)]
        self.measured_by: dict[int, set[ProbeName]] = {i: set() for i in self.padded}
        self.hazards: dict[ProbeName, Found] = {}
        self.compared: set[int] = set()
        self.ran: set[ProbeName] = set()
        self.run_alone = 0
        self.unfollowed: set[int] = set()

    @property
    def unseen(self) -> list[int]:
        """The outputs of the model that no probe could compare, such as one of another first axis
        than the batch."""
        return [i for i in range(len(self.base.results)) if i not in self.compared]

    @property
    def untested(self) -> list[str]:
        """The names of the inputs that have padding in no probe."""
        grown = "length" in self.ran
        inputs = zip(self.names, self.inputs, strict=True)
        return [
            name for name, x in inputs if x.is_complete(self.rows) and not (grown and x.can_grow)
        ]

    def prepare(self) -> None:
        """Measures what comparisons need to know. Of a random model it would be the noise."""
        self.base.sample_axes = sample_axes(self.base, self.structure)

    def first_random(self) -> str | None:
        """The first call that gives another result when only the seeds are others."""
        pairs = zip(self.scout.inputs, self.inputs, strict=True)
        same = all(x.values is y.values and x.given == y.given for x, y in pairs)
        results = zip(self.base.results, self.scout.results, strict=True)
        equal = all(np.array_equal(x, y, equal_nan=x.dtype.kind == "f") for x, y in results)
        # whole numbers may hide that what they are made from is another each time
        if same and equal and not any(map(whole_numbers, self.base.results)):
            return None
        comparison = Comparison(self.base, Change(self.inputs, Longer(self.rows)))
        comparison.start(self.structure, other_seeds(self.model))
        if not comparison.found:
            return None
        calls = [call for call, _ in comparison.found if call is not None]
        # code directly in the model has no path
        return (calls and self.trace[min(calls)].path) or self.model.name

    def takes_one_length(self, i: int, alone: Probe) -> bool:
        """Whether no sample can be run alone since the model takes one length. Where it declares
        none, several inputs may only have been read wrongly: as many steps by chance; and a result
        of another number of steps may only not have been compared."""
        single = len(self.inputs) == 1 and alone.note != "not-compared"
        return self.inputs[i].is_fixed or single

    def notes(self) -> tuple[Note, ...]:
        """What a reader of the verdict must know besides."""
        found = []
        if not self.padded:
            found.append(Note("no-valid-sample" if not self.rows.any() else "no-padding"))
        elif self.compared and self.unseen:
            found.append(Note("outputs-unseen", {"outputs": ", ".join(map(str, self.unseen))}))
        total = len(self.rows_with_padding())
        if 0 < self.run_alone < total:
            found.append(Note("some", {"count": str(self.run_alone), "total": str(total)}))
        if self.unfollowed:
            samples = ", ".join(map(str, sorted(self.unfollowed)))
            found.append(Note("unfollowed", {"samples": samples}))
        if any(whole_numbers(x) for x in self.base.results):
            found.append(Note("whole-numbers"))
        lengths = {self.inputs[i].mask.shape[1] for i in self.padded if self.inputs[i].is_fixed}
        for i, x in enumerate(self.trace.outputs):
            # of a fixed length, such as that of RepeatVector, no run shows another one
            fixed = len(x.shape) > 2 and x.shape[1] in lengths
            if x.mask is None and (fixed or self.base.known_axes.get(self.base.result_key(i))):
                found.append(Note("output-unmasked"))
                break
        return tuple(found)

    def take(self, name: ProbeName) -> tuple[Probe, Found]:
        try:
            if not self.padded:
                raise Impossible("no-padding")
            result, found, note = getattr(self, name)()
        except Impossible as error:
            return Probe(name, False, error.note.key, error.note.details, None), {}
        self.ran.add(name)
        return Probe(name, True, note.key, note.details, result), found

    def differences(self, change: Change) -> tuple[float, Found]:
        """How much the model's result changes, and where that starts.

        Raises:
            Impossible: the model raises, or there was nothing to change.
        """
        found: Found = {}
        comparison = self.compare(change)
        if not comparison.changed:
            raise Impossible("nothing-masked")
        if not comparison.compared:
            raise Impossible("not-compared")
        self.collect(comparison, found)
        return comparison.result, found

    def compare(self, change: Change, heal: bool = False) -> Comparison:
        comparison = Comparison(self.base, change, heal)
        try:
            comparison.start(self.structure)
        except Exception as error:  # whatever a model raises on a batch it was not given
            raise Impossible("raised", error=in_short(error)) from error
        if comparison.needs_rounding:
            self.measure_rounding()
            return self.compare(change, heal)
        self.compared |= comparison.compared
        return comparison

    def measure_rounding(self) -> None:
        if self.base.rounding is None:
            self.base.rounding = by_rounding(self.base, self.structure)

    def collect(self, first: Comparison, found: Found) -> None:
        """Where a difference starts that changes a result; what stays inside changes none."""
        if not first.result:
            return
        # with each leak healed the rest is seen for itself
        again = self.compare(first.change, heal=True)
        for place, difference in (*first.found.items(), *again.found.items()):
            found[place] = max(found.get(place, difference), difference)

    def alone(self) -> Taken:
        result, found, nearest, error = 0.0, {}, 1, None
        with any_length():
            for rows in self.groups():
                try:
                    comparison, nearest = self.cut(rows, nearest)
                except Impossible as raised:
                    error = error or raised
                    continue
                self.run_alone += len(rows)
                self.learn_axes(comparison)
                for i in self.padded:
                    if self.is_alone(comparison.inputs[i], self.inputs[i], rows[0]):
                        self.measured_by[i].add("alone")
                result = max(result, comparison.result)
                self.collect(comparison, found)
        if not self.run_alone:
            raise error
        return result, found, self.how_alone(nearest)

    def is_alone(self, cut: Padded, whole: Padded, row: int) -> bool:
        """Whether a sample lost its padding, and kept none for want of steps."""
        axes = whole.step_axes
        steps = tuple(cut.values.shape[axis] for axis in axes)
        before = tuple(whole.values.shape[axis] for axis in axes)
        return steps != before and steps == whole.own_lengths(row)

    def groups(self) -> list[list[int]]:
        """Samples with padding, those of one length together. Of many lengths half from all of
        them, and half those whose samples are least like the others."""
        groups: dict[tuple, list[int]] = {}
        for row in self.rows_with_padding():
            groups.setdefault(tuple(x.own_lengths(row) for x in self.inputs), []).append(row)
        ordered = [groups[lengths] for lengths in sorted(groups)]
        if len(ordered) <= LENGTHS:
            return ordered
        spread = np.linspace(0, len(ordered) - 1, LENGTHS // 2).round().astype(int)
        unlike = self.unlikeness()
        others = sorted(range(len(ordered)), key=lambda i: -unlike[ordered[i]].max())
        chosen = list(dict.fromkeys((*map(int, spread), *others)))[:LENGTHS]
        return [ordered[i] for i in sorted(chosen)]

    def unlikeness(self) -> np.ndarray:
        """How far the mean of each sample's valid numbers is from that of all, `(batch,)`."""
        found = np.zeros(len(self.rows))
        for x in self.masked:
            if x.is_mask or x.pairs or x.values.dtype.kind not in "iuf":
                continue
            weights = valid.along_axes(x.mask, range(x.mask.ndim), x.values.ndim)
            weights = np.broadcast_to(weights & np.isfinite(x.values), x.values.shape)
            sums = np.where(weights, x.values, 0).reshape(len(found), -1).sum(axis=1, dtype=float)
            means = sums / np.maximum(weights.reshape(len(found), -1).sum(axis=1), 1)
            found = np.maximum(found, np.abs(means - means.mean()) / (means.std() or 1.0))
        return found

    def rows_with_padding(self) -> list[int]:
        padded = [valid.flat(~self.inputs[i].mask).any(axis=1) for i in self.padded]
        return [int(row) for row in np.flatnonzero(self.rows & np.logical_or.reduce(padded))]

    def cut(self, rows: list[int], at_least: int) -> tuple[Comparison, int]:
        """These samples, each with its own steps alone, or as few more as the model takes."""
        counted = np.ones(len(rows), bool)
        if self.takes_one_batch_size:  # and may keep a state for each place
            counted = np.isin(np.arange(len(self.rows)), rows)
            rows = [row if row in rows else rows[0] for row in range(len(self.rows))]
        error = None
        for steps in self.lengths_from(rows[0], at_least):
            try:
                if self.cuts_to_one(rows[0], steps):
                    # a single step fits anything that a model of one length made for that length
                    self.compare(self.cut_change(rows, counted, 2))
                comparison = self.compare(self.cut_change(rows, counted, steps))
            except Impossible as raised:
                error = error or raised
                continue
            if comparison.compared:
                return comparison, steps
            if comparison.found:
                self.unfollowed.update(np.array(rows)[counted])
        raise self.why_not_shorter(error)

    @property
    def takes_one_batch_size(self) -> bool:
        stateful = any(getattr(layer, "stateful", False) for layer in sublayers(self.model))
        return stateful or any(x.sizes is not None and x.sizes[0] for x in self.inputs)

    def cuts_to_one(self, row: int, at_least: int) -> bool:
        fixed = [self.inputs[i] for i in self.padded if self.inputs[i].is_fixed]
        return any(max(at_least, *x.own_lengths(row)) == 1 for x in fixed)

    def cut_change(self, rows: list[int], counted: np.ndarray, at_least: int) -> Change:
        cut = [x.alone(rows, at_least) for x in self.inputs]
        places = [(x, at) for x, (_, at) in zip(self.inputs, cut, strict=True)]
        return Change([x for x, _ in cut], Alone(rows, counted, len(self.rows), places, self.left))

    def lengths_from(self, row: int, at_least: int) -> Iterator[int]:
        """The sample's own length, then the nearest that are longer."""
        yield at_least
        longest = max(self.inputs[i].values.shape[1] for i in self.padded)
        own = max(at_least, *(min(self.inputs[i].own_lengths(row)) for i in self.padded))
        yield from (own + more for more in MORE_STEPS if own + more < longest)

    def learn_axes(self, comparison: Comparison) -> None:
        for key, kept in comparison.kept.items():
            for axis, (row, size, at) in kept:
                exists = self.base.exists.setdefault(key, {}).setdefault(
                    axis, self.base.steps_along(key, size)
                )
                exists[row] = np.isin(np.arange(size), at)
        for key, axes in comparison.new_axes.items():
            self.base.known_axes[key] = tuple({*self.base.known_axes.get(key, ()), *axes})

    def how_alone(self, nearest: int) -> Note:
        if any(self.inputs[i].is_fixed for i in self.padded):
            return Note("beyond-its-input")
        return Note("nearest", {"steps": str(nearest)}) if nearest > 1 else Note()

    def why_not_shorter(self, error: Impossible | None) -> Impossible:
        for i in self.padded:
            x = self.inputs[i]
            if x.is_fixed:
                return Impossible("fixed-length", length=str(x.sizes[x.step_axes[0]]))
        if error is not None and error.note.key == "raised" and (names := self.other_axes()):
            return Impossible("other-axis", inputs=names)
        return error or Impossible("not-compared")

    def other_axes(self) -> str:
        """The inputs that have the steps of another one in another axis than the first."""
        lengths = {self.inputs[i].mask.shape[1] for i in self.padded}
        return listed(
            name
            for name, x in zip(self.names, self.inputs, strict=True)
            if lengths & {*x.values.shape[2:]} and not (x.pairs or x.mask is not None)
        )

    def length(self) -> Taken:
        sides = {probing.on_the_left(self.inputs[i].mask[self.rows]) for i in self.padded}
        if len(sides) > 1:
            raise Impossible("both-sides")
        fixed = any(x.is_fixed for x in self.masked)
        if fixed and not any("alone" in by for by in self.measured_by.values()):
            raise self.why_not_shorter(None)
        with any_length():
            try:
                return self._length()
            except Impossible as error:
                raise (self.why_not_shorter(error) if fixed else error) from None

    def _length(self) -> Taken:
        lengths = sorted({x.mask.shape[1] for x in self.masked})
        # inputs of other lengths grow by another number; a table of positions may end soon
        twice = {length: length + i for i, length in enumerate(lengths)}
        for steps in (twice, dict.fromkeys(lengths, 1)):
            longer = [
                x if x.mask is None else x.longer(steps[x.mask.shape[1]], self.left)
                for x in self.inputs
            ]
            change = Change(longer, Longer(self.rows, self.left))
            try:
                comparison = self.compare(change)
                break
            except Impossible as error:
                last = error
        else:
            raise last
        for i, made in comparison.made.items():
            if not np.array_equal(made, longer[i].mask) and not longer[i].said:
                raise Impossible("no-padding-made", layer=self.base.makers[i])
        if comparison.strayed:
            raise Impossible("other-path")
        if not any("alone" in by for by in self.measured_by.values()):
            # this run has only told the axes that hold steps; the next one knows them
            self.learn_axes(comparison)
            comparison = self.compare(change)
        if not comparison.compared:
            raise Impossible("not-compared")
        found: Found = {}
        self.collect(comparison, found)
        return comparison.result, found, Note()

    def content(self) -> Taken:
        """Other values where padding enters the model."""
        free = any(map(self.is_free, self.inputs))
        if free or any(not entry.zeros for entry in self.base.entries.values()):
            result, found = self.differences(self.other_content())
            with suppress(Impossible):
                more = DRAWS if not found and self.may_be_chance else 0
                for _ in range(more):
                    result, found = self.differences(self.other_content())
                    if found:
                        break
        elif self.base.masks_padding:
            result, found = 0.0, {}
        else:
            raise Impossible("nothing-masked")
        for i in self.padded:
            entries = self.entries_of(self.inputs[i])
            if self.is_free(self.inputs[i]) or any(not entry.zeros for entry in entries):
                self.measured_by[i].add("content")
        return result, found, Note()

    def other_content(self) -> Change:
        inputs = [x.other(self.random) if self.is_free(x) else x for x in self.inputs]
        return Change(inputs, Longer(self.rows), self.noise)

    def noise(self, values: np.ndarray, shape: tuple) -> np.ndarray:
        return probing.noise(shape, values, self.random)

    def is_free(self, x: Padded) -> bool:
        """Whether padded steps of an input may hold anything: the model is told which they are,
        or cannot know it."""
        if x.is_mask or x.pairs or x.mask is None:
            return False
        if x.told:
            alike = [y for y in self.masked if not y.is_mask and np.array_equal(y.mask, x.mask)]
            # of two inputs of the same lengths the mask may be of the other one only
            return len(alike) == 1 or self.scout.blind
        known = x.vocabulary is not None or not np.isfinite(x.values[~x.mask]).all()
        return x.said and self.scout.blind and not known and not x.given

    def entries_of(self, x: Padded) -> list[Entry]:
        entries = list(self.base.entries.values())
        if self.base.unplaced:  # more of it is read than can be changed
            return []
        same = [e for e in entries if np.array_equal(e.valid, x.mask)]
        return same or (entries if len(self.padded) == 1 else [])

    def nan(self) -> Taken:
        """nan in every padded step. Where it changes nothing, no other value would; where it does,
        other values after a layer that always writes the same are tried too."""
        result, self.hazards["nan"] = self.with_nan
        spreads = False
        with suppress(Impossible):
            spreads, self.hazards["content"] = self.with_noise_deeper
        for i in self.padded:
            if self.entries_of(self.inputs[i]) and not spreads:
                self.measured_by[i].add("content")
        return result, {}, Note()

    @property
    def may_be_chance(self) -> bool:
        """Whether other values may have changed nothing by chance: where nan changes a result and
        so do values deeper in the model, or where whole numbers hide it."""
        with suppress(Impossible):
            if not self.with_nan[0]:
                return False
            if self.with_noise_deeper[0]:
                return True
        return any(map(whole_numbers, self.base.results))

    @cached_property
    def with_nan(self) -> tuple[float, Found]:
        return self.differences(
            Change(self.inputs, Longer(self.rows), lambda values, shape: np.nan, "all")
        )

    @cached_property
    def with_noise_deeper(self) -> tuple[float, Found]:
        if not self.with_nan[0]:
            return 0.0, {}
        return self.differences(Change(self.inputs, Longer(self.rows), self.noise, "deeper"))

    def company(self) -> Taken:
        if len(self.rows) == 1:
            raise Impossible("one-sample")
        lengths = sum(x.mask.reshape(len(x.mask), -1).sum(axis=1) for x in self.masked)
        cut = np.zeros(len(self.rows), bool)
        cut[np.argsort(-lengths, kind="stable")[: len(cut) // 2]] = True  # the longest ones
        shorter = [x.shorter(cut) for x in self.inputs]
        return *self.differences(Change(shorter, Longer(self.rows & ~cut))), Note()

    def gradients(self) -> Taken:
        """Those of the batch as it is, and with other values where padding enters the model."""
        rows = np.flatnonzero(self.rows)
        if self.takes_one_batch_size:  # one that has valid steps in the place of each without
            rows = np.where(self.rows, np.arange(len(self.rows)), rows[0])
        some = self.inputs if self.rows.all() else [x.rows(rows) for x in self.inputs]
        others = [
            y.other(self.random) if self.is_free(x) else y
            for x, y in zip(self.inputs, some, strict=True)
        ]
        changed = any(x is not y for x, y in zip(others, some, strict=True))
        changed |= any(not entry.zeros for entry in self.base.entries.values())
        where = [at if at is None else at[rows] for at in self.base.result_entries(self.rows)]
        gradients = self.gradients_by(rows, where)
        with self.whatever_it_raises():
            before = gradients(some, 0.0)
            bad = [path for path, g in before.items() if not np.isfinite(g).all()]
            after = gradients(others, 1.0) if changed and not bad else before
        if bad:
            return self.not_finite_gradients(bad)
        worst = _worst(before, after)
        if worst is not None:
            with self.whatever_it_raises():
                self.measure_rounding()
                inexact = {
                    call: x.rows(rows, len(self.rows))
                    for call, x in self.base.rounding.inexact.items()
                }
                moved = [
                    gradients.moved(inputs, share, found, inexact)
                    for inputs, share, found in ((some, 0.0, before), (others, 1.0, after))
                ]
            worst = _worst(before, after, *moved)
        if worst is None:
            return 0.0, {}, Note() if changed else Note("finite")
        path, amount, relative = worst
        place = self.base.call_of([path])
        return amount, {(place, "in"): Difference(amount, relative, int(rows[0]))}, Note()

    def gradients_by(self, rows: Any = None, where: list | None = None) -> Gradients:
        entries = {
            (id(entry.layer), entry.times): entry.valid if rows is None else entry.valid[rows]
            for entry in self.base.entries.values()
            if not entry.zeros
        }
        with self.whatever_it_raises():
            return Gradients(self.model, self.structure, where, entries if where else {})

    def not_finite_gradients(self, bad: list[str]) -> Taken:
        """A leak, where they are finite for a sample without its padding or, if the model takes no
        shorter one, for the batch with valid steps in the place of padding."""

        def finite(inputs: list[Padded]) -> bool:
            gradients = self.gradients_by()  # of these masks: JAX compiles them in
            with any_length(), self.whatever_it_raises():
                found = gradients(inputs, 0.0)
            return all(np.isfinite(g).all() for g in found.values())

        samples = []
        for rows in self.groups():
            with suppress(Impossible):
                samples.append(finite([x.alone(rows[:1])[0] for x in self.inputs]))
        if not (any(samples) if samples else finite([x.filled() for x in self.inputs])):
            raise Impossible("not-finite-alone")
        place = self.base.first_not_finite()
        place = self.base.call_of(bad) if place is None else place
        row = self.rows_with_padding()[0]
        return np.inf, {(place, "in"): Difference(np.inf, np.inf, row)}, Note()

    @contextmanager
    def whatever_it_raises(self) -> Iterator[None]:
        """A model, or a backend on the way back, may raise anything."""
        try:
            yield
        except NoGradients as error:
            raise Impossible(str(error)) from None
        except Exception as error:
            raise Impossible("raised", error=in_short(error)) from error


def other_seeds(model: keras.Layer) -> list[tuple[keras.Variable, Any]]:
    """The state of its generators of random numbers, each another than it is."""
    states = [v for v in model.variables if "seed_generator" in v.path]
    # what draws without a generator of its own draws from this one
    states.append(global_seed_generator().state)
    return [(v, v.value + 1) for v in states]


def _worst(before: dict, after: dict, *moved: dict) -> tuple[str, float, float] | None:
    """The variable whose gradient differs most, by how much, and by what share.

    Args:
        moved: by variable how far rounding moves each entry of its gradient, in each of the two.
    """
    largest = max(np.abs(g).max(initial=0.0) for g in before.values()) or 1.0
    found = []
    for path, g in before.items():
        amounts = np.abs(after[path] - g)
        scale = max(np.abs(g).max(initial=0.0), 1e-3 * largest)
        allowed = np.maximum(1e-3 * scale, sum(x[path] for x in moved))
        amounts = amounts[~(amounts <= allowed)]
        if amounts.size:
            amount = np.nan_to_num(amounts, nan=np.inf, posinf=np.inf).max()
            found.append((float(amount / scale), float(amount), path))
    if not found:
        return None
    relative, amount, path = max(found)
    return path, amount, relative
