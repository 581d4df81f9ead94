"""Traces and reports as tables of characters, with colour where the terminal has it."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from keras_masking.rendering.view import OTHERS, Findings, Fold, Row, View, flat, lines
from keras_masking.rendering.wrap import longest_token, wrap

if TYPE_CHECKING:
    from keras_masking.records import LeakReport, Trace

KEPT, MASKED, LOST = "■", "□", "✗"
PLAIN = str.maketrans({KEPT: "#", MASKED: ".", LOST: "x", "·": "-", "×": "x", "…": "~", "–": "-"})
WIDE = 100  # columns, from which on the class and the shape have columns of their own
ROWS, STEPS = 4, 24
NAME = 16  # characters of a long name that stay together if they can


def terminal(x: Trace | LeakReport, language: str = "en") -> str:
    """As wide as the terminal, coloured where standard output is one and NO_COLOR is not set."""
    return for_terminal(lambda width: _draw(View(x, language), width))


def text(x: Trace | LeakReport, language: str, width: int) -> str:
    return drawn(_draw(View(x, language), width), width)


def for_terminal(draw: Callable[[int], RenderableType]) -> str:
    """What `draw` makes of the width of the terminal, in signs that it can show."""
    console = Console(file=sys.stdout)
    colours = console.color_system if console.is_terminal else None
    return _encodable(drawn(draw(console.width), console.width, colours), sys.stdout.encoding)


def drawn(x: RenderableType, width: int, colours: str | None = None) -> str:
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
    console.print(x)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())


def _draw(view: View, width: int) -> RenderableType:
    report = [_report(Findings(view))] if view.report else []
    return Group(*report, of_trace(view, width))


def _encodable(text: str, encoding: str | None) -> str:
    """Letters in place of signs that standard output cannot encode."""
    try:
        text.encode(encoding or "utf-8")
    except UnicodeEncodeError:
        return text.translate(PLAIN).encode(encoding, "replace").decode(encoding)
    return text


def of_trace(view: View, width: int) -> RenderableType:
    wide = width >= WIDE
    steps = STEPS if wide else min(STEPS, width // 4)
    word = view.word
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False, show_edge=False)
    for key in ("layer", "class", "shape", "event") if wide else ("layer", "event"):
        table.add_column(word(key))
    table.add_column(word("mask"), no_wrap=True)
    for depth, item in flat(view.rows()):
        table.add_row(*_cells(item, depth, view, steps, wide))
    head = [] if view.report else [Prose(view.title(), "bold"), Prose(view.headline()), Text()]
    key = Prose(word("key", kept=KEPT, masked=MASKED, lost=LOST), "dim")
    return Group(*head, table, Text(), key)


def _cells(item: Row | Fold, depth: int, view: View, steps: int, wide: bool):
    if isinstance(item, Fold):
        fold = Prose(view.word("fold", count=item.count), "dim")
        return [_indented(Text("…", "dim"), depth), *([""] * 2 if wide else []), fold, ""]
    name = Prose(item.name, "bold red" if item.marks else "bold")
    class_name, shape = Prose(item.class_name, "dim"), Prose(item.shape, "dim")
    events = Prose(item.events, "red" if item.lost else "")
    leaks = [Prose(leak, "bold red") for leak in item.leaks]
    mask = _mask(item, view, steps)
    if wide:
        return [_indented(name, depth), class_name, shape, _stack(events, *leaks), mask]
    name = _indented(_stack(name, class_name), depth)
    return [name, _stack(events, *leaks, shape), mask]


def _indented(cell: RenderableType, depth: int) -> RenderableType:
    return Padding(cell, (0, 0, 0, min(2 * depth, 12)))


def _stack(*cells: Prose) -> RenderableType:
    return Group(*(cell for cell in cells if cell.text))


def _mask(row: Row, view: View, steps: int) -> Text:
    if row.lost and not row.masks:
        return Text(LOST, "bold red")
    if not row.masks:
        return Text("–", "dim")
    if row.same:
        return Text(view.word("same"), "dim")
    return Text("\n").join(x for mask in row.masks for x in grid_lines(mask, view, steps))


def grid_lines(mask: np.ndarray, view: View, steps: int) -> list[Text]:
    """The first samples of a mask, and how many there are where some are left out."""
    grid = lines(mask)
    drawn = [_line(line, steps) for line in grid[:ROWS]]
    cut = any("…" in line.plain for line in drawn)
    counts = []
    if len(grid) > ROWS:
        counts.append(view.word("samples", count=len(grid)))
    if cut:
        counts.append(view.word("steps", count=mask.shape[-1]))
    if counts:
        drawn.append(Text(" · ".join(counts), "dim"))
    return drawn


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


def _report(findings: Findings) -> RenderableType:
    report, word = findings.report, findings.word
    colour = {"leaks": "red", "clear": "green"}.get(report.verdict, "yellow")
    said: list[RenderableType] = [Prose(findings.verdict(), f"bold {colour}")]
    for leak in report.leaks[:1]:
        said += [Prose("\n".join(findings.explanation(leak))), Text()]
        said += [Prose(word("do"), "bold"), Prose(findings.remedy(leak))]
    said += [Prose(note) for note in findings.notes()]
    parts: list[RenderableType] = [
        Prose(findings.view.title(), "bold"),
        Panel(Group(*said), box=box.SQUARE, border_style=colour, padding=(0, 1)),
    ]
    if report.probes:
        probes = Table.grid(padding=(0, 2))
        for probe in report.probes:
            result, note = Prose(findings.result(probe)), Prose(findings.note(probe), "dim")
            probes.add_row(Text(findings.probe_name(probe), "bold"), _stack(result, note))
        parts += [Text(word("probes"), "bold"), Padding(probes, (0, 0, 0, 2))]
    for title, leaks in ((word("also"), report.leaks[1:]), (word("hazards"), report.hazards)):
        if leaks:
            rows = Table.grid(padding=(0, 2))
            for leak in leaks[:OTHERS]:
                rows.add_row(Prose(findings.where(leak)), Prose(findings.amount(leak)))
            if len(leaks) > OTHERS:
                rows.add_row(Prose(word("more", count=len(leaks) - OTHERS), "dim"))
            parts += [Text(), Prose(title, "bold"), Padding(rows, (0, 0, 0, 2))]
    return Group(*parts, Text())


@dataclass(frozen=True)
class Prose:
    """Text that breaks its lines where Chinese and long names can be broken."""

    text: str
    style: str = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in wrap(self.text, options.max_width, cell_len):
            yield Text(line, self.style)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        lines = self.text.split("\n")
        least = min(longest_token(self.text, cell_len), NAME)
        return Measurement(int(least), max(map(cell_len, lines)))
