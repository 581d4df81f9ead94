"""Reads the pages: blocks, headings, links and includes, each with its line in the source.

Includes are expanded by the preprocessor that the site itself uses, one include at a time, so
that every expanded line still knows the line of the page it came from. What stands in a page is
found line by line, since no parser of Markdown reads these extensions and keeps the lines: the one
of the site forgets them, and those that keep them follow other rules.
"""

import hashlib
import json
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import markdown
import yaml
from mkdocs.utils.meta import YAML_RE
from pymdownx.snippets import SnippetExtension, SnippetMissingError

LANGUAGES = ("en", "zh")
RUN = ("python", "sh")
COLUMNS = 76  # that a page shows beside its contents, on a desktop
SHOWN = ("console", "text", "toml", "yaml", "json", "html")
# of those, what has a grammar
READ = {"toml": tomllib.loads, "yaml": yaml.safe_load, "json": json.loads}

_FENCE = re.compile(r"^(?P<indent>\s*)(?P<marks>`{3,}|~{3,})(?P<info>.*)$")
_BRACES = re.compile(r"^\{\s*\.?(?P<language>[\w+-]+)(?P<options>.*)\}$")
_OPTION = re.compile(r'([\w-]+)="([^"]*)"')
_HEADING = re.compile(r"^(?P<level>#{1,6})\s+(?P<text>.*?)(?:\s+\{\s*#(?P<id>[^\s}]+)\s*\})?\s*$")
_LINK = re.compile(
    r"\[(?P<text>(?:[^\[\]]|\[[^\]]*\])*)\]\((?P<target>[^)\s]+)(?:\s+\"[^\"]*\")?\)"
)
_DOCUMENTED = re.compile(r"::: (?P<name>[\w.]+)$")
_INCLUDE = re.compile(r'^\s*-+8<-+\s+"(?P<path>[^"]+)"\s*$')
CODE_SPAN = re.compile(r"(`+)(?P<code>.+?)\1")


@dataclass(frozen=True)
class Problem:
    """Something to mend, and the place where."""

    path: Path
    line: int
    message: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.message}"


@dataclass(frozen=True)
class Line:
    """A line of the expanded page and the line of the source that it comes from."""

    text: str
    number: int


@dataclass(frozen=True)
class Fence:
    """A fenced block; `line` is that of its first mark, `lines` are what it holds."""

    language: str
    options: dict[str, str]
    line: int
    end: int
    indent: str
    lines: tuple[Line, ...]

    @property
    def code(self) -> str:
        return "".join(line.text + "\n" for line in self.lines)


@dataclass(frozen=True)
class Block:
    """A block that runs, with the output that the page shows under it."""

    path: Path
    fence: Fence
    output: Fence | None

    @property
    def code(self) -> str:
        return self.fence.code

    @property
    def line(self) -> int:
        return self.fence.line

    @property
    def name(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(frozen=True)
class Heading:
    level: int
    text: str
    id: str | None
    line: int


@dataclass(frozen=True)
class Link:
    text: str
    target: str
    line: int

    @property
    def external(self) -> bool:
        return "://" in self.target or self.target.startswith("mailto:")


class PageError(ValueError):
    """A page that cannot be read; holds the problem."""

    def __init__(self, problem: Problem):
        super().__init__(str(problem))
        self.problem = problem


@dataclass(frozen=True)
class Site:
    """A tree with `docs/en`, `docs/zh`, `docs/shared`, `src`, `tests` and `mkdocs.yml`."""

    root: Path

    def folder(self, language: str) -> Path:
        return self.root / "docs" / language

    def names(self, language: str) -> list[str]:
        folder = self.folder(language)
        return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.md"))

    def page(self, language: str, name: str) -> "Page":
        return Page(self, Path("docs") / language / name, language)

    def pages(self) -> Iterator["Page"]:
        """Every page of both languages, then the README."""
        for language in LANGUAGES:
            for name in self.names(language):
                yield self.page(language, name)
        if (self.root / "README.md").exists():
            yield Page(self, Path("README.md"), None)


@dataclass(frozen=True)
class Page:
    """One Markdown file; `path` is relative to the site's root."""

    site: Site
    path: Path
    language: str | None

    @property
    def file(self) -> Path:
        return self.site.root / self.path

    @cached_property
    def source(self) -> list[str]:
        return self.file.read_text(encoding="utf-8").split("\n")

    def problem(self, line: int, message: str) -> Problem:
        return Problem(self.path, line, message)

    @cached_property
    def front_matter(self) -> dict:
        """What comes before the page, by the rules of MkDocs, which shows it to readers as
        text where it is wrong.

        Raises:
            PageError: it is never closed, or no mapping of YAML.
        """
        if self.source[0].rstrip() != "---":
            return {}
        if not self._front:
            raise PageError(self.problem(1, "this front matter is never closed: end it with `---`"))
        try:
            data = yaml.safe_load(self._front[1])
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 2
            message = f"this front matter is no YAML: {error.problem}; does a text want quotes?"
            raise PageError(self.problem(line, message)) from None
        if not isinstance(data, dict):
            message = f"a front matter is lines of `key: value`, and this is {data!r}"
            raise PageError(self.problem(2, message))
        return data

    @cached_property
    def _front(self) -> re.Match | None:
        return YAML_RE.match("\n".join(self.source))

    @cached_property
    def lines(self) -> list[Line]:
        """The page with its includes expanded."""
        preprocessor = self._snippets()
        lines = []
        for number, text in enumerate(self.source, 1):
            try:
                expanded = preprocessor.parse_snippets([text]) if "8<" in text else [text]
            except SnippetMissingError as error:
                raise PageError(self.problem(number, f"include not found: {error}")) from None
            lines += [Line(line, number) for line in expanded]
        return lines

    def _snippets(self):
        shared = self.site.root / "docs/shared"
        md = markdown.Markdown()
        SnippetExtension(
            base_path=[
                str(self.site.root / "src"),
                str(shared / (self.language or "en")),
                str(shared),
            ],
            check_paths=True,
            dedent_subsections=True,
        ).extendMarkdown(md)
        preprocessor = md.preprocessors["snippet"]
        preprocessor.seen = set()
        return preprocessor

    @cached_property
    def includes(self) -> list[Link]:
        return [
            Link("", match["path"], number)
            for number, text in enumerate(self.source, 1)
            if (match := _INCLUDE.match(text))
        ]

    @cached_property
    def documented(self) -> list[str]:
        """The names whose docstrings the page shows."""
        return [match["name"] for text in self.source if (match := _DOCUMENTED.match(text))]

    @cached_property
    def fences(self) -> list[Fence]:
        fences, lines = [], iter(self.lines)
        for line in lines:
            if not (match := _FENCE.match(line.text)):
                continue
            inside, marks, indent = [], match["marks"], match["indent"]
            for inner in lines:
                closing = inner.text.strip()
                if set(closing) == {marks[0]} and len(closing) >= len(marks):
                    language, options = _info(match["info"].strip())
                    fences.append(
                        Fence(language, options, line.number, inner.number, indent, tuple(inside))
                    )
                    break
                inside.append(Line(inner.text.removeprefix(indent), inner.number))
            else:
                raise PageError(self.problem(line.number, "this fence is never closed"))
        return fences

    @cached_property
    def blocks(self) -> list[Block]:
        """The blocks that run, each with the output fence directly under it."""
        blocks = []
        for fence, after in zip(self.fences, [*self.fences[1:], None], strict=False):
            if fence.language in RUN:
                directly = after and not "".join(self.source[fence.end : after.line - 1]).strip()
                output = after if directly and after.language == "output" else None
                blocks.append(Block(self.path, fence, output))
        return blocks

    @cached_property
    def prose(self) -> list[Line]:
        """The lines outside front matter, fences, includes and what names a docstring."""
        fenced = {n for fence in self.fences for n in range(fence.line, fence.end + 1)}
        named: set[int] = set()
        for number, text in enumerate(self.source, 1):
            if _DOCUMENTED.match(text) or (text.startswith("    ") and number - 1 in named):
                named.add(number)
        start = self._front[0].count("\n") if self.front_matter else 0
        return [
            Line(text, number)
            for number, text in enumerate(self.source, 1)
            if number > start and number not in fenced | named and not _INCLUDE.match(text)
        ]

    @cached_property
    def headings(self) -> list[Heading]:
        return [
            Heading(len(match["level"]), match["text"], match["id"], line.number)
            for line in self.prose
            if (match := _HEADING.match(line.text))
        ]

    @cached_property
    def links(self) -> list[Link]:
        return list(links_in(self.prose))

    def problems(self) -> list[Problem]:
        """Fences that nobody would check, and code that is not fenced at all."""
        try:
            fences, prose = self.fences, self.prose
        except PageError as error:
            return [error.problem]
        found = []
        outputs = [block.output for block in self.blocks]
        for fence in fences:
            for number in range(fence.line + 1, fence.end) if fence.language in RUN else ():
                if len(self.source[number - 1]) > COLUMNS:
                    message = f"a line of more than {COLUMNS} columns does not fit: break it"
                    found.append(self.problem(number, message))
            if fence.language == "output":
                if fence not in outputs:
                    message = "an output stands directly under its block, and here is none"
                    found.append(self.problem(fence.line, message))
            elif fence.language not in RUN + SHOWN:
                label = fence.language or "no language"
                found.append(
                    self.problem(
                        fence.line,
                        f"a fence of {label} is never checked; use one of "
                        f"{', '.join((*RUN, 'output', *SHOWN))}",
                    )
                )
            if fence.language in READ:
                try:
                    READ[fence.language](fence.code)
                except (ValueError, yaml.YAMLError) as error:
                    message = f"this is no {fence.language}: {' '.join(str(error).split())}"
                    found.append(self.problem(fence.line, message))
            known = set() if fence.language == "output" else {"title", "hl_lines"}
            unknown = set(fence.options) - known
            if unknown:
                names = ", ".join(sorted(unknown))
                found.append(self.problem(fence.line, f"unknown fence option: {names}"))
        inside_list = False
        for before, line in zip([Line("", 0), *prose], prose, strict=False):
            if line.text and not line.text.startswith(" "):
                inside_list = bool(re.match(r"([-*+]|\d+\.|!!!|\?\?\?|===|\[\^)", line.text))
            elif line.text.startswith("    ") and not before.text.strip() and not inside_list:
                found.append(self.problem(line.number, "indented code is never checked; fence it"))
        return found


def block_id(code: str) -> str:
    """What names a block: the same code has the same in both languages."""
    return hashlib.sha256(code.rstrip().encode()).hexdigest()[:16]


def links_in(lines: Iterable[Line]) -> Iterator[Link]:
    for line in lines:
        for match in _LINK.finditer(CODE_SPAN.sub(lambda m: "`" * len(m[0]), line.text)):
            yield Link(match["text"], match["target"], line.number)


def _info(info: str) -> tuple[str, dict[str, str]]:
    if match := _BRACES.match(info):
        return match["language"], dict(_OPTION.findall(match["options"]))
    language, _, options = info.partition(" ")
    known = dict(_OPTION.findall(options))
    rest = _OPTION.sub("", options).split()
    return language, {**known, **dict.fromkeys(rest, "")}
