"""What a trace or a report shows, in words: the rows that every form of it draws."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
from keras import layers

from keras_masking.texts import words

if TYPE_CHECKING:
    from keras_masking.records import Call, Leak, LeakReport, Probe, Trace
    from keras_masking.rendering.grid import Small

LONG = 60  # rows, from which on runs without news are folded
RUN = 6
OTHERS = 10  # leaks after the first that are listed
TOLD = 8  # samples of a mask that are described one by one


@dataclass(frozen=True, eq=False)
class Row:
    """A call as a reader sees it; also an input that has a mask, and code at the model's end.

    Attributes:
        masks: the different masks of its outputs, usually one or none.
        lost: whether the mask is lost in this call and in none that it makes.
        same: whether its masks are those of the row in front.
        leaks: in a few words each, what leaks in it.
        quiet: whether there is no news in it, so that a long trace can go without.
    """

    name: str
    class_name: str
    shape: str
    events: str
    masks: tuple[np.ndarray, ...]
    lost: bool = False
    same: bool = False
    leaks: tuple[str, ...] = ()
    quiet: bool = False
    children: tuple[Row | Fold, ...] = ()

    @property
    def marks(self) -> bool:
        return self.lost or bool(self.leaks)

    @property
    def marked(self) -> bool:
        """Whether it, or something inside it, is what a reader looks for."""
        inside = (x.marked for x in self.children if isinstance(x, Row))
        return self.marks or any(inside)


@dataclass(frozen=True, eq=False)
class Fold:
    """Rows in which nothing changes, of a trace that is long."""

    rows: tuple[Row, ...]

    @property
    def count(self) -> int:
        return sum(count(row) for row in self.rows)


def count(row: Row) -> int:
    inner = (x.count if isinstance(x, Fold) else count(x) for x in row.children)
    return 1 + sum(inner)


class View:
    """A trace, or a report with its trace, in one language."""

    def __init__(self, x: Trace | LeakReport, language: str):
        self.report: LeakReport | None = x if hasattr(x, "probes") else None
        self.trace: Trace = self.report.trace if self.report else x
        self.language = language
        self.word = words("trace", language)
        self._event = words("events", language)
        self._probe = words("probes", language)
        self.leaks: dict[int | None, list[Leak]] = {}
        for leak in self.report.leaks if self.report else ():
            self.leaks.setdefault(leak.call, []).append(leak)
        self._children: dict[int | None, list[Call]] = {}
        for call in self.trace:
            self._children.setdefault(call.parent, []).append(call)
        self._kept = self._keep()
        self._losses = {call.index for call in self.trace.losses}

    def title(self) -> str:
        return f"{self.trace.model} · {self.about()}"

    def about(self) -> str:
        trace, calls = self.trace, len(self.trace)
        number = self.word("one-call") if calls == 1 else self.word("calls", count=calls)
        return " · ".join((trace.class_name, trace.backend, f"Keras {trace.keras}", number))

    def headline(self) -> str:
        """Where the mask is lost first."""
        if self._losses:
            return self.word("lost", place=self.place(self.trace[min(self._losses)]))
        masked = any(call.mask is not None for call in self.trace)
        masked |= any(x.mask is not None for x in self.trace.inputs)
        return self.word("never" if masked else "no-mask")

    @property
    def loses(self) -> bool:
        return bool(self._losses)

    def caption(self) -> str:
        return self.word("caption", model=self.trace.model)

    def left_out(self, mask: np.ndarray, drawn: Small) -> str:
        """How many samples and steps there are, where not all are drawn."""
        counts = []
        if drawn.rows:
            counts.append(self.word("samples", count=len(lines(mask))))
        if drawn.steps:
            counts.append(self.word("steps", count=mask.shape[-1]))
        return " · ".join(counts)

    def described(self, mask: np.ndarray) -> str:
        """A mask for a reader who cannot see it: how many steps of each sample are used."""
        samples = [np.concatenate(sample) for sample in lines(mask)]
        told = [
            self.word("alt-row", kept=int(sample.sum()), steps=sample.size)
            for sample in samples[:TOLD]
        ]
        if len(samples) > TOLD:
            told.append(self.word("alt-more", count=len(samples) - TOLD))
        return self.word("alt", shape=mask.shape, rows=self.word("alt-and").join(told))

    def place(self, call: Call) -> str:
        """Where something happened: in a layer, or in code beside the calls that Keras sees."""
        if call.kind == "gap":
            within = self.word("within", call=call.path) if call.path else ""
            return self.word(self._beside(call), within=within, **self._around(call))
        return self.word("in", call=call.path)

    def call_name(self, call: Call) -> str:
        if call.kind == "gap":
            return self.word(f"gap-{self._beside(call)}", **self._around(call))
        return call.path

    def rows(self) -> tuple[Row | Fold, ...]:
        shown = sum(self._kept.values())
        self._above: tuple[np.ndarray, ...] = ()
        return (
            *self._inputs(),
            *self._rows(None, fold=shown > LONG),
            *self._end(),
        )

    def _inputs(self) -> Iterator[Row]:
        for x in self.trace.inputs:
            if x.mask is not None:
                yield Row(x.name, "", str(x.shape), self._event("input"), (x.mask,))

    def _end(self) -> Iterator[Row]:
        """What leaks in the model's own code, after its last layer."""
        if None in self.leaks:
            shape = ", ".join(str(x.shape) for x in self.trace.outputs)
            yield Row(
                self.trace.model, self.trace.class_name, shape, "", (), leaks=self._leaks(None)
            )

    def _rows(self, parent: int | None, fold: bool) -> tuple[Row | Fold, ...]:
        rows = tuple(
            self._row(call, fold)
            for call in self._children.get(parent, ())
            if self._kept[call.index]
        )
        return _folded(rows) if fold else rows

    def _row(self, call: Call, fold: bool) -> Row:
        masks = distinct([x.mask for x in call.outputs if x.mask is not None])
        same = _equal(masks, self._above)
        self._above = masks
        lost, leaks = call.index in self._losses, self._leaks(call.index)
        children = self._rows(call.index, fold)
        news = lost or leaks or call.warning or "ignores" in call.events or not same
        return Row(
            name=self._name(call),
            class_name=call.class_name + (f" ×{call.times}" if call.times > 1 else ""),
            shape=", ".join(dict.fromkeys(str(x.shape) for x in call.outputs)),
            events=self._events(call),
            masks=masks,
            lost=lost,
            same=same,
            leaks=leaks,
            quiet=not news and all(isinstance(x, Fold) or x.quiet for x in children),
            children=children,
        )

    def _leaks(self, index: int | None) -> tuple[str, ...]:
        return tuple(
            self.word(
                f"leaks-{leak.place}", amount=self._amount(leak), probe=self._probe(leak.probe)
            )
            for leak in self.leaks.get(index, ())
        )

    def _amount(self, leak: Leak) -> str:
        return number(leak.amount) if math.isfinite(leak.amount) else self.word("not-finite")

    def _name(self, call: Call) -> str:
        if call.kind == "gap":
            return self.call_name(call)
        parent = self.trace[call.parent].path + "/" if call.parent is not None else ""
        return call.path.removeprefix(parent)

    def _beside(self, call: Call) -> str:
        """Where a gap is told to be: between two calls, after or before one, or alone."""
        if call.before and call.after:
            return "between"
        return "after" if call.before else "before" if call.after else "alone"

    def _around(self, call: Call) -> dict[str, str]:
        inside = f"{call.path}/" if call.path else ""
        return {
            "before": (call.before or "").removeprefix(inside),
            "after": (call.after or "").removeprefix(inside),
        }

    def _events(self, call: Call) -> str:
        event = self._event
        if call.kind == "gap":
            parts = [event("gap")]
        elif call.cause is not None:
            parts = [event("cause", call=self.trace[call.cause].path)]
        else:
            parts = [event(name) for name in call.events]
            taken = [x.name for x in call.inputs if x.taken]
            if call.explicit and all(x.mask is None for x in call.inputs):
                parts.append(event("given", argument=", ".join(call.explicit)))
            if taken:
                parts.append(event("takes", inputs=", ".join(taken)))
        return event("and").join(parts)

    def _keep(self) -> dict[int, bool]:
        """Which calls have a row. What a layer of Keras calls inside without a mask tells a reader
        nothing."""
        told = set(self.leaks) | {call.cause for call in self.trace}
        told |= {leak.lost_at for leaks in self.leaks.values() for leak in leaks}
        kept = {}
        for call in reversed(self.trace.calls):
            inner = any(kept[child.index] for child in self._children.get(call.index, ()))
            kept[call.index] = inner or call.index in told or self._tells(call)
        return kept

    def _tells(self, call: Call) -> bool:
        parent = None if call.parent is None else self.trace[call.parent]
        return parent is None or bool(call.events) or not _of_keras(parent)


class Findings:
    """What a report says, in words."""

    def __init__(self, view: View):
        self.view = view
        self.report: LeakReport = view.report
        self.word = words("report", view.language)
        self._probe = words("probes", view.language)
        self._note = words("notes", view.language)

    def verdict(self) -> str:
        if self.report.random is not None:
            return self.word("random", call=self.report.random)
        if self.report.verdict == "leaks":
            return self.word("leaks", where=self.where(self.report.leaks[0]))
        return self.word(self.report.verdict.replace(" ", "-"))

    def notes(self) -> list[str]:
        """What to know besides; where it was not measured, why not."""
        told = [self._note(note.key, **note.details) for note in self.report.notes]
        if self.report.random is not None:
            told.append(self.word("random-do"))
        if self.report.verdict == "not measured":
            told += [self._told(probe) for probe in self.report.probes[:1]]
        return list(dict.fromkeys(filter(None, told)))

    def explanation(self, leak: Leak) -> list[str]:
        """How much, where it shows first, and where the mask was lost: a sentence each."""
        of_gradient = "-gradient" if leak.probe == "gradients" else ""
        when = self._probe(f"{leak.probe}-when")
        if math.isfinite(leak.amount):
            amount, of_largest = number(leak.amount), share(leak.relative)
            much = self.word(f"how-much{of_gradient}", amount=amount, share=of_largest, probe=when)
        else:
            much = self.word(f"not-finite{of_gradient}", probe=when)
        if of_gradient:
            return [much]
        if leak.lost_at is None:
            lost = self.word("arrived" if self._given(leak) else "not-arrived")
        else:
            call = self.report.trace[leak.lost_at]
            taken = any(x.taken for x in call.inputs)
            lost = self.word(
                "taken" if taken else "lost", call=call.path, place=self.view.place(call)
            )
        return [much, self.word("sample", sample=leak.sample), lost]

    def sentences(self, leak: Leak) -> str:
        return ("" if self.view.language == "zh" else " ").join(self.explanation(leak))

    def remedy(self, leak: Leak) -> str:
        layer = lost = self._name(leak.call)
        if leak.lost_at is not None:
            cause = self.report.trace[leak.lost_at].cause
            lost = self._name(leak.lost_at if cause is None else cause)
        elif leak.place != "in":
            lost = self.view.word(f"code-{leak.place}", call=layer)
        told = words("remedies", self.view.language)(
            leak.remedy.key, layer=layer, lost=lost, **leak.remedy.details
        )
        if leak.replacement is None:
            return told
        space = "" if self.view.language == "zh" else " "
        return told + space + self.word("replacement", layer=leak.replacement)

    def where(self, leak: Leak) -> str:
        """The call, or the code around it."""
        of = self.report.trace if leak.call is None else self.report.trace[leak.call]
        name = self._name(leak.call)
        if of.class_name:
            name = f"{name} ({of.class_name})"
        return self.word(f"where-{leak.place}", call=name)

    def amount(self, leak: Leak) -> str:
        probe = self._probe(leak.probe)
        if not math.isfinite(leak.amount):
            return self.word("amount-inf", probe=probe)
        return self.word(
            "amount", amount=number(leak.amount), share=share(leak.relative), probe=probe
        )

    def measured(self, probe: Probe) -> str:
        said = {"name": self.probe_name(probe), "result": self.result(probe)}
        return self.word("measured", note=self.note(probe), **said).rstrip()

    def found(self, leak: Leak) -> str:
        return self.word("found", where=self.where(leak), amount=self.amount(leak))

    def probe_name(self, probe: Probe) -> str:
        return self._probe(probe.name)

    def result(self, probe: Probe) -> str:
        if not probe.ran or probe.result is None:
            return self.word("not-taken")
        of_gradient = "-gradient" if probe.name == "gradients" else ""
        if not math.isfinite(probe.result):
            return self.word(f"changed-inf{of_gradient}")
        if probe.result == 0:
            return self.word(f"unchanged{of_gradient}")
        return self.word(f"changed{of_gradient}", amount=number(probe.result))

    def note(self, probe: Probe) -> str:
        """What is said of a probe, unless it is said further up."""
        above = [self._told(x) for x in self.report.probes[: self.report.probes.index(probe)]]
        told = self._told(probe)
        return "" if told in (*self.notes(), *above) else told

    def _told(self, probe: Probe) -> str:
        return self._note(probe.note, **probe.details) if probe.note else ""

    def _name(self, index: int | None) -> str:
        trace = self.report.trace
        return trace.model if index is None else self.view.call_name(trace[index])

    def _given(self, leak: Leak) -> bool:
        """Whether a mask arrived at the call that leaks."""
        trace = self.report.trace
        if leak.call is None:
            return any(x.mask is not None for x in trace.inputs)
        call = trace[leak.call]
        return bool(call.explicit) or any(x.mask is not None for x in call.inputs)


def flat(items: tuple[Row | Fold, ...], depth: int = 0) -> Iterator[tuple[int, Row | Fold]]:
    """Rows and those inside them, one after the other, with how deep they lie."""
    for item in items:
        yield depth, item
        if isinstance(item, Row):
            yield from flat(item.children, depth + 1)


def remedy(report: LeakReport, leak: Leak, language: str) -> str:
    """What to do about a leak, in words."""
    return Findings(View(report, language)).remedy(leak)


def number(value: float) -> str:
    return f"{value:.3g}"


def share(value: float) -> str:
    """In per cent, without an exponent where it is much."""
    return f"{value:.0%}" if value >= 0.1 else f"{value * 100:.2g}%"


def distinct(masks: list[np.ndarray]) -> tuple[np.ndarray, ...]:
    found: list[np.ndarray] = []
    for mask in masks:
        if not any(mask is other or np.array_equal(mask, other) for other in found):
            found.append(mask)
    return tuple(found)


def lines(mask: np.ndarray) -> list[list[np.ndarray]]:
    """A mask as a line for each sample: its steps, or those of each sequence in it."""
    if mask.ndim < 2:
        return [[row] for row in mask.reshape(-1, 1)]
    if mask.ndim == 2:
        return [[row] for row in mask]
    return [list(sample.reshape(-1, sample.shape[-1])) for sample in mask]


def _of_keras(call: Call) -> bool:
    return hasattr(layers, call.class_name.split("(")[0])


def _equal(a: tuple[np.ndarray, ...], b: tuple[np.ndarray, ...]) -> bool:
    return len(a) == len(b) and all(
        x is y or np.array_equal(x, y) for x, y in zip(a, b, strict=True)
    )


def _folded(rows: tuple[Row, ...]) -> tuple[Row | Fold, ...]:
    items: list[Row | Fold] = []
    for quiet, run in groupby(rows, lambda row: row.quiet):
        run = tuple(run)
        if quiet and len(run) > RUN:
            items += [run[0], Fold(run[1:-1]), run[-1]]
        else:
            items += run
    return tuple(items)
