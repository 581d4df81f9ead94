"""Griffe extension: what the reference shows beside a docstring.

A layer is made with the arguments of the layer of Keras that it takes the place of, which stand in
no file here. In Chinese each public name has a line of its own in front of the English docstring.
"""

import json
import os
import re
import tomllib
from textwrap import dedent

import griffe

from sitekit import ROOT
from sitekit.drawn.copies import SIGNATURES
from sitekit.pages.completeness import NAMES

TITLES = {
    "en": {"Call arguments": "Call arguments:", "Returns": "Returns:"},
    "zh": {"Call arguments": "调用参数：", "Returns": "返回："},
}
_RETURNS = re.compile(r"^Returns:\n((?:    .*\n?|\n)+)", re.MULTILINE)


class Reference(griffe.Extension):
    def __init__(self):
        language = os.environ.get("SITE_LANGUAGE", "en")
        self.titles = TITLES[language]
        chinese = tomllib.loads((ROOT / NAMES).read_text(encoding="utf-8"))
        self.lines = chinese if language == "zh" else {}
        signatures = json.loads((ROOT / SIGNATURES).read_text(encoding="utf-8"))
        self.signatures = {made.partition("(")[0]: made for made in signatures.values()}

    def on_instance(self, *, obj: griffe.Object, **kwargs) -> None:
        if obj.docstring is None or obj.name.startswith("_"):
            return
        text = obj.docstring.value
        if obj.is_class:
            # what a class returns when it is called has no annotation to stand behind
            title = self.titles["Returns"]
            text = _RETURNS.sub(lambda found: f"**{title}**\n\n{dedent(found[1])}\n", text)
            title = self.titles["Call arguments"]
            text = text.replace("Call arguments:\n", f"Other Parameters: {title}\n")
        if obj.name in self.lines and obj.parent.is_module:
            text = f"{self.lines[obj.name]}\n\n{text}"
        obj.docstring.value = text

    def on_class(self, *, cls: griffe.Class, **kwargs) -> None:
        if made := self.signatures.get(cls.name):
            init = griffe.visit("made", ROOT, f"def {made}: ...")[cls.name]
            init.name = "__init__"
            cls.set_member("__init__", init)
