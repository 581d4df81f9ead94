"""Traces and reports as tables of characters, with colour where the terminal has it."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

import numpy as np
from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from keras_masking.rendering.view import Findings, Fold, Row, View, lines

if TYPE_CHECKING:
    from keras_masking.records import LeakReport, Trace

KEPT, MASKED, LOST = "■", "□", "✗"
PLAIN = str.maketrans({KEPT: "#", MASKED: ".", LOST: "x", "·": "-", "×": "x", "…": "~", "–": "-"})
WIDE = 100  # columns, from which on the class and the shape have columns of their own
ROWS, STEPS = 4, 24


def terminal(x: Trace | LeakReport, language: str = "en") -> str:
    """As wide as the terminal, coloured where standard output is one and NO_COLOR is not set."""
    console = Console(file=sys.stdout)
    text = _draw(x, language, console.width, console.color_system if console.is_terminal else None)
    return _encodable(text, sys.stdout.encoding)


def text(x: Trace | LeakReport, language: str, width: int) -> str:
    return _draw(x, language, width, None)


def _draw(x: Trace | LeakReport, language: str, width: int, colours: str | None) -> str:
    console = Console(
        file=io.StringIO(),
        width=width,
        color_system=colours,
        force_terminal=colours is not None,
        force_jupyter=False,
        legacy_windows=False,
        highlight=False,
        emoji=False,
        markup=False,
    )
    view = View(x, language)
    if view.report:
        console.print(_report(view.report, language, width))
    console.print(_trace(view, width))
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())


def _encodable(text: str, encoding: str | None) -> str:
    """Letters in place of signs that standard output cannot encode."""
    try:
        text.encode(encoding or "utf-8")
    except UnicodeEncodeError:
        return text.translate(PLAIN).encode(encoding, "replace").decode(encoding)
    return text


def _trace(view: View, width: int) -> RenderableType:
    wide = width >= WIDE
    steps = STEPS if wide else min(STEPS, width // 4)
    word = view.word
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False, show_edge=False)
    table.add_column(word("layer"), overflow="fold", ratio=None)
    if wide:
        table.add_column(word("class"), overflow="fold", style="dim")
        table.add_column(word("shape"), overflow="fold", style="dim")
    table.add_column(word("event"), overflow="fold")
    table.add_column(word("mask"), no_wrap=True)
    for depth, item in _flat(view.rows()):
        if isinstance(item, Fold):
            cell = Text(word("fold", count=item.count), "dim")
            cells = [_indented(Text("…", "dim"), depth), cell, Text()]
            table.add_row(*(cells[:1] + [Text(), Text()] + cells[1:] if wide else cells))
            continue
        name = Text(item.name, "bold red" if item.lost or item.leaks else "bold")
        events = _events(item, view)
        mask = _mask(item, view, steps)
        if wide:
            cells = [_indented(name, depth), item.class_name, item.shape, events, mask]
        else:
            both = _lines(name, Text(item.class_name, "dim"))
            cells = [_indented(both, depth), _lines(events, Text(item.shape, "dim")), mask]
        table.add_row(*cells)
    key = Text(word("key", kept=KEPT, masked=MASKED, lost=LOST), "dim")
    head = [] if view.report else [Text(view.title(), "bold"), Text(view.headline()), Text()]
    return Group(*head, table, Text(), key)


def _flat(items: tuple[Row | Fold, ...], depth: int = 0):
    for item in items:
        yield depth, item
        if isinstance(item, Row):
            yield from _flat(item.children, depth + 1)


def _indented(cell: Text, depth: int) -> RenderableType:
    return Padding(cell, (0, 0, 0, min(2 * depth, 12)))


def _lines(*texts: Text) -> Text:
    return Text("\n").join(text for text in texts if text.plain)


def _events(row: Row, view: View) -> Text:
    cell = Text(row.events, "red" if row.lost else "")
    for leak in row.leaks:
        cell = _lines(cell, Text(Findings(view.report, view.language).leak(leak), "bold red"))
    return cell


def _mask(row: Row, view: View, steps: int) -> Text:
    if row.lost and not row.masks:
        return Text(LOST, "bold red")
    if not row.masks:
        return Text("–", "dim")
    if row.same:
        return Text(view.word("same"), "dim")
    return _lines(*(_grid(mask, view, steps) for mask in row.masks))


def _grid(mask: np.ndarray, view: View, steps: int) -> Text:
    grid = lines(mask)
    drawn = [_line(line, steps) for line in grid[:ROWS]]
    cut = any("…" in line.plain for line in drawn)
    counts = []
    if len(grid) > ROWS:
        counts.append(view.word("samples", count=len(grid)))
    if cut:
        counts.append(view.word("steps", count=mask.shape[-1]))
    return _lines(*drawn, Text(" · ".join(counts), "dim"))


def _line(runs: list[np.ndarray], steps: int) -> Text:
    """One sample; the sequences in it, where it has several, are parted by a space."""
    signs = Text()
    for run in runs:
        if signs.plain:
            signs.append(" ")
        for kept in run[: steps + 1]:
            signs.append(KEPT if kept else MASKED, "cyan" if kept else "bright_black")
        if len(signs) > steps:
            signs.right_crop(len(signs) - steps + 1)
            signs.append("…", "dim")
            break
    return signs


def _report(report: LeakReport, language: str, width: int) -> RenderableType:
    findings = Findings(report, language)
    word = findings.word
    colour = "green" if report.ok and report.random is None else "red"
    said: list[RenderableType] = [Text(findings.verdict(), f"bold {colour}")]
    if report.leaks:
        first = report.leaks[0]
        said += [
            Text("\n".join(findings.explanation(first))),
            Text(),
            Text.assemble((word("do"), "bold"), "\n", findings.remedy(first)),
        ]
    parts: list[RenderableType] = [
        Text(findings.view.title(), "bold"),
        Panel(Group(*said), box=box.ROUNDED, border_style=colour, padding=(0, 1)),
    ]
    if report.probes:
        probes = Table.grid(padding=(0, 2))
        for probe in report.probes:
            probes.add_row(
                Text(findings.probe_name(probe), "bold"),
                _lines(Text(findings.result(probe)), Text(findings.note(probe), "dim")),
            )
        parts += [Text(word("probes"), "bold"), Padding(probes, (0, 0, 1, 2))]
    for title, leaks in ((word("also"), report.leaks[1:]), (word("hazards"), report.hazards)):
        if leaks:
            rows = Table.grid(padding=(0, 2))
            for leak in leaks[:ROWS]:
                rows.add_row(Text(findings.where(leak)), Text(findings.amount(leak)))
            if len(leaks) > ROWS:
                rows.add_row(Text(word("more", count=len(leaks) - ROWS), "dim"))
            parts += [Text(title, "bold"), Padding(rows, (0, 0, 1, 2))]
    return Group(*parts)
