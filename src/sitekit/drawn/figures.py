"""The figures: each draws masks that `keras_masking.trace` finds while the figure is drawn.

Texts come from docs/shared/texts.toml, in both languages.
"""

import tomllib
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import keras
import numpy as np
import tf_keras
from keras import layers, ops

from keras_masking import (
    Call,
    KeepMask,
    LeakReport,
    MaskedAttentionPooling,
    MaskedConv1D,
    MaskedCropping1D,
    MaskedFirst,
    MaskedFlatten,
    MaskedGroupNormalization,
    MaskedLast,
    MaskedMax,
    MaskedMean,
    MaskedMin,
    MaskedMultiHeadAttention,
    MaskedReshape,
    MaskedSoftmax,
    MaskedStd,
    MaskedSum,
    MaskedUpSampling1D,
    MaskedZeroPadding1D,
    SampleMeanLoss,
    Trace,
    find_leaks,
    trace,
)
from keras_masking.rendering.grid import Arrow, Cell, Grid, Item, Kind, Note, figure
from sitekit import ROOT
from sitekit.drawn.plot import Chart, Key, Series
from sitekit.measured import accuracy
from sitekit.measured.faults.known import FAULTS
from sitekit.pages.page import LANGUAGES

TEXTS = ROOT / "docs/shared/texts.toml"

MEANS = np.array(
    [
        [[10, 10], [0, 0], [0, 0], [0, 0]],
        [[10, 10], [20, 20], [0, 0], [0, 0]],
        [[10, 10], [20, 20], [30, 30], [0, 0]],
        [[10, 10], [20, 20], [30, 30], [40, 40]],
    ],
    dtype="float32",
)
IDS = np.array([[1, 0, 0, 0], [1, 2, 0, 0], [1, 2, 3, 0], [1, 2, 3, 4]])
Words = Callable[[str], str]


class TextError(KeyError):
    """A text that the catalogue lacks."""


@cache
def catalogue() -> dict:
    return tomllib.loads(TEXTS.read_text(encoding="utf-8"))


def words(section: str, language: str) -> Words:
    """The texts of one section in one language, by key.

    Raises:
        TextError: docs/shared/texts.toml lacks the key in this language.
    """

    def word(key: str) -> str:
        try:
            return catalogue()[section][key][language]
        except KeyError:
            raise TextError(f"{TEXTS.name}: [{section}] lacks {key!r} in {language!r}") from None

    return word


def render_all() -> dict[Path, str]:
    """Every figure in both languages, by its path in the repository."""
    keras.utils.set_random_seed(0)
    return {
        Path("docs/shared", language, "figures", f"{name}.html"): render(name, language)
        for language in LANGUAGES
        for name in FIGURES
    }


def render(name: str, language: str) -> str:
    word = words(name, language)
    lines, facts = FIGURES[name](word)
    return figure(lines, word("alt").format(**facts), word("caption"))


def mask_of(x) -> np.ndarray | None:
    """The mask on a tensor of Keras or tf_keras."""
    mask = getattr(x, "_keras_mask", None)
    return None if mask is None else np.asarray(mask)


def behind(layer: keras.Layer, x: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
    """The mask on the output of a layer that is given `x`."""
    layer.build(x.shape)
    return trace(layer, x, mask).outputs[0].mask


def steps(run: Trace, word: Words, **labels: str) -> Iterator[tuple[Call, list[Item]]]:
    """The calls directly in the model, each as an arrow, crossed where the mask is lost, and the
    mask behind it. `labels` names a class otherwise."""
    shape = (1, 1)
    for call in run:
        computes_a_mask = call.kind == "operation" and not call.events
        if call.depth or computes_a_mask:
            continue
        if call.mask is None:
            grid = no_mask(word("none"), shape)
        else:
            shape = call.mask.shape
            grid = mask_grid(word("mask"), call.mask)
        yield call, [Arrow(labels.get(call.class_name, call.class_name), call.loses), grid]


def number(value) -> str:
    return "nan" if np.isnan(value) else f"{value:g}"


def written(values) -> str:
    """Numbers, or T and F, as a text alternative says them: rows parted by semicolons."""
    rows = np.atleast_2d(values)
    return "; ".join(" ".join(truth(v) if v.dtype == bool else number(v) for v in r) for r in rows)


def truth(value) -> str:
    return "T" if value else "F"


def mask_grid(title: str, mask) -> Grid:
    kinds: dict[bool, Kind] = {True: "keep", False: "drop"}
    return Grid(
        title,
        tuple(tuple(Cell(truth(v), kinds[bool(v)]) for v in row) for row in np.atleast_2d(mask)),
    )


def value_grid(title: str, values, mask=None) -> Grid:
    """Values, drawn as kept or masked where a mask of the same shape is given."""
    values = np.atleast_2d(values)
    kinds = np.full(values.shape, "plain")
    if mask is not None:
        kinds = np.where(np.broadcast_to(np.atleast_2d(mask), values.shape), "keep", "drop")
    return Grid(
        title,
        tuple(
            tuple(Cell(number(v), str(k)) for v, k in zip(row, kind, strict=True))
            for row, kind in zip(values, kinds, strict=True)
        ),
    )


def no_mask(title: str, shape: tuple[int, int]) -> Grid:
    return Grid(title, ((Cell("?", "lost"),) * shape[1],) * shape[0])


def padding_and_mask(word):
    sequences = [[3], [1, 4], [1, 5, 9], [2, 6, 5, 3]]
    padded = keras.utils.pad_sequences(sequences, padding="post")
    mask = behind(layers.Embedding(10, 1, mask_zero=True), padded)
    ragged = tuple(
        tuple(Cell(number(v), "keep") for v in row) + (None,) * (4 - len(row)) for row in sequences
    )
    line = [
        Grid(word("sequences"), ragged),
        Arrow(word("pad")),
        value_grid(word("padded"), padded, mask),
        Arrow(word("mark")),
        mask_grid(word("mask"), mask),
    ]
    return [line], {"padded": written(padded), "mask": written(mask)}


def why_mean(word):
    mask = behind(layers.Masking(), MEANS)
    counted = MEANS.mean(axis=1)[:, :1]
    masked = np.asarray(MaskedMean()(layers.Masking()(MEANS)))[:, :1]
    line = [
        value_grid(word("batch"), MEANS[..., 0], mask),
        value_grid(word("counted"), counted),
        value_grid(word("masked"), masked, np.ones_like(masked)),
    ]
    facts = {"counted": written(counted.T), "masked": written(masked.T)}
    return [line], facts


def masking_layer(word):
    x = np.array([[[1, 2], [0, 5], [0, 0], [0, 0]], [[3, 0], [4, 4], [5, 1], [0, 0]]])
    mask = behind(layers.Masking(), x)
    steps = tuple(
        tuple(
            Cell(" ".join(map(str, step)), "keep" if kept else "drop")
            for step, kept in zip(row, keep, strict=True)
        )
        for row, keep in zip(x, mask, strict=True)
    )
    line = [Grid(word("steps"), steps), Arrow("Masking()"), mask_grid(word("mask"), mask)]
    return [line], {"mask": written(mask)}


def embedding_mask(word):
    mask = behind(layers.Embedding(5, 3, mask_zero=True), IDS)
    line = [
        value_grid(word("ids"), IDS, mask),
        Arrow("Embedding(mask_zero=True)"),
        mask_grid(word("mask"), mask),
    ]
    return [line], {"mask": written(mask)}


def mask_value_collision(word):
    lines, masks = [], []
    nan = np.nan
    for value, row, data in (
        (0.0, [7, 0, 8, 0], [True, True, True, False]),
        (-1.0, [7, 0, 8, -1], [True, True, True, False]),
        (nan, [7, 9, nan, nan], [True, True, False, False]),
    ):
        x = np.array([row], dtype="float32")[..., None]
        (mask,) = behind(layers.Masking(mask_value=value), x)
        masks.append(mask)
        entries = tuple(
            Cell(truth(m), "wrong" if m != d else "keep" if m else "drop")
            for m, d in zip(mask, data, strict=True)
        )
        lines.append(
            [
                value_grid(f"mask_value={number(value)}", row, data),
                Arrow("Masking"),
                Grid(word("right" if (mask == data).all() else "wrong"), (entries,)),
            ]
        )
    return lines, {"zero": written(masks[0]), "minus": written(masks[1]), "nan": written(masks[2])}


def travel_chain(word):
    x = keras.Input((4, 2))
    product = layers.Dense(3)(layers.Masking()(x)) * 1
    run = trace(keras.Model(x, layers.Dense(3)(product)), MEANS[:2])
    (_, a), (_, b), (_, c), (_, d) = steps(run, word, Multiply="x * 1")
    return [a + b, c + d], {"mask": written(run.losses[0].inputs[0].mask)}


def merge_masks(word):
    ids = [np.array([[1, 2, 0, 0]]), np.array([[3, 4, 1, 0]])]

    def added(k):
        inputs = [k.Input((4,), dtype="int32") for _ in ids]
        a, b = map(k.layers.Embedding(5, 2, mask_zero=True), inputs)
        return inputs, k.layers.Add(name="both")([a, b]), k.layers.Add(name="one")([a, b * 1])

    inputs, *sums = added(keras)
    run = trace(keras.Model(inputs, sums), ids)
    a, b = (x.mask for x in run["both"].inputs)
    both = run["both"].mask
    assert run["one"].loses
    inputs, *sums = added(tf_keras)
    old, old_one = map(mask_of, tf_keras.Model(inputs, sums)(ids))
    lines = [
        [mask_grid("a", a), mask_grid("b", b)],
        [Arrow("Keras 3: Add"), mask_grid("a, b", both), no_mask(word("unmasked"), (1, 4))],
        [
            Arrow("tf_keras: Add"),
            mask_grid("a, b", old),
            mask_grid(word("unmasked"), old_one),
        ],
    ]
    facts = {"a": written(a), "b": written(b), "both": written(both), "old": written(old)}
    return lines, facts | {"old_one": written(old_one)}


def rnn_masks(word):
    x = np.array([[[1.0], [2.0], [0.0], [4.0]]], dtype="float32")
    options = {"activation": None, "kernel_initializer": "ones", "recurrent_initializer": "ones"}
    inputs = keras.Input((4, 1))
    masked = layers.Masking()(inputs)
    every = layers.SimpleRNN(1, return_sequences=True, name="every", **options)(masked)
    last = layers.SimpleRNN(1, name="last", **options)(masked)
    model = keras.Model(inputs, [every, last])
    run = trace(model, x)
    assert run["last"].mask is None
    outputs, end = map(np.asarray, model(x))
    mask = run["every"].mask
    lines = [
        [value_grid(word("input"), x[..., 0], run["every"].inputs[0].mask)],
        [
            Arrow("return_sequences=True"),
            value_grid(word("output"), outputs[..., 0], mask),
            mask_grid(word("mask"), mask),
        ],
        [Arrow("return_sequences=False"), value_grid(word("output"), end), Note(word("none"))],
    ]
    return lines, {
        "every": written(outputs[..., 0]),
        "mask": written(mask),
        "last": written(end),
    }


def shape_steps(word):
    mask = behind(layers.Embedding(5, 3, mask_zero=True), IDS)
    flat = behind(MaskedFlatten(), np.zeros((*IDS.shape, 3)), mask)
    column = mask[1][:, None]
    lines = [
        [
            value_grid(f"{word('ids')} {IDS.shape}", IDS, mask),
            Arrow("Embedding"),
            mask_grid(f"{word('mask')} {mask.shape}", mask),
        ],
        [
            mask_grid(word("column"), column),
            Arrow(word("broadcast")),
            mask_grid(word("features"), np.broadcast_to(column, (4, 3))),
        ],
        [mask_grid(f"MaskedFlatten {flat.shape}", flat)],
    ]
    return lines, {"mask": written(mask), "row": written(flat[1])}


def shape_time_distributed(word):
    ids = np.array([[[1, 2, 0], [3, 0, 0], [0, 0, 0]]])
    words_mask = behind(layers.Embedding(5, 2, mask_zero=True), ids)
    sentences = np.asarray(ops.any(words_mask, axis=-1))
    line = [
        value_grid(word("ids"), ids[0], words_mask[0]),
        mask_grid(f"{word('words')} {words_mask.shape}", words_mask[0]),
        Arrow("any"),
        mask_grid(f"{word('sentences')} {sentences.shape}", sentences.T),
    ]
    return [line], {"words": written(words_mask[0]), "sentences": written(sentences)}


def shape_attention(word):
    ids = np.array([[1, 2, 3, 0]])
    padding = behind(layers.Embedding(5, 2, mask_zero=True), ids)
    keys = np.repeat(padding, 4, axis=0)
    causal = np.tril(np.ones((4, 4), dtype=bool))
    both = keys & causal
    line = [
        mask_grid(word("padding"), keys),
        Arrow("&"),
        mask_grid(word("causal"), causal),
        Arrow("="),
        mask_grid(word("both"), both),
    ]
    return [line], {"both": written(both)}


def three_roles(word):
    x = keras.Input((4, 2))
    y = MaskedMean()(layers.Dense(2)(layers.Masking()(x)))
    run = trace(keras.Model(x, y), MEANS[1:3])
    lines = []
    for (call, (arrow, _)), role in zip(
        steps(run, word), ("producer", "passer", "consumer"), strict=True
    ):
        before, after = call.inputs[0].mask, call.mask
        lines.append(
            [
                Note(word("none")) if before is None else mask_grid(word("mask"), before),
                arrow,
                Note(word(role)) if after is None else mask_grid(word(role), after),
            ]
        )
    return lines, {"mask": written(run.calls[0].mask)}


def mean_steps(word):
    x = MEANS[1:2]
    mask = behind(layers.Masking(), x)
    repeated = np.asarray(ops.repeat(mask[:, None], 2, axis=1))
    turned = np.asarray(ops.transpose(repeated, (0, 2, 1)))
    numbers = np.asarray(ops.cast(turned, "float32"))
    mean = np.asarray(MaskedMean()(x, mask=mask))
    lines = [
        [
            mask_grid("mask (1, 4)", mask),
            Arrow("repeat"),
            mask_grid("(1, 2, 4)", repeated[0]),
        ],
        [
            Arrow("transpose"),
            mask_grid("(1, 4, 2)", turned[0]),
            Arrow("cast"),
            value_grid("(1, 4, 2)", numbers[0], turned[0]),
        ],
        [
            value_grid("x", x[0], turned[0]),
            Arrow(word("multiply")),
            value_grid("x * mask", (x * numbers)[0], turned[0]),
            Arrow(word("divide")),
            value_grid(word("mean"), mean),
        ],
    ]
    return lines, {"mask": written(mask), "turned": written(turned[0]), "mean": written(mean)}


def repeat_and_tile(word):
    x = np.arange(12.0).reshape(1, 12)
    mask = np.array([[True, True, False, False]])
    repeated = np.asarray(ops.repeat(mask, 3, axis=1))
    tiled = np.asarray(ops.tile(mask, (1, 3)))
    right, wrong = (float(MaskedSum()(x, mask=m)[0]) for m in (repeated, tiled))
    lines = [
        [value_grid(f"{word('repeat')} {right:g}", x, repeated)],
        [value_grid(f"{word('tile')} {wrong:g}", x, tiled)],
    ]
    kept = {"right": written(x[repeated]), "wrong": written(x[tiled])}
    return lines, kept | {"sum": number(right), "wrong_sum": number(wrong)}


def was_it_flattened(word):
    mask = np.array([[True, True, False, False]])
    x = np.arange(12.0).reshape(1, 4, 3)
    old = tf_keras.backend
    flat_x = np.asarray(old.batch_flatten(old.constant(x)))
    flat_mask = np.asarray(old.batch_flatten(old.constant(mask))) > 0
    needed = behind(MaskedFlatten(), x, mask)
    lines = [
        [value_grid("x (1, 4, 3)", x[0]), Arrow("batch_flatten")],
        [value_grid(f"{flat_x.shape}", flat_x)],
        [
            mask_grid("mask (1, 4)", mask),
            Arrow("batch_flatten"),
            mask_grid(f"{flat_mask.shape}", flat_mask),
        ],
        [mask_grid(f"{word('needed')} {needed.shape}", needed)],
    ]
    return lines, {"flat": written(flat_mask), "needed": written(needed)}


def three_eras(word):
    x = MEANS[1:2]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        flatten = layers.Flatten(name="flatten")
        model = keras.Sequential([keras.Input((4, 2)), layers.Masking(), flatten])
    flatten = trace(model, x)["flatten"]
    (given,) = flatten.inputs
    assert flatten.warning
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        old = tf_keras.layers.Masking()(x)
        assert mask_of(tf_keras.layers.Flatten()(old)) is None
    arrow, none = Arrow("Flatten", flatten.loses), no_mask(word("none"), given.mask.shape)
    lines = [
        [mask_grid(word("era-2"), given.mask), arrow, Note("TypeError")],
        [mask_grid("tf_keras", mask_of(old)), arrow, none, Note(word("silence"))],
        [mask_grid("Keras 3", given.mask), arrow, none, Note("UserWarning")],
    ]
    return lines, {}


PADDED = np.array([[1, 2, 3, 4], [5, 6, 0, 0]])


def attend(x, **options):
    return layers.MultiHeadAttention(2, 4)(x, x, **options)


def post_norm(x, mask):
    return layers.LayerNormalization()(layers.Add()([x, attend(x)]))


def masked_by_hand(x, mask):
    return layers.LayerNormalization()(layers.Add()([x, attend(x, attention_mask=mask[:, None])]))


def pre_norm(x, mask):
    return layers.Add()([x, attend(layers.LayerNormalization()(x))])


class Block(layers.Layer):
    def __init__(self):
        super().__init__()
        self.supports_masking = True
        self.attend = layers.MultiHeadAttention(2, 4)
        self.norm = layers.LayerNormalization()

    def build(self, shape):
        self.attend.build(shape, shape)
        self.norm.build(shape)

    def call(self, x):
        return self.norm(x + self.attend(x, x))


def one_layer(x, mask):
    return Block()(x)


@cache
def two_blocks(block: Callable) -> LeakReport:
    """What two Transformer blocks on a padded batch do with its mask."""
    ids = keras.Input((None,), dtype="int32")
    embedding = layers.Embedding(9, 8, mask_zero=True)
    x, mask = embedding(ids), embedding.compute_mask(ids)
    for _ in range(2):
        x = block(x, mask)
    return find_leaks(keras.Model(ids, layers.GlobalAveragePooling1D()(x)), PADDED)


def transformer_trace(word):
    report = two_blocks(post_norm)
    leaking = {leak.call for leak in report.leaks}
    lines, mask = [], report.trace.calls[0].mask
    for call, items in steps(report.trace, word):
        if any(x.taken for x in call.inputs):
            items.append(no_mask(word("taken"), mask.shape))
        if call.index in leaking:
            items.append(Note(word("leaks")))
        lines.append(items)
        if call.index in leaking:
            return lines, {"mask": written(mask)}
    raise AssertionError("two post-norm blocks no longer leak")


def remedies(word):
    lines = []
    for key, block in (
        ("post-norm", post_norm),
        ("by-hand", masked_by_hand),
        ("pre-norm", pre_norm),
        ("one-layer", one_layer),
    ):
        report = two_blocks(block)
        _, second = (x for x in report.trace if x.class_name == "MultiHeadAttention")
        by_hand = second.explicit.get("attention_mask")
        seen = second.inputs[0].mask if by_hand is None else by_hand[:, 0]
        lines.append(
            [
                no_mask(word(key), PADDED.shape) if seen is None else mask_grid(word(key), seen),
                Note(word("free" if report.ok else "leaks")),
            ]
        )
    return lines, {"mask": written(seen)}


@dataclass(frozen=True)
class Picture:
    """The picture that the tools draw of a run, as a panel of a figure."""

    run: Trace | LeakReport
    language: str

    def svg(self) -> str:
        return self.run.to_svg(self.language).rstrip()


def trace_debug(word):
    keras.utils.clear_session(free_memory=False)  # the operator is named as on the page
    ids = keras.Input((None,), dtype="int32", name="ids")
    x = layers.Embedding(9, 2, mask_zero=True, name="words")(ids)
    x = layers.LSTM(2, return_sequences=True, name="lstm")(x * 2)
    outputs = layers.GlobalAveragePooling1D(name="mean")(x)
    run = trace(keras.Model(ids, outputs, name="small"), np.array([[3, 1, 4, 2], [1, 5, 0, 0]]))
    (loss,) = run.losses
    return [[Picture(run, word("language"))]], {"mask": written(loss.inputs[0].mask)}


def three_probes(word):
    x = np.array([[[4], [8], [0]], [[6], [0], [0]]], dtype="float32")
    mask = x.any(axis=-1)
    dense = layers.Dense(1, kernel_initializer="ones", bias_initializer="ones")

    def line(key, x, mask, changed=False):
        kinds = np.where(mask, "keep", np.where(changed, "wrong", "drop"))
        rows = tuple(
            tuple(Cell(number(v), k) for v, k in zip(row, kind, strict=True))
            for row, kind in zip(x[..., 0], kinds, strict=True)
        )
        means = [np.asarray(MaskedMean()(dense(x), mask=used)).round(1) for used in (None, mask)]
        results[key] = tuple(written(mean.T) for mean in means)
        return [
            Grid(word(key), rows),
            value_grid(word("without"), means[0]),
            value_grid(word("with"), means[1], np.ones_like(means[1])),
        ]

    results: dict[str, tuple[str, str]] = {}
    longer, longer_mask = np.pad(x, ((0, 0), (0, 3), (0, 0))), np.pad(mask, ((0, 0), (0, 3)))
    lines = [
        line("batch", x, mask),
        line("length", longer, longer_mask, np.arange(6) >= 3),
        line("content", np.where(mask[..., None], x, 99), mask, True),
        line("company", x[1:, :1], mask[1:, :1]),
    ]
    facts = {key: without for key, (without, _) in results.items()}
    return lines, facts | {"right": results["batch"][1]}


def fault_and_twin(word):
    fault = next(x for x in FAULTS["operations"] if x.name == "operator")
    lines = []
    for healthy in (False, True):
        report = find_leaks(fault.build(healthy), fault.inputs)
        (_, (_, made)), (_, behind_it), _ = steps(report.trace, word, Multiply="x * 2")
        note = Note(word("free" if report.ok else "leaks"))
        lines.append([made, *behind_it, note])
    return lines, {"mask": written(report.trace.calls[0].mask)}


def padding_mask(word):
    lengths = np.array([[4], [2]])
    mask = np.arange(4) < lengths
    ids = np.where(mask, np.arange(1, 9).reshape(2, 4), 0)
    inputs = {
        name: keras.Input((None,), dtype="int32", name=name)
        for name in ("token_ids", "padding_mask")
    }
    x = layers.Embedding(9, 8)(inputs["token_ids"])
    y = attend(x, attention_mask=inputs["padding_mask"][:, None])
    batch = {"token_ids": ids, "padding_mask": mask.astype("int32")}
    run = trace(keras.Model(inputs, y), batch)
    seen = next(x for x in run if x.class_name == "MultiHeadAttention").explicit["attention_mask"]
    line = [
        value_grid("token_ids", ids, mask),
        value_grid("padding_mask", batch["padding_mask"], mask),
        Arrow("[:, None]"),
        mask_grid(f"attention_mask {seen.shape}", seen[:, 0]),
    ]
    return [line], {"ids": written(ids), "mask": written(mask)}


def reshaped_mask(word):
    mask = np.arange(4) < np.array([[4], [2]])
    reshaped = np.asarray(ops.reshape(mask, (4, 2)))
    turned = np.asarray(ops.transpose(mask))
    kinds = np.where(reshaped != turned, "wrong", np.where(reshaped, "keep", "drop"))
    wrong = tuple(
        tuple(Cell(truth(v), str(k)) for v, k in zip(row, kind, strict=True))
        for row, kind in zip(reshaped, kinds, strict=True)
    )
    line = [
        mask_grid(f"{word('mask')} {mask.shape}", mask),
        mask_grid(f"transpose {turned.shape}", turned),
        Grid(f"reshape {reshaped.shape}", wrong),
    ]
    facts = {"mask": written(mask), "turned": written(turned), "reshaped": written(reshaped)}
    return [line], facts


def pooling_summaries(word):
    rows = [[-3, -1, -2, 0], [5, 1, 3, 7], [0, 0, 0, 0]]
    x = np.array(rows, dtype="float32")[..., None]
    mask = behind(layers.Masking(), x)
    stock = np.asarray(layers.GlobalMaxPooling1D()(x))
    pooled = {
        pooling: np.asarray(pooling()(x, mask=mask)).round(2)
        for pooling in (MaskedMax, MaskedMin, MaskedStd, MaskedFirst, MaskedLast, MaskedMean)
    }
    right = pooled[MaskedMax]
    cells = tuple(
        (Cell(number(v), "keep" if v == r else "wrong"),)
        for v, r in zip(stock[:, 0], right[:, 0], strict=True)
    )
    results = [value_grid(p.__name__, y, mask.any(axis=1)[:, None]) for p, y in pooled.items()]
    lines = [
        [value_grid(word("batch"), x[..., 0], mask), Grid("GlobalMaxPooling1D", cells)],
        results[:3],
        results[3:],
    ]
    facts = {p.__name__.removeprefix("Masked").lower(): written(y.T) for p, y in pooled.items()}
    return lines, facts | {"stock": written(stock.T)}


def pooling_weights(word):
    x = np.log(np.array([[1, 3, 9, 9]], dtype="float32"))[..., None]
    mask = np.array([[True, True, False, False]])
    soft, attention = MaskedSoftmax(axis=1), MaskedAttentionPooling(kernel_initializer="ones")
    stock = np.asarray(layers.Softmax(axis=1)(x))[..., 0].round(2)
    weights = np.asarray(soft(x, mask=mask))[..., 0].round(2)
    pooled, again = attention(x, mask=mask, return_attention_scores=True)
    assert np.allclose(again, weights)
    pooled = np.asarray(pooled).round(2)
    wrong = (tuple(Cell(number(v), "wrong") for v in stock[0]),)
    lines = [
        [
            value_grid(word("scores"), x[..., 0].round(2), mask),
            Arrow("Softmax"),
            Grid(word("weights"), wrong),
        ],
        [Arrow("MaskedSoftmax"), value_grid(word("weights"), weights, mask)],
        [Arrow(word("sum")), value_grid("MaskedAttentionPooling", pooled, np.ones((1, 1)))],
    ]
    facts = {"stock": written(stock), "weights": written(weights), "pooled": written(pooled)}
    return lines, facts


def attention_weights(word):
    x, mask = np.ones((1, 4, 2), "float32"), np.array([[False, True, True, True]])
    attend_to = MaskedMultiHeadAttention(1, 2)
    padding, causal = {"query_mask": mask, "value_mask": mask}, {"use_causal_mask": True}
    line, facts = [], {"mask": written(mask)}
    for key, options in (("padding", padding), ("causal", causal), ("both", padding | causal)):
        _, scores = attend_to(x, x, return_attention_scores=True, **options)
        weights = np.asarray(scores)[0, 0].round(2)
        line.append(value_grid(word(key), weights, weights > 0))
        facts[key] = written(weights)
    return [line], facts


def shapes_masks(word):
    mask = np.array([[1, 1, 1, 1, 0, 0], [0, 0, 0, 1, 1, 1]], dtype=bool)
    x = np.where(mask, np.array([[1, 2, 3, 4, 0, 0], [0, 0, 0, 5, 6, 7]]), 0)
    lines, facts = [[value_grid(word("steps"), x, mask)]], {"steps": written(x)}
    for layer in (
        MaskedCropping1D(1),
        MaskedZeroPadding1D(1),
        MaskedUpSampling1D(2),
        MaskedReshape((3, 2, 1)),
    ):
        name = type(layer).__name__
        left = behind(layer, x[..., None].astype("float32"), mask)
        result = np.asarray(layer(x[..., None].astype("float32"), mask=mask))[..., 0]
        shape = f" {left.shape}" if left.ndim > 2 else ""
        rows = (len(x) * left.shape[1], 2) if left.ndim > 2 else left.shape
        grid = value_grid(word("steps") + shape, result.reshape(rows), left.reshape(rows))
        lines.append([Arrow(name), grid])
        facts[name] = written(result.reshape(rows))
    return lines, facts


def group_normalization(word):
    x = np.array([[[1], [3], [0], [0]]], dtype="float32")
    mask = np.array([[True, True, False, False]])
    plain, masked = (
        np.asarray(made(1)(x, **options))[..., 0].round(2)
        for made, options in (
            (layers.GroupNormalization, {}),
            (MaskedGroupNormalization, {"mask": mask}),
        )
    )
    kinds = np.where(mask, "wrong", "drop")
    wrong = tuple(Cell(number(v), str(k)) for v, k in zip(plain[0], kinds[0], strict=True))
    lines = [
        [
            value_grid(word("steps"), x[..., 0], mask),
            Arrow("GroupNormalization"),
            Grid(word("result"), (wrong,)),
        ],
        [Arrow("MaskedGroupNormalization"), value_grid(word("result"), masked, mask)],
    ]
    return lines, {"plain": written(plain), "masked": written(masked)}


def convolution_masks(word):
    mask = np.array([[1, 1, 1, 0, 0, 0], [1, 0, 0, 0, 1, 1]], dtype=bool)
    x = np.where(mask, np.arange(1, 7), 0)
    lines, facts = [[value_grid(word("steps"), x, mask)]], {"mask": written(mask)}
    for padding in ("same", "causal", "valid"):
        items = [Arrow(f'padding="{padding}"')]
        for rule in ("any", "all"):
            layer = MaskedConv1D(1, 3, padding=padding, mask_rule=rule)
            left = behind(layer, x[..., None].astype("float32"), mask)
            items.append(mask_grid(word(rule), left))
            facts[f"{padding}_{rule}"] = written(left)
        lines.append(items)
    return lines, facts


def loss_weights(word):
    mask = np.array([[1, 1, 1, 1], [1, 0, 0, 0]], dtype=bool)
    errors = np.where(mask, [[1, 1, 1, 1], [2, 0, 0, 0]], 0)
    lines, facts = [[value_grid(word("errors"), errors**2, mask)]], {"errors": written(errors**2)}
    for name, loss in (
        ("MeanSquaredError", keras.losses.MeanSquaredError()),
        ("SampleMeanLoss", SampleMeanLoss("mse")),
    ):

        def mean(x, loss=loss):
            y_pred = KeepMask()(x[..., None].astype("float32"), mask=mask)
            return np.asarray(loss(np.zeros((*x.shape, 1)), y_pred))

        alone = np.eye(mask.size).reshape(mask.size, *mask.shape)
        weights = np.reshape([mean(x) for x in alone], mask.shape).round(3)
        result = mean(errors).round(3)
        lines.append(
            [
                Arrow(name),
                value_grid(word("weights"), weights, mask),
                Arrow(word("sum")),
                value_grid(word("loss"), result),
            ]
        )
        facts[name], facts[f"{name}_loss"] = written(weights), number(result)
    return lines, facts


def accuracy_tested(word: Words):
    """Trained with the least padding and with the most, tested with all amounts and with none."""
    lines, facts = [keys(word)], {}
    for steps, share in ((accuracy.STEPS[i], accuracy.record()["trained"][i]) for i in (0, -1)):
        tested = accuracy.record()["tested"]
        found = {
            model: {way: list(map(point, tested, runs[steps].T)) for way, runs in ways.items()}
            for model, ways in accuracy.results().items()
        }
        lines += [[Note(word("trained").format(share=f"{share:.0%}"))], charts(found, word)]
        facts |= {f"{name}_{steps}": means for name, means in spoken(found).items()}
    return lines, facts


def accuracy_trained(word: Words):
    """Tested with as many steps as in training."""
    shares = accuracy.record()["tested"][1:]
    found = {
        model: {
            way: [
                point(share, runs[steps][:, i])
                for i, (share, steps) in enumerate(zip(shares, accuracy.STEPS, strict=True), 1)
            ]
            for way, runs in ways.items()
        }
        for model, ways in accuracy.results().items()
    }
    return [keys(word), charts(found, word)], spoken(found)


Curves = dict[str, dict[str, list[tuple[float, float, float, float]]]]


def point(share: float, results: np.ndarray) -> tuple[float, float, float, float]:
    """The lowest, the mean and the highest of the results of all seeds."""
    return share, results.min(), results.mean(), results.max()


def keys(word: Words) -> list[Item]:
    return [Key(way, word(way)) for way in ("right", "masking", "none")]


def charts(found: Curves, word: Words) -> list[Item]:
    return [
        Chart(word(model), word("share"), [Series(*curve) for curve in ways.items()])
        for model, ways in found.items()
    ]


def spoken(found: Curves) -> dict[str, str]:
    """The means of each model and way, from the least padding to the most."""
    return {
        f"{model}_{way}": " ".join(f"{mean:.0%}" for _, _, mean, _ in curve)
        for model, ways in found.items()
        for way, curve in ways.items()
    }


FIGURES: dict[str, Callable[[Words], tuple[list[list[Item]], dict[str, str]]]] = {
    function.__name__.replace("_", "-"): function
    for function in (
        padding_and_mask,
        why_mean,
        accuracy_tested,
        accuracy_trained,
        masking_layer,
        embedding_mask,
        mask_value_collision,
        travel_chain,
        merge_masks,
        rnn_masks,
        shape_steps,
        shape_time_distributed,
        shape_attention,
        three_roles,
        mean_steps,
        repeat_and_tile,
        was_it_flattened,
        three_eras,
        transformer_trace,
        remedies,
        fault_and_twin,
        padding_mask,
        reshaped_mask,
        trace_debug,
        three_probes,
        shapes_masks,
        group_normalization,
        attention_weights,
        pooling_summaries,
        pooling_weights,
        convolution_masks,
        loss_weights,
    )
}
