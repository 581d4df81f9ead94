"""Traces and reports as HTML: a fragment for a notebook or a page, and a page of its own."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from keras_masking.rendering.css import styled
from keras_masking.rendering.grid import small
from keras_masking.rendering.view import OTHERS, Findings, Fold, Row, View, count, lines

if TYPE_CHECKING:
    from keras_masking.records import LeakReport, Trace

ROWS, STEPS, PITCH = 4, 16, 11


def html(x: Trace | LeakReport, language: str = "en") -> str:
    """A `<div>` with its own style, without scripts and without anything from elsewhere."""
    view = View(x, language)
    table = trace_table(view)
    if view.report:
        table = _report(Findings(view)) + table
    tag = f'<div class="keras-masking" lang="{language}">'
    return f"{tag}\n<style>\n{styled('style.css')}</style>\n{table}{key(view)}</div>\n"


def page(x: Trace | LeakReport, language: str) -> str:
    """A whole page with that fragment, which follows the reader's choice of light and dark."""
    return whole(html(x, language), View(x, language).trace.model, language)


def whole(fragment: str, title: str, language: str) -> str:
    return (
        f'<!doctype html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}</title>\n</head>\n<body>\n{fragment}</body>\n</html>\n"
    )


def trace_table(view: View) -> str:
    """The calls of a trace."""
    head = "".join(f'<th scope="col">{view.word(name)}</th>' for name in ("layer", "event", "mask"))
    title = "" if view.report else f"<strong>{escape(view.title())}</strong>"
    caption = f"{title}<div{_bad(view.loses)}>{escape(view.headline())}</div>"
    return (
        f"<table>\n<caption>{caption}</caption>\n<thead><tr>{head}</tr></thead>\n"
        f"{_body(view.rows(), view)}</table>\n"
    )


def _body(items: tuple[Row | Fold, ...], view: View) -> str:
    rows = "".join(_fold(x, view) if isinstance(x, Fold) else _row(x, view) for x in items)
    return f"<tbody>\n{rows}</tbody>\n"


def _row(row: Row, view: View) -> str:
    about = " · ".join(filter(None, (row.class_name, row.shape)))
    events = f"<div{_bad(row.lost)}>{escape(row.events)}</div>"
    leaks = "".join(f"<div{_bad(True)}>{escape(leak)}</div>" for leak in row.leaks)
    own = (
        f"<tr{_bad(row.marks)}>"
        f'<th scope="row"><b>{escape(row.name)}</b><small>{escape(about)}</small></th>'
        f"<td>{events}{leaks}</td><td>{_masks(row, view)}</td></tr>\n"
    )
    if not row.children:
        return own
    inner = count(row) - 1
    label = view.word("inside" if inner > 1 else "one-inside", count=inner, call=row.name)
    return own + _inside(label, row.children, view, row.marked and not row.lost)


def _bad(marked: bool) -> str:
    return ' class="bad"' if marked else ""


def _fold(fold: Fold, view: View) -> str:
    return _inside(view.word("fold", count=fold.count), fold.rows, view, False)


def _inside(label: str, items: tuple[Row | Fold, ...], view: View, shown: bool) -> str:
    label = escape(label)
    return (
        f'<tr><td class="inside" colspan="3"><details{" open" if shown else ""}>'
        f'<summary>{label}</summary>\n<table aria-label="{label}">\n{_body(items, view)}</table>'
        "</details></td></tr>\n"
    )


def _masks(row: Row, view: View) -> str:
    if row.masks:
        return "".join(_grid(mask, view) for mask in row.masks)
    if row.lost:
        return _cross(view.word("lost-here"))
    return f'<span class="soft">{view.word("none")}</span>'


def _grid(mask: np.ndarray, view: View) -> str:
    drawn = small(lines(mask), PITCH, ROWS, STEPS)
    left_out = view.left_out(mask, drawn)
    more = f"<small>{left_out}</small>" if left_out else ""
    paths = f'<path class="kept" d="{drawn.kept}"/><path class="masked" d="{drawn.masked}"/>'
    return _svg(drawn.width, drawn.height, paths, view.described(mask)) + more


def _cross(label: str) -> str:
    return _svg(14, 14, '<path class="cross" d="M2 2l9 9m0 -9l-9 9"/>', label)


def _svg(width: float, height: float, body: str, label: str = "") -> str:
    """With a text alternative, or a sign beside the words that say it."""
    alternative = f'role="img" aria-label="{escape(label)}"'
    told = alternative if label else 'class="sign" aria-hidden="true"'
    size = f'width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}"'
    return f"<svg {told} {size}>{body}</svg>"


def key(view: View) -> str:
    """What the squares of masks mean."""
    square = small([[[True]]], PITCH, 1, 1).kept
    dashed = small([[[False]]], PITCH, 1, 1).masked
    signs = (
        ("kept", f'<path class="kept" d="{square}"/>'),
        ("masked", f'<path class="masked" d="{dashed}"/>'),
        ("lost-here", '<path class="cross" d="M1 1l8 8m0 -8l-8 8"/>'),
    )
    entries = (f"<span>{_svg(10, 10, sign)}{view.word(name)}</span>" for name, sign in signs)
    return f'<div class="key soft">{"".join(entries)}</div>\n'


def _report(findings: Findings) -> str:
    report, word = findings.report, findings.word
    said = [findings.verdict()]
    for leak in report.leaks[:1]:
        said.append(findings.sentences(leak))
    paragraphs = [f"<p>{escape(text)}</p>" for text in said]
    for leak in report.leaks[:1]:
        remedy = escape(findings.remedy(leak))
        paragraphs.append(f"<p><strong>{word('do')}</strong><br/>{remedy}</p>")
    paragraphs += [f"<p>{escape(note)}</p>" for note in findings.notes()]
    colour = report.verdict.replace(" ", "-")
    parts = [
        f'<p class="of soft">{escape(findings.view.title())}</p>',
        f'<div class="verdict {colour}">{"".join(paragraphs)}</div>',
    ]
    if report.probes:
        entries = "".join(
            f"<dt>{escape(findings.probe_name(probe))}</dt><dd>{escape(findings.result(probe))}"
            f"<small>{escape(findings.note(probe))}</small></dd>"
            for probe in report.probes
        )
        parts.append(f"<strong>{word('probes')}</strong><dl>{entries}</dl>")
    for title, leaks in ((word("also"), report.leaks[1:]), (word("hazards"), report.hazards)):
        if leaks:
            listed = [findings.found(leak) for leak in leaks[:OTHERS]]
            if len(leaks) > OTHERS:
                listed.append(word("more", count=len(leaks) - OTHERS))
            items = "".join(f"<li>{escape(text)}</li>" for text in listed)
            parts.append(f"<strong>{title}</strong><ul>{items}</ul>")
    return "\n".join(parts) + "\n"
