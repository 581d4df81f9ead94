"""Draws a share against a share as a small chart, for a figure of `keras_masking.rendering.grid`.

Lines differ in colour, dash and mark, so that no reader needs the colours. A panel is narrow
enough for three side by side, and one on a phone. Colours and fonts are those of the page,
light or dark, which matplotlib would write into the picture.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from keras_masking.rendering.grid import FONT, drawing, text_width

WIDTH, LEFT, TOP, SIDE, BOTTOM, END = 216, 28, 26, 150, 40, 12
TICKS = (0, 25, 50, 75, 100)
MARKS = {  # drawn around the point
    "right": "m-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0z",
    "masking": "m-3.5 -3.5h7v7h-7z",
    "none": "m0 -4.5l4.5 7.5h-9z",
}


# x, and the lowest, the mean and the highest of what was found there, each a share from 0 to 1
Point = tuple[float, float, float, float]


@dataclass(frozen=True)
class Series:
    """What happened one way."""

    way: str
    points: Sequence[Point]


def point(x: float, shares: np.ndarray) -> Point:
    """Of the shares of all runs."""
    return x, shares.min(), shares.mean(), shares.max()


@dataclass(frozen=True)
class Chart:
    """All ways on one pair of axes, both in percent; bars reach from the lowest to the highest.

    Thin lines cross it where `at` is on the x-axis and `level` on the y-axis.
    """

    title: str
    x_label: str
    series: Sequence[Series]
    at: float | None = None
    level: float | None = None

    def svg(self) -> str:
        bottom, right = TOP + SIDE, WIDTH - END
        grid = "".join(f"M{LEFT} {_y(tick / 100):g}H{right}" for tick in TICKS)
        body = [
            f'<text x="0" y="{FONT}" class="title">{escape(self.title)}</text>',
            f'<path class="grid" d="{grid}"/>',
        ]
        for tick in TICKS:
            y, x = _y(tick / 100) + FONT * 0.36, _x(tick / 100)
            body.append(f'<text x="{LEFT - 6}" y="{y:g}" class="tick end">{tick}</text>')
            body.append(f'<text x="{x:g}" y="{bottom + 16}" class="tick">{tick}</text>')
        lines = [] if self.at is None else [f"M{_x(self.at):g} {TOP}V{bottom}"]
        lines += [] if self.level is None else [f"M{LEFT} {_y(self.level):g}H{right}"]
        if lines:
            thin = f'<path opacity="0.55" stroke-dasharray="7 3" d="{"".join(lines)}"/>'
            body.append(f'<g class="series none">{thin}</g>')
        place = f'x="{(LEFT + right) / 2:g}" y="{bottom + 33}"'
        label = f'<text {place} class="label">{escape(self.x_label)}</text>'
        return drawing(WIDTH, bottom + BOTTOM, [*body, label, *map(_drawn, self.series)], "chart")


@dataclass(frozen=True)
class Key:
    """What the line of a way means."""

    way: str
    label: str

    def svg(self) -> str:
        line = f'<path class="line" d="M1 10H33"/><path class="mark" d="M17 10{MARKS[self.way]}"/>'
        text = f'<text x="42" y="14">{escape(self.label)}</text>'
        sign = f'<g class="series {self.way}">{line}</g>'
        return drawing(44 + text_width(self.label), 20, [sign, text], "chart")


def _drawn(series: Series) -> str:
    line = "L".join(f"{_x(x):g} {_y(mean):g}" for x, _, mean, _ in series.points)
    bars = "".join(f"M{_x(x):g} {_y(low):g}V{_y(high):g}" for x, low, _, high in series.points)
    mark = MARKS[series.way]
    marks = "".join(f"M{_x(x):g} {_y(mean):g}{mark}" for x, _, mean, _ in series.points)
    return (
        f'<g class="series {series.way}"><path class="bar" d="{bars}"/>'
        f'<path class="line" d="M{line}"/><path class="mark" d="{marks}"/></g>'
    )


def _x(share: float) -> float:
    return round(LEFT + share * (WIDTH - LEFT - END), 1)


def _y(share: float) -> float:
    return round(TOP + (1 - share) * SIDE, 1)
