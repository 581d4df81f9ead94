"""What the tools give back: the calls of a run, their masks, the leaks, a repair. Plain data."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

import keras
import numpy as np

from keras_masking import rendering

__all__ = [
    "Call",
    "Change",
    "Leak",
    "LeakReport",
    "Left",
    "Note",
    "Probe",
    "Repair",
    "Tensor",
    "Trace",
]

Event = Literal[
    "creates", "passes", "uses", "changes", "merges", "drops", "drops silently", "ignores"
]
LOSSES: tuple[Event, ...] = ("drops", "drops silently")
Kind = Literal["layer", "operation", "gap"]
ProbeName = Literal["alone", "length", "content", "nan", "company", "gradients"]
Place = Literal["before", "in", "end"]
Verdict = Literal["leaks", "clear", "not measured"]


@dataclass(frozen=True, eq=False)
class Tensor:
    """A tensor that went into a call or came out of it.

    Attributes:
        name: the argument it was given as, such as `"query"`, with its place in a structure, such
            as `"inputs[0]"`; for an output its place alone, `""` where there is only one.
        shape: its sizes in this run.
        dtype: its dtype by name.
        mask: booleans in the shape of its leading axes, True = use the step; None without a mask.
        taken: for an input, whether its mask was gone after the call.
            `keras.layers.MultiHeadAttention` removes the masks of the tensors it is given.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    mask: np.ndarray | None = None
    taken: bool = False


@dataclass(frozen=True, eq=False)
class Call:
    """One call of a layer or an operation.

    Attributes:
        index: its place in `Trace.calls`; a layer comes before the layers that it calls.
        parent: the index of the call it happened in; None directly in the model.
        depth: how many calls below the model it happened in; 0 directly in the model.
        kind: `"layer"`; `"operation"`, which a Functional model keeps, such as `x * 2`; or
            `"gap"`, for operations that Keras does not see, before the call `after`.
        name: the name of the layer or operation, `""` for a gap.
        class_name: its class; for a wrapper with that of the layer inside, such as
            `"Bidirectional(LSTM)"`; `""` for a gap.
        path: the names of the calls below the model down to this one, separated by `/`. A layer
            called again in the same place has `#2`, `#3` … after its name. For a gap, the path of
            the call it happened in.
        inputs: the tensors, in order; masks given as arguments are not among them. For a gap, the
            masked tensor before it.
        outputs: the tensors, in order. For a gap, the one without a mask after it.
        explicit: masks given as arguments of this call, by argument.
        events: what the call did with the mask; empty where there was none.
        warning: Keras's warning that this layer destroys the mask, or None.
        cause: where a mask is lost because an earlier call had removed it from a tensor that both
            were given: the index of that call.
        times: how often a recurrent layer called this cell; 1 elsewhere.
        before: for a gap, the path of the call before it; None at the start of the call it
            happened in, and for anything that is no gap.
        after: the same for the call after it.
    """

    index: int
    parent: int | None
    depth: int
    kind: Kind
    name: str
    class_name: str
    path: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    explicit: dict[str, np.ndarray]
    events: tuple[Event, ...]
    warning: str | None = None
    cause: int | None = None
    times: int = 1
    before: str | None = None
    after: str | None = None

    @property
    def mask(self) -> np.ndarray | None:
        """The mask of the first output that has one."""
        return next((x.mask for x in self.outputs if x.mask is not None), None)

    @property
    def loses(self) -> bool:
        """Whether the mask was lost here: dropped, with a warning or without."""
        return any(event in LOSSES for event in self.events)


@dataclass(frozen=True, eq=False)
class Trace:
    """The calls of one run of a model, with the masks on what came in and went out.

    `print` shows it as a table, a notebook as a page; it can be saved in other forms. Iterate
    over it for its calls, index it by a path, such as `trace["encoder/attention"]`, for one.

    Attributes:
        model: the name of the model.
        class_name: its class.
        backend: the backend it ran on.
        keras: the version of Keras.
        inputs: what the model was given.
        outputs: what it gave.
        calls: in the order in which they began. A layer that calls no other is its own only call.
    """

    model: str
    class_name: str
    backend: str
    keras: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    calls: tuple[Call, ...]

    def __iter__(self) -> Iterator[Call]:
        return iter(self.calls)

    def __len__(self) -> int:
        return len(self.calls)

    def __getitem__(self, key: str | int) -> Call:
        """The call at this place, or with this path.

        Raises:
            KeyError: no call has this path; the message names near ones.
        """
        if isinstance(key, int):
            return self.calls[key]
        paths = {call.path: call for call in self.calls if call.kind != "gap"}
        if key not in paths:
            near = get_close_matches(key, paths, 3)
            hint = f"Close to it: {', '.join(near)}." if near else "`print(trace)` shows them all."
            raise KeyError(f"no call with the path {key!r} in this trace. {hint}")
        return paths[key]

    @property
    def losses(self) -> tuple[Call, ...]:
        """The calls that lost a mask, in order. Of nested calls, the innermost; none inside
        a call that passes a mask on all the same."""
        outer = {call.parent for call in self.calls if call.loses}
        return tuple(
            call
            for call in self.calls
            if call.loses and call.index not in outer and not self._handed_on(call.parent)
        )

    def _handed_on(self, index: int | None) -> bool:
        if index is None:
            return False
        around = self.calls[index]
        return around.mask is not None or self._handed_on(around.parent)

    def __str__(self) -> str:
        return rendering.terminal(self)

    def _repr_html_(self) -> str:
        return rendering.html(self)

    def to_text(self, language: str = "en", width: int = 100) -> str:
        """The table as plain text, `width` characters wide."""
        return rendering.text(self, language, width)

    def to_markdown(self, language: str = "en") -> str:
        """The table in Markdown."""
        return rendering.markdown(self, language)

    def to_html(self, language: str = "en") -> str:
        """A fragment of HTML with its own style, which needs nothing else."""
        return rendering.html(self, language)

    def to_svg(self, language: str = "en") -> str:
        """The picture: the calls in order, each with its mask as a grid."""
        return rendering.svg(self, language)

    def to_json(self) -> str:
        """All of it, by the schema `trace-1.json` of this package."""
        return rendering.json(self)

    def save(self, path: str | Path, language: str = "en") -> None:
        """Write it in the form that the suffix names: .txt, .md, .html, .svg or .json.

        Raises:
            ValueError: the suffix is none of these; nothing is written.
        """
        rendering.save(self, path, language)


@dataclass(frozen=True)
class Note:
    """A sentence that a reader of a result must know.

    Attributes:
        key: of the texts.
        details: what the text names in braces.
    """

    key: str = ""
    details: dict[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Leak:
    """A call whose result changed in valid steps although all it was given there did not.

    Attributes:
        probe: what was changed: `"alone"`, each sample without its padding; `"length"`, how many
            padded steps there are; `"content"`, the finite values in padded steps; `"nan"`, nan
            in their place; `"company"`, the lengths of the other samples; or `"gradients"`, where
            those of the weights changed or are not finite.
        call: the index of the call in `LeakReport.trace`; None for the model itself. For gradients,
            the first call that is not finite in padded steps, or the last one whose weights they
            are of.
        place: `"in"` the call; or in code around layers that Keras does not see, `"before"` the
            call or at the `"end"` of it, after the calls inside it.
        amount: the largest absolute difference at a valid step, in the units of the call's
            output; inf where one of the two is not finite. For gradients, in theirs.
        relative: `amount` as a share of the largest absolute value of the same feature at a valid
            step of the output.
        sample: the first sample of the batch with that difference.
        lost_at: the index of the call where the mask was lost, or got an entry that counts padding
            as valid; the call itself if it drops the mask that it was given, None where a mask
            arrived and was ignored, or none was made.
        remedy: what to do, see `LeakReport.remedy`.
        replacement: the layer of this package to put in its place, or None.
    """

    probe: ProbeName
    call: int | None
    place: Place
    amount: float
    relative: float
    sample: int
    lost_at: int | None
    remedy: Note
    replacement: str | None


@dataclass(frozen=True)
class Probe:
    """One of the measurements.

    Attributes:
        name: as in `Leak.probe`.
        ran: whether it could be taken.
        note: a key of the texts with what a reader must know: why it was not taken, or how it
            was. Empty where there is nothing to say.
        details: what the note's text names in braces.
        result: the largest absolute difference in the valid part of the model's own result, for
            gradients in those; None where it was not taken.
    """

    name: ProbeName
    ran: bool
    note: str
    details: dict[str, str]
    result: float | None


@dataclass(frozen=True, eq=False)
class LeakReport:
    """What `find_leaks` measured.

    Attributes:
        trace: the run that the others were compared with.
        verdict: `"leaks"`; `"clear"`, where nothing leaked and it was measured on every input with
            padding, alone or, where the model takes one length only, by content; or
            `"not measured"`.
        probes: each measurement, taken or not.
        leaks: what padding changes, in the order of the model's calls.
        hazards: where only values would spread that the model never has in padded steps: nan, as
            in what multiplies by the mask, attention of Keras too (`0 * nan` is nan); or, with
            probe `"content"`, others than those that a layer always writes there. They are
            reported, but fail no check.
        notes: what was done to the inputs, and what the verdict does not say.
        random: the path of the first call that gave another result on the same input, in a model
            that is not deterministic, or the name of the model where its own code did. Then
            nothing was probed.
    """

    trace: Trace
    verdict: Verdict
    probes: tuple[Probe, ...]
    leaks: tuple[Leak, ...]
    hazards: tuple[Leak, ...]
    notes: tuple[Note, ...] = ()
    random: str | None = None

    @property
    def ok(self) -> bool:
        """Whether the verdict is `"clear"`: it was measured, and nothing leaked."""
        return self.verdict == "clear"

    def remedy(self, leak: Leak, language: str = "en") -> str:
        """What to do about a leak, in words."""
        return rendering.remedy(self, leak, language)

    def __str__(self) -> str:
        return rendering.terminal(self)

    def _repr_html_(self) -> str:
        return rendering.html(self)

    def to_text(self, language: str = "en", width: int = 100) -> str:
        """The report as plain text, `width` characters wide."""
        return rendering.text(self, language, width)

    def to_markdown(self, language: str = "en") -> str:
        """The report in Markdown."""
        return rendering.markdown(self, language)

    def to_html(self, language: str = "en") -> str:
        """A fragment of HTML with its own style, which needs nothing else."""
        return rendering.html(self, language)

    def to_svg(self, language: str = "en") -> str:
        """The picture of the trace, with the leaks marked."""
        return rendering.svg(self, language)

    def to_json(self) -> str:
        """All of it, by the schema `leaks-2.json` of this package."""
        return rendering.json(self)

    def save(self, path: str | Path, language: str = "en") -> None:
        """Write it in the form that the suffix names: .txt, .md, .html, .svg or .json.

        Raises:
            ValueError: the suffix is none of these; nothing is written.
        """
        rendering.save(self, path, language)


@dataclass(frozen=True)
class Change:
    """What was done at one place of a model.

    Attributes:
        path: of the layer or operation, as in a trace of the model that was given.
        before: its class.
        after: what stands there now, in a few words of code.
        why: a key of the texts.
        code_of: the class whose own code calls the layer, or what the layer is of where the
            change is to its own code. A `.keras` file makes such a class from its code, so the
            change must be made there too; "" elsewhere.
    """

    path: str
    before: str
    after: str
    why: str
    code_of: str = ""


@dataclass(frozen=True)
class Left:
    """What was not repaired, or what there is to do besides.

    Attributes:
        why: a sentence by its key, where it is not about a leak.
        leak: of `Repair.report`, which stayed; its remedy says what to do.
        lines: Python to write by hand; "" where a sentence says it all.
    """

    why: Note | None
    leak: Leak | None = None
    lines: str = ""


@dataclass(frozen=True, eq=False)
class Repair:
    """A model mended where padding leaks.

    `print` shows it, a notebook as a page: what was changed, what is left, and the trace before
    and after side by side.

    Attributes:
        model: the repaired model, with the weights of the one that was given; that one itself
            where it was clear already; None where no repair held when it was measured.
        changes: in the order in which they were made. Without a model they did not suffice.
        left: what remains to do by hand.
        before: the report of `find_leaks` on the model that was given.
        report: the same after the changes.
    """

    model: keras.Layer | None
    changes: tuple[Change, ...]
    left: tuple[Left, ...]
    before: LeakReport
    report: LeakReport

    @property
    def ok(self) -> bool:
        """Whether there is a model in which padding changes no valid result."""
        return self.model is not None

    def __str__(self) -> str:
        return rendering.repaired.terminal(self)

    def _repr_html_(self) -> str:
        return rendering.repaired.html(self)

    def to_text(self, language: str = "en", width: int = 100) -> str:
        """As plain text, `width` characters wide."""
        return rendering.repaired.text(self, language, width)

    def to_markdown(self, language: str = "en") -> str:
        """In Markdown, the two traces one after the other."""
        return rendering.repaired.markdown(self, language)

    def to_html(self, language: str = "en") -> str:
        """A fragment of HTML with its own style, which needs nothing else."""
        return rendering.repaired.html(self, language)

    def to_json(self) -> str:
        """All but the model, by the schema `repair-1.json` of this package."""
        return rendering.repaired.json(self)

    def save(self, path: str | Path, language: str = "en") -> None:
        """Write it in the form that the suffix names: .txt, .md, .html or .json. The model has a
        `save` of its own.

        Raises:
            ValueError: the suffix is none of these; nothing is written.
        """
        rendering.repaired.save(self, path, language)
