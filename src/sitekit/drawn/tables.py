"""The tables: layers of Keras, known faults, models of others, accuracies, backends, as
measured; the glossary.

`python -m sitekit.drawn.tables` writes those that are made of records.
"""

import tomllib
from collections.abc import Callable
from pathlib import Path

from keras_masking.rendering.files import write
from sitekit import ROOT
from sitekit.drawn.texts import Words, words
from sitekit.measured import accuracy, atlas, backends, costs
from sitekit.measured.examples import repaired as mended
from sitekit.measured.examples import survey
from sitekit.measured.faults import found, repaired
from sitekit.measured.faults.found import Found
from sitekit.measured.others import LAYER, record
from sitekit.pages.page import LANGUAGES

GLOSSARY = ROOT / "docs/shared/glossary.toml"


def render_all() -> dict[Path, str]:
    """Every table in both languages, by its path in the repository."""
    measured, faults = atlas.measure(), found.measure()
    return of_records() | written(
        layers=lambda language: layer_table(measured, language),
        faults=lambda language: fault_table(faults, language),
    )


def of_records() -> dict[Path, str]:
    """Those for which nothing is measured again."""
    return written(
        others=others,
        examples=official_examples,
        accuracy=accuracy_table,
        costs=cost_table,
        backends=backend_table,
        glossary=glossary,
    )


def written(**tables: Callable[[str], str]) -> dict[Path, str]:
    return {
        Path("docs/shared", language, "tables", f"{name}.md"): render(language)
        for language in LANGUAGES
        for name, render in tables.items()
    }


def layer_table(measured: dict[str, dict[str, tuple[str, str, str]]], language: str) -> str:
    word = words("layers", language)
    lines = [row(word(key) for key in ("layer", "mask", "warning", "padding")), "|---|---|---|---|"]
    for group, outcomes in measured.items():
        lines.append(row((f"**{word(group)}**", "", "", "")))
        lines += [
            row((f"`{name}`", *(word(key) for key in found))) for name, found in outcomes.items()
        ]
    return "\n".join(lines) + "\n"


def others(language: str) -> str:
    """What `make survey` found: a row for a backbone and all heads to which the same happens."""
    word = words("others", language)

    def result(model: dict) -> str:
        if not model["leaks"]:
            return word("clean" if "length" in model["probes"] else "one-length")
        position, path = model["first"]
        return word("leaks").format(
            probes=word("and").join(word(probe) for probe in model["leaks"]),
            where=word(position).format(path=f"`{path}`"),
        )

    groups: dict[tuple, list[dict]] = {}
    for model in record()["models"]:
        alone = model["name"] if model["on"] == LAYER else ""
        groups.setdefault((model["on"], alone, *model["leaks"]), []).append(model)
    lines = [row(word(key) for key in ("model", "calls", "told", "result")), "|---|---|---|---|"]
    for models in groups.values():
        first = models[0]
        names = " · ".join(f"`{model['name']}`" for model in models)
        lines.append(row((names, str(first["calls"]), word(first["told"]), result(first))))
    return "\n".join(lines) + "\n"


def official_examples(language: str) -> str:
    """What the brute force of `make survey` found, what `find_leaks` says, and `repair` does."""
    word = words("examples", language)
    rows = survey.record()["examples"]
    found = {(result["group"], result["name"]): result for result in rows}
    repairs = mended.record()
    columns = ("example", "feeds", "difference", "verdict", "cure")
    lines = [row(word(key) for key in columns), "|---|---|--:|---|---|"]
    for group, members in survey.EXAMPLES.items():
        lines.append(row((f"**{word(group)}**", *[""] * (len(columns) - 1))))
        for example in members:
            result = found[group, example.name]
            way = "" if example.alone == "cut" else f" ({word(example.alone)})"
            cure = word(example.cure) if example.cure else ""
            tried = result["cured"] is not None
            lines.append(
                row(
                    (
                        f"[{example.name}]({example.url})",
                        word(example.feeds),
                        f"{result['difference']:.2g}{way}",
                        word(result["verdict"])
                        + (f" → {word(mended_by(repairs[example.name]))}" if example.cure else ""),
                        f"{cure} {word('works' if result['cured'] == 0 else 'fails')}"
                        if tried
                        else cure,
                    )
                )
            )
    leaking = [result for result in rows if result["difference"]]
    by = [repair["by"] for repair in repairs.values()]
    told = word("summary").format(
        repaired=by.count("repair"),
        told=by.count("line"),
        all=len(rows),
        leaking=len(leaking),
        cured=sum(result["cured"] == 0 for result in leaking),
        line=sum(
            example.cure == "mask-zero" for group in survey.EXAMPLES.values() for example in group
        ),
    )
    return "\n".join([*lines, "", told]) + "\n"


def mended_by(repair: dict) -> str:
    """A key of the texts: alone, after the line that `left` names, or not."""
    return repair["why"] if repair["by"] == "line" else repair["by"] or "by-hand"


def accuracy_table(language: str) -> str:
    """What `make accuracy` found, as means of all seeds."""
    word = words("accuracy", language)
    record = accuracy.record()
    trained = dict(zip(accuracy.STEPS, record["trained"], strict=True))
    tested = [f"{share:.0%}" for share in record["tested"]]
    lines = [
        row([word("model"), word("trained"), *tested]),
        "|---|---" + "|--:" * len(tested) + "|",
    ]
    for model, ways in accuracy.results().items():
        lines.append(row([f"**{word(model)}**", *[""] * (len(tested) + 1)]))
        for way, runs in ways.items():
            for steps, results in runs.items():
                means = (f"{100 * mean:.0f}" for mean in results.mean(axis=0))
                lines.append(row([word(way), f"{trained[steps]:.0%}", *means]))
    return "\n".join(lines) + "\n"


def cost_table(language: str) -> str:
    """What `make bench` found: how many times as long as the layer of Keras without a mask, and
    the memory of both in sizes of the input."""
    word, record = words("costs", language), costs.record()
    columns = [word(key) for key in ("layer", *costs.MODES, "memory", "why")]
    lines = [row(columns), "|---" + "|--:" * len(costs.MODES) + "|--:|---|"]
    for layer, (base, ours) in record["memory"].items():
        why = word("and").join(map(word, costs.why(layer, record)))
        cells = (f"{record[mode][layer]:.2f}" for mode in costs.MODES)
        lines.append(row((f"`{layer}`", *cells, f"{base:.1f}\u00a0→\u00a0{ours:.1f}", why)))
    return "\n".join(lines) + "\n"


def backend_table(language: str) -> str:
    """What `make backends` found."""
    word, record = words("backends", language), backends.record()
    lines = [row((word("code"), *backends.BACKENDS.values())), "|---" * 5 + "|"]
    lines += [
        row(f"`{cell}`" for cell in (name, *(record[each][name] for each in backends.BACKENDS)))
        for name in backends.CASES
    ]
    return "\n".join(lines) + "\n"


def fault_table(measured: dict[str, dict[str, Found]], language: str) -> str:
    word = words("faults", language)
    columns, repairs = ("fault", "where", "probes", "repair", "twin"), repaired.record()
    lines = [row(word(key) for key in columns), "|---" * len(columns) + "|"]

    def where(fault: Found) -> str:
        leaks = f"`{fault.leaks}`"
        if fault.lost is None:
            return word("arrives").format(leaks=leaks)
        names = [f"`{name}`" for name in fault.lost]
        lost = (
            names[0] if len(names) == 1 else word("between").format(before=names[0], after=names[1])
        )
        return lost if lost == leaks else f"{lost} → {leaks}"

    for group, faults in measured.items():
        lines.append(row((f"**{word(group)}**", *[""] * (len(columns) - 1))))
        lines += [
            row(
                (
                    word(name),
                    where(fault),
                    word("and").join(word(probe) for probe in fault.probes),
                    "<br>".join(f"`{after}`" for after in repairs[name]) or word("by-hand"),
                    word("clean" if fault.twin else "accused"),
                )
            )
            for name, fault in faults.items()
        ]
    told = word("summary").format(all=len(repairs), repaired=sum(map(bool, repairs.values())))
    return "\n".join([*lines, "", told]) + "\n"


def row(cells) -> str:
    return "| " + " | ".join(cells) + " |"


def terms() -> list[dict[str, str]]:
    return tomllib.loads(GLOSSARY.read_text(encoding="utf-8"))["term"]


def glossary(language: str) -> str:
    word: Words = words("glossary", language)
    lines = [row(("English", "中文", word("meaning"))), "|---|---|---|"]
    lines += [row((term["en"], term["zh"], term[f"meaning_{language}"])) for term in terms()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    for path, text in of_records().items():
        write(ROOT / path, text)
