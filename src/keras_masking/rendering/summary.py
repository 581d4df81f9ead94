"""Traces and reports in Markdown, for the summary of a CI run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from keras_masking.rendering.table import KEPT, LOST, MASKED, grid_lines
from keras_masking.rendering.view import Findings, Fold, Row, View, flat

if TYPE_CHECKING:
    from keras_masking.records import LeakReport, Trace

STEPS = 16


def markdown(x: Trace | LeakReport, language: str) -> str:
    """A table of the calls; of a report in front of it what was found."""
    view = View(x, language)
    if view.report:
        parts = _report(Findings(view))
    else:
        parts = [f"**{escaped(view.title())}**", escaped(view.headline())]
    return "\n\n".join([*parts, *of_trace(view)]) + "\n"


def of_trace(view: View) -> list[str]:
    """The table, and what its signs mean."""
    word = view.word
    head = [word(key) for key in ("layer", "class", "shape", "event", "mask")]
    rows = [_cells(item, depth, view) for depth, item in flat(view.rows())]
    table = [line(head), line(["---"] * len(head)), *map(line, rows)]
    return ["\n".join(table), word("key", kept=KEPT, masked=MASKED, lost=LOST)]


def _cells(item: Row | Fold, depth: int, view: View) -> list[str]:
    indent = "&emsp;" * depth
    if isinstance(item, Fold):
        return [f"{indent}…", "", "", view.word("fold", count=item.count), ""]
    name = f"{indent}{escaped(item.name)}"
    events = [f"**{escaped(item.events)}**" if item.lost else escaped(item.events)]
    events += [f"**{escaped(leak)}**" for leak in item.leaks]
    return [
        f"**{name}**" if item.marks and not indent else name,
        escaped(item.class_name),
        item.shape,
        "<br>".join(filter(None, events)),
        _mask(item, view),
    ]


def _mask(row: Row, view: View) -> str:
    if not row.masks:
        return LOST if row.lost else "–"
    if row.same:
        return view.word("same")
    lines = (x for mask in row.masks for x in grid_lines(mask, view, STEPS))
    return "<br>".join(x.plain for x in lines)


def _report(findings: Findings) -> list[str]:
    report, word = findings.report, findings.word
    parts = [f"**{escaped(findings.verdict())}**", escaped(findings.view.title())]
    for leak in report.leaks[:1]:
        parts.append(escaped(findings.sentences(leak)))
        parts.append(f"**{word('do')}** {escaped(findings.remedy(leak))}")
    parts += [escaped(note) for note in findings.notes()]
    listed = (
        (word("probes"), [findings.measured(probe) for probe in report.probes]),
        (word("also"), [findings.found(leak) for leak in report.leaks[1:]]),
        (word("hazards"), [findings.found(leak) for leak in report.hazards]),
    )
    for title, entries in listed:
        if entries:
            parts.append(f"**{title}**")
            parts.append("\n".join(f"- {escaped(entry)}" for entry in entries))
    return parts


def line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def escaped(text: str) -> str:
    """Without what Markdown or HTML would make of it."""
    return re.sub(r"([\\`*_{}\[\]<>#|~&$])", r"\\\1", text).replace("\n", " ")
