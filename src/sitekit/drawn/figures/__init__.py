"""The figures: each draws masks that `keras_masking.trace` finds while the figure is drawn.

A module holds those of a page: each of its public functions draws one, named after it with a hyphen
for each underscore. It is given the texts of the section of that name in docs/shared/texts.toml,
and returns the lines of the figure and what its text alternative says of them.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from pathlib import Path

import keras

from keras_masking.rendering.grid import Item, figure
from sitekit.drawn.texts import Words, words
from sitekit.pages.page import LANGUAGES

Draw = Callable[[Words], tuple[list[list[Item]], dict[str, str]]]


def render_all() -> dict[Path, str]:
    """Every figure in both languages, by its path in the repository."""
    return {
        Path("docs/shared", language, "figures", f"{name}.html"): render(name, draw, language)
        for name, draw in figures().items()
        for language in LANGUAGES
    }


def figures() -> dict[str, Draw]:
    names = [module.name for module in pkgutil.iter_modules(__path__, f"{__name__}.")]
    return {
        name.replace("_", "-"): draw
        for module in map(importlib.import_module, names)
        for name, draw in inspect.getmembers(module, inspect.isfunction)
        if draw.__module__ == module.__name__ and not name.startswith("_")
    }


def render(name: str, draw: Draw, language: str) -> str:
    keras.utils.set_random_seed(0)
    word = words(name, language)
    lines, facts = draw(word)
    return figure(lines, word("alt").format(**facts), word("caption"))
