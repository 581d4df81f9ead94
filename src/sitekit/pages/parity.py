"""Compares the two languages: only prose, and comments in code, may differ.

Tools that hold translations together keep them in catalogues of sentences (gettext, po4a); here
both pages are written, and are alike in all but their sentences.
"""

import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sitekit.pages import notebook
from sitekit.pages.page import (
    CODE_SPAN,
    LANGUAGES,
    Fence,
    Line,
    Page,
    PageError,
    Problem,
    Site,
    links_in,
)


@dataclass(frozen=True)
class Part:
    """Something that both languages must share, and the line where it is."""

    what: str
    value: object
    line: int


def problems(site: Site) -> list[Problem]:
    """Every difference between the languages, with the place in both."""
    first, second = LANGUAGES
    found = []
    names = {language: files(site, language) for language in LANGUAGES}
    for here, there in ((first, second), (second, first)):
        for name in sorted(names[here] - names[there]):
            path = Path("docs", here, name)
            found.append(Problem(path, 1, f"docs/{there}/{name} is missing"))
    comparisons = {".md": compare_pages, ".ipynb": compare_notebooks}
    for name in sorted(names[first] & names[second]):
        if compare := comparisons.get(Path(name).suffix):
            found += compare(site, name)
    return found


def files(site: Site, language: str) -> set[str]:
    folder = site.folder(language)
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def compare_pages(site: Site, name: str) -> list[Problem]:
    one, other = (site.page(language, name) for language in LANGUAGES)
    try:
        found = [problem for page in (one, other) for problem in ids(page)]
        return found + compare(one.path, parts(one), other.path, parts(other))
    except PageError as error:
        return [error.problem]


def ids(page: Page) -> Iterator[Problem]:
    """Each heading has an id of its own, in ASCII; the first one that of the page."""
    seen = set()
    for heading in page.headings:
        if not heading.id or not re.fullmatch(r"[a-z][a-z0-9-]*", heading.id):
            message = f"heading {heading.text!r} needs an id in ASCII, such as {{ #some-id }}"
            yield page.problem(heading.line, message)
        elif heading.id in seen:
            yield page.problem(heading.line, f"the id {heading.id!r} stands here a second time")
        seen.add(heading.id)
    titles = [heading for heading in page.headings if heading.level == 1]
    if len(titles) != 1 or titles[0].id != page.path.stem:
        line = titles[-1].line if titles else 1
        message = f"a page has one title, `# … {{ #{page.path.stem} }}`, with its own name as id"
        yield page.problem(line, message)
    if not isinstance(page.front_matter.get("description"), str):
        yield page.problem(1, "the page needs a front matter with `description: …`, a text")


def parts(page: Page) -> list[Part]:
    """What both languages share, in the order of the page."""
    found = [Part("heading", ("#" * h.level, h.id), h.line) for h in page.headings]
    found += [Part("include", include.target, include.line) for include in page.includes]
    found += [Part("link", link.target, link.line) for link in page.links]
    for fence in page.fences:
        kind = "output" if fence.language == "output" else "block"
        found.append(Part(kind, (fence.language, fence.options, shared_code(fence)), fence.line))
    for line in page.prose:
        if line.text.startswith("|"):
            found.append(Part("table row with cells", line.text.count("|") - 1, line.number))
    found += passages(page.prose)
    return sorted(found, key=lambda part: part.line)


def passages(lines: list[Line]) -> list[Part]:
    """Paragraphs, list items, cells and the like, each with what no language changes."""
    found, texts, before = [], [], Line("", 0)
    for line in lines:
        text, follows = line.text, before.text.strip() and before.number == line.number - 1
        before = line
        if match := _OPENS.match(text):
            kind = _KINDS[match["marks"].strip()[0]]
            marks = ""
            if kind == "list item":  # how far in, and whether it is counted
                marks = match["marks"]
            elif kind == "admonition":
                marks = match["marks"].split()[-1]
            cells = text.strip().strip("|").split("|") if kind == "cell" else [text[match.end() :]]
            texts += [(kind, marks, [cell], line.number) for cell in cells]
        elif text.strip() and follows and texts and texts[-1][0] not in ("title", "cell"):
            texts[-1][2].append(text)
        elif text.strip():
            texts.append(("paragraph", "", [text], line.number))
    for kind, marks, text, number in texts:
        found.append(Part(kind, (marks, *common(" ".join(text))), number))
    return found


_OPENS = re.compile(r"(?P<marks>\||#{1,6}\s|\s*(?:[-*+]|\d+\.)\s|\s*(?:!!!|\?\?\?\+?)\s+\w+|>\s)")
_KINDS = {"|": "cell", "#": "title", "!": "admonition", "?": "admonition", ">": "quote"} | (
    dict.fromkeys("-*+0123456789", "list item")
)
_NO_PROSE = re.compile(r"\{[^}]*\}|(?<=\])\([^)]*\)|<[^>]*>|(?<=\d),(?=\d{3})")


def common(text: str) -> tuple[set[str], set[str], int]:
    """Code and numbers in a text, and how often it stresses something."""
    code = {match["code"].strip() for match in CODE_SPAN.finditer(text)}
    prose = _NO_PROSE.sub("", CODE_SPAN.sub(" ", text))
    numbers = set(re.findall(r"\d+(?:\.\d+)*%?", prose))
    return code, numbers, len(re.findall(r"\*\*\S.*?\*\*", prose))


def shared_code(fence: Fence) -> str:
    if fence.language == "python":
        return without_comments(fence.code)
    if fence.language == "sh":
        return re.sub(r"^[ \t]*#.*\n", "", fence.code, flags=re.MULTILINE)
    return fence.code


def without_comments(code: str) -> str:
    """The code with its comments removed; as it is, where it is not Python."""
    lines: list[str | None] = [*code.splitlines()]
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(code).readline))
    except (tokenize.TokenError, SyntaxError):
        return code
    for token in tokens:
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column].rstrip() or None
    return "\n".join(line for line in lines if line is not None)


def compare(one: Path, ours: list[Part], other: Path, theirs: list[Part]) -> list[Problem]:
    """The first difference of each kind: what follows it is mostly its consequence."""
    found = []
    for what in dict.fromkeys(part.what for part in ours + theirs):
        mine = [part for part in ours if part.what == what]
        yours = [part for part in theirs if part.what == what]
        for left, right in zip(mine, yours, strict=False):
            if left.value != right.value:
                message = f"{what} differs from {other}:{right.line}: {told(left, right)}"
                found.append(Problem(one, left.line, message))
                break
        else:
            extra, path, lacking = (
                (mine[len(yours) :], one, other)
                if len(mine) > len(yours)
                else (yours[len(mine) :], other, one)
            )
            if extra:
                near = (yours if path == one else mine)[-1:]
                where = f"{lacking}:{near[0].line if near else 1}"
                message = f"{what} has no counterpart in {where}: {extra[0].value}"
                found.append(Problem(path, extra[0].line, message))
    return found


def told(left: Part, right: Part) -> str:
    if left.what in {"paragraph", *_KINDS.values()}:
        names = ("the marks", "code", "numbers", "stress")
        for name, mine, yours in zip(names, left.value, right.value, strict=True):
            if isinstance(mine, set) and mine != yours:
                ours, theirs = (
                    ", ".join(sorted(x)) or "none" for x in (mine - yours, yours - mine)
                )
                return f"{name} {ours} against {theirs}"
            if mine != yours:
                return f"{name} {mine} against {yours}"
    if left.what not in ("block", "output"):
        return f"{left.value} against {right.value}"
    for mine, yours in zip(left.value, right.value, strict=True):
        if mine != yours and isinstance(mine, str):
            ours, theirs = mine.splitlines(), yours.splitlines()
            for a, b in zip([*ours, "(end)"], [*theirs, "(end)"], strict=False):
                if a != b:
                    return f"{a.strip()!r} against {b.strip()!r}"
        if mine != yours:
            return f"{mine} against {yours}"
    raise AssertionError("the parts are equal")


def compare_notebooks(site: Site, name: str) -> list[Problem]:
    one, other = (Path("docs", language, name) for language in LANGUAGES)
    try:
        ours, theirs = (notebook.read(site, path).cells for path in (one, other))
    except PageError as error:
        return [error.problem]
    return compare(one, list(cell_parts(ours, theirs)), other, list(cell_parts(theirs, ours)))


def cell_parts(cells: list[notebook.Cell], others: list[notebook.Cell]) -> Iterator[Part]:
    """The parts of a notebook; the number of its cell stands for a line.

    What a plot says in Chinese is what `others`, in the other language, say in its place.
    """
    there = {cell.id: cell for cell in others}
    for cell in cells:
        yield Part("cell", (cell.kind, cell.id), cell.number)
        if cell.kind == "code":
            text = cell.labelled_as(there.get(cell.id, cell))
            yield Part("code", without_comments(text), cell.number)
            yield Part("text alternative", bool(cell.alt), cell.number)
        else:
            levels = tuple(re.findall(r"^#+(?=\s)", cell.text, re.MULTILINE))
            yield Part("headings", levels, cell.number)
            targets = tuple(link.target for link in links_in([Line(cell.text, cell.number)]))
            yield Part("links", targets, cell.number)
