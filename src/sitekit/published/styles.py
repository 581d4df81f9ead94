"""MkDocs hook: a page carries the rules that can apply to it, and waits for no style sheet.

Before anything is painted a browser would ask for four style sheets, and most of their rules apply
to nothing here. So each page has what is left of them in its head. A rule stays if one of its
selectors names only tags, classes, ids and attributes that the page has, or that scripts name, as
they set them when something is opened, found or copied. How names stand to each other is not looked
at, which keeps too much rather than too little. Then keyframes and variables go that no rule uses.
"""

import posixpath
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import tinycss2
from mkdocs.exceptions import PluginError

# what Material's script names and does not set: it asks for the direction of a page, and makes
# these only for features that mkdocs.yml does not name. While it sets the colours, also those of a
# page that opens, one rule for all elements stops their fading; here they never fade
NOT_SET = re.compile(
    r"rtl$|md-annotation|md-consent|md-feedback|md-source__|md-status|md-tag|md-tooltip|md-version"
    r"|data-md-color-switching|tabbed|mermaid"
)
# where a class of any element changes, all in it would get their style anew because of the first;
# the second is a class that Material's script sets for browsers that do not know the state
QUICK = {"table:not([class])": "table.data", ".focus-visible": ":focus-visible"}
FADING = {"color", "background-color", "border-color"}
# the marks in what the search finds
ANSWERS = "assets/search.js"
_LINKS = re.compile(r'(?:\s*<link rel="stylesheet" href="[^"]+">)+')
_HREF = re.compile(r'href="([^"]+)"')
_SCRIPT = re.compile(r"<script[^>]*>(.*?)</script>", re.DOTALL)
_SRC = re.compile(r'<script[^>]* src="([^"]+)"')
_NAME = re.compile(r"[\w-]+")
_QUOTED = re.compile(r"""(?<=["'`<])\w+(?=["'`>])""")
_VARIABLE = re.compile(r"--[\w-]+")
_FILE = re.compile(r"url\((?![\"']?data:)[^)]*\)")


class Names(HTMLParser):
    """What selectors can name of a page, as `p`, `.md-nav`, `#top`, `[dir` and `=ltr`."""

    def __init__(self, page: str):
        super().__init__()
        # readers open what is folded
        self.found = {"[open"}
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.add(tag)
        for name, value in attrs:
            self.found |= {f"[{name}", f"={value or ''}"}
            if name in ("id", "class"):
                kind = "#" if name == "id" else "."
                self.found |= {kind + word for word in (value or "").split()}


def named_by(script: str) -> set[str]:
    """The same of a script; a tag that it makes is a string of its own."""
    words = {word for word in _NAME.findall(script) if not NOT_SET.match(word)}
    return {kind + word for word in words for kind in ".#[="} | set(_QUOTED.findall(script))


def needs(selector: list) -> frozenset[str]:
    """The names that a selector needs all of; what stands in brackets is not looked at."""
    needed, before = set(), None
    for token in selector:
        if token.type == "ident" and before != ":":
            needed.add(f".{token.value}" if before == "." else token.lower_value)
        elif token.type == "hash":
            needed.add(f"#{token.value}")
        elif token.type == "[] block":
            name, *rest = (x for x in token.content if x.type != "whitespace")
            needed.add(f"[{name.value}")
            # where a part of a value is asked for, it is taken to be there
            if rest and rest[0] == "=":
                needed.add(f"={rest[1].value}")
        before = token
    return frozenset(needed)


@dataclass(frozen=True)
class Rule:
    """`selectors { declarations }`: a selector with its needs, a declaration with its name."""

    selectors: tuple[tuple[str, frozenset[str]], ...]
    declarations: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Group:
    """`@media … { rules }`"""

    head: str
    rules: tuple["Rule | Group | Whole", ...]


@dataclass(frozen=True)
class Whole:
    """`@keyframes name { … }`, or `@page { … }`, without a name."""

    name: str
    text: str


def written(tokens: Iterable) -> str:
    text = tinycss2.serialize([token for token in tokens if token.type != "comment"])
    return " ".join(text.split())


def value_of(declaration: tinycss2.ast.Declaration) -> str:
    if declaration.name != "transition":
        return written(declaration.value)
    each = [written(one) for one in divided(declaration.value)]
    return ",".join(one for one in each if one.split()[0] not in FADING) or "none"


def divided(tokens: list) -> Iterator[list]:
    """At commas."""
    one = []
    for token in tokens:
        if token == ",":
            yield one
            one = []
        else:
            one.append(token)
    yield one


def read(rules: list, name: str) -> Iterator[Rule | Group | Whole]:
    for rule in rules:
        keyword = rule.lower_at_keyword if rule.type == "at-rule" else None
        if rule.type == "qualified-rule":
            content = tinycss2.parse_blocks_contents(rule.content, True, True)
            if unread := [x for x in content if x.type != "declaration"]:
                raise PluginError(
                    f"{name}: {written(rule.prelude)} holds no declaration, but {unread[0]!r}; "
                    "a rule within a rule is not read: write it after the other"
                )
            yield Rule(
                tuple((written(one), needs(one)) for one in divided(rule.prelude)),
                tuple(
                    (x.name, f"{x.name}:{value_of(x)}{'!important' * x.important}") for x in content
                ),
            )
        elif keyword in ("media", "supports"):
            inner = tinycss2.parse_rule_list(rule.content, True, True)
            yield Group(f"@{keyword} {written(rule.prelude)}", tuple(read(inner, name)))
        elif keyword in ("keyframes", "page"):
            yield Whole(written(rule.prelude), written([rule]))
        elif keyword != "charset":
            raise PluginError(
                f"{name}: {rule!r} is neither a rule nor one of @media, @supports, @keyframes and "
                "@page; teach sitekit.published.styles to read it"
            )


@cache
def sheet(text: str, name: str) -> tuple[Rule | Group | Whole, ...]:
    if file := _FILE.search(text):
        raise PluginError(
            f"{name}: {file[0]} would be looked for beside each page; write it as a data: URL"
        )
    return tuple(read(tinycss2.parse_stylesheet(quick(text), True, True), name))


def quick(text: str) -> str:
    """A style sheet with selectors that browsers find faster."""
    for slow, fast in QUICK.items():
        text = text.replace(slow, fast)
    return text


def fitting(rules: Iterable, names: set[str]) -> Iterator[Rule | Group | Whole]:
    """The rules that can apply, with those of their selectors that can."""
    for rule in rules:
        if isinstance(rule, Whole):
            yield rule
        elif isinstance(rule, Group):
            yield Group(rule.head, tuple(fitting(rule.rules, names)))
        elif selectors := tuple(x for x in rule.selectors if x[1] <= names):
            yield Rule(selectors, rule.declarations)


def declared(rules: Iterable) -> Iterator[tuple[str, str]]:
    for rule in rules:
        if isinstance(rule, Group):
            yield from declared(rule.rules)
        elif isinstance(rule, Rule):
            yield from rule.declarations


def used(rules: list, said: str) -> set[str]:
    """All words that declarations use, those of variables only where the variable is used.

    What is said besides, by scripts and attributes, may use variables too.
    """
    found = set(_VARIABLE.findall(said))
    waiting = list(declared(rules))
    while True:
        ready = [text for name, text in waiting if name[:2] != "--" or name in found]
        if not ready:
            return found
        waiting = [x for x in waiting if x[0][:2] == "--" and x[0] not in found]
        for text in ready:
            found |= set(_NAME.findall(text.partition(":")[2]))


def told(rules: Iterable, names: set[str]) -> str:
    """Rules as CSS, without the variables and keyframes that are not among the names."""
    parts = []
    for rule in rules:
        if isinstance(rule, Whole):
            parts += [rule.text] if not rule.name or rule.name in names else []
        elif isinstance(rule, Group):
            inner = told(rule.rules, names)
            parts += [f"{rule.head}{{{inner}}}"] if inner else []
        else:
            kept = [text for name, text in rule.declarations if name[:2] != "--" or name in names]
            selectors = ",".join(text for text, _ in rule.selectors)
            parts += [f"{selectors}{{{';'.join(kept)}}}"] if kept else []
    return "".join(parts)


@cache
def script(file: Path) -> tuple[str, set[str]]:
    """What a script says, and the names in it."""
    text = file.read_text(encoding="utf-8")
    return text, named_by(text)


def on_pre_build(config):
    script.cache_clear()


def on_post_page(output, page, config):
    def files(found: Iterable[str]) -> list[Path]:
        return [Path(config.site_dir, posixpath.normpath(page.url + path)) for path in found]

    links = _LINKS.search(output)
    inline = " ".join(_SCRIPT.findall(output))
    names, said = Names(output).found | named_by(inline), output
    for file in [*files(_SRC.findall(output)), Path(config.site_dir, ANSWERS)]:
        text, named = script(file)
        names |= named
        said += text
    rules = [
        rule
        for file in files(_HREF.findall(links[0]))
        for rule in fitting(sheet(file.read_text(encoding="utf-8"), file.name), names)
    ]
    style = told(rules, used(rules, said))
    return f"{output[: links.start()]}\n<style>{style}</style>{output[links.end() :]}"


def on_post_build(config):
    """No page asks for them."""
    shutil.rmtree(Path(config.site_dir, "assets/stylesheets"))
    for file in Path(config.site_dir, "assets").glob("*.css"):
        file.unlink()
