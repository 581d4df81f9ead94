"""Official examples that feed padded sequences, rebuilt small: does padding change their results?

The truth is found by brute force, without the tools of the package: each sample is run alone, cut
to its own steps, and compared with what it gives in the batch. `make survey` writes
docs/shared/examples.json, of which the table is made, with the verdict of `find_leaks` beside it.
"""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import keras
import numpy as np

from keras_masking import find_leaks
from keras_masking.rendering.files import write
from sitekit import ROOT
from sitekit.measured.examples.known import EXAMPLES, Example, Input

RECORD = ROOT / "docs/shared/examples.json"

# Below this a difference is rounding: a sample alone is computed in another order.
ROUNDING = 1e-4


def differences(example: Example) -> tuple[float, float | None]:
    """The largest relative change of a valid result by padding, in the example and cured."""
    found = difference(example.build, example.inputs, example.alone)
    if example.cured is None:
        return found, None
    inputs = example.inputs if example.cured_inputs is None else example.cured_inputs
    return found, difference(example.cured, inputs, example.alone)


def difference(build: Callable[..., keras.Model], inputs: Any, alone: str) -> float:
    model = built(build, inputs)
    free = built(partial(build, None), inputs) if alone == "free" else model
    return difference_of(model, free, inputs, alone)


def difference_of(model: keras.Model, free: keras.Model, inputs: Any, alone: str) -> float:
    """`free` has the same weights and runs each sample alone."""
    together = results(model, inputs)
    if alone == "content":
        return relative([together], [results(model, with_other_words(inputs))])
    cut, single = [], []
    for sample in range(len(keras.tree.flatten(inputs)[0].values)):
        single.append(results(free, keras.tree.map_structure(partial(without, sample), inputs)))
        left = any(starts_with_padding(x) for x in keras.tree.flatten(inputs))
        cut.append(
            [
                whole[sample : sample + 1, -one.shape[1] :]
                if left
                else whole[sample : sample + 1, : one.shape[1]]
                for whole, one in zip(together, single[-1], strict=True)
            ]
        )
    return relative(cut, single)


def relative(results: list[list[np.ndarray]], others: list[list[np.ndarray]]) -> float:
    """Per output, the largest difference by the largest number, of all samples."""
    return max(
        max(np.abs(x - y).max() for x, y in zip(ours, theirs, strict=True))
        / max(np.abs(y).max() for y in theirs)
        for ours, theirs in zip(zip(*results, strict=True), zip(*others, strict=True), strict=True)
    )


def built(build: Callable[..., keras.Model], inputs: Any) -> keras.Model:
    """With random weights, the same on every backend; scales stay around 1, where they start."""
    model = build()
    results(model, inputs)  # a subclassed model has no weights before
    random = np.random.default_rng(0)
    for weight in model.trainable_variables:
        centre = 1.0 if weight.name == "gamma" else 0.0
        weight.assign(random.normal(centre, 0.5, weight.shape).astype("float32"))
    return model


def results(model: keras.Model, inputs: Any) -> list[np.ndarray]:
    values = keras.tree.map_structure(lambda x: keras.ops.convert_to_tensor(x.values), inputs)
    outputs = keras.tree.flatten(model(values, training=False))
    return [keras.ops.convert_to_numpy(x) for x in outputs]


def without(sample: int, x: Input) -> Input:
    """One sample, without its padding: where it has several sequences, up to the longest."""
    values = x.values[sample : sample + 1]
    if x.valid is None:
        return Input(values)
    valid = x.valid[sample : sample + 1]
    axis = valid.ndim - 1
    kept = np.flatnonzero(valid.any(axis=tuple(range(axis))))
    return Input(values.take(kept, axis), valid.take(kept, axis), x.value)


def starts_with_padding(x: Input) -> bool:
    return x.valid is not None and not x.valid[..., 0].all()


def with_other_words(inputs: Any) -> Any:
    def change(x: Input) -> Input:
        return Input(np.where(x.valid, x.values, 5), x.valid)

    return keras.tree.map_structure(change, inputs)


def verdict(example: Example) -> str:
    """What `find_leaks` says, which is told where the padding is, as is the truth."""
    values, padding = told(example.inputs)
    return find_leaks(built(example.build, example.inputs), values, padding=padding).verdict


def told(inputs: Any) -> tuple[Any, Any]:
    """The batch, and where its padding is, as the tools take it."""
    return (
        keras.tree.map_structure(lambda x: x.values, inputs),
        keras.tree.map_structure(lambda x: x.padding, inputs),
    )


def survey() -> dict:
    rows = []
    for group, examples in EXAMPLES.items():
        for example in examples:
            keras.utils.clear_session()  # which numbers the layers from the start again
            print(example.name, flush=True)
            found, cured = differences(example)
            rows.append(
                {
                    "group": group,
                    "name": example.name,
                    "difference": rounded(found),
                    "cured": None if cured is None else rounded(cured),
                    "verdict": verdict(example),
                }
            )
    return {"keras": keras.__version__, "examples": rows}


def rounded(difference: float) -> float:
    """To two digits, and 0 where it is nothing but rounding."""
    return float(f"{difference:.2g}") if difference > ROUNDING else 0.0


def record() -> dict:
    return json.loads(RECORD.read_text(encoding="utf-8"))


if __name__ == "__main__":
    write(RECORD, json.dumps(survey(), indent=1) + "\n")
