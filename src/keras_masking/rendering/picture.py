"""The picture of a trace: the calls from top to bottom, and the way of the mask beside them."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from keras_masking.rendering.css import styled
from keras_masking.rendering.grid import Small, small, text_width
from keras_masking.rendering.view import Findings, Fold, Row, View, flat, lines
from keras_masking.rendering.wrap import wrap

if TYPE_CHECKING:
    from keras_masking.records import LeakReport, Trace

WIDTH = 348  # what a phone of 390 pixels leaves for content
WAY, TEXT = 9, 28  # where the way of the mask and the words begin
MASKS, NARROWEST = 150, 190  # what a mask may need, what the words keep
LINE, SPACE = 17, 14
INDENT, DEEPEST = 10, 4
ROWS, STEPS, PITCH = 4, 18, 12


def svg(x: Trace | LeakReport, language: str) -> str:
    """A file or a part of a page: its style is in it, and nothing comes from elsewhere."""
    view = View(x, language)
    rows = view.rows()
    drawing = Drawing(view, _left_of_masks(rows, view))
    drawing.write(view.trace.model, 0, WIDTH, "strong")
    drawing.write(view.about(), 0, WIDTH, "soft")
    said, bad = view.headline(), view.loses
    if view.report:
        said, bad = Findings(view).verdict(), bool(view.leaks)
    drawing.write(said, 0, WIDTH, "bad" if bad else "plain")
    drawing.y += SPACE
    drawing.items(rows, 0)
    drawing.key()
    height = drawing.y + SPACE
    size = f'width="{WIDTH}" height="{height:g}" viewBox="0 0 {WIDTH} {height:g}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="keras-masking-picture" role="img" '
        f'lang="{language}" {size}>\n<title>{escape(view.caption())}</title>\n'
        f"<desc>{escape(said)}</desc>\n<style>\n{styled('picture.css')}</style>\n"
        + "\n".join(drawing.parts)
        + "\n</svg>\n"
    )


class Drawing:
    """Adds row under row; `y` is where the next one begins."""

    def __init__(self, view: View, masks: float):
        self.view = view
        self.masks = masks  # where their column begins
        self.parts: list[str] = []
        self.y = 4
        self._node: float | None = None  # where the way of the mask has come to
        self._masked = False  # and whether it carries a mask there

    def items(self, items: tuple[Row | Fold, ...], depth: int) -> None:
        for item in items:
            if isinstance(item, Fold):
                self._fold(item, depth)
            else:
                self._row(item, depth)

    def write(self, text: str, x: float, right: float, kind: str = "plain") -> None:
        """Words between two edges, on as many lines as they need."""
        measure = _bold_width if kind in ("strong", "bad") else _width
        for line in wrap(text, right - x, measure) if text else ():
            self.y += LINE
            attributes = f'class="{kind}" x="{x:g}" y="{self.y - 4:g}"'
            self.parts.append(f"<text {attributes}>{escape(line)}</text>")

    def key(self) -> None:
        word = self.view.word
        self.y += SPACE / 2
        for kind, path in (
            ("kept", small([[[True]]], PITCH, 1, 1).kept),
            ("masked", small([[[False]]], PITCH, 1, 1).masked),
            ("lost-here", ""),
        ):
            if path:
                self._path(kind, path, WAY - 5, self.y + LINE - 13)
            else:
                self._cross(self.y + LINE / 2)
            self.write(word(kind), TEXT, WIDTH, "soft")

    def _row(self, row: Row, depth: int) -> None:
        top, left = self.y, TEXT + INDENT * min(depth, DEEPEST)
        masked = bool(row.masks)
        # a mask that is lost inside is lost there, not at the head
        self._step(top + LINE / 2, self._masked if row.children else masked, row.lost)
        edge = self.masks - 8 if row.masks else WIDTH
        self.write(row.name, left, edge, "bad" if row.marks else "strong")
        about = " · ".join(filter(None, (row.class_name, row.shape)))
        if _width(about) > edge - left:
            about = f"{row.class_name}\n{row.shape}"
        self.write(about, left, edge, "soft")
        self.write(row.events, left, edge, "bad" if row.lost else "plain")
        for leak in row.leaks:
            self.write(leak, left, edge, "bad")
        bottom = max(self.y, self._grids(row, top + 3))
        self.y = bottom + SPACE
        if row.children:
            self.items(row.children, depth + 1)
            line = f"M{left + INDENT / 2 - 2:g} {bottom + 4:g}V{self.y - SPACE:g}"
            self.parts.append(f'<path class="inside" d="{line}"/>')
            self._masked = masked

    def _fold(self, fold: Fold, depth: int) -> None:
        self._step(self.y + LINE / 2, self._masked, lost=False, node=False)
        left = TEXT + INDENT * min(depth, DEEPEST)
        self.write(self.view.word("fold", count=fold.count), left, WIDTH, "soft")
        self.y += SPACE

    def _step(self, y: float, masked: bool, lost: bool, node: bool = True) -> None:
        """The way of the mask down to this call, and the call on it."""
        if self._node is not None:
            kind = "way" if self._masked else "no-way"
            self.parts.append(f'<path class="{kind}" d="M{WAY} {self._node + 7:g}V{y - 7:g}"/>')
        if lost:
            self._cross(y)
        elif node:
            cell = small([[[masked]]], PITCH, 1, 1)
            self._path("kept" if masked else "masked", cell.kept or cell.masked, WAY - 5, y - 5)
        self._node, self._masked = y, masked

    def _cross(self, y: float) -> None:
        self.parts.append(f'<path class="cross" d="M{WAY - 5} {y - 5:g}l10 10m0 -10l-10 10"/>')

    def _grids(self, row: Row, y: float) -> float:
        """The masks of a call, one under the other; gives the lower edge."""
        for mask in row.masks:
            drawn = _grid(mask)
            self._path("kept", drawn.kept, self.masks, y)
            self._path("masked", drawn.masked, self.masks, y)
            y += drawn.height
            counts = self.view.left_out(mask, drawn)
            if counts:
                place = f'class="soft" x="{self.masks:g}" y="{y + LINE - 5:g}"'
                self.parts.append(f"<text {place}>{escape(counts)}</text>")
                y += LINE
        return y

    def _path(self, kind: str, path: str, x: float, y: float) -> None:
        if path:
            place = f'transform="translate({x:g} {y:g})"'
            self.parts.append(f'<path class="{kind}" {place} d="{path}"/>')


def _left_of_masks(items: tuple[Row | Fold, ...], view: View) -> float:
    """Where the widest mask still fits on the right."""
    widths = [0.0]
    for _, row in flat(items):
        for mask in row.masks if isinstance(row, Row) else ():
            drawn = _grid(mask)
            widths += [drawn.width, _width(view.left_out(mask, drawn))]
    return WIDTH - min(max(widths), WIDTH - NARROWEST)


def _grid(mask: np.ndarray) -> Small:
    grid = lines(mask)
    steps = min(STEPS, max(sum(map(len, line)) + len(line) - 1 for line in grid))
    return small(grid, min(PITCH, MASKS / max(steps, 1)), ROWS, STEPS)


def _width(text: str) -> float:
    """An upper bound, for capitals too."""
    return text_width(text) + 1.5 * sum(map(str.isupper, text))


def _bold_width(text: str) -> float:
    return _width(text) * 1.1
