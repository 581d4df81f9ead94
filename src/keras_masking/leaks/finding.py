"""Measures whether padding reaches the valid steps of a model's results, and where it gets in."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from keras import tree

from keras_masking._keras import in_short, symbolic_inputs
from keras_masking.inputs import UnusableInput, check_inputs, check_model, flat_masks
from keras_masking.leaks import probing, valid
from keras_masking.leaks.comparing import Comparison, Difference
from keras_masking.leaks.following import Base, Scout
from keras_masking.leaks.probing import Padded
from keras_masking.leaks.remedies import remedy_for
from keras_masking.records import Leak, LeakReport, Probe, ProbeName, Trace

PROBES: tuple[ProbeName, ...] = ("length", "content", "nan", "company")


def find_leaks(model: keras.Layer, inputs: Any, mask: Any = None) -> LeakReport:
    """Run a model on a batch, then on the same batch with other padding, and compare valid steps.

    Four probes. *length*: more padded steps, on the side where the batch has them. *content*:
    other finite values in the padded steps of every tensor that carries a mask. *nan*: nan there.
    *company*: one valid step left of every other sample. Every call is compared, so a leak is
    named where it starts: at the first call whose inputs are the same and whose output is not. A
    difference that no valid result of the model shows is no leak. Nothing about the model is
    changed. All outputs of one run are held in memory.

    A difference counts from 1e-4 of the largest valid value in float32 (float64 1e-9, float16
    2e-2, bfloat16 1e-1), by the coarsest dtype on the way. Samples without a valid step are left
    out: they have no result that could be right.

    Args:
        model: a built Keras model, or a single layer. It runs in inference mode.
        inputs: a batch `(batch, time, ...)` of numbers, or a list, tuple or dict of them. An
            input whose name ends in "mask" and that holds 0 and 1 tells the valid steps.
        mask: booleans `(batch, time)`, True = valid, for an input that has no layer to make its
            mask; for several inputs the same structure, with None where there is none.

    Returns:
        A `LeakReport`: `print` it, or write it with `to_html`, `to_markdown`, `to_json`, `save`.

    Raises:
        UnusableInput: a ValueError whose one sentence says what does not fit and what to do.
        Exception: what the model itself raises on the batch as it was given.

    Method: padding invariance as a metamorphic relation. The batch and its changed copy mean the
    same, so they must have the same result.
    """
    return _find_leaks(model, inputs, mask)


def assert_no_leaks(model: keras.Layer, inputs: Any, mask: Any = None) -> None:
    """For test suites: raise unless padding leaves the valid results of the model alone.

    Args:
        model, inputs, mask: as in `find_leaks`.

    Raises:
        AssertionError: with the report, where padding leaks or the model is not deterministic.
        UnusableInput: as in `find_leaks`.
    """
    report = find_leaks(model, inputs, mask)
    if not report.ok or report.random is not None:
        raise AssertionError("\n" + report.to_text())


def _find_leaks(
    model: keras.Layer, inputs: Any, mask: Any, report: Callable[[str], None] = lambda name: None
) -> LeakReport:
    """`report` is told the name of each run before it starts."""
    check_model(model)
    arrays, masks = check_inputs(model, inputs, mask)
    report("trace")
    bench = Bench(model, arrays, flat_masks(arrays, masks))
    trace = bench.trace
    report("random")
    if (random := bench.first_random()) is not None:
        return LeakReport(trace, (), (), (), random=random)
    probes, leaks = [], []
    for name in PROBES:
        report(name)
        probe, found = bench.take(name)
        probes.append(probe)
        leaks += found
    leaks.sort(key=lambda leak: (*_place(trace, leak), PROBES.index(leak.probe)))
    finite = [leak for leak in leaks if leak.probe != "nan"]
    known = {(leak.call, leak.place) for leak in finite}
    hazards = [
        leak for leak in leaks if leak.probe == "nan" and (leak.call, leak.place) not in known
    ]
    return LeakReport(trace, tuple(probes), tuple(finite), tuple(hazards))


def _place(trace: Trace, leak: Leak) -> tuple[int, int]:
    index = len(trace) if leak.call is None else leak.call
    return index, ("before", "in", "end").index(leak.place)


@dataclass(frozen=True, eq=False)
class Change:
    """What one run of a probe changes: the inputs, and the padding of tensors that carry a mask."""

    inputs: list[Padded]
    rows: np.ndarray
    padding: Callable | None = None


@dataclass(frozen=True)
class Note:
    """A key of the texts, and what its text names in braces."""

    key: str = ""
    details: dict[str, str] = field(default_factory=dict)


class Impossible(Exception):
    """A probe that this model or batch does not allow; holds the note that says why."""

    def __init__(self, key: str, **details: str):
        super().__init__(key)
        self.note = Note(key, details)


class Bench:
    """The base run of a model, and the probes that are compared with it."""

    def __init__(self, model: keras.Layer, arrays: Any, masks: list):
        self.model, self.structure = model, arrays
        self.random = np.random.default_rng(0)
        scout = Scout(model, probing.padded(model, arrays, masks))
        scout.start(arrays)
        self.inputs = scout.found()
        self.masked = [x for x in self.inputs if x.mask is not None]
        if not self.masked:
            raise UnusableInput(
                f"No layer of {model.name!r} makes a mask, and none was given: pass `mask`, True "
                "for each valid step, to say which steps are padding."
            )
        self.rows = np.logical_and.reduce([valid.flat(x.mask).any(axis=1) for x in self.masked])
        self.left = any(probing.on_the_left(x.mask) for x in self.masked)
        self.longer: list[Padded] | None = None
        self.base = Base(model, self.inputs)
        self.base.start(arrays)
        self.trace = self.base.trace()

    def first_random(self) -> str | None:
        """The first call that gives another result when only the seeds are others."""
        comparison = Comparison(self.base, self.inputs, self.rows)
        seeds = [v for v in self.model.variables if "seed_generator" in v.path]
        comparison.start(self.structure, [(v, v.value + 1) for v in seeds])
        if not comparison.found:
            return None
        calls = [call for call, _ in comparison.found if call is not None]
        # code directly in the model has no path
        return (calls and self.trace[min(calls)].path) or self.model.name

    def take(self, name: ProbeName) -> tuple[Probe, list[Leak]]:
        """Take a probe; where it finds something, again with each leak healed to find the rest."""
        try:
            changes, note = getattr(self, name)()
            result, found, changed = 0.0, {}, False
            for change in changes:
                first = self.compare(change)
                changed |= first.changed
                if not first.result:
                    continue  # what stays inside changes no result
                result = max(result, first.result)
                again = self.compare(change, heal=True)
                for place, difference in (*first.found.items(), *again.found.items()):
                    found[place] = max(found.get(place, difference), difference)
            if not changed:
                raise Impossible("nothing-masked")
        except Impossible as error:
            return Probe(name, False, error.note.key, error.note.details, None), []
        leaks = [self.leak(name, *place, difference) for place, difference in found.items()]
        return Probe(name, True, note.key, note.details, result), leaks

    def compare(self, change: Change, heal: bool = False) -> Comparison:
        comparison = Comparison(
            self.base, change.inputs, change.rows, self.left, change.padding, heal
        )
        try:
            comparison.start(self.structure)
        except Exception as error:  # whatever a model raises on a batch it was not given
            raise Impossible("raised", error=in_short(error)) from error
        if comparison.strayed:
            raise Impossible("other-path")
        return comparison

    def length(self) -> tuple[list[Change], Note]:
        time = max(x.mask.shape[1] for x in self.masked)
        # a table of positions may end soon after the longest sequence
        for steps in (time, 1):
            longer = [x.longer(steps, self.left) for x in self.inputs]
            change = Change(longer, self.rows)
            try:
                comparison = self.compare(change)
                break
            except Impossible as error:
                if steps == 1 or error.note.key != "raised":
                    raise self.why_not_longer(error) from error
        for i, made in comparison.made.items():
            if not np.array_equal(made, longer[i].mask):
                raise Impossible("no-padding-made", layer=self.base.makers[i])
        self.longer = longer
        self.base.known_axes = comparison.new_axes
        none = all(x.mask.all() for x in self.masked)
        # this run has only told the axes that hold steps; the next one knows them and compares
        return [change], Note("padding-added", {"steps": str(steps)}) if none else Note()

    def why_not_longer(self, error: Impossible) -> Impossible:
        declared = symbolic_inputs(self.model)
        sizes = [x.shape for x in tree.flatten(declared)] if declared is not None else []
        for size, x in zip(sizes, self.inputs, strict=False):
            if x.mask is not None and size[1] is not None:
                return Impossible("fixed-length", length=str(size[1]))
        return error

    def content(self) -> tuple[list[Change], Note]:
        inputs, note = self.with_padding()
        changes = []
        for sign in (1, -1):
            changed = [x.other(self.random, sign) for x in inputs]
            changes.append(
                Change(
                    changed,
                    self.rows,
                    lambda values, shape, sign=sign: probing.noise(
                        shape, values, self.random, sign
                    ),
                )
            )
        return changes, note

    def nan(self) -> tuple[list[Change], Note]:
        inputs, note = self.with_padding()
        return [Change(inputs, self.rows, lambda values, shape: np.nan)], note

    def company(self) -> tuple[list[Change], Note]:
        if len(self.rows) == 1:
            raise Impossible("alone")
        even = np.arange(len(self.rows)) % 2 == 0
        return [
            Change([x.shorter(~kept) for x in self.inputs], self.rows & kept)
            for kept in (even, ~even)
        ], Note()

    def with_padding(self) -> tuple[list[Padded], Note]:
        if not all(x.mask.all() for x in self.masked):
            return self.inputs, Note()
        if self.longer is None:
            raise Impossible("no-padding")
        return self.longer, Note()

    def leak(self, name: ProbeName, call: int | None, place: str, found: Difference) -> Leak:
        lost = self.lost_at(call, place)
        remedy, replacement = remedy_for(name, self.trace, call, place, lost)
        return Leak(name, call, place, *found, lost, remedy, replacement)

    def lost_at(self, index: int | None, place: str) -> int | None:
        if index is None:
            return max((call.index for call in self.trace.losses), default=None)
        call = self.trace[index]
        if call.loses:
            return index if call.cause is None else call.cause
        if place != "in":
            return max(
                (lost.index for lost in self.trace.losses if lost.index < index), default=None
            )
        return self.base.lost_before.get(index)
