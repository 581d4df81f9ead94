"""A repair in words and pictures: what was changed, what is left, the trace before and after."""

from __future__ import annotations

import json as standard_json
from dataclasses import asdict
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from keras_masking.rendering import data, document, summary, table
from keras_masking.rendering.css import styled
from keras_masking.rendering.files import save_in_form
from keras_masking.rendering.view import Findings, View
from keras_masking.texts import words

if TYPE_CHECKING:
    from keras_masking.records import Change, LeakReport, Left, Repair

VERSION = 1  # of the schema
SIDE_BY_SIDE = 80  # columns, from which on two traces stand beside each other


class Told:
    """A repair in one language."""

    def __init__(self, repair: Repair, language: str):
        self.repair, self.language = repair, language
        self.word = words("repair", language)
        self.before, self.after = View(repair.before, language), View(repair.report, language)

    @property
    def colour(self) -> str:
        return "clear" if self.repair.ok else self.repair.report.verdict.replace(" ", "-")

    def headline(self) -> str:
        if self.repair.ok:
            return self.word("repaired" if self.repair.changes else "clear-already")
        return self.word("not-repaired" if self.repair.report.leaks else "unknown")

    def changes(self) -> list[tuple[str, str, str]]:
        """Of each change the place, what was done, and why."""
        return [(x.path, self.done(x), self.why(x)) for x in self.repair.changes]

    def done(self, change: Change) -> str:
        return f"{change.before} ⇒ {change.after}"

    def why(self, change: Change) -> str:
        said = [self.word(change.why)]
        if change.code_of:
            key = "code-itself" if change.code_of == change.before else "code-of"
            said.append(self.word(key, owner=change.code_of, after=change.after))
        return self.join(said)

    def left(self) -> list[tuple[str, str]]:
        """Of each the sentences, and the lines to write by hand."""
        return [(self.said(x), x.lines) for x in self.repair.left]

    def said(self, left: Left) -> str:
        if left.leak is None:
            return self.word(left.why.key, **left.why.details)
        findings = Findings(self.after)
        return findings.found(left.leak) + self.word("colon") + findings.remedy(left.leak)

    def join(self, sentences: list[str]) -> str:
        return ("" if self.language == "zh" else " ").join(sentences)

    def traces(self) -> list[tuple[str, LeakReport]]:
        """The one before, and the one after where something was changed."""
        found = [(self.word("before"), self.repair.before)]
        if self.repair.changes:
            found.append((self.word("after"), self.repair.report))
        return found


def terminal(repair: Repair, language: str = "en") -> str:
    """As wide as the terminal, coloured where standard output is one and NO_COLOR is not set."""
    return table.for_terminal(lambda width: _drawn(Told(repair, language), width))


def text(repair: Repair, language: str, width: int) -> str:
    return table.drawn(_drawn(Told(repair, language), width), width)


def _drawn(told: Told, width: int) -> RenderableType:
    colour = {"clear": "green", "leaks": "red"}.get(told.colour, "yellow")
    parts: list[RenderableType] = [
        table.Prose(told.before.title(), "bold"),
        table.Prose(told.headline(), f"bold {colour}"),
    ]
    if told.repair.changes:
        rows = Table.grid(padding=(0, 2))
        for place, done, why in told.changes():
            about = Group(table.Prose(done), table.Prose(why, "dim"))
            rows.add_row(table.Prose(place, "bold"), about)
        parts += [Text(), Text(told.word("changes"), "bold"), Padding(rows, (0, 0, 0, 2))]
    if told.repair.left:
        parts += [Text(), Text(told.word("left"), "bold")]
        for said, lines in told.left():
            parts.append(Padding(table.Prose(said), (0, 0, 0, 2)))
            if lines:
                parts.append(Padding(Text(lines), (0, 0, 0, 4)))
    traces = told.traces()
    beside = len(traces) > 1 and width >= SIDE_BY_SIDE
    each = (width - 3) // 2 if beside else width
    drawn = [
        Group(Text(), table.Prose(title, "bold"), table.of_trace(View(x, told.language), each))
        for title, x in traces
    ]
    if beside:
        grid = Table.grid(padding=(0, 3, 0, 0))
        for _ in drawn:
            grid.add_column(width=each)
        grid.add_row(*drawn)
        drawn = [grid]
    return Group(*parts, *drawn)


def html(repair: Repair, language: str = "en") -> str:
    """A `<div>` with its own style, without scripts and without anything from elsewhere."""
    told = Told(repair, language)
    parts = [
        f'<p class="of soft">{escape(told.before.title())}</p>',
        f'<div class="verdict {told.colour}"><p>{escape(told.headline())}</p></div>',
    ]
    if repair.changes:
        entries = "".join(
            f"<dt>{escape(place)}</dt><dd>{escape(done)}<small>{escape(why)}</small></dd>"
            for place, done, why in told.changes()
        )
        parts.append(f"<strong>{told.word('changes')}</strong><dl>{entries}</dl>")
    if repair.left:
        entries = "".join(
            f"<li>{escape(said)}" + (f"<pre>{escape(lines)}</pre>" if lines else "") + "</li>"
            for said, lines in told.left()
        )
        parts.append(f"<strong>{told.word('left')}</strong><ul>{entries}</ul>")
    columns = "".join(
        f"<section><strong>{title}</strong>{document.trace_table(View(x, language))}</section>"
        for title, x in told.traces()
    )
    parts.append(f'<div class="sides">{columns}</div>')
    tag = f'<div class="keras-masking" lang="{language}">'
    style = f"<style>\n{styled('style.css')}</style>"
    return "\n".join((tag, style, *parts, f"{document.key(told.before)}</div>\n"))


def markdown(repair: Repair, language: str) -> str:
    told = Told(repair, language)
    parts = [f"**{summary.escaped(told.headline())}**", summary.escaped(told.before.title())]
    if repair.changes:
        head = [told.word(key) for key in ("place", "change", "reason")]
        rows = [map(summary.escaped, change) for change in told.changes()]
        lines = [summary.line(head), summary.line(["---"] * 3), *map(summary.line, rows)]
        parts += [f"**{told.word('changes')}**", "\n".join(lines)]
    if repair.left:
        parts.append(f"**{told.word('left')}**")
        for said, lines in told.left():
            parts.append(f"- {summary.escaped(said)}")
            if lines:
                parts.append(f"    ```python\n    {lines}\n    ```")
    for title, x in told.traces():
        parts += [f"**{title}**", *summary.of_trace(View(x, language))]
    return "\n\n".join(parts) + "\n"


def json(repair: Repair) -> str:
    """JSON by `repair-1.json`."""
    return data.lines(plain(repair)) + "\n"


def plain(repair: Repair) -> dict:
    return {
        "schema": "keras-masking/repair",
        "version": VERSION,
        "ok": repair.ok,
        "changes": [asdict(change) for change in repair.changes],
        "left": [
            {
                "why": None if left.why is None else asdict(left.why),
                "leak": None if left.leak is None else data.of_leak(left.leak, repair.report.trace),
                "lines": left.lines,
            }
            for left in repair.left
        ],
        "before": standard_json.loads(data.encode(repair.before)),
        "after": standard_json.loads(data.encode(repair.report)),
    }


FORMS = {
    ".txt": lambda x, language: text(x, language, 100),
    ".md": markdown,
    ".html": lambda x, language: document.whole(html(x, language), x.before.trace.model, language),
    ".json": lambda x, language: json(x),
}


def save(repair: Repair, path: str | Path, language: str) -> None:
    save_in_form(repair, path, language, FORMS, "; the model has a save of its own")
