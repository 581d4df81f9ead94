"""Mends a model where padding leaks, and measures that it is mended."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import tree

from keras_masking._keras import (
    in_short,
    is_tensor,
    symbolic_inputs,
    to_numpy,
    with_sublayers,
)
from keras_masking.batches import after_texts
from keras_masking.inputs import UnusableInput
from keras_masking.leaks import probing
from keras_masking.leaks.computing import for_comparison
from keras_masking.leaks.finding import measured
from keras_masking.leaks.probes import Bench
from keras_masking.progress import progress
from keras_masking.records import Change, Leak, LeakReport, Left, Note, Repair
from keras_masking.repairs.choosing import LINES, Choice
from keras_masking.repairs.copying import Copy
from keras_masking.repairs.edits import Edit
from keras_masking.repairs.feeding import feedings
from keras_masking.texts import words
from keras_masking.tracing import run, unchanged

Report = Callable[[str], None]


def repair(model: keras.Layer, inputs: Any, mask: Any = None, *, padding: Any = None) -> Repair:
    """Mend a model in which padding leaks: layers that lose or ignore the mask are replaced by
    those of this package with the same weights, and what loses it on the way passes it on.

    Starts from what `find_leaks` finds, changes that, measures again, and ends when the verdict
    is `"clear"` or nothing more helps. Then it measures that the new model is the old one where
    nothing is padded: both run on the batch with valid steps in the place of padding, and must
    give the same within rounding. The model that was given stays as it is.

    Args:
        model: a built Keras model. Functional and Sequential ones, nested too, are made anew
            from the configs of their layers. Of a subclassed one the layers it holds are replaced;
            what its `call` does by itself is told in `left`.
        inputs, mask, padding: as in `find_leaks`.

    Returns:
        A `Repair`: its `model` is None where the verdict did not become `"clear"` or where the
        results on a batch without padding are others.

    Raises:
        UnusableInput: a ValueError whose one sentence says what does not fit and what to do.
        Exception: what the model itself raises on the batch as it was given.
    """
    word = words("cli", "en")
    with progress() as report:
        return _repair(model, inputs, mask, padding, lambda name: report(word(name)))


@for_comparison()
def _repair(model, inputs, mask, padding, report: Report) -> Repair:
    """`report` is told the name of each run before it starts."""
    with warnings.catch_warnings():
        # told of every layer while it is called again; a trace tells it in its place
        warnings.filterwarnings("ignore", ".*will therefore destroy the mask")
        return _Repairing(model, (inputs, mask, padding), report).repaired()


EXTREMES = ("GlobalMaxPooling1D", "MaxPooling1D", "Max", "Min")


class State(NamedTuple):
    """A copy with some edits, and what was measured on it."""

    edits: tuple[Edit, ...]
    model: keras.Layer
    origin: dict[int, keras.Operation]
    found: LeakReport
    bench: Bench
    compiled: bool = True
    other_class: str = ""

    @property
    def leaks(self) -> tuple[Leak, ...]:
        return self.found.leaks

    @property
    def exposed(self) -> tuple[Leak, ...]:
        """Where a largest or smallest value is taken over padding that layers always fill with
        zeros: in another batch all valid values may be less, or more, than 0."""
        return tuple(
            hazard
            for hazard in self.found.hazards
            if hazard.probe == "content"
            and hazard.call is not None
            and self.found.trace[hazard.call].class_name in EXTREMES
        )

    def keys(self, leaks: tuple[Leak, ...]) -> dict[tuple, Leak]:
        choice = Choice(self.bench, self.origin)
        return {choice.key(leak): leak for leak in leaks}


class _Repairing:
    def __init__(self, model: keras.Layer, said: tuple, report: Report):
        self.model, self.said, self.report = model, said, report
        found, bench = measured(model, *said, report)
        self.first = State((), model, _operations(model, bench), found, bench)
        self.tried: dict[tuple, set[tuple]] = {}

    def repaired(self) -> Repair:
        before = self.first.found
        if before.verdict == "clear":
            return Repair(self.model, (), (), before, before)
        if before.verdict == "not measured":
            return Repair(None, (), (Left(Note("not-measured")),), before, before)
        try:
            Copy(self.model, (), self.run)
        except Exception as error:  # whatever code of a class of its own raises
            why = str(error) if isinstance(error, UnusableInput) else in_short(error)
            return Repair(None, (), (Left(Note("refused", {"why": why})),), before, before)
        state = self.state()
        changes = tuple(map(_change, state.edits))
        if not state.found.ok:
            left = tuple(self.fed()) or self.left(state)
            return Repair(None, changes, left, before, state.found)
        left = []
        if state.other_class:
            left.append(Left(Note("class", {"owner": state.other_class})))
        if not state.compiled:
            left.append(Left(Note("compile"), lines="model.compile(...)"))
        return Repair(state.model, changes, tuple(left), before, state.found)

    def next_edits(self, state: State) -> list[tuple[tuple, Edit]]:
        """For each leak the next edit that may mend it, with the key of the leak; where nothing
        leaks any more, for what is exposed."""
        choice, new = Choice(state.bench, state.origin), []
        for key, leak in state.keys(state.leaks or state.exposed).items():
            tried = self.tried.setdefault(key, set())
            for edit in choice.edits(leak):
                if edit.same_as in tried:
                    continue
                if not any(edit.overlaps(other) for other in _of(new)):
                    tried.add(edit.same_as)
                    new.append((key, edit))
                break
        return new

    def with_some_of(self, new: list[tuple[tuple, Edit]], state: State) -> State:
        """With those of the new edits after which their leaks are gone."""
        after = self.attempt((*state.edits, *_of(new)))
        if after is None:
            if len(new) > 1:
                for each in new:
                    state = self.with_some_of([each], state)
            return state
        if state.leaks:
            stay = after.keys(after.leaks)
        else:
            stay = after.keys(after.exposed) if after.found.ok else dict(new)
        helped = [(key, edit) for key, edit in new if key not in stay]
        if len(helped) == len(new):
            return after
        return self.with_some_of(helped, state) if helped else state

    def attempt(self, edits: tuple[Edit, ...]) -> State | None:
        """None where the edits do not fit, or the copy with them does not run or is another model
        where nothing is padded."""
        self.report("repair")
        try:
            copy = Copy(self.model, edits, self.run)
            if self.differs(copy.model):
                return None
            found, bench = measured(copy.model, *self.said, self.report)
        except Exception:  # whatever layers raise that are given other shapes
            return None
        if found.verdict == "not measured":
            return None
        return State(edits, copy.model, copy.origin, found, bench, copy.compiled, copy.other_class)

    def needed(self, state: State) -> State:
        """Without edits that another one has made needless."""
        if not state.found.ok:
            return state
        for edit in state.edits if len(state.edits) > 1 else ():
            without = self.attempt(tuple(x for x in state.edits if x is not edit))
            if without and without.found.ok and len(without.exposed) <= len(state.exposed):
                state = without
        return state

    def fed(self) -> Iterator[Left]:
        """How the batch must be padded, where that alone is between the model and a repair."""
        bench = self.first.bench
        for feeding in feedings(bench.inputs):
            arrays, masks = probing.pack(bench.structure, feeding.inputs)
            said = [None if x.mask is None or x.is_mask else ~x.mask for x in feeding.inputs]
            padding = said[0] if len(said) == 1 else dict(zip(bench.names, said, strict=True))
            other = _Repairing(self.model, (arrays, masks, padding), self.report)
            if other.state().found.ok:
                yield Left(Note(feeding.why), lines=feeding.line)
                return

    def state(self) -> State:
        """With the edits that help, and no others."""
        state = self.first
        while new := self.next_edits(state):
            state = self.with_some_of(new, state)
        return self.needed(state)

    def run(self, model: keras.Layer) -> None:
        bench = self.first.bench
        run(after_texts(model), *probing.pack(bench.structure, bench.inputs))

    def differs(self, model: keras.Layer) -> bool:
        """Whether a copy gives other results than the model on a batch without padding."""
        tolerance = 2e-2 if self.is_coarse else 1e-4
        return not all(
            _alike(old, new, tolerance)
            for old, new in zip(self.unpadded, self.without_padding(model), strict=True)
        )

    @cached_property
    def unpadded(self) -> list[np.ndarray]:
        return self.without_padding(self.model)

    @cached_property
    def is_coarse(self) -> bool:
        policies = (layer.compute_dtype for layer in with_sublayers(self.model))
        return any(dtype in ("float16", "bfloat16") for dtype in policies)

    def without_padding(self, model: keras.Layer) -> list[np.ndarray]:
        """The results of a batch with valid steps in the place of padding."""
        bench = self.first.bench
        arrays, masks = probing.pack(bench.structure, [x.filled() for x in bench.inputs])
        with unchanged(model):
            outputs = tree.flatten(run(after_texts(model), arrays, masks))
        return [to_numpy(x) for x in outputs if is_tensor(x)]

    def left(self, state: State) -> tuple[Left, ...]:
        """What still leaks, once for each place."""
        first: dict[tuple, Leak] = {}
        for leak in state.leaks:
            first.setdefault((leak.call, leak.place), leak)
        return tuple(Left(None, x, LINES.get(x.remedy.key, "")) for x in first.values())


def _alike(old: np.ndarray, new: np.ndarray, tolerance: float) -> bool:
    if old.shape != new.shape:
        return False
    if old.dtype.kind in "biuSU":
        return bool(np.array_equal(old, new))
    old, new = old.astype("float64"), new.astype("float64")
    return bool((np.abs(old - new) <= tolerance * np.abs(old).max(initial=0.0)).all())


def _change(edit: Edit) -> Change:
    return Change(edit.path, edit.before, edit.after, edit.why, edit.code_of)


def _of(new: list[tuple[tuple, Edit]]) -> list[Edit]:
    return [edit for _, edit in new]


def _operations(model: keras.Layer, bench: Bench) -> dict[int, keras.Operation]:
    """All that can be edited, by `id`."""
    within = with_sublayers(model)
    inputs = [
        x._keras_history.operation
        for of in within
        for x in tree.flatten(symbolic_inputs(of))
        if isinstance(x, keras.KerasTensor)
    ]
    return {id(x): x for x in (*within, *inputs, *bench.base.operations.values())}
