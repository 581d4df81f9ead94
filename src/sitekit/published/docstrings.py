"""The docstrings that a page of the reference shows, as plain text, as `help` would show them."""

import json
import tomllib
from functools import cache

import griffe

from sitekit import ROOT
from sitekit.drawn.copies import SIGNATURES
from sitekit.pages.completeness import NAMES


@cache
def _read() -> tuple[griffe.Object, dict[str, str], dict[str, str]]:
    """The package, how its layers are made, and a line of Chinese for each public name."""
    package = griffe.load("keras_masking", search_paths=[ROOT / "src"])
    signatures = json.loads((ROOT / SIGNATURES).read_text(encoding="utf-8"))
    made = {text.partition("(")[0]: text for text in signatures.values()}
    return package, made, tomllib.loads((ROOT / NAMES).read_text(encoding="utf-8"))


def documented(path: str, level: int, language: str) -> str:
    """What `path`, such as `keras_masking.trace`, says of itself and of its members, in Markdown.

    Each has a heading, of `level` for the first, with the anchor that it has on the page.
    """
    package, made, chinese = _read()
    name = path.removeprefix("keras_masking.")
    found = package[name]
    line = f"{chinese[name]}\n\n" if language == "zh" and name in chinese else ""
    if found.is_attribute:
        signature = f"{found.name}: {found.annotation}"
    else:
        signature = made.get(name) or found.signature() or name
    told = [
        f"{'#' * level} {found.name} {{ #{path} }}\n\n{line}"
        f"```text\n{signature}\n\n{found.docstring.value}\n```"
    ]
    told += [
        documented(f"{path}.{member.name}", level + 1, language)
        for member in found.members.values()
        if member.docstring and not member.name.startswith("_")
    ]
    return "\n\n".join(told)
