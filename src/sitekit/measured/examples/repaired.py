"""What `repair` makes of the official examples that leak, recorded: to measure it takes minutes.

Each result is held against brute force. `python -m sitekit.measured.examples.repaired` writes the
record.
"""

import json
import warnings

import keras
import numpy as np

from keras_masking import Repair, repair
from keras_masking._keras import any_length
from keras_masking.rendering.files import write
from sitekit import ROOT
from sitekit.measured.examples import survey
from sitekit.measured.examples.known import EXAMPLES, Example

RECORD = ROOT / "docs/shared/repaired-examples.json"


def repaired(example: Example) -> dict:
    """
    Returns:
        `by`: "repair", or "line" where it takes the line that `left` names as well, or None;
        `why` and `line`: what `left` says of the line, and the line;
        `changes`: what stands in the model after it; `left`: what is to be done, by its keys;
        `difference`: by brute force, the largest one that padding makes in the repaired model.
    """
    inputs, said = example.inputs, None
    done = of(example, inputs)
    if not done.ok and example.cured_inputs is not None:
        # how to pad: the batch of the cure is padded so
        said = next((x for x in done.left if x.leak is None), None)
        if said is not None:
            inputs = example.cured_inputs
            done = of(example, inputs)
    if not done.ok:
        left = dict.fromkeys(x.why.key if x.leak is None else x.leak.remedy.key for x in done.left)
        return {"by": None, "left": list(left)}
    if example.alone == "content":
        found = difference_by_row(done.model, inputs)
    else:
        with any_length():
            found = survey.difference_of(done.model, done.model, inputs, example.alone)
    line = {} if said is None else {"why": said.why.key, "line": said.lines}
    return {
        "by": "repair" if said is None else "line",
        **line,
        "changes": [change.after for change in done.changes],
        "difference": survey.rounded(found),
    }


def of(example: Example, inputs) -> Repair:
    values, padding = survey.told(inputs)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*does not support masking.*")
        return repair(survey.built(example.build, inputs), values, padding=padding)


def difference_by_row(model: keras.Model, inputs) -> float:
    """By other vectors of what stands in padded steps: other words there would be data to a model
    that knows them by index 0."""
    before = survey.results(model, inputs)
    for weight in model.weights:
        if weight.name == "embeddings":
            rows = np.array(weight)
            rows[0] += 5
            weight.assign(rows)
    return survey.relative([before], [survey.results(model, inputs)])


def leaking() -> list[Example]:
    """Those in which padding changes a result, by the record of `survey`."""
    known = [example for group in EXAMPLES.values() for example in group]
    found = zip(known, survey.record()["examples"], strict=True)
    return [example for example, result in found if result["difference"]]


def record() -> dict[str, dict]:
    """By the name of the example."""
    return json.loads(RECORD.read_text(encoding="utf-8"))


def main() -> None:
    found = {}
    for example in leaking():
        keras.utils.clear_session()  # which numbers the layers from the start again
        found[example.name] = repaired(example)
        print(example.name, found[example.name]["by"], flush=True)
    write(RECORD, json.dumps(found, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
