"""Figures and tables are what the code makes of Keras now, in both languages."""

import re
from xml.etree import ElementTree

import pytest

from keras_masking.rendering.grid import Arrow, Cell, Grid, figure, text_width
from sitekit.drawn import figures, tables, texts
from sitekit.drawn.plot import Chart, Key, Series
from sitekit.measured import atlas
from sitekit.measured.faults import found, repaired
from sitekit.measured.faults.known import FAULTS
from sitekit.pages.page import LANGUAGES

PHONE = 348  # what a phone of 390 pixels leaves for content
CHINESE = re.compile(r"[\u3400-\u9fff]")


@pytest.fixture(scope="module")
def drawn():
    return figures.render_all()


@pytest.fixture(scope="module")
def measured():
    return atlas.measure()


@pytest.fixture(scope="module")
def faults():
    return found.measure()


@pytest.fixture(scope="module")
def tabulated(measured, faults):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(atlas, "measure", lambda: measured)
        patch.setattr(found, "measure", lambda: faults)
        return tables.render_all()


def test_figures_are_what_is_committed(site, drawn):
    stale = [str(path) for path, text in drawn.items() if (site.root / path).read_text() != text]
    assert not stale, "run `make fix`; these have changed: " + ", ".join(stale)


def test_tables_are_what_is_committed(site, tabulated):
    stale = [str(p) for p, text in tabulated.items() if (site.root / p).read_text() != text]
    assert not stale, "run `make fix`; these have changed: " + ", ".join(stale)


def test_repairs_of_faults_are_what_is_recorded():
    faults = {fault.name: fault for each in FAULTS.values() for fault in each}
    record = repaired.record()
    assert list(record) == list(faults)
    for name in ("global-max-pooling", "operator", "no-mask-argument"):
        assert repaired.repaired(faults[name]) == record[name], "run `make survey`"


def test_nothing_else_is_committed_beside_them(site, drawn, tabulated):
    shared = site.root / "docs/shared"
    files = {p.relative_to(site.root) for p in shared.glob("*/*/*")}
    assert files == set(drawn) | set(tabulated)


def test_a_figure_is_one_piece_of_html_with_a_text_alternative(drawn):
    for path, text in drawn.items():
        assert "\n\n" not in text
        root = ElementTree.fromstring(text)
        panels = root.find("div")
        assert panels.get("role") == "img"
        for said in (panels.get("aria-label"), root.find("figcaption").text):
            assert bool(CHINESE.search(said)) == (path.parts[2] == "zh"), said
            assert "{" not in said


def test_the_file_of_a_figure_is_named_after_a_page_that_shows_it(site):
    for name, draw in figures.figures().items():
        page = site.page("en", f"{draw.__module__.rpartition('.')[2]}.md")
        assert f"figures/{name}.html" in {include.target for include in page.includes}


def test_no_panel_is_wider_than_a_phone(drawn):
    for path, text in drawn.items():
        for svg in ElementTree.fromstring(text).iter("svg"):
            assert float(svg.get("width")) <= PHONE, path


def test_a_figure_takes_its_colours_from_the_style_sheet(drawn):
    for text in drawn.values():
        # a picture of the tool brings a style of its own, made from the colour of the text around
        text = re.sub("<style>.*?</style>", "", text, flags=re.DOTALL)
        assert not re.search(r"#[0-9a-f]{3}|rgb|fill=|style=", text)


def test_every_text_is_used_and_stands_in_both_languages(measured, faults, monkeypatch):
    used, word = set(), texts.words

    def recorded(section, language):
        def get(key):
            used.add((section, key, language))
            return word(section, language)(key)

        return get

    monkeypatch.setattr(figures, "words", recorded)
    monkeypatch.setattr(tables, "words", recorded)
    figures.render_all()
    tables.of_records()
    for language in LANGUAGES:
        tables.layer_table(measured, language)
        tables.fault_table(faults, language)
    catalogue = {
        (section, key, language)
        for section, texts in texts.catalogue().items()
        for key, text in texts.items()
        for language in text
    }
    # which other releases may need or not
    outcomes = {
        ("layers", "raises"),
        ("layers", "unknown"),
        ("faults", "accused"),
        ("others", "end"),
        ("others", "one-length"),
        ("examples", "not measured"),
        ("examples", "fails"),
    }
    assert {use for use in catalogue - used if use[:2] not in outcomes} == set()
    assert used <= catalogue


def test_a_missing_text_is_named():
    with pytest.raises(texts.TextError, match=r"\[why-mean\] lacks 'colour' in 'zh'"):
        texts.words("why-mean", "zh")("colour")


def test_a_masked_cell_is_smaller_than_a_kept_one():
    svg = ElementTree.fromstring(Grid("m", ((Cell("T", "keep"), Cell("F", "drop")),)).svg())
    kept, masked = svg.iter("rect")
    assert float(masked.get("width")) < float(kept.get("width"))


def test_texts_in_a_figure_are_escaped():
    svg = figure([[Grid("a < b", ((Cell("&"),),)), Arrow("<>")]], 'say "x"', "a & b")
    root = ElementTree.fromstring(svg)
    assert root.find("figcaption").text == "a & b"
    assert root.find("div").get("aria-label") == 'say "x"'


def test_a_chart_draws_shares_to_scale():
    """0 and 100 per cent are where their ticks are, and a bar reaches from lowest to highest."""
    curve = Series("right", [(0, 0.25, 0.5, 1), (1, 0, 0.5, 0.5)])
    root = ElementTree.fromstring(Chart("a < b", "share", [curve]).svg())
    assert root.find("text").text == "a < b"
    bars = root.find(".//path[@class='bar']").get("d")
    number = r"([\d.]+)"
    grid = re.findall(f"M{number} {number}H{number}", root.find("path").get("d"))
    (first, low, right), (_, high, _) = (map(float, grid[i]) for i in (0, -1))
    (left, top, bottom), (end, *other) = (
        map(float, bar) for bar in re.findall(f"M{number} {number}V{number}", bars)
    )
    assert (top, bottom) == (low + 0.25 * (high - low), high)
    assert other == [low, (low + high) / 2]
    assert (left, end) == (first, right)


def test_each_way_in_a_chart_has_its_own_mark():
    marks = {
        ElementTree.fromstring(Key(way, "x").svg()).find(".//path[@class='mark']").get("d")
        for way in ("right", "masking", "none")
    }
    assert len(marks) == 3


def test_chinese_characters_are_twice_as_wide_as_most_latin_ones():
    assert text_width("掩码") == 24
    assert text_width("ab") < 24


@pytest.mark.parametrize(
    ("group", "layer", "outcome"),
    [
        ("steps", "Dense", ("passes", "silent", "clean")),
        ("steps", "EinsumDense", ("drops", "warns", "clean")),
        ("steps", "Softmax", ("raises", "silent", "unknown")),
        ("normalization", "LayerNormalization", ("passes", "silent", "clean")),
        ("normalization", "GroupNormalization", ("passes", "silent", "leaks")),
        ("normalization", "RMSNormalization", ("drops", "warns", "clean")),
        ("merge", "Dot", ("drops", "silent", "leaks")),
        ("recurrent", "LSTM", ("ends", "silent", "clean")),
        ("recurrent", "LSTM(return_sequences=True)", ("passes", "silent", "clean")),
        ("pooling", "GlobalMaxPooling1D", ("drops", "warns", "leaks")),
        ("convolution", "Conv1D", ("drops", "warns", "leaks")),
        ("attention", "GroupQueryAttention", ("passes", "warns", "clean")),
        ("no-layer", "x * 2", ("drops", "silent", "clean")),
    ],
)
def test_what_a_layer_does_to_a_mask(measured, group, layer, outcome):
    assert measured[group][layer] == outcome


def test_each_term_stands_once_in_both_languages():
    terms = tables.terms()
    for key in ("en", "zh"):
        values = [term[key] for term in terms]
        assert len(values) == len(set(values))
    for term in terms:
        assert CHINESE.search(term["zh"]) and CHINESE.search(term["meaning_zh"])
        assert not CHINESE.search(term["en"] + term["meaning_en"])
