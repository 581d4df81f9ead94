"""Traces and reports in every form, drawn from records that are made by hand."""

import io
import json
import math
import os
import pty
import re
import subprocess
import sys
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from time import perf_counter
from xml.etree import ElementTree

import keras
import numpy as np
import pytest
from bs4 import BeautifulSoup
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from rich.cells import cell_len

from keras_masking import texts
from keras_masking.records import Call, Leak, LeakReport, Note, Probe, Tensor, Trace
from keras_masking.rendering import files as saving
from keras_masking.rendering import terminal, view
from keras_masking.rendering.wrap import wrap

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "numpy", reason="what is drawn is the same on each backend"
)
LANGUAGES = texts.LANGUAGES
SHORT = np.array([[1, 1, 1, 0, 0], [1, 1, 0, 0, 0]], dtype=bool)
DEEP = np.array([[[1, 1, 0], [1, 0, 0]], [[1, 1, 1], [0, 0, 0]]], dtype=bool)
INF = float("inf")
HOSTILE = '<b>&"|`*layer'
CHINESE = re.compile(r"[\u3400-\u9fff]")


def tensor(mask=None, shape=(2, 5, 8), dtype="float32", name="", taken=False):
    return Tensor(name, shape, dtype, mask, taken)


def call(index, path, class_name="Dense", events=(), mask=None, given=None, **more):
    fields = {
        "parent": None,
        "depth": path.count("/"),
        "kind": "layer",
        "inputs": (tensor(given, name="inputs"),),
        "outputs": (tensor(mask),),
        "explicit": {},
    }
    name = path.split("/")[-1]
    return Call(index, name=name, class_name=class_name, path=path, events=events, **fields | more)


IDS = tensor(shape=(2, 5), dtype="int32")


def trace_of(*calls, model="model", inputs=(IDS,)):
    return Trace(model, "Functional", "numpy", "3.15.1", inputs, (tensor(shape=(2, 8)),), calls)


def transformer():
    took = (tensor(SHORT, name="query", taken=True), tensor(SHORT, name="value", taken=True))
    return trace_of(
        call(0, "emb", "Embedding", ("creates",), SHORT),
        call(1, "mha", "MultiHeadAttention", ("uses", "passes"), SHORT, inputs=took),
        call(2, "mha/query", "EinsumDense", parent=1),
        call(3, "add", "Add", ("drops silently",), None, SHORT, cause=1),
        call(4, "pool", "GlobalAveragePooling1D", ("uses",), explicit={"mask": SHORT}),
    )


GAP = Call(
    index=6,
    parent=4,
    depth=1,
    kind="gap",
    name="",
    class_name="",
    path="encoder",
    inputs=(tensor(SHORT),),
    outputs=(tensor(),),
    explicit={},
    events=("drops silently",),
    before="encoder/norm",
    after="encoder/flat",
)


def nested():
    """With a wrapper, a model inside, half precision, a gap, a cell and a warning."""
    half = tensor(SHORT, dtype="float16")
    return trace_of(
        call(0, "emb", "Embedding", ("creates",), SHORT, outputs=(half,)),
        call(1, "bi", "Bidirectional(LSTM)", ("uses", "passes"), SHORT, SHORT),
        call(2, "bi/forward", "LSTM", ("uses", "passes"), SHORT, SHORT, parent=1),
        call(3, "bi/forward/cell", "LSTMCell", parent=2, times=5),
        call(4, "encoder", "Encoder", ("drops",), None, SHORT, warning="destroys the mask"),
        call(5, "encoder/norm", "GroupNormalization", ("ignores", "passes"), SHORT, parent=4),
        GAP,
        call(7, "encoder/flat", "Flatten", parent=4),
        call(8, "out", "Dense"),
    )


def long(count=1000):
    first = call(0, "emb", "Embedding", ("creates",), SHORT)
    rest = (call(i, f"dense_{i}", "Dense", ("passes",), SHORT, SHORT) for i in range(1, count))
    return trace_of(first, *rest)


def hostile():
    name = HOSTILE
    return trace_of(call(0, name, name, ("creates",), SHORT, warning=name), model=name)


def hierarchy():
    return trace_of(
        call(0, "emb", "Embedding", ("creates",), DEEP, outputs=(tensor(DEEP, (2, 2, 3, 8)),)),
        inputs=(tensor(DEEP[:, :, 0], (2, 2), name="inputs"),),
    )


def long_names():
    wide = np.arange(40)[None] < np.arange(9, 21)[:, None]
    return trace_of(
        call(0, "一个名字很长很长很长的嵌入层" * 3, "Embedding", ("creates",), wide),
        call(1, "a_name_that_never_ends_" * 6, "C" * 70, ("drops",), None, wide),
    )


def report_of(trace, **more):
    end = len(trace) - 1
    probes = (
        Probe("alone", True, "nearest", {"steps": "3"}, 0.53),
        Probe("length", False, "fixed-length", {"length": "5"}, None),
        Probe("content", True, "", {}, 0.0),
        Probe("nan", True, "", {}, float("inf")),
        Probe("company", False, "one-sample", {}, None),
        Probe("gradients", True, "finite", {}, 0.0),
    )
    leaks = (
        Leak("alone", end, "in", 0.53, 0.34, 1, 0, Note("drops"), "MaskedFlatten"),
        Leak("content", end, "before", 2.5e-3, 0.0012, 0, None, Note("gap"), None),
        Leak("gradients", None, "end", INF, INF, 0, None, Note("slope"), None),
    )
    hazards = (Leak("nan", 0, "in", INF, INF, 0, None, Note("nan"), None),)
    notes = (Note("batch", {"index": "2"}), Note("output-unmasked"))
    fields = {"probes": probes, "leaks": leaks, "hazards": hazards, "notes": notes} | more
    return LeakReport(trace, **{"verdict": "leaks" if fields["leaks"] else "clear"} | fields)


TRACES = {
    "transformer": transformer(),
    "nested": nested(),
    "hostile": hostile(),
    "hierarchy": hierarchy(),
    "long-names": long_names(),
    "long": long(),
    "empty": trace_of(),
    "unmasked": trace_of(call(0, "dense")),
}
REPORTS = {
    f"report-{name}": report_of(trace) for name, trace in TRACES.items() if name != "empty"
} | {
    "clean": report_of(hierarchy(), leaks=(), hazards=()),
    "random": report_of(
        nested(), verdict="not measured", probes=(), leaks=(), hazards=(), random="bi/forward"
    ),
    "nothing": report_of(
        nested(),
        verdict="not measured",
        probes=(Probe("alone", False, "raised", {"error": "ValueError: five"}, None),),
        leaks=(),
    ),
}
ALL = TRACES | REPORTS


@pytest.fixture(params=ALL)
def drawn(request):
    return ALL[request.param]


@pytest.fixture(params=LANGUAGES)
def language(request):
    return request.param


# the table


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_table_fits_its_width_and_has_no_colour(drawn, language, width):
    text = drawn.to_text(language, width)
    assert max(map(cell_len, text.splitlines())) <= width
    assert "\x1b" not in text


def test_a_table_says_what_each_call_does_with_the_mask():
    assert (
        transformer().to_text("en", 98)
        == """\
model · Functional · numpy · Keras 3.15.1 · 5 calls
The mask is lost in add.

layer                    with the mask                                            mask
──────────────────────────────────────────────────────────────────────────────────────────
emb                      makes it                                                 ■■■□□
Embedding                (2, 5, 8)                                                ■■□□□
mha                      uses it, passes it on, takes the mask off query, value   the same
MultiHeadAttention       (2, 5, 8)
add                      lost: mha had taken it                                   ✗
Add                      (2, 5, 8)
pool                     uses it, given as mask                                   –
GlobalAveragePooling1D   (2, 5, 8)

■ use this step   □ padding   ✗ lost here"""
    )


def test_what_a_layer_of_keras_calls_inside_without_a_mask_is_left_out():
    text = nested().to_text()
    assert "forward" in text and "cell" not in text
    # what a layer of someone else calls is shown
    assert "flat" in text


def test_a_loss_in_an_inner_call_is_placed_there():
    text = re.sub(r"\s+", " ", nested().to_text())
    assert "inside encoder, between norm and flat, in code that Keras does not see." in text


@pytest.mark.parametrize(
    ("before", "after", "place"),
    [
        ("encoder/norm", None, "inside encoder, after norm, in code"),
        (None, "encoder/flat", "inside encoder, before flat, in code"),
        (None, None, "inside encoder, in code"),
    ],
)
def test_a_gap_beside_one_call_is_told_by_that_call(before, after, place):
    gap = replace(GAP, index=1, parent=0, before=before, after=after)
    drawn = view.View(trace_of(call(0, "encoder", "Model"), gap), "en")
    assert drawn.place(gap).startswith(place)


def test_a_long_trace_is_folded_and_drawn_at_once():
    start = perf_counter()
    for form in ("to_text", "to_markdown", "to_html", "to_svg", "to_json"):
        assert len(getattr(TRACES["long"], form)()) < 1_500_000
    assert perf_counter() - start < 5
    text = TRACES["long"].to_text()
    assert len(text.splitlines()) < 15
    assert "997 more calls: nothing changes" in text


def test_a_mask_with_sequences_in_a_sample_is_drawn_in_groups():
    assert "■■□ ■□□" in hierarchy().to_text()
    assert "■■■ □□□" in hierarchy().to_text()


def test_a_large_mask_is_cut_and_counted():
    text = long_names().to_text("en", 120)
    assert "12 samples · 40 steps" in text
    assert text.count("…") == 4


def test_an_input_that_has_a_mask_stands_in_front():
    assert "given with the input" in hierarchy().to_text()


def in_terminal(code: str) -> str:
    """What a program prints on a terminal that is 80 characters wide."""
    parent, child = pty.openpty()
    env = os.environ | {"TERM": "xterm-256color", "COLUMNS": "80", "KERAS_BACKEND": "numpy"}
    env = {key: value for key, value in env.items() if key not in ("NO_COLOR", "FORCE_COLOR")}
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=child,
        cwd=Path(__file__).parent,
        env=env,
    )
    os.close(child)
    read = b""
    try:
        while chunk := os.read(parent, 4096):
            read += chunk
    except OSError:  # how Linux says that the other end is closed
        pass
    os.close(parent)
    assert process.wait() == 0
    return read.decode()


PRINT = """
import os
from test_rendering import transformer
print(transformer())
os.environ["NO_COLOR"] = "1"
print("again", transformer())
"""


def test_colour_on_a_terminal_unless_it_is_unwanted():
    coloured, plain = in_terminal(PRINT).split("again")
    assert "\x1b[36m■" in coloured
    assert not re.search(r"\x1b\[[\d;]*3\dm", plain)
    assert max(cell_len(re.sub(r"\x1b\[.*?m", "", x)) for x in coloured.splitlines()) <= 80


def test_no_colour_where_it_is_not_printed_to_a_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert "\x1b" not in str(transformer())


def test_letters_where_the_output_has_no_such_signs(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    text = terminal(transformer())
    assert "###.." in text and text.isascii()


def test_lines_break_in_chinese_and_in_names():
    assert wrap("掩码在这里丢失。", 8, cell_len) == ["掩码在这", "里丢失。"]
    assert wrap("a_long_name", 8, cell_len) == ["a_long_", "name"]
    assert wrap("two words", 5, cell_len) == ["two", "words"]
    for width in range(1, 12):
        assert all(cell_len(x) <= max(2, width) for x in wrap("ab 掩码，c_d", width, cell_len))


# the report


def test_the_verdict_comes_first():
    lines = report_of(transformer()).to_text("en", 100).splitlines()
    assert "Padding leaks in pool (GlobalAveragePooling1D)" in lines[2]
    assert "changes by 0.53, 34% of the largest, when each sample is run by itself" in lines[3]
    assert "The mask was lost in emb." in lines[6]
    told = re.sub(r"[\s│]+", " ", " ".join(lines[7:11]))
    assert "Use keras_masking.MaskedFlatten instead." in told


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("clean", "Clear: padding changes no valid result"),
        ("random", "bi/forward gave another result for the same input"),
        ("random", "or let it do so in training only"),
        ("nothing", "Not measured: whether padding leaks is not known"),
        ("nothing", "The model raised an error on the changed input: ValueError: five"),
    ],
)
def test_a_report_without_leaks_says_why(name, verdict):
    assert verdict in REPORTS[name].to_text("en", 120)


def test_a_reason_is_said_once():
    reason = {"note": "fixed-length", "details": {"length": "5"}, "result": None}
    probes = [Probe(name, False, **reason) for name in ("alone", "length")]
    for verdict in ("not measured", "clear"):
        report = report_of(nested(), verdict=verdict, probes=tuple(probes), leaks=())
        assert report.to_text("en", 120).count("takes exactly 5 steps") == 1


def test_of_gradients_the_report_says_so():
    probe = Probe("gradients", True, "", {}, 0.5)
    drawn = replace(REPORTS["clean"], probes=(probe,)).to_text("en", 120)
    assert "a gradient changes by 0.5" in drawn and "the result" not in drawn


def test_the_report_names_who_took_the_mask():
    report = report_of(transformer())
    leak = replace(report.leaks[0], lost_at=1, remedy=Note("taken"), replacement=None)
    assert "mha had taken the mask." in report_of(transformer(), leaks=(leak,)).to_text()
    leak = replace(leak, lost_at=3)
    assert report.remedy(leak).startswith("mha took the mask")
    assert report.remedy(leak, "zh").startswith("mha 移除了输入上的掩码")


def test_the_remedy_names_code_outside_layers():
    report = report_of(transformer())
    assert report.remedy(report.leaks[1]).startswith("The code before pool loses the mask")


# HTML and SVG


def test_html_is_well_formed_and_needs_nothing_else(drawn, language):
    text = drawn.to_html(language)
    ElementTree.fromstring(text.replace(" open>", ' open="">'))
    soup = BeautifulSoup(text, "html.parser")
    assert not soup.find_all(["script", "link", "img", "iframe", "object"])
    assert not re.search(r"https?:|url\(|@import|\bon\w+=|\bid=", text)
    assert "\n\n" not in text
    assert soup.div["lang"] == language
    assert soup.table.caption.get_text(strip=True)
    assert {th["scope"] for th in soup.find_all("th")} <= {"col", "row"}
    for svg in soup.find_all("svg"):
        assert svg.get("aria-hidden") == "true" or (svg["role"], bool(svg["aria-label"])) == (
            "img",
            True,
        )


def test_what_is_lost_inside_stands_open_and_the_rest_is_closed():
    soup = BeautifulSoup(nested().to_html(), "html.parser")
    opened = {x.summary.get_text(): x.has_attr("open") for x in soup.find_all("details")}
    assert opened == {"1 call inside bi": False, "3 calls inside encoder": True}


def test_every_rule_of_the_style_is_held_to_the_fragment():
    style = BeautifulSoup(transformer().to_html(), "html.parser").style.get_text()
    for selector in re.findall(r"([^{}]+)\{", re.sub(r"/\*.*?\*/", "", style, flags=re.S)):
        for part in re.split(r",(?![^()]*\))", selector):
            assert part.strip().startswith(".keras-masking:not(#_)"), part


def test_svg_is_a_picture_with_words(drawn, language):
    text = drawn.to_svg(language)
    root = ElementTree.fromstring(text)
    space = "{http://www.w3.org/2000/svg}"
    assert root.get("role") == "img"
    assert "\n\n" not in text
    for tag in ("title", "desc"):
        said = root.find(space + tag).text
        assert said
        assert bool(CHINESE.search(said.split(":")[0])) == (language == "zh") or "一个" in said
    assert not root.findall(f".//{space}script")
    assert not re.search(r"(?<!xmlns=\")https?:|url\(|href|\bid=", text)


@pytest.mark.parametrize("name", ["transformer", "long-names", "report-nested", "hostile"])
def test_the_picture_is_no_wider_than_a_phone(name, language):
    root = ElementTree.fromstring(ALL[name].to_svg(language))
    assert float(root.get("width")) <= 348


def test_kept_and_masked_steps_differ_in_shape():
    root = ElementTree.fromstring(transformer().to_svg())
    sides = {
        kind: {
            float(side)
            for path in root.iter("{http://www.w3.org/2000/svg}path")
            if path.get("class") == kind
            for side in re.findall(r"h([\d.]+)v", path.get("d"))
        }
        for kind in ("kept", "masked")
    }
    assert min(sides["kept"]) > max(sides["masked"])
    assert ".masked {\n  stroke-dasharray" in transformer().to_svg()


def test_the_place_of_loss_is_crossed_once_and_told_in_words():
    root = ElementTree.fromstring(transformer().to_svg())
    paths = list(root.iter("{http://www.w3.org/2000/svg}path"))
    assert sum(path.get("class") == "cross" for path in paths) == 2  # and once in the key
    assert "lost: mha had taken it" in [x.text for x in root.iter() if x.get("class") == "bad"]


@pytest.mark.parametrize("form", ["to_html", "to_svg"])
def test_names_are_escaped(form):
    for drawn in (ALL["hostile"], ALL["report-hostile"]):
        text = getattr(drawn, form)()
        assert HOSTILE not in text
        assert "&lt;b&gt;&amp;" in text


def test_names_are_escaped_in_markdown():
    (row,) = (x for x in hostile().to_markdown().splitlines() if x.startswith("| \\<b"))
    assert row.startswith(r'| \<b\>\&"\|\`\*layer |')
    assert len(re.findall(r"(?<!\\)\|", row)) == 6


# JSON and files


def validator(name: str) -> Draft202012Validator:
    schemas = {
        file.name: json.loads(file.read_text("utf-8"))
        for file in files("keras_masking").joinpath("schemas").iterdir()
    }
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    registry = Registry().with_resources(
        (key, Resource.from_contents(schema)) for key, schema in schemas.items()
    )
    return Draft202012Validator(schemas[name], registry=registry)


def test_json_follows_its_schema(drawn):
    name = "leaks-2.json" if isinstance(drawn, LeakReport) else "trace-1.json"
    validator(name).validate(json.loads(drawn.to_json(), parse_constant=pytest.fail))


def test_json_holds_each_mask_once():
    document = json.loads(TRACES["long"].to_json())
    assert document["masks"] == [[[1, 1, 1, 0, 0], [1, 1, 0, 0, 0]]]
    assert len(document["calls"]) == 1000
    assert {call["outputs"][0]["mask"] for call in document["calls"]} == {0}


def test_json_keeps_what_the_table_leaves_out():
    paths = [call["path"] for call in json.loads(transformer().to_json())["calls"]]
    assert "mha/query" in paths
    assert "EinsumDense" not in transformer().to_text()


def test_every_property_of_a_schema_is_described():
    for name in ("trace-1.json", "leaks-2.json", "repair-1.json"):
        schema = validator(name).schema
        for part in (schema, *schema["$defs"].values()):
            for key, told in part.get("properties", {}).items():
                assert {"description", "const", "$ref"} & set(told), (name, key)


@pytest.mark.parametrize("suffix", saving.FORMS)
def test_saved_by_suffix(tmp_path, suffix, language):
    path = tmp_path / f"drawn{suffix}"
    for drawn in (nested(), report_of(nested())):
        drawn.save(path, language)
        text = path.read_text("utf-8")
        assert text.endswith("\n") and not text.endswith("\n\n")
        assert [path] == list(tmp_path.iterdir())


def test_a_saved_page_stands_alone_and_follows_light_and_dark(tmp_path):
    nested().save(str(tmp_path / "x.html"), "zh")
    soup = BeautifulSoup((tmp_path / "x.html").read_text("utf-8"), "html.parser")
    assert soup.html["lang"] == "zh" and soup.title.get_text() == "model"
    assert soup.find("meta", {"name": "color-scheme"})["content"] == "light dark"


@pytest.mark.parametrize("name", ["x.pdf", "x", "x.JSON.gz"])
def test_an_unknown_suffix_is_refused(tmp_path, name):
    with pytest.raises(ValueError, match=r"Use one of \.txt, \.md, \.html, \.svg, \.json"):
        nested().save(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "x.txt"
    path.write_text("before")
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        nested().save(path)
    assert [path] == list(tmp_path.iterdir())
    assert path.read_text() == "before"


# the texts


@pytest.mark.parametrize("form", ["to_text", "to_markdown", "to_html", "to_svg"])
def test_an_unknown_language_is_refused(form):
    with pytest.raises(ValueError, match="'de'.*'en', 'zh'"):
        getattr(nested(), form)("de")


def test_texts_stand_in_both_languages():
    for section, entries in texts.catalogue().items():
        for key, entry in entries.items():
            assert tuple(entry) == LANGUAGES, (section, key)
            names = [set(re.findall(r"\{(\w+)\}", entry[x])) for x in LANGUAGES]
            assert names[0] == names[1], (section, key)
            assert not CHINESE.search(entry["en"])


def test_no_text_is_left_unused(monkeypatch):
    used, words = set(), texts.words

    def recorded(section, language):
        word = words(section, language)
        return lambda key, **details: (used.add((section, key)), word(key, **details))[1]

    monkeypatch.setattr(view, "words", recorded)
    others = trace_of(
        call(0, "a", "Model", ("changes",), SHORT, SHORT),
        call(1, "a/b", parent=0),
        call(2, "a/c", "Add", ("merges",), np.ones((12, 40), bool), parent=0),
        call(3, "flat", "Flatten", ("drops silently",), None, SHORT),
    )
    gaps = [
        trace_of(replace(GAP, index=0, parent=None, depth=0, path="", before=before, after=after))
        for before, after in ((None, None), (None, "flat"), ("flat", None))
    ]
    notes = [Probe("length", True, name, {}, 1.0) for name in texts.catalogue()["notes"]]
    notes += [Probe("gradients", True, "", {}, result) for result in (1.0, math.inf)]
    reports = [report_of(others, probes=tuple(notes))]
    arrived = replace(reports[0].leaks[1], call=3)
    reports.append(report_of(others, leaks=(arrived,)))
    reports.append(report_of(transformer(), leaks=(replace(arrived, lost_at=1),)))
    for leak in report_of(nested()).leaks:
        for probe in texts.catalogue()["probes"]:
            if not probe.endswith("-when"):
                for place in ("in", "before", "end"):
                    changed = replace(leak, probe=probe, place=place)
                    reports.append(report_of(nested(), leaks=(changed,) * 12))
    for drawn in (*ALL.values(), *gaps, *reports, trace_of(call(0, "one"))):
        for form in ("to_text", "to_markdown", "to_html", "to_svg"):
            getattr(drawn, form)()
    (many, *_) = reports[1:]
    for key in texts.catalogue()["remedies"]:
        many.remedy(replace(many.leaks[0], remedy=Note(key)))
    mine = ("events", "trace", "report", "probes", "notes", "remedies")
    written = {(section, key) for section in mine for key in texts.catalogue()[section]}
    assert written - used == set()


def test_notes_and_remedies_are_those_that_are_given():
    package = Path(str(files("keras_masking")))
    source = "".join(path.read_text("utf-8") for path in package.rglob("*.py"))
    for section in ("notes", "remedies"):
        for key in texts.catalogue()[section]:
            assert f'"{key}"' in source, (section, key)


def test_a_detail_that_is_not_given_does_not_break_a_report():
    assert "The model takes exactly ? steps" in texts.words("notes", "en")("fixed-length")


def test_a_missing_text_is_named():
    with pytest.raises(KeyError, match=r"\[notes\] lacks 'colour'"):
        texts.words("notes", "en")("colour")


def test_the_package_holds_texts_schemas_and_styles():
    for path in ("texts.toml", "schemas/trace-1.json", "rendering/style.css"):
        assert files("keras_masking").joinpath(path).is_file()
