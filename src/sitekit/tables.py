"""The tables: layers of Keras, known faults, models of others, accuracies, as measured; the
glossary."""

import tomllib
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
from keras import layers, ops

from keras_masking import find_leaks
from sitekit import accuracy, costs, examples
from sitekit.faults import FAULTS, Fault
from sitekit.figures import Words, mask_of, words
from sitekit.others import LAYER, record
from sitekit.pages import LANGUAGES

GLOSSARY = Path(__file__).parents[2] / "docs/shared/glossary.toml"

# A batch of three steps and two, padded to four on the right. Features as many as steps and
# samples would hide a mask that is broadcast along the wrong axis.
LENGTHS = (3, 2)
SHAPE = (2, 4, 6)


def render_all() -> dict[Path, str]:
    """Every table in both languages, by its path in the repository."""
    measured, faults = measure(), measure_faults()
    tables = {
        "layers": lambda language: layer_table(measured, language),
        "faults": lambda language: fault_table(faults, language),
        "others": others,
        "examples": official_examples,
        "accuracy": accuracy_table,
        "costs": cost_table,
        "glossary": glossary,
    }
    return {
        Path("docs/shared", language, "tables", f"{name}.md"): render(language)
        for language in LANGUAGES
        for name, render in tables.items()
    }


Call = Callable[[object], object]

# By what a reader looks for. Each entry makes a fresh call, so that no state is shared.
GROUPS: dict[str, dict[str, Callable[[], Call]]] = {
    "steps": {
        "Dense": lambda: layers.Dense(5),
        "EinsumDense": lambda: layers.EinsumDense("btf,fg->btg", output_shape=(None, 5)),
        "Activation": lambda: layers.Activation("tanh"),
        "Softmax": lambda: layers.Softmax(),
        "Dropout": lambda: layers.Dropout(0.5),
        "SpatialDropout1D": lambda: layers.SpatialDropout1D(0.5),
        "GaussianNoise": lambda: layers.GaussianNoise(0.5),
        "Rescaling": lambda: layers.Rescaling(2.0),
        "Lambda": lambda: layers.Lambda(lambda x: x * 2),
        "TimeDistributed(Dense)": lambda: layers.TimeDistributed(layers.Dense(5)),
    },
    "normalization": {
        "LayerNormalization": lambda: layers.LayerNormalization(),
        "BatchNormalization": lambda: training(layers.BatchNormalization()),
        "GroupNormalization": lambda: layers.GroupNormalization(2),
        "RMSNormalization": lambda: layers.RMSNormalization(),
        "UnitNormalization": lambda: layers.UnitNormalization(),
    },
    "merge": {
        "Add": lambda: both(layers.Add()),
        "Multiply": lambda: both(layers.Multiply()),
        "Average": lambda: both(layers.Average()),
        "Maximum": lambda: both(layers.Maximum()),
        "Concatenate": lambda: both(layers.Concatenate()),
        "Dot": lambda: both(layers.Dot(axes=2)),
    },
    "recurrent": {
        "SimpleRNN": lambda: layers.SimpleRNN(5),
        "LSTM": lambda: layers.LSTM(5),
        "GRU": lambda: layers.GRU(5),
        "LSTM(return_sequences=True)": lambda: layers.LSTM(5, return_sequences=True),
        "Bidirectional(LSTM)": lambda: layers.Bidirectional(layers.LSTM(5)),
        "Bidirectional(LSTM(return_sequences=True))": lambda: layers.Bidirectional(
            layers.LSTM(5, return_sequences=True)
        ),
    },
    "attention": {
        "Attention": lambda: both(layers.Attention()),
        "AdditiveAttention": lambda: both(layers.AdditiveAttention()),
        "MultiHeadAttention": lambda: twice(layers.MultiHeadAttention(2, 3)),
        "GroupQueryAttention": lambda: twice(layers.GroupQueryAttention(3, 2, 1)),
    },
    "pooling": {
        "GlobalAveragePooling1D": lambda: layers.GlobalAveragePooling1D(),
        "GlobalMaxPooling1D": lambda: layers.GlobalMaxPooling1D(),
        "AveragePooling1D": lambda: layers.AveragePooling1D(2),
        "MaxPooling1D": lambda: layers.MaxPooling1D(2),
    },
    "convolution": {
        "Conv1D": lambda: layers.Conv1D(5, 3, padding="same"),
        "DepthwiseConv1D": lambda: layers.DepthwiseConv1D(3, padding="same"),
        "SeparableConv1D": lambda: layers.SeparableConv1D(5, 3, padding="same"),
        "Conv1DTranspose": lambda: layers.Conv1DTranspose(5, 3, padding="same"),
    },
    "reshaping": {
        "Flatten": lambda: layers.Flatten(),
        "Reshape": lambda: layers.Reshape((4, 2, 3)),
        "Permute": lambda: layers.Permute((2, 1)),
        "Cropping1D": lambda: layers.Cropping1D((0, 1)),
        "ZeroPadding1D": lambda: layers.ZeroPadding1D((0, 1)),
        "UpSampling1D": lambda: layers.UpSampling1D(2),
    },
    "no-layer": {
        "x * 2": lambda: lambda x: x * 2,
        "x[:, :3]": lambda: lambda x: x[:, :3],
        "ops.relu(x)": lambda: ops.relu,
        "ops.concatenate([x, x])": lambda: lambda x: ops.concatenate([x, x], axis=-1),
    },
}


def training(layer) -> Call:
    return lambda x: layer(x, training=True)


def both(layer) -> Call:
    return lambda x: layer([x, x])


def twice(layer) -> Call:
    return lambda x: layer(x, x)


def measure() -> dict[str, dict[str, tuple[str, str, str]]]:
    """For each layer: what becomes of the mask, whether it warns, whether padding leaks."""
    return {
        group: {name: outcome(make) for name, make in calls.items()}
        for group, calls in GROUPS.items()
    }


def outcome(make: Callable[[], Call]) -> tuple[str, str, str]:
    """Keys of the catalogue for the three columns, from two runs with different padding."""
    mask = np.arange(SHAPE[1]) < np.array(LENGTHS)[:, None]
    random = np.random.default_rng(0)
    x = random.normal(size=SHAPE).astype("float32")
    other = np.where(mask[..., None], x, random.normal(5, size=SHAPE)).astype("float32")
    results, given = [], None
    for values in (x, other):
        keras.utils.set_random_seed(0)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                result = make()(carrying(values, mask))
            except Exception:  # whatever a layer raises when a mask does not fit
                return "raises", "silent", "unknown"
        results.append(np.asarray(result))
        given = mask_of(result)
        said = any("does not support masking" in str(w.message) for w in caught)
    kept = "drops" if given is None else "passes"
    over_time = results[0].ndim > 2 and results[0].shape[1] == SHAPE[1]
    if not over_time and kept == "drops" and not said and results[0].ndim == 2:
        kept = "ends"
    valid = (mask if over_time else slice(None),)
    same = np.allclose(results[0][valid], results[1][valid], atol=1e-5)
    return kept, "warns" if said else "silent", "clean" if same else "leaks"


def carrying(values: np.ndarray, mask: np.ndarray):
    """A tensor with exactly this mask, whatever stands in the padded steps."""

    class Carry(layers.Layer):
        def call(self, x):
            return ops.copy(x)

        def compute_mask(self, x, previous_mask=None):
            return ops.convert_to_tensor(mask)

    return Carry()(values)


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
    """What the brute force of `make survey` found, and what `find_leaks` says."""
    word = words("examples", language)
    rows = examples.record()["examples"]
    found = {(result["group"], result["name"]): result for result in rows}
    columns = ("example", "feeds", "difference", "verdict", "cure")
    lines = [row(word(key) for key in columns), "|---|---|--:|---|---|"]
    for group, members in examples.EXAMPLES.items():
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
                        word(result["verdict"]),
                        f"{cure} {word('works' if result['cured'] == 0 else 'fails')}"
                        if tried
                        else cure,
                    )
                )
            )
    leaking = [result for result in rows if result["difference"]]
    told = word("summary").format(
        all=len(rows),
        leaking=len(leaking),
        cured=sum(result["cured"] == 0 for result in leaking),
        line=sum(
            example.cure == "mask-zero" for group in examples.EXAMPLES.values() for example in group
        ),
    )
    return "\n".join([*lines, "", told]) + "\n"


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
    above = {layer for layer, _ in costs.above(record)}
    for layer, (base, ours) in record["memory"].items():
        reasons = costs.WHY[layer] if layer in above else ()
        why = word("and").join(map(word, reasons))
        cells = (f"{record[mode][layer]:.2f}" for mode in costs.MODES)
        lines.append(row((f"`{layer}`", *cells, f"{base:.1f}\u00a0→\u00a0{ours:.1f}", why)))
    return "\n".join(lines) + "\n"


class Found(NamedTuple):
    """What `find_leaks` reports first of a fault, by the names of calls in the trace.

    Attributes:
        lost: the call that lost the mask, the two around the place, or None where it arrives.
        leaks: the call that padding gets into, and the probes that see it there.
        twin: whether the healthy twin is free of leaks.
    """

    lost: tuple[str, ...] | None
    leaks: str
    probes: tuple[str, ...]
    twin: bool


def measure_faults() -> dict[str, dict[str, Found]]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*does not support masking.*")
        return {
            group: {fault.name: found(fault) for fault in faults}
            for group, faults in FAULTS.items()
        }


def found(fault: Fault) -> Found:
    report = find_leaks(fault.build(), fault.inputs, fault.mask)
    twin = find_leaks(fault.build(healthy=True), fault.inputs, fault.mask)
    calls, first = report.trace.calls, report.leaks[0]
    lost = None if first.lost_at is None else calls[first.lost_at]
    if lost is not None:
        lost = (lost.before, lost.after) if lost.kind == "gap" else (lost.path,)
    probes = tuple(leak.probe for leak in report.leaks if leak.call == first.call)
    return Found(lost, calls[first.call].path, probes, twin.ok)


def fault_table(measured: dict[str, dict[str, Found]], language: str) -> str:
    word = words("faults", language)
    columns = ("fault", "where", "probes", "twin")
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
                    word("clean" if fault.twin else "accused"),
                )
            )
            for name, fault in faults.items()
        ]
    return "\n".join(lines) + "\n"


def row(cells) -> str:
    return "| " + " | ".join(cells) + " |"


def terms() -> list[dict[str, str]]:
    return tomllib.loads(GLOSSARY.read_text(encoding="utf-8"))["term"]


def glossary(language: str) -> str:
    word: Words = words("glossary", language)
    lines = [row(("English", "中文", word("meaning"))), "|---|---|---|"]
    lines += [row((term["en"], term["zh"], term[f"meaning_{language}"])) for term in terms()]
    return "\n".join(lines) + "\n"
