"""Accuracy against the share of padding, with right masks, wrong ones and none: `make accuracy`.

Nine speakers say two vowels; a model tells who speaks. The data set is that of Kudo, Toyama and
Shimbo 1999, https://doi.org/10.24432/C5NS47: 640 utterances of 7 to 29 steps. It is read out of a
package that ships it. Each model is trained from every seed with each amount of padding and tested
with all of them; docs/shared/accuracy.json takes what share of the speakers it got right.
"""

import json
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
from keras import layers

from keras_masking import MaskedConv1D, MaskedMean, MaskedMultiHeadAttention
from keras_masking.rendering.files import write
from sitekit import ROOT
from sitekit.measured.beside import beside

RECORD = ROOT / "docs/shared/accuracy.json"

PACKAGE = "sktime==1.2.0"  # without what it depends on: only its files are read
FILES = "sktime/datasets/data/JapaneseVowels/JapaneseVowels_{part}.ts"
SPEAKERS = 9

# Padded to these numbers of steps. The first is that of the longest utterance. One by one, without
# padding, models are tested too.
STEPS = (29, 39, 62, 155)
SEEDS = range(5)
EPOCHS = 30

Sequences = list[np.ndarray]


def convolutions(way: str) -> keras.Model:
    inputs, x = start(way)
    convolve = MaskedConv1D if way == "right" else layers.Conv1D
    for _ in range(2):
        x = convolve(32, 5, padding="same", activation="relu")(x)
    return classifier(inputs, mean(way)(x))


def transformer(way: str) -> keras.Model:
    inputs, x = start(way)
    attention = MaskedMultiHeadAttention if way == "right" else layers.MultiHeadAttention
    x = layers.Dense(32)(x)
    for _ in range(2):
        x = layers.LayerNormalization()(layers.Add()([x, attention(2, 16)(x, x)]))
        hidden = layers.Dense(64, activation="relu")(x)
        x = layers.LayerNormalization()(layers.Add()([x, layers.Dense(32)(hidden)]))
    return classifier(inputs, mean(way)(x))


def recurrent(way: str) -> keras.Model:
    inputs, x = start(way)
    return classifier(inputs, layers.LSTM(32)(x))


def start(way: str):
    inputs = keras.Input((None, 12))
    return inputs, inputs if way == "none" else layers.Masking()(inputs)


def mean(way: str) -> keras.Layer:
    return MaskedMean() if way == "right" else layers.GlobalAveragePooling1D()


def classifier(inputs, x) -> keras.Model:
    return keras.Model(inputs, layers.Dense(SPEAKERS, activation="softmax")(x))


# none: no mask. masking: `Masking` in front of the layers of Keras. right: in front of layers that
# honour it, which `LSTM` does by itself.
MODELS: dict[str, tuple[Callable[[str], keras.Model], tuple[str, ...]]] = {
    "convolutions": (convolutions, ("none", "masking", "right")),
    "transformer": (transformer, ("none", "masking", "right")),
    "recurrent": (recurrent, ("none", "right")),
}


def read(path: Path) -> tuple[Sequences, np.ndarray]:
    """Utterances, each of shape (steps, 12), and the number of their speaker, from 0.

    In a line of the file the twelve features are parted by colons, and the steps of one by commas.
    """
    utterances, speakers = [], []
    _, _, lines = path.read_text(encoding="utf-8").partition("@data\n")
    for line in lines.split():
        *features, speaker = line.split(":")
        utterances.append(np.array([x.split(",") for x in features], "float32").T)
        speakers.append(int(speaker) - 1)
    return utterances, np.array(speakers)


def padded(utterances: Sequences, steps: int) -> np.ndarray:
    return keras.utils.pad_sequences(utterances, steps, dtype="float32", padding="post")


def share(utterances: Sequences, steps: int) -> float:
    """Of padded steps, when all are padded to `steps`."""
    return 1 - sum(map(len, utterances)) / (len(utterances) * steps)


def trained(model: keras.Model, utterances: Sequences, speakers: np.ndarray, steps: int) -> None:
    # one graph for any number of steps
    model.compile(
        keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy", jit_compile=False
    )
    model.fit(padded(utterances, steps), speakers, batch_size=30, epochs=EPOCHS, verbose=0)


def accuracy(model: keras.Model, utterances: Sequences, speakers: np.ndarray, steps: int) -> float:
    """The share of utterances with the right speaker; `steps` 0 is without any padding."""
    widths = np.array([steps or len(x) for x in utterances])
    right = 0
    for width in np.unique(widths):
        taken = np.flatnonzero(widths == width)
        batch = padded([utterances[i] for i in taken], width)
        right += np.sum(np.argmax(model.predict_on_batch(batch), axis=-1) == speakers[taken])
    return float(right / len(utterances))


def experiment(folder: Path) -> dict:
    """The record: for each model and way, how it was trained and its accuracy at each test."""
    train, test = (read(folder / FILES.format(part=part)) for part in ("TRAIN", "TEST"))
    runs = []
    for name, (build, ways) in MODELS.items():
        for way in ways:
            for steps in STEPS:
                results = []
                for seed in SEEDS:
                    keras.utils.set_random_seed(seed)
                    model = build(way)
                    trained(model, *train, steps)
                    results.append([round(accuracy(model, *test, n), 4) for n in (0, *STEPS)])
                    keras.utils.clear_session()
                runs.append({"model": name, "way": way, "steps": steps, "accuracy": results})
                print(
                    f"{name:13} {way:8} {steps:4}", *np.mean(results, axis=0).round(3), flush=True
                )
    return {
        "keras": keras.__version__,
        "package": PACKAGE,
        "trained": [round(share(train[0], n), 3) for n in STEPS],
        "tested": [0, *(round(share(test[0], n), 3) for n in STEPS)],
        "utterances": [len(train[0]), len(test[0])],
        "runs": runs,
    }


def record() -> dict:
    return json.loads(RECORD.read_text(encoding="utf-8"))


def results() -> dict[str, dict[str, dict[int, np.ndarray]]]:
    """By model, way and steps in training, accuracies of shape (seeds, tests)."""
    found = {name: {way: {} for way in ways} for name, (_, ways) in MODELS.items()}
    for run in record()["runs"]:
        found[run["model"]][run["way"]][run["steps"]] = np.array(run["accuracy"])
    return found


def main() -> None:
    with beside(PACKAGE) as folder:
        write(RECORD, json.dumps(experiment(folder), indent=1) + "\n")


if __name__ == "__main__":
    main()
