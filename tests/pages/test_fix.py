"""`make fix` rewrites outputs, and nothing else."""

import sys

import pytest

from sitekit import fix
from sitekit.drawn.texts import TextError
from sitekit.measured.costs import CostError

NAME = "docs/en/demo.md"


def page_of(mini):
    return next(page for page in mini.site.pages() if str(page.path) == NAME)


def run(mini, **options) -> int:
    return fix.fix(mini.site, [page_of(mini)], **{"shared": False, "check": False} | options)


def test_a_right_page_is_left_as_it_is(mini, capsys):
    before = mini.text(NAME)
    assert run(mini) == 0
    assert mini.text(NAME) == before
    assert capsys.readouterr().out == ""


def test_a_wrong_output_is_replaced_and_the_rest_stays(mini, capsys):
    right = mini.text(NAME)
    mini.change(NAME, "\n2\n", "\n3\n")
    assert run(mini) == 0
    assert mini.text(NAME) == right
    assert capsys.readouterr().out == f"changed: {NAME}\n"


def test_a_second_run_finds_nothing_left_to_do(mini, capsys):
    mini.change(NAME, "print(1 + 1)", "print('a', end='')")
    assert run(mini) == 0
    capsys.readouterr()
    assert run(mini) == 0
    assert run(mini, check=True) == 0
    assert capsys.readouterr().out == ""


def test_a_missing_output_is_written_under_its_block(mini):
    right = mini.text(NAME)
    mini.change(NAME, "\n```output\n2\n```\n", "")
    assert run(mini) == 0
    assert mini.text(NAME) == right


def test_an_output_that_nothing_prints_is_removed(mini):
    mini.change(NAME, "print(1 + 1)", "1 + 1")
    assert run(mini) == 0
    assert "```output\n2" not in mini.text(NAME)
    assert "```output\ndone" in mini.text(NAME)


def test_a_block_that_raises_leaves_its_page_alone(mini, capsys):
    mini.change(NAME, "print(1 + 1)", "print(1 / 0)")
    before = mini.text(NAME)
    assert run(mini) == 1
    assert mini.text(NAME) == before
    assert f"{NAME}:10: print(1 / 0)" in capsys.readouterr().err


def test_check_changes_nothing_and_says_what_would_change(mini, capsys):
    mini.change(NAME, "\n2\n", "\n3\n")
    before = mini.text(NAME)
    assert run(mini, check=True) == 1
    assert mini.text(NAME) == before
    assert capsys.readouterr().out == f"would change: {NAME}\n"


def command(mini, monkeypatch, *arguments) -> int:
    monkeypatch.chdir(mini.root)
    monkeypatch.setattr(sys, "argv", ["fix", *arguments])
    return fix.main()


def test_the_command_rewrites_the_pages_that_it_is_given(mini, monkeypatch, capsys):
    for language in ("en", "zh"):
        mini.change(f"docs/{language}/demo.md", "\n2\n", "\n3\n")
    assert command(mini, monkeypatch, "--check", NAME) == 1
    assert command(mini, monkeypatch, NAME) == 0
    assert capsys.readouterr().out == f"would change: {NAME}\nchanged: {NAME}\n"
    assert "\n3\n" in mini.text("docs/zh/demo.md")


def test_a_page_that_is_not_there_is_refused(mini, monkeypatch, capsys):
    with pytest.raises(SystemExit, match="2"):
        command(mini, monkeypatch, "docs/en/gone.md")
    assert "not a page of docs/en or docs/zh: docs/en/gone.md" in capsys.readouterr().err


def test_figures_and_tables_are_written(mini, monkeypatch):
    path = mini.root / "docs/shared/en/figures/new.html"
    monkeypatch.setattr(fix, "generated", lambda site: {path: "<figure>\n</figure>\n"})
    assert run(mini, shared=True, check=True) == 1
    assert not path.exists()
    assert run(mini, shared=True) == 0
    assert path.read_text() == "<figure>\n</figure>\n"


@pytest.mark.parametrize("error", [TextError("[why] lacks 'a'"), CostError("MaskedMax takes 2")])
def test_what_a_table_lacks_is_one_line_and_the_pages_are_written(mini, monkeypatch, capsys, error):
    def fail(site):
        raise error

    right = mini.text(NAME)
    mini.change(NAME, "\n2\n", "\n3\n")
    monkeypatch.setattr(fix, "generated", fail)
    assert run(mini, shared=True) == 1
    assert capsys.readouterr().err == f"{error}\n"
    assert mini.text(NAME) == right
