"""Figures of index.md, why.md and glossary.md."""

import keras
from keras import layers

from keras_masking.rendering.grid import Arrow, Cell, Grid
from sitekit.drawn.parts import behind, mask_grid, said, value_grid, written
from sitekit.drawn.plot import Chart, Key, Series
from sitekit.measured import accuracy


def padding_and_mask(word):
    sequences = [[3], [1, 4], [1, 5, 9], [2, 6, 5, 3]]
    padded = keras.utils.pad_sequences(sequences, padding="post")
    mask = behind(layers.Embedding(10, 1, mask_zero=True), padded)
    ragged = tuple(
        tuple(Cell(said(v), "keep") for v in row) + (None,) * (4 - len(row)) for row in sequences
    )
    line = [
        Grid(word("sequences"), ragged),
        Arrow(word("pad")),
        value_grid(word("padded"), padded, mask),
        Arrow(word("mark")),
        mask_grid(word("mask"), mask),
    ]
    return [line], {"padded": written(padded), "mask": written(mask)}


def padding_costs(word):
    """One model of accuracy.md: trained with the least padding, tested with more and more."""
    tested = accuracy.record()["tested"]
    ways = accuracy.results()["transformer"]
    lines, facts = [], {}
    for way in ("right", "none"):
        runs = ways[way][accuracy.STEPS[0]].T
        points = zip(tested, runs.min(1), runs.mean(1), runs.max(1), strict=True)
        lines.append(Series(way, list(points)))
        facts[way] = " ".join(f"{mean:.0%}" for mean in runs.mean(1))
    keys = [Key(way, word(way)) for way in facts]
    at = accuracy.record()["trained"][0]
    return [keys, [Chart(word("accuracy"), word("share"), lines, at, level=1 / 9)]], facts
