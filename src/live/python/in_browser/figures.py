"""The pictures of a run: the traces, reports and repairs that it shows in any form, and files."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SHOWN = ("Trace", "LeakReport", "Repair")
SHOWING = ("__str__", "_repr_html_", "to_text", "to_markdown", "to_html", "to_svg")


class Figures:
    """What a run shows; `language` is that of its pictures."""

    def __init__(self, language: str):
        self._language = language
        self._shown: list[tuple] = []  # each with its HTML, where a reader's own class made that

    def show(self, x) -> None:
        """As a notebook shows it: no picture where `x` has none; an error ends the code."""
        if not hasattr(type(x), "_repr_html_") or any(x is other for other, _ in self._shown):
            return
        ours = type(x).__name__ in SHOWN
        source = None if ours else x._repr_html_()
        if ours or source:
            self._shown.append((x, source))

    @contextmanager
    def watch(self, code: str) -> Iterator[None]:
        """While this is open, each trace, report or repair that `code` prints or draws is shown."""
        if "keras_masking" not in code:
            yield
            return
        from keras_masking import records

        originals = [
            (owner, name, owner.__dict__[name])
            for owner in (getattr(records, name) for name in SHOWN)
            for name in SHOWING
            if name in owner.__dict__
        ]
        for owner, name, original in originals:
            setattr(owner, name, self._watched(original))
        try:
            yield
        finally:
            for owner, name, original in originals:
                setattr(owner, name, original)

    def found(self, folder: Path) -> list[dict[str, str]]:
        figures = [
            {
                "name": type(x).__name__,
                "kind": "html",
                "source": source or x.to_html(self._language),
            }
            for x, source in self._shown
        ]
        for path in sorted(folder.rglob("*")):
            if path.suffix in (".svg", ".html") and path.is_file():
                source = path.read_text(encoding="utf-8", errors="replace")
                name = path.relative_to(folder).as_posix()
                figures.append({"name": name, "kind": path.suffix[1:], "source": source})
        return figures

    def _watched(self, method):
        @functools.wraps(method)
        def call(x, *args, **kwargs):
            self.show(x)
            return method(x, *args, **kwargs)

        return call
