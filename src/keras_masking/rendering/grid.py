"""Draws masks as grids: what is kept is a full square, what is masked a small dashed one.

Knows nothing of Keras. Colours and type come from the site's style sheet, so that a figure follows
light and dark, and each panel is narrower than a phone, so that panels wrap and never scroll.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal, Protocol

Kind = Literal["keep", "drop", "plain", "wrong", "lost"]

HEIGHT, GAP, FONT, MARGIN = 26, 4, 12, 1


@dataclass(frozen=True)
class Cell:
    text: str
    kind: Kind = "plain"


@dataclass(frozen=True)
class Grid:
    """Rows of cells under a title; `None` leaves a place empty."""

    title: str
    rows: tuple[tuple[Cell | None, ...], ...]

    def svg(self) -> str:
        columns = max(map(len, self.rows))
        longest = max((len(cell.text) for row in self.rows for cell in row if cell), default=0)
        gap = GAP if columns <= 8 else GAP // 2
        side = max(HEIGHT, round(longest * FONT * 0.62) + 11)
        width = max(columns * (side + gap) - gap, text_width(self.title)) + 2 * MARGIN
        top = FONT + 10
        height = top + len(self.rows) * (HEIGHT + GAP) - GAP + MARGIN
        body = [f'<text x="{MARGIN}" y="{FONT}" class="title">{escape(self.title)}</text>']
        for i, row in enumerate(self.rows):
            for j, cell in enumerate(row):
                if cell:
                    left = MARGIN + j * (side + gap)
                    body.append(_cell(cell, left, top + i * (HEIGHT + GAP), side))
        return drawing(width, height, body)


@dataclass(frozen=True)
class Arrow:
    """From one panel to the next, under the name of what happens there."""

    label: str
    lost: bool = False

    def svg(self) -> str:
        width = max(text_width(self.label), 40) + 2 * MARGIN
        y, end, middle = FONT + 14, width - MARGIN, width / 2
        body = [
            f'<text x="{middle:g}" y="{FONT}" class="label">{escape(self.label)}</text>',
            f'<path d="M{MARGIN} {y}H{end}m-6 -4l6 4l-6 4"/>',
        ]
        if self.lost:
            body.append(f'<path d="M{middle - 6:g} {y - 6}l12 12m0 -12l-12 12"/>')
        return drawing(width, y + 8, body, "arrow lost" if self.lost else "arrow")


@dataclass(frozen=True)
class Note:
    """A few words beside a panel."""

    text: str

    def svg(self) -> str:
        body = [f'<text x="{MARGIN}" y="{FONT + 14}" class="note">{escape(self.text)}</text>']
        return drawing(text_width(self.text) + 2 * MARGIN, FONT + 22, body)


class Item(Protocol):
    """What a figure is made of: `Grid`, `Arrow`, `Note`, or another that draws itself."""

    def svg(self) -> str: ...


def figure(lines: list[list[Item]], alternative: str, caption: str) -> str:
    """A `<figure>` without a blank line, so that Markdown takes it as one piece of HTML."""
    rows = [
        '<div class="row">\n' + "\n".join(item.svg() for item in line) + "\n</div>"
        for line in lines
    ]
    return "\n".join(
        (
            '<figure class="masking">',
            f'<div class="panels" role="img" aria-label="{escape(alternative)}">',
            *rows,
            "</div>",
            f"<figcaption>{escape(caption)}</figcaption>",
            "</figure>\n",
        )
    )


def text_width(text: str) -> int:
    """An upper bound, in pixels: Chinese characters are as wide as they are high."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return round(wide * FONT + (len(text) - wide) * FONT * 0.62)


def _cell(cell: Cell, left: int, top: int, side: int) -> str:
    inset = 3 if cell.kind in ("drop", "lost") else 0
    width, height = side - 2 * inset, HEIGHT - 2 * inset
    place = f'x="{left + inset}" y="{top + inset}" width="{width}" height="{height}" rx="3"'
    x, y = left + side / 2, top + HEIGHT / 2 + FONT * 0.36
    return (
        f'<g class="{cell.kind}"><rect {place}/>'
        f'<text x="{x:g}" y="{y:g}">{escape(cell.text)}</text></g>'
    )


def drawing(width: float, height: float, body: list[str], kind: str = "grid") -> str:
    """An `<svg>` whose size is in pixels; the figure around it says what it shows."""
    size = f'width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}"'
    return f'<svg class="{kind}" aria-hidden="true" {size}>' + "".join(body) + "</svg>"


@dataclass(frozen=True)
class Small:
    """A mask without letters, in two paths: full squares for what is kept, small dashed ones for
    padding. Sequences inside a sample are parted by a gap.

    Attributes:
        kept, masked: the paths, from the corner 0 0.
        width, height: in pixels.
        rows, steps: how many samples and steps were left out.
    """

    kept: str
    masked: str
    width: float
    height: float
    rows: int
    steps: int


def small(lines: list[list[Sequence[bool]]], pitch: float, rows: int, steps: int) -> Small:
    """Draw at most `rows` samples of at most `steps` steps, `pitch` pixels apart.

    Args:
        lines: for each sample the steps of each sequence in it.
    """
    kept, masked = [], []
    side, inset = pitch - 2, round(pitch / 8, 1)
    inner = side - 2 * inset
    longest = left_out = 0
    for i, sample in enumerate(lines[:rows]):
        column = 0
        for run in sample:
            for step in run:
                if column < steps:
                    x, y = column * pitch, i * pitch
                    if step:
                        kept.append(f"M{x:g} {y:g}h{side:g}v{side:g}h-{side:g}z")
                    else:
                        place = f"M{x + inset:g} {y + inset:g}"
                        masked.append(f"{place}h{inner:g}v{inner:g}h-{inner:g}z")
                    longest = max(longest, column + 1)
                column += 1
            column += 1
        left_out = max(left_out, column - 1 - steps)
    return Small(
        kept="".join(kept),
        masked="".join(masked),
        width=longest * pitch,
        height=min(len(lines), rows) * pitch,
        rows=max(0, len(lines) - rows),
        steps=max(0, left_out),
    )
