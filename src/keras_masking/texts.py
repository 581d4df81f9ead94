"""The texts of the tools, in English and Chinese, from one catalogue."""

import tomllib
from collections.abc import Callable
from functools import cache
from importlib.resources import files

LANGUAGES = ("en", "zh")

Words = Callable[..., str]


def words(section: str, language: str) -> Words:
    """The texts of a section in a language: `word(key, **details)` fills in what is in braces.

    A detail that is not given reads `?`, so that a report never fails for want of a word.

    Raises:
        ValueError: the language is not one of `LANGUAGES`.
        KeyError: from `word`, the catalogue lacks the key.
    """
    if language not in LANGUAGES:
        raise ValueError(
            f"language is {language!r}; the texts are in English and Chinese. "
            f"Use one of {', '.join(map(repr, LANGUAGES))}."
        )
    texts = catalogue()[section]

    def word(key: str, **details: object) -> str:
        if key not in texts:
            raise KeyError(f"texts.toml: [{section}] lacks {key!r}")
        return texts[key][language].format_map(_Details(details))

    return word


@cache
def catalogue() -> dict[str, dict[str, dict[str, str]]]:
    return tomllib.loads(files("keras_masking").joinpath("texts.toml").read_text("utf-8"))


class _Details(dict):
    def __missing__(self, key: str) -> str:
        return "?"
