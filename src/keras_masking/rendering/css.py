"""The style sheets that go into a fragment or a picture."""

import re
from functools import cache
from importlib.resources import files


@cache
def styled(name: str) -> str:
    """A style sheet, stronger than what a notebook or a theme says of tables and pictures, and
    without blank lines: they would end a piece of HTML inside Markdown."""
    style = files("keras_masking.rendering").joinpath(name).read_text("utf-8")
    strong = re.sub(r"\.keras-masking(-picture)?", r"\g<0>:not(#_)", style)
    return re.sub(r"\n\n+", "\n", strong)
