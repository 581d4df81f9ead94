"""Writes a trace or a report to a file, whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_masking.rendering.document import page

if TYPE_CHECKING:
    from keras_masking.records import LeakReport, Trace

FORMS = {
    ".txt": lambda x, language: x.to_text(language),
    ".md": lambda x, language: x.to_markdown(language),
    ".html": page,
    ".svg": lambda x, language: x.to_svg(language),
    ".json": lambda x, language: x.to_json(),
}


def save(x: Trace | LeakReport, path: str | Path, language: str) -> None:
    """Write it in the form that the suffix names.

    Raises:
        ValueError: the suffix names none, or the language is unknown; nothing is written.
    """
    save_in_form(x, path, language, FORMS)


def save_in_form(
    x: Any,
    path: str | Path,
    language: str,
    forms: dict[str, Callable[[Any, str], str]],
    besides: str = "",
) -> None:
    """
    Args:
        forms: by suffix.
        besides: what the error tells after the suffixes.
    """
    path = Path(path)
    if path.suffix not in forms:
        raise ValueError(
            f"cannot save as {path.name!r}: the suffix {path.suffix!r} names no form. "
            f"Use one of {', '.join(forms)}{besides}."
        )
    write(path, forms[path.suffix](x, language).rstrip("\n") + "\n")


def write(path: Path, text: str) -> None:
    """Replace the file in one step."""
    with replacing(path) as beside:
        beside.write_text(text, encoding="utf-8", newline="\n")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file to write that takes the place of this one: no reader sees half of it, an error leaves
    the old one."""
    beside = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        yield beside
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
