"""Reads the notebooks; the number of a cell stands for a line.

nbformat could read them, but mends what it can without a word, and names no place.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from sitekit.pages.page import PageError, Problem, Site

_CHINESE = re.compile("[\u3400-\u9fff]")


@dataclass(frozen=True)
class Cell:
    number: int
    kind: str
    id: str
    text: str
    outputs: list
    alt: str

    @property
    def labels(self) -> list[str]:
        """The strings in the code of a plot, which may be words of a language."""
        return re.findall(r'"([^"\n]*)"', self.text) if self.alt else []

    def labelled_as(self, other: "Cell") -> str:
        """The text, with the labels of `other` in place of those in Chinese."""
        text = self.text
        for mine, yours in zip(self.labels, other.labels, strict=False):
            if _CHINESE.search(mine):
                text = text.replace(f'"{mine}"', f'"{yours}"', 1)
        return text


@dataclass(frozen=True)
class Notebook:
    """One notebook; `path` is relative to the site's root."""

    path: Path
    description: str
    cells: list[Cell]


def read(site: Site, path: Path) -> Notebook:
    """
    Raises:
        PageError: the file is no notebook, or lacks what the comparison or the build needs.
    """
    try:
        notebook = json.loads((site.root / path).read_text(encoding="utf-8"))
        cells = [
            Cell(
                number,
                cell["cell_type"],
                cell["id"],
                "".join(cell["source"]),
                cell.get("outputs", []),
                cell["metadata"].get("alt", ""),
            )
            for number, cell in enumerate(notebook["cells"], 1)
        ]
        description = notebook["metadata"].get("description", "")
    except json.JSONDecodeError as error:
        message = f"this notebook cannot be read: {error}"
        raise PageError(Problem(path, error.lineno, message)) from None
    except KeyError as error:
        raise PageError(Problem(path, 1, f"this notebook lacks {error}")) from None
    if not description:
        message = 'this notebook needs a description: write "description": "…" in its metadata'
        raise PageError(Problem(path, 1, message))
    return Notebook(path, description, cells)
