"""messages.md has every sentence about masks that Keras and tf_keras can print."""

import ast
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from sitekit.pages.page import LANGUAGES

MASK = re.compile(r"mask|padded", re.IGNORECASE)
# values follow it, and the page has those of its own examples
VALUES = re.compile(r"(Input )?[Rr]eceived")
PRINTS = re.compile(r"(^|\.)(warn|warning|Assert|assert_\w+|print_msg)$")

IMAGES = "of images: masks of segmentation, not of steps"
UNREACHED = "no layer gets there: a list has no dtype, and that error comes first"
TESTS = "of the tools that Keras tests itself with"
EXCEPTIONS = {
    "keras": {
        "`segmentation_masks` must be in integer dtype": IMAGES,
        "mask_t is expected to be tensor": UNREACHED,
        "In order to use expected_mask_shape": TESTS,
    },
    "tf_keras": {
        "mask_t is expected to be tensor": UNREACHED,
        "When testing layer %s, the `supports_masking`": TESTS,
    },
}


def sentences(tree: ast.AST) -> list[tuple[int, list[str]]]:
    """The line and the invariable parts of each message about masks that a module prints.

    A message is a text in what is raised, warned of or asserted, or the value of a name that
    stands there.
    """
    printed = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and node.exc:
            printed.append(node.exc)
        elif isinstance(node, ast.Call) and PRINTS.search(ast.unparse(node.func)):
            printed += [*node.args, *(keyword.value for keyword in node.keywords)]
    names = {name.id for node in printed for name in ast.walk(node) if isinstance(name, ast.Name)}
    for node in ast.walk(tree):
        if isinstance(node, (ast.Assign, ast.AugAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if names & {target.id for target in targets if isinstance(target, ast.Name)}:
                printed.append(node.value)
    found = {}
    for root in printed:
        for line, parts in _texts(root):
            if MASK.search("".join(parts)) and " " in "".join(parts).strip():
                found[line, *parts] = line, parts
    return list(found.values())


def _texts(node: ast.AST) -> list[tuple[int, list[str]]]:
    """Texts, each as its parts between what is filled in."""
    if isinstance(node, ast.JoinedStr):
        parts = [value.value for value in node.values if isinstance(value, ast.Constant)]
        return [(node.lineno, parts)]
    if isinstance(node, ast.Constant):
        return [(node.lineno, [node.value])] if isinstance(node.value, str) else []
    return [text for child in ast.iter_child_nodes(node) for text in _texts(child)]


def flat(text: str) -> str:
    return " ".join(text.split())


def missing(root: Path, pages: list[str], exceptions: dict[str, str]) -> list[str]:
    """Each message of a package that a page lacks and nothing excuses, with its place."""
    found, used = [], set()
    for path in sorted(root.rglob("*.py")):
        if path.name.endswith("_test.py"):
            continue
        for line, parts in sentences(ast.parse(path.read_text(encoding="utf-8"))):
            excuse = {known for known in exceptions if known in flat("".join(parts))}
            used |= excuse
            text = VALUES.split(flat("…".join(parts)))[0]
            # a few letters between two values could be anywhere
            told = [part.strip() for part in text.split("…") if len(part.strip()) >= 12]
            if not excuse and not all(part in page for part in told for page in pages):
                found.append(f"{path.relative_to(root)}:{line}: {text}")
    return found + [f"no message says {known!r} any more" for known in set(exceptions) - used]


@pytest.mark.parametrize("package", EXCEPTIONS)
def test_every_message_about_masks_is_on_the_page_of_both_languages(site, package):
    root = Path(find_spec(package).origin).parent / "src"
    files = [site.folder(language) / "messages.md" for language in LANGUAGES]
    pages = [flat(file.read_text(encoding="utf-8")) for file in files]
    found = missing(root, pages, EXCEPTIONS[package])
    assert not found, "\n".join(found)


SOURCE = '''
"""A mask in a docstring is no message."""
def check(mask, x):
    "This mask too."
    told = "The mask of a name " f"is {mask} here."
    if mask is None:
        raise ValueError("No mask at all.")
    if x:
        raise ValueError(told)
    warnings.warn(f"Layer {x} loses its mask" " for good.")
    tf.Assert(x, ["This mask is not right-padded."])
    raise ValueError("Nothing of the kind.")
'''


def test_messages_are_found_in_what_is_raised_warned_of_and_asserted():
    texts = ["…".join(parts) for _, parts in sentences(ast.parse(SOURCE))]
    assert sorted(texts) == [
        "Layer … loses its mask for good.",
        "No mask at all.",
        "The mask of a name is … here.",
        "This mask is not right-padded.",
    ]


def test_a_message_that_one_page_lacks_is_named(tmp_path):
    (tmp_path / "a.py").write_text(SOURCE)
    page = "The mask of a name is … here. No mask at all. This mask is not right-padded."
    both = f"{page} Layer conv loses its mask for good."
    assert missing(tmp_path, [both, both], {}) == []
    assert missing(tmp_path, [both, page], {"No such": "gone"}) == [
        "a.py:10: Layer … loses its mask for good.",
        "no message says 'No such' any more",
    ]


def test_a_message_with_a_reason_may_be_left_out(tmp_path):
    (tmp_path / "a.py").write_text('raise ValueError("A mask that nobody sees.")\n')
    assert missing(tmp_path, [""], {"A mask that nobody": "unseen"}) == []
