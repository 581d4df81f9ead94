"""The figures: each draws masks that Keras makes while the figure is drawn.

Texts come from docs/shared/texts.toml, in both languages.
"""

import tomllib
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path

import keras
import numpy as np
import tf_keras
from keras import layers, ops

from keras_masking import MaskedFlatten, MaskedMean, MaskedSum
from keras_masking.rendering.grid import Arrow, Cell, Grid, Item, Kind, Note, figure
from sitekit.pages import LANGUAGES

TEXTS = Path(__file__).parents[2] / "docs/shared/texts.toml"

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
    mask = getattr(x, "_keras_mask", None)
    return None if mask is None else np.asarray(mask)


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
    mask = np.asarray(layers.Embedding(10, 1, mask_zero=True).compute_mask(padded))
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
    mask = mask_of(layers.Masking()(MEANS))
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
    mask = np.asarray(layers.Masking().compute_mask(x.astype("float32")))
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
    mask = np.asarray(layers.Embedding(5, 3, mask_zero=True).compute_mask(IDS))
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
        (mask,) = np.asarray(layers.Masking(mask_value=value).compute_mask(x))
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
    x = layers.Masking()(MEANS[:2])
    dense = layers.Dense(3)(x)
    product = dense * 1
    again = layers.Dense(3)(product)
    assert mask_of(product) is None and mask_of(again) is None
    lines = [
        [
            mask_grid("Masking", mask_of(x)),
            Arrow("Dense"),
            mask_grid(word("mask"), mask_of(dense)),
            Arrow("x * 1", lost=True),
            no_mask(word("none"), (2, 4)),
        ],
        [Arrow("Dense"), no_mask(word("none"), (2, 4))],
    ]
    return lines, {"mask": written(mask_of(dense))}


def merge_masks(word):
    ids_a, ids_b = np.array([[1, 2, 0, 0]]), np.array([[3, 4, 1, 0]])

    def added(k):
        embedding = k.layers.Embedding(5, 2, mask_zero=True)
        a, b = embedding(ids_a), embedding(ids_b)
        plain = b * 1
        return mask_of(a), mask_of(b), mask_of(k.layers.Add()([a, b])), k.layers.Add()([a, plain])

    a, b, both, one = added(keras)
    *_, old, old_one = added(tf_keras)
    assert mask_of(one) is None
    lines = [
        [mask_grid("a", a), mask_grid("b", b)],
        [Arrow("Keras 3: Add"), mask_grid("a, b", both), no_mask(word("unmasked"), (1, 4))],
        [
            Arrow("tf_keras: Add"),
            mask_grid("a, b", old),
            mask_grid(word("unmasked"), mask_of(old_one)),
        ],
    ]
    facts = {"a": written(a), "b": written(b), "both": written(both), "old": written(old)}
    return lines, facts | {"old_one": written(mask_of(old_one))}


def rnn_masks(word):
    x = layers.Masking()(np.array([[[1.0], [2.0], [0.0], [4.0]]], dtype="float32"))
    options = {"activation": None, "kernel_initializer": "ones", "recurrent_initializer": "ones"}
    every = layers.SimpleRNN(1, return_sequences=True, **options)(x)
    last = layers.SimpleRNN(1, **options)(x)
    assert mask_of(last) is None
    steps, end = np.asarray(every)[..., 0], np.asarray(last)
    lines = [
        [value_grid(word("input"), np.asarray(x)[..., 0], mask_of(x))],
        [
            Arrow("return_sequences=True"),
            value_grid(word("output"), steps, mask_of(every)),
            mask_grid(word("mask"), mask_of(every)),
        ],
        [Arrow("return_sequences=False"), value_grid(word("output"), end), Note(word("none"))],
    ]
    return lines, {"every": written(steps), "mask": written(mask_of(every)), "last": written(end)}


def shape_steps(word):
    x = layers.Embedding(5, 3, mask_zero=True)(IDS)
    mask = mask_of(x)
    flat = mask_of(MaskedFlatten()(x))
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
    words_mask = mask_of(layers.Embedding(5, 2, mask_zero=True)(ids))
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
    padding = np.asarray(layers.Embedding(5, 2, mask_zero=True).compute_mask(ids))
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
    x = MEANS[1:3]
    made = layers.Masking()(x)
    passed = layers.Dense(2)(made)
    used = MaskedMean()(passed)
    assert mask_of(used) is None
    lines = [
        [Note(word("no-mask")), Arrow("Masking"), mask_grid(word("producer"), mask_of(made))],
        [
            mask_grid(word("mask"), mask_of(made)),
            Arrow("Dense"),
            mask_grid(word("passer"), mask_of(passed)),
        ],
        [
            mask_grid(word("mask"), mask_of(passed)),
            Arrow("MaskedMean"),
            Note(word("consumer")),
        ],
    ]
    return lines, {"mask": written(mask_of(made))}


def mean_steps(word):
    x = MEANS[1:2]
    mask = mask_of(layers.Masking()(x))
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
    needed = mask_of(MaskedFlatten()(x, mask=mask))
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
    lines = [
        [
            mask_grid(word("era-2"), mask_of(layers.Masking()(x))),
            Arrow("Flatten", lost=True),
            Note("TypeError"),
        ]
    ]
    for name, k in (("tf_keras", tf_keras), ("Keras 3", keras)):
        masked = k.layers.Masking()(x)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            flat = k.layers.Flatten()(masked)
        assert mask_of(flat) is None
        said = caught[0].category.__name__ if caught else word("silence")
        lines.append(
            [
                mask_grid(name, mask_of(masked)),
                Arrow("Flatten", lost=True),
                no_mask(word("none"), (1, 4)),
                Note(said),
            ]
        )
    return lines, {}


FIGURES: dict[str, Callable[[Words], tuple[list[list[Item]], dict[str, str]]]] = {
    function.__name__.replace("_", "-"): function
    for function in (
        padding_and_mask,
        why_mean,
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
    )
}
