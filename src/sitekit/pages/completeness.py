"""Finds what is missing or in the wrong place: pages, layers, links, languages.

MkDocs finds dead links too, but only while it builds, without their line, and not in the README
and in notebooks; the other rules are those of this site.
"""

import ast
import posixpath
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import files, version
from pathlib import Path

import autocorrect_py
from mkdocs.utils.yaml import yaml_load

from sitekit.pages import notebook as notebooks
from sitekit.pages.page import (
    CODE_SPAN,
    LANGUAGES,
    Line,
    Link,
    Page,
    PageError,
    Problem,
    Site,
    links_in,
)

# a line of Chinese for each public name
NAMES = Path("docs/shared/names.toml")

# pages that look things up or practise do not take the rhythm of a teaching page
NOT_TEACHING = ("index.md", "layers.md", "glossary.md", "cheatsheet.md", "changes.md")
WITHOUT_FIGURE = ("changes.md",)
REFERENCE = "reference"
RHYTHM = ("what-breaks", "sources", "next")

_CJK = r"\u3400-\u9fff"
_WIDE = "，。：；！？、（）「」《》"
_WORD = r"[A-Za-z][A-Za-z'’-]*"
_ENGLISH = re.compile(rf"(?:{_WORD}[\s,]+){{5}}{_WORD}")
_NO_SPACE = re.compile(rf"[{_CJK}][A-Za-z0-9`]|[A-Za-z0-9`][{_CJK}]")
_NARROW = re.compile(
    rf"[{_CJK}`][,;:?!]|[,;:?!]\s?[{_CJK}]|[{_CJK}]\.(?:\s|$)|[{_CJK}]\(|\)[{_CJK}]"
)
_KERAS = re.compile(
    r"https://github\.com/keras-team/keras/blob/v(?P<release>3[.\d]+)/(?P<path>[^#]+)"
)
_TARGET = re.compile(r"\]\([^)]+\)")
_SOURCE = re.compile(r"\[([^\]]+)\]\(https?:[^)]+\)")
_MARKUP = re.compile(r"\*\*|\*|\{\s*#[^}]*\}|!?\[|\]|<[^>]*>")


def problems(site: Site) -> list[Problem]:
    """Everything that a reader would miss, or not find where it belongs."""
    found = [*navigation(site), *layers(site), *reference(site), *shared(site)]
    for page in site.pages():
        try:
            found += links(site, page.path, page.links)
            found += [*rhythm(page), *silent(page), *language(page)]
        except PageError as error:
            found.append(error.problem)
    for code in LANGUAGES:
        for path in sorted(site.folder(code).rglob("*.ipynb")):
            try:
                found += notebook(site, path.relative_to(site.root), code)
            except PageError as error:
                found.append(error.problem)
    return found


def navigation(site: Site) -> Iterator[Problem]:
    """Each page is in the navigation, each entry is a page of both languages."""
    config = Path("mkdocs.yml")
    text = (site.root / config).read_text(encoding="utf-8")
    entries = Counter(_entries(yaml_load(text)["nav"]))
    listed = set(entries)
    for name in sorted(name for name, count in entries.items() if count > 1):
        yield Problem(config, _line_of(name, text), f"`nav` names {name} more than once")
    for code in LANGUAGES:
        folder = site.folder(code)
        pages = {
            str(path.relative_to(folder))
            for path in folder.rglob("*")
            if path.suffix in (".md", ".ipynb")
        }
        for name in sorted(pages - listed):
            yield Problem(Path("docs", code, name), 1, f"the page is not in `nav` of {config}")
        for name in sorted(listed - pages):
            message = f"`nav` names {name}, and docs/{code}/{name} is missing"
            yield Problem(config, _line_of(name, text), message)


def _line_of(name: str, text: str) -> int:
    return next(n for n, row in enumerate(text.splitlines(), 1) if row.endswith(f"- {name}"))


def _entries(nav) -> Iterator[str]:
    for entry in nav:
        values = entry.values() if isinstance(entry, dict) else [entry]
        for value in values:
            yield from [value] if isinstance(value, str) else _entries(value)


def layers(site: Site) -> Iterator[Problem]:
    """Each layer is exported, tested, listed with all others, and shown on a page."""
    package = site.root / "src/keras_masking"
    for path in sorted((package / "layers").glob("[!_]*.py")):
        place = path.relative_to(site.root)
        for name in _layer_classes(path):
            for init in (package / "layers/__init__.py", package / "__init__.py"):
                if name not in _imported(init):
                    where = init.relative_to(site.root)
                    yield Problem(place, 1, f"{name} is not exported by {where}")
            for code in LANGUAGES:
                catalogue = site.folder(code) / "layers.md"
                if catalogue.exists() and f"[`{name}`](" not in catalogue.read_text("utf-8"):
                    yield Problem(place, 1, f"docs/{code}/layers.md does not list {name}")
        test = Path("tests/layers", f"test_{path.name}")
        if not (site.root / test).exists():
            yield Problem(place, 1, f"the layer has no test: write {test}")
        include = f"copies/{path.name}"
        for code in LANGUAGES:
            shown = any(
                include == link.target
                for name in site.names(code)
                for link in site.page(code, name).includes
            )
            if not shown:
                yield Problem(place, 1, f"no page of docs/{code} includes {include}")


def reference(site: Site) -> Iterator[Problem]:
    """Each public name is documented in both languages, and has its line of Chinese."""
    package = Path("src/keras_masking/__init__.py")
    public = _imported(site.root / package)
    for code in LANGUAGES:
        pages = [site.page(code, name) for name in site.names(code)]
        documented = {name for page in pages for name in page.documented}
        for name in sorted(public):
            if f"keras_masking.{name}" not in documented:
                message = (
                    f"no page of docs/{code} documents {name}: write `::: keras_masking.{name}`"
                )
                yield Problem(package, 1, message)
    text = (site.root / NAMES).read_text(encoding="utf-8")
    lines = tomllib.loads(text)
    for name in sorted(public - set(lines)):
        yield Problem(NAMES, 1, f"{name} has no line of Chinese here")
    for name in sorted(set(lines) - public):
        yield Problem(NAMES, 1, f"{name} is not a public name of the package")
    for number, row in enumerate(text.splitlines(), 1):
        for message in chinese(row.partition('"')[2].rpartition('"')[0]):
            yield Problem(NAMES, number, message)


def _layer_classes(path: Path) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
    return [name for name in names if not name.startswith("_")]


def _imported(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    names = {alias.asname or alias.name for node in imports for alias in node.names}
    return {name for name in names if not name.startswith("_")}


def shared(site: Site) -> Iterator[Problem]:
    """Each figure and table is shown by a page of its language."""
    for code in LANGUAGES:
        folder = site.root / "docs/shared" / code
        used = {link.target for name in site.names(code) for link in site.page(code, name).includes}
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            if str(path.relative_to(folder)) not in used:
                place = path.relative_to(site.root)
                yield Problem(place, 1, f"no page of docs/{code} includes it: show or remove it")


def links(site: Site, path: Path, found: Iterable[Link]) -> Iterator[Problem]:
    """Each link inside the sources leads to a file, and to a heading that is there."""
    for link in found:
        if link.external:
            for message in external(link.target):
                yield Problem(path, link.line, message)
            continue
        target, _, anchor = link.target.partition("#")
        goal = Path(posixpath.normpath(path.parent / target)) if target else path
        if not (site.root / goal).exists():
            message = f"dead link {link.target!r}: there is no {goal}"
            yield Problem(path, link.line, message)
        elif anchor and anchor not in _anchors(site, goal):
            message = f"dead link {link.target!r}: {goal} has no heading with id {anchor!r}"
            yield Problem(path, link.line, message)


def external(target: str) -> Iterator[str]:
    """What can be told of an address without opening it."""
    if target.startswith("http://") and not target.startswith("http://127.0.0.1"):
        yield f"{target} is not encrypted: write https"
    if source := _KERAS.match(target):
        if source["release"] != version("keras"):
            yield f"{target} is not the release of the lock, {version('keras')}"
        elif source["path"] not in _keras_sources():
            yield f"dead link {target!r}: Keras {version('keras')} has no {source['path']}"


@cache
def _keras_sources() -> set[str]:
    return {str(path) for path in files("keras")}


def _anchors(site: Site, path: Path) -> set[str]:
    if path.suffix == ".ipynb":
        return {cell.id for cell in notebooks.read(site, path).cells if cell.text.startswith("#")}
    return {heading.id for heading in Page(site, path, None).headings}


def rhythm(page: Page) -> Iterator[Problem]:
    """A teaching page shows a figure, what breaks, its sources and where to go next."""
    if page.language is None or page.path.parent.name == REFERENCE:
        return
    shows = any(include.target.startswith("figures/") for include in page.includes)
    if not shows and page.path.name not in WITHOUT_FIGURE:
        yield page.problem(1, "the page shows no figure of a mask")
    if page.path.name in NOT_TEACHING:
        return
    for id in RHYTHM:
        if id not in {heading.id for heading in page.headings}:
            yield page.problem(1, f"the page lacks a section {{ #{id} }}")


def silent(page: Page) -> Iterator[Problem]:
    """A block prints what it shows, but for a file, which is included or has its name as title."""
    for block in page.blocks:
        if not (block.output or "title" in block.fence.options or _included(page, block.fence)):
            yield page.problem(
                block.line,
                "the block has no output, so it shows nothing: print what it shows and run "
                'make fix, or name the file that it is with title="…"',
            )


def language(page: Page) -> Iterator[Problem]:
    """No heading, sentence or comment of one language is in the other's page."""
    if page.language is None:
        return
    comments = [
        Line(comment, line.number)
        for fence in page.fences
        if fence.language in ("python", "sh") and not _included(page, fence)
        for line in fence.lines
        if (comment := _comment(line.text))
    ]
    number = next((n for n, row in enumerate(page.source, 1) if row.startswith("description:")), 1)
    description = Line(str(page.front_matter.get("description", "")), number)
    yield from _foreign(page.path, page.language, [*page.prose, description], comments)
    if page.language == "zh":
        for line in autocorrect_py.lint_for("\n".join(page.source), "md").lines:
            yield page.problem(line.line, f"write {line.new.strip()!r}")


def notebook(site: Site, path: Path, code: str) -> Iterator[Problem]:
    """As for pages; the number of the cell stands for the line."""
    read = notebooks.read(site, path)
    prose, comments = [Line(read.description, 1)], []
    for cell in read.cells:
        rows = [Line(row, cell.number) for row in cell.text.splitlines()]
        if cell.kind == "code":
            comments += [Line(_comment(row.text), row.number) for row in rows]
            prose.append(Line(cell.alt, cell.number))
            for label in cell.labels if code == "zh" else ():
                if re.search("[A-Za-z]{3}", label):
                    message = f"write the label {label!r} of this plot in Chinese"
                    yield Problem(path, cell.number, message)
        else:
            prose += rows
        if cell.outputs:
            yield Problem(path, cell.number, "the build runs this cell: remove its stored output")
    yield from links(site, path, links_in(prose))
    yield from _foreign(path, code, prose, comments)


def _comment(text: str) -> str:
    return text.partition("#")[2].strip()


def _included(page: Page, fence) -> bool:
    return any(fence.line < include.line < fence.end for include in page.includes)


def _foreign(path: Path, code: str, prose: list[Line], comments: list[Line]) -> Iterator[Problem]:
    check = english if code == "en" else chinese
    for line in prose + comments:
        for message in check(line.text):
            yield Problem(path, line.number, message)
    for line in prose if code == "zh" else ():
        for message in untranslated(line.text):
            yield Problem(path, line.number, message)


def english(text: str) -> Iterator[str]:
    if found := re.search(f"[{_CJK}{_WIDE}]+", CODE_SPAN.sub("", text)):
        yield f"Chinese in an English page: {found[0]!r}"


def chinese(text: str) -> Iterator[str]:
    """English sentences, and the typography that a command can check."""
    bare = _MARKUP.sub("", _TARGET.sub("]", text))
    prose = CODE_SPAN.sub("`x`", bare)
    if (found := _ENGLISH.search(CODE_SPAN.sub("", bare))) and not _is_title(text, found[0]):
        yield f"English in a Chinese page: {found[0]!r}"
    if found := _NO_SPACE.search(prose):
        yield f"put a space between Chinese and Latin: {found[0]!r} in {bare.strip()[:40]!r}"
    if found := _NARROW.search(prose):
        yield f"use full-width punctuation: {found[0]!r} in {bare.strip()[:40]!r}"


def _is_title(text: str, found: str) -> bool:
    """The title of a source may stay as it is, as the text of a link to it."""
    return any(found in title for title in _SOURCE.findall(text))


def untranslated(text: str) -> Iterator[str]:
    """A heading, or a line of several words, without a Chinese character.

    The cells of a table may be names, and the title of a source stays as it is.
    """
    if re.search(f"[{_CJK}]", text) or text.startswith("|"):
        return
    words = re.findall(r"[A-Za-z]{2,}", _MARKUP.sub("", CODE_SPAN.sub("", _SOURCE.sub("", text))))
    if text.startswith("#") or (len(words) > 2 and not _ENGLISH.search(text)):
        yield f"write this in Chinese: {text.strip()!r}"
