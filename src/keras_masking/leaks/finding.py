"""Measures whether padding reaches the valid steps of a model's results, and where it gets in."""

from collections.abc import Callable
from typing import Any

import keras

from keras_masking.inputs import check_model, listed
from keras_masking.leaks.computing import for_comparison
from keras_masking.leaks.preparing import prepared
from keras_masking.leaks.probes import Bench
from keras_masking.leaks.remedies import leaks_of
from keras_masking.progress import progress
from keras_masking.records import Leak, LeakReport, Note, ProbeName, Trace
from keras_masking.rendering.view import Findings, View
from keras_masking.texts import words

PROBES: tuple[ProbeName, ...] = ("alone", "length", "content", "nan", "company", "gradients")


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
            taken that has a sample with padding beside valid steps, or else the first with any.
            For an input without such a sample the batch is measured once more, with padding in
            half of every other one, where it is known what a padded step holds. An input of zeros
            and ones that is called a mask tells the valid steps.
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
    """The report, and the bench with the run that it is of: of the batch as it is, or with padding
    put into it, the first that leaks, or else the first that is not clear."""
    check_model(model)
    report("trace")
    found = []
    variants = prepared(model, inputs, mask, padding)
    for variant in variants:
        bench = Bench(variant.scout, variant.structure, variant.inputs, variant.names)
        last = variant is variants[-1]
        found.append((_measured(bench, variant.notes, last, report), bench))
        if found[-1][0].verdict == "leaks":
            return found[-1]
    return next((x for x in found if x[0].verdict == "not measured"), found[-1])


def _measured(
    bench: Bench, notes: tuple[Note, ...], last: bool, report: Callable[[str], None]
) -> LeakReport:
    report("random")
    if (random := bench.first_random()) is not None:
        return LeakReport(bench.trace, "not measured", (), (), (), notes, random)
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
    untested = bench.untested if last and bench.padded else []
    if untested:
        notes += (Note("inputs-complete", {"inputs": listed(untested)}),)
    clear = bench.padded and not (bench.unseen or bench.unfollowed or untested)
    clear = clear and all(
        "alone" in by or ("content" in by and bench.takes_one_length(i, probes[0]))
        for i, by in bench.measured_by.items()
    )
    verdict = "leaks" if leaks else "clear" if clear else "not measured"
    notes += bench.notes()
    return LeakReport(bench.trace, verdict, tuple(probes), tuple(leaks), tuple(hazards), notes)


def _sorted(trace: Trace, leaks: list[Leak]) -> list[Leak]:
    def place(leak: Leak) -> tuple[int, int, int]:
        index = len(trace) if leak.call is None else leak.call
        return index, ("before", "in", "end").index(leak.place), PROBES.index(leak.probe)

    return sorted(leaks, key=place)
