"""Measures whether padding reaches the valid steps of a model's results, and where it gets in."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import tree

from keras_masking._keras import any_length, makes_mask, readers, sublayers, symbolic_inputs
from keras_masking.batches import FIRST, batches, is_dataset
from keras_masking.inputs import (
    UnusableInput,
    check_inputs,
    check_model,
    flat_masks,
    listed,
    names_of,
)
from keras_masking.leaks import probing
from keras_masking.leaks.computing import for_comparison
from keras_masking.leaks.following import Scout, embedding_of
from keras_masking.leaks.probes import Bench, other_seeds
from keras_masking.leaks.probing import Padded
from keras_masking.leaks.remedies import leaks_of
from keras_masking.padding import UNSAID, NothingMarked, read_padding
from keras_masking.progress import progress
from keras_masking.records import Leak, LeakReport, Note, ProbeName, Trace
from keras_masking.rendering.view import Findings, View
from keras_masking.texts import words
from keras_masking.tracing import run, unchanged

PROBES: tuple[ProbeName, ...] = ("alone", "length", "content", "nan", "company", "gradients")

NONE_PADDED = (
    f"No batch of the dataset has a padded step, of the first {FIRST} or all there are: "
    "give a batch that has some."
)


def find_leaks(
    model: keras.Layer, inputs: Any, mask: Any = None, *, padding: Any = None
) -> LeakReport:
    """Measure whether padding changes the valid results of a model, and where it gets in.

    The verdict is `"leaks"`, `"clear"` or `"not measured"`. What is measured first is the
    definition: *alone*, each sample cut to its own steps, on every axis of steps, and run by
    itself, must give the valid results that it gives in the batch. Then what this batch may not
    show. *length*: more padded steps, on the side where the batch has them. *content*: other
    finite values after the layers that padding goes into, and in the padded steps of an input
    where the model cannot know padding by its value. *nan*: nan in padded steps. *company*: one
    valid step left of every other sample. *gradients*: those of the weights must be finite and
    the same whatever stands in padded steps.

    Every call is compared, so a leak is named where it starts: at the first call whose inputs are
    the same and whose output is not. A difference that no valid result of the model shows is no
    leak. Nothing about the model is changed. All outputs of one run are held in memory, and where
    something differs as many numbers for their rounding.

    A difference counts from 1e-4 of the largest valid value of the same sample and feature in
    float32 (float64 1e-9, but not on NumPy, where Keras computes part of it in float32; float16
    2e-2, bfloat16 1e-1), by the coarsest dtype on the way, and only where it is more than rounding,
    which is measured: by two runs of the batch whose last digits are others. A gradient counts
    from 1e-3 of the largest of its variable, and where it is more than rounding. Matrices are
    multiplied in full float32, on a GPU too. Samples without a valid step are left out: they have
    no result that could be right.

    Args:
        model: a built Keras model, or a single layer. It runs in inference mode.
        inputs: a batch `(batch, time, ...)` of numbers, or a list, tuple or dict of them; texts
            where the model starts with a layer for them; rows of unequal length, which are padded
            on the right; `(x, y)` or `(x, y, sample_weight)` as for `fit`; or a dataset
            (`tf.data.Dataset`, `PyDataset`, torch's `DataLoader`), of which the first batch is
            taken that has a sample with padding beside valid steps. An input without such a sample
            gets padding in half of every other one, where it is known what a padded step holds.
            An input of zeros and ones that is called a mask tells the valid steps.
        mask: booleans `(batch, time)`, True = valid, **handed to the model**: for those who do so
            in production, as the argument `mask` of a subclassed model. For several inputs the
            same structure, with None where there is none.
        padding: which steps are padding, **for the tool alone**: a number (steps that hold
            nothing else), integers `(batch,)` (lengths), or booleans `(batch, time)` with
            True = padding. For several inputs a dict by name or a list; None for an input that
            has none, such as static features. One number for several inputs says nothing of those
            that hold it nowhere.

    Returns:
        A `LeakReport`: `print` it, or write it with `to_html`, `to_markdown`, `to_json`, `save`.

    Raises:
        UnusableInput: a ValueError whose one sentence says what does not fit and what to do.
        Exception: what the model itself raises on the batch as it was given.

    Method: padding invariance as a metamorphic relation. The batch and its changed copy mean the
    same, so they must have the same result.
    """
    word = words("cli", "en")
    with progress() as report:
        return _find_leaks(model, inputs, mask, padding, lambda name: report(word(name)))


def assert_no_leaks(
    model: keras.Layer, inputs: Any, mask: Any = None, *, padding: Any = None
) -> None:
    """For test suites: raise unless it was measured that padding changes no valid result.

    Args:
        model, inputs, mask, padding: as in `find_leaks`.

    Raises:
        AssertionError: where padding leaks, or where it was not measured: the verdict in the first
            line, then the report.
        UnusableInput: as in `find_leaks`.
    """
    report = find_leaks(model, inputs, mask, padding=padding)
    if not report.ok:
        verdict = Findings(View(report, "en")).verdict()
        raise AssertionError(f"{verdict}\n{report.to_text()}")


def _find_leaks(
    model: keras.Layer,
    inputs: Any,
    mask: Any = None,
    padding: Any = None,
    report: Callable[[str], None] = lambda name: None,
) -> LeakReport:
    """`report` is told the name of each run before it starts."""
    return measured(model, inputs, mask, padding, report)[0]


@for_comparison()
def measured(
    model: keras.Layer,
    inputs: Any,
    mask: Any,
    padding: Any,
    report: Callable[[str], None],
) -> tuple[LeakReport, Bench]:
    """The report, and the bench with the run that it is of."""
    check_model(model)
    report("trace")
    bench, notes = _prepared(model, inputs, mask, padding)
    report("random")
    if (random := bench.first_random()) is not None:
        return LeakReport(bench.trace, "not measured", (), (), (), notes, random), bench
    bench.prepare()
    probes, found = [], {}
    for name in PROBES:
        report(name)
        probe, found[name] = bench.take(name)
        probes.append(probe)
    if any(found[name] for name in PROBES if name != "gradients"):
        found["gradients"] = {}  # they only repeat what the results show
    leaks = _sorted(bench.trace, leaks_of(bench, found))
    hazards = _sorted(bench.trace, leaks_of(bench, bench.hazards))
    known = {(leak.call, leak.place) for leak in leaks}
    hazards = [hazard for hazard in hazards if (hazard.call, hazard.place) not in known]
    clear = bench.padded and not (bench.unseen or bench.untested or bench.unfollowed)
    clear = clear and all(
        "alone" in by or ("content" in by and bench.takes_one_length(i, probes[0]))
        for i, by in bench.measured_by.items()
    )
    verdict = "leaks" if leaks else "clear" if clear else "not measured"
    notes += bench.notes()
    result = LeakReport(bench.trace, verdict, tuple(probes), tuple(leaks), tuple(hazards), notes)
    return result, bench


def _sorted(trace: Trace, leaks: list[Leak]) -> list[Leak]:
    def place(leak: Leak) -> tuple[int, int, int]:
        index = len(trace) if leak.call is None else leak.call
        return index, ("before", "in", "end").index(leak.place), PROBES.index(leak.probe)

    return sorted(leaks, key=place)


def _prepared(
    model: keras.Layer, inputs: Any, mask: Any, padding: Any
) -> tuple[Bench, tuple[Note, ...]]:
    """The first batch that shows padding beside valid steps, or has any, run; and what was done
    to it."""
    found = None
    for batch in batches(model, inputs):
        arrays, masks = check_inputs(batch.model, batch.inputs, mask)
        flat = flat_masks(arrays, masks)
        names = names_of(arrays, symbolic_inputs(batch.model))
        valid = [batch.lengths.get(i, UNSAID) for i in range(len(flat))]
        fills = [None] * len(flat)
        if padding is not None:
            try:
                said, fills = read_padding(_with_indices(batch.model, arrays), names, padding, flat)
            except NothingMarked:
                if is_dataset(inputs):
                    continue
                raise
            valid = [x if y is UNSAID else y for x, y in zip(valid, said, strict=True)]
        scout = Scout(batch.model, probing.padded(batch.model, arrays, flat, valid))
        scout.start(arrays, other_seeds(batch.model))
        known = probing.unnamed_masks(scout.found(), names)
        known = [x.filled_with(fill) for x, fill in zip(known, fills, strict=True)]
        if all(x.mask is None for x in known):
            raise UnusableInput(_what_to_say(batch.model, names))
        shows = not is_dataset(inputs) or _shows_padding(known)
        if shows or (found is None and any(x.is_padded for x in known)):
            found = batch, arrays, scout, names, known
        if shows:
            break
    if found is None:
        raise UnusableInput(NONE_PADDED)
    batch, arrays, scout, names, before = found
    known = _shared(batch.model, arrays, before)
    for x, name in zip(known, names, strict=True):
        if x.mask is not None and not x.mask.any():
            raise UnusableInput(f"All steps of the input {name!r} are padding: nothing is left.")
    notes = batch.notes
    if complete := [name for x, name in zip(known, names, strict=True) if x.may_be_padded]:
        notes += (Note("taken-as-complete", {"inputs": listed(complete)}),)
    known, given = _with_padding(before, known)
    if len(known) == 1 and given:
        notes += (Note("steps-padded"),)
    elif given:
        notes += (Note("inputs-padded", {"inputs": listed(names[i] for i in given)}),)
    return Bench(scout, arrays, known, names), notes


def _shows_padding(inputs: list[Padded]) -> bool:
    """Whether a sample that is valid in every input has padding in one of them."""
    rows = probing.valid_samples(inputs)
    return any(x.mask is not None and not x.mask[rows].all() for x in inputs)


def _with_indices(model: keras.Layer, arrays: Any) -> Any:
    """The arrays, those that an Embedding reads as integers: a keras.Input without a dtype takes
    indices for floats, whose last axis would be features."""
    declared = symbolic_inputs(model)
    if declared is None:
        return arrays
    flat = tree.flatten(arrays)
    for i, x in enumerate(tree.flatten(declared)):
        if any(embedding_of(layer) is not None for layer in readers(model, x)):
            flat[i] = flat[i].astype("int64")
    return tree.pack_sequence_as(arrays, flat)


def _what_to_say(model: keras.Layer, names: list[str]) -> str:
    how = "padding=0" if len(names) == 1 else f"padding={{{names[0]!r}: 0}}"
    makers = [x.name for x in sublayers(model) if makes_mask(x)]
    why = f"No layer of {model.name!r} makes a mask"
    if makers:
        why = f"The mask of {makers[0]!r} could not be seen to be of the steps of an input"
    return (
        f"{why}, so it is not known which steps are padding: "
        f"say it with padding=, such as {how} for steps that hold nothing but 0, the lengths, or "
        "booleans (batch, time) with True = padding; the model is not told."
        + ("" if len(names) == 1 else f" The inputs are {listed(names)}.")
    )


def _shared(model: keras.Layer, structure: Any, known: list[Padded]) -> list[Padded]:
    """What is known of the inputs of which nothing was said: those that show the padding of
    another share it, or where the model takes none of them shorter alone, those as long."""
    if len(known) == 1:
        return known
    shared = probing.share_masks(known)
    if not any(x.is_padded for x in shared):
        return shared
    by_size = [probing.share_masks(known, by_size=True, pairs=pairs) for pairs in (True, False)]
    # the fewest that share it first: an input may have as many steps by chance
    one_more = [
        [*shared[:i], reading[i], *shared[i + 1 :]]
        for i, x in enumerate(shared)
        for reading in by_size
        if x.mask is None and reading[i].mask is not None
    ]
    readings = [shared, *one_more, *by_size]
    for i, (x, y) in enumerate(zip(known, shared, strict=True)):
        if x.mask is None and y.mask is not None:  # as many features as steps, by chance
            readings.append([*shared[:i], x, *shared[i + 1 :]])
    readings.append(known)
    # a mask is of some other input
    readings = [x for x in readings if any(y.is_padded and not y.is_mask for y in x)] or [known]
    runs = (reading for reading in readings if _runs_shorter(model, structure, reading))
    return next(runs, readings[0])


def _by_chance(before: Padded, after: Padded) -> bool:
    """Whether in a batch without padding only its size tells that an input, or an axis of it, has
    the steps of another: there may be as many features."""
    if after.mask is None or after.is_mask:
        return False
    said_open = after.sizes is not None and None in after.sizes[1:2]
    shared = before.mask is None and not said_open and not after.is_padded
    # what a layer knows by the value of whole steps has features on axis 2
    known = after.fill is not None or (after.pairs and after.is_padded)
    return shared or (not known and probing.shows_pairs(after, after.mask))


def _runs_shorter(model: keras.Layer, structure: Any, inputs: list[Padded]) -> bool:
    """Whether samples can be run alone by this reading of the inputs: of each that is padded the
    longest one with padding."""
    rows = [
        row
        for row in range(len(inputs[0].values))
        if all(x.mask is None or x.mask[row].any() for x in inputs)
    ]
    padded = [
        [(x.own_lengths(row), row) for row in rows if not x.mask[row].all()]
        for x in inputs
        if x.is_padded
    ]
    try:
        for row in {max(of)[1] for of in padded if of}:
            arrays, masks = probing.pack(structure, [x.alone([row])[0] for x in inputs])
            with unchanged(model), any_length():
                run(model, arrays, masks)
    except Exception:  # whatever a model raises on a batch it was not given
        return False
    return True


def _with_padding(before: list[Padded], known: list[Padded]) -> tuple[list[Padded], list[int]]:
    """The inputs with padding in the place of steps, where they have none beside valid steps and
    it is known what a padded step holds; and which ones got some.

    Args:
        before: what was known of each input by itself.
    """
    rows = probing.valid_samples(known)
    left = any(x.mask is not None and probing.on_the_left(x.mask[rows]) for x in known)
    inputs, given = list(known), []
    complete = [i for i, x in enumerate(known) if x.is_complete(rows)] if rows.any() else []
    for steps in {known[i].mask.shape[1] for i in complete}:
        alike = [i for i in complete if known[i].mask.shape[1] == steps]
        if not any(known[i].knows_padding for i in alike):
            continue
        if any(_by_chance(before[i], known[i]) for i in alike):
            continue
        for i in alike:
            inputs[i] = known[i].half(np.flatnonzero(rows)[::2], left)
        given += alike
    return inputs, sorted(given)
