"""What docstrings say of arguments and attributes is what the code has."""

import re

import griffe
import pytest

from sitekit.published.reference import Reference


@pytest.fixture(scope="module")
def package():
    extensions = griffe.load_extensions(Reference())
    return griffe.load("keras_masking", search_paths=["src"], extensions=extensions)


def public(package, kind) -> list:
    found = [package[name].final_target for name in package.exports]
    return [each for each in found if getattr(each, kind)]


def takes(each) -> list[str]:
    names = [parameter.name for parameter in each.parameters]
    return [name for name in names if name not in ("self", "args", "kwargs")]


def told(each, kind: str) -> list[str]:
    """The names that a section of a docstring tells of, those too that share a line."""
    sections = each.docstring.parse("google", warnings=False)
    items = [item for section in sections if section.kind.value == kind for item in section.value]
    return [name for item in items for name in re.split(r", | and ", item.name)]


def test_arguments_are_those_that_there_are(package):
    others = {"...", "others"}  # as in the layer of Keras, which the line names
    for each in [*public(package, "is_function"), *public(package, "is_class")]:
        names, said = takes(each), told(each, "parameters")
        assert set(said) - others <= set(names), each.path
        if said and not others & set(said):
            assert set(names) - set(said) <= {"name"}, each.path


def test_attributes_are_those_that_there_are(package):
    records = [each for each in public(package, "is_class") if "dataclass" in each.labels]
    assert len(records) == 10
    for each in records:
        assert told(each, "attributes") == takes(each), each.path


def test_what_a_function_raises_is_said(package):
    for each in public(package, "is_function"):
        raises = re.search(r"\braise \w+\(", "\n".join(each.lines))
        assert not raises or "Raises:" in each.docstring.value, each.path
