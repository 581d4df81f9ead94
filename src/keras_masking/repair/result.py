"""What `repair` gives back. Plain data, and a model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import keras

from keras_masking.records import Leak, LeakReport, Note
from keras_masking.rendering import repaired as rendering


@dataclass(frozen=True)
class Change:
    """What was done at one place of a model.

    Attributes:
        path: of the layer or operation, as in a trace of the model that was given.
        before: its class.
        after: what stands there now, in a few words of code.
        why: a key of the texts.
        code_of: the class whose own code calls the layer, where there is one. A `.keras` file
            makes such a class from its code, so the change must be made there too; "" elsewhere.
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
            where it was clear already; None where no repair was proven.
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
        return rendering.terminal(self)

    def _repr_html_(self) -> str:
        return rendering.html(self)

    def to_text(self, language: str = "en", width: int = 100) -> str:
        """As plain text, `width` characters wide."""
        return rendering.text(self, language, width)

    def to_markdown(self, language: str = "en") -> str:
        """In Markdown, the two traces one after the other."""
        return rendering.markdown(self, language)

    def to_html(self, language: str = "en") -> str:
        """A fragment of HTML with its own style, which needs nothing else."""
        return rendering.html(self, language)

    def to_json(self) -> str:
        """All but the model, by the schema `repair-1.json` of this package."""
        return rendering.json(self)

    def save(self, path: str | Path, language: str = "en") -> None:
        """Write it in the form that the suffix names: .txt, .md, .html or .json. The model has a
        `save` of its own.

        Raises:
            ValueError: the suffix is none of these; nothing is written.
        """
        rendering.save(self, path, language)
