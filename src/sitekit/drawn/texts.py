"""The texts of figures and tables, from docs/shared/texts.toml.

A text is beside its translation there; gettext keeps each language in a file of its own, with
the English text for a key.
"""

import tomllib
from collections.abc import Callable
from functools import cache

from sitekit import ROOT

TEXTS = ROOT / "docs/shared/texts.toml"

Words = Callable[[str], str]


class TextError(LookupError):
    """A text that the catalogue lacks."""


@cache
def catalogue() -> dict:
    return tomllib.loads(TEXTS.read_text(encoding="utf-8"))


def words(section: str, language: str) -> Words:
    """The texts of one section in one language, by key.

    Raises:
        TextError: docs/shared/texts.toml lacks the key in this language.
    """

    def word(key: str) -> str:
        try:
            return catalogue()[section][key][language]
        except KeyError:
            raise TextError(f"{TEXTS.name}: [{section}] lacks {key!r} in {language!r}") from None

    return word
