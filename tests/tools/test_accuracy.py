"""The experiment on accuracy and padding, on a data set of its own, and its record."""

import json
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from sitekit.measured import accuracy

STEPS = accuracy.STEPS
ONE = 1.5 / 370  # of the utterances in the test set, which rounding may move


def mean(model, way, trained, tested):
    """Accuracy over all seeds; `tested` 0 is one by one, without padding."""
    column = [0, *STEPS].index(tested)
    return accuracy.results()[model][way][trained][:, column].mean()


def test_the_record_has_every_run():
    record = accuracy.record()
    assert record["package"] == accuracy.PACKAGE
    assert {(run["model"], run["way"], run["steps"]) for run in record["runs"]} == {
        (model, way, steps)
        for model, (_, ways) in accuracy.MODELS.items()
        for way in ways
        for steps in STEPS
    }
    shape = len(accuracy.SEEDS), len(record["tested"])
    assert all(np.shape(run["accuracy"]) == shape for run in record["runs"])


@pytest.mark.parametrize("model", accuracy.MODELS)
def test_with_right_masks_the_answers_do_not_depend_on_padding(model):
    for results in accuracy.results()[model]["right"].values():
        assert np.ptp(results, axis=1).max() <= ONE


def test_the_pages_say_what_is_in_the_record():
    """Each sentence of accuracy.md that names a number, or what is better than what."""
    for model, ways in accuracy.results().items():
        for trained in STEPS if model != "recurrent" else STEPS[:2]:
            results = ways["none"][trained].mean(axis=0)
            assert results[[0, *STEPS].index(trained)] >= results.max() - ONE
    assert f"{mean('transformer', 'none', 29, 29):.0%}" == "97%"
    assert f"{mean('transformer', 'none', 29, 155):.0%}" == "47%"
    assert f"{mean('transformer', 'none', 155, 155):.0%}" == "96%"
    assert f"{mean('transformer', 'none', 155, 0):.0%}" == "55%"
    for model in ("convolutions", "transformer"):
        behind = [mean(model, "right", n, n) - mean(model, "none", n, n) for n in STEPS]
        assert max(behind[:-1]) < 0.005 and 0.01 < behind[-1] < 0.02
    alike = [f"{mean('recurrent', 'none', n, n):.0%}" for n in STEPS]
    assert alike[2:] == ["19%", "9%"]
    assert {f"{mean('recurrent', 'right', n, 0):.0%}" for n in STEPS} == {"91%"}
    convolutions = accuracy.results()["convolutions"]
    for trained in STEPS:
        np.testing.assert_array_equal(
            convolutions["none"][trained], convolutions["masking"][trained]
        )
    for trained, tested in ((29, 155), (155, 0)):
        none, masking, right = (
            mean("transformer", way, trained, tested) for way in ("none", "masking", "right")
        )
        assert none + 0.1 < masking < right - 0.1


def test_a_file_is_read(tmp_path):
    (tmp_path / "x.ts").write_text("# about\n@missing false\n@data\n1,2,3:4,5,6:2\n7:8:1\n")
    utterances, speakers = accuracy.read(tmp_path / "x.ts")
    assert [u.tolist() for u in utterances] == [[[1, 4], [2, 5], [3, 6]], [[7, 8]]]
    assert speakers.tolist() == [1, 0]


def test_the_share_of_padding():
    utterances = [np.ones((1, 2)), np.ones((3, 2))]
    assert accuracy.share(utterances, 4) == 0.5


def test_accuracy_counts_right_speakers_with_and_without_padding():
    """By a model that takes the number of steps it is given for the speaker."""
    model = SimpleNamespace(predict_on_batch=lambda x: np.eye(9)[[x.shape[1]] * len(x)])
    utterances = [np.ones((n, 2), "float32") for n in (1, 2, 3, 3)]
    speakers = np.array([1, 2, 3, 4])
    assert accuracy.accuracy(model, utterances, speakers, 0) == 0.75
    assert accuracy.accuracy(model, utterances, speakers, 4) == 0.25


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="it is made with TensorFlow")
@pytest.mark.filterwarnings("ignore:.*does not support masking")  # the fault that is measured
def test_the_experiment_runs_on_a_small_data_set(tmp_path, monkeypatch):
    random = np.random.default_rng(0)
    for part in ("TRAIN", "TEST"):
        lines = ["@data"]
        for speaker in (1, 2):
            values = random.normal(speaker, size=(12, 3 + speaker)).round(3)
            lines.append(":".join([*(",".join(map(str, row)) for row in values), str(speaker)]))
        path = tmp_path / accuracy.FILES.format(part=part)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines))
    build, _ = accuracy.MODELS["convolutions"]
    monkeypatch.setattr(accuracy, "MODELS", {"convolutions": (build, ("none", "right"))})
    monkeypatch.setattr(accuracy, "STEPS", (5, 8))
    monkeypatch.setattr(accuracy, "SEEDS", (0,))
    monkeypatch.setattr(accuracy, "EPOCHS", 1)
    record = accuracy.experiment(tmp_path)
    assert record == json.loads(json.dumps(record))
    assert record["trained"] == [0.1, 0.438] and record["tested"] == [0, 0.1, 0.438]
    assert len(record["runs"]) == 2 * 2
    assert all(np.shape(run["accuracy"]) == (1, 3) for run in record["runs"])
