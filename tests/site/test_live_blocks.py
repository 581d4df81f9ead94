"""Every block that runs in the page, run there in two browsers, prints what the page says."""

import json
import shutil
from functools import cache
from pathlib import Path

import pytest
from visits import COMMANDS, visit

from sitekit.pages.page import Site, block_id
from sitekit.published.build import LANGUAGES, ROOT
from sitekit.published.running import reasons, record

HERE = Path(__file__).parent


@cache
def blocks() -> dict[str, tuple[str, str, str]]:
    """The place, the code and the output of each Python block of the pages, by its id."""
    site = Site(ROOT)
    return {
        block_id(block.code): (
            f"docs/{language}/{name}:{block.line}",
            block.code,
            block.output.code if block.output else "",
        )
        for language in LANGUAGES
        for name in site.names(language)
        for block in site.page(language, name).blocks
        if block.fence.language == "python"
    }


def test_the_record_names_blocks_that_exist_and_reasons_that_are_told():
    assert record().keys() <= blocks().keys(), "run python -m sitekit.measured.in_page"
    assert set(record().values()) <= reasons().keys()


@pytest.mark.parametrize("browser", COMMANDS)
def test_every_block_prints_what_its_page_says(site, tmp_path, browser):
    """Or something else, for a reason that the page tells; never the same for such a reason."""
    told = {key: reasons()[name]["runs"] for key, name in record().items()}
    here = {key: block for key, block in blocks().items() if told.get(key, True)}
    (tmp_path / "site").symlink_to(site)
    for name in ("blocks.html", "blocks.js"):
        shutil.copy(HERE / name, tmp_path)
    codes = [code for _, code, _ in here.values()]
    (tmp_path / "blocks.json").write_text(json.dumps(codes), encoding="utf-8")
    answers = visit(browser, tmp_path, "blocks.html", len(here), patience=120)

    wrong = []
    for (key, (place, _, documented)), answer in zip(here.items(), answers, strict=True):
        printed = answer["printed"]["out"]
        if answer["status"] != "done":
            wrong.append(f"{place}: {answer['status']}: {answer['error']}")
        elif (printed == documented) == (key in told):
            wrong.append(f"{place}: prints\n{printed}")
    assert not wrong, "\n".join(wrong)
