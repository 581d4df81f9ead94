import json
import os
import zipfile

import keras
import numpy as np
import pytest
from keras import layers, ops

from keras_masking import MaskedMean, UnusableInput
from keras_masking.files import load_model, read_arrays
from keras_masking.texts import words

WORD = words("cli", "en")


@pytest.fixture
def write(tmp_path):
    """Write a file, and return its path."""

    def write(name, content):
        path = tmp_path / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif name.endswith(".json"):
            path.write_text(content if isinstance(content, str) else json.dumps(content))
        elif name.endswith(".npy"):
            np.save(path, content)
        elif isinstance(content, dict):
            np.savez(path, **content)
        else:
            np.savez(path, *content)
        return path

    return write


def refusal(read, path, language="en"):
    with pytest.raises(UnusableInput) as refused:
        read(path, words("cli", language))
    return str(refused.value)


def test_npy(write):
    np.testing.assert_array_equal(read_arrays(write("x.npy", [[1, 2]]), WORD), [[1, 2]])


def test_npz_by_name_and_in_order(write):
    named = read_arrays(write("named.npz", {"a": [[1]], "b": [[2]]}), WORD)
    assert {name: x.tolist() for name, x in named.items()} == {"a": [[1]], "b": [[2]]}
    in_order = read_arrays(write("ordered.npz", [[[1]], [[2]]]), WORD)
    assert [x.tolist() for x in in_order] == [[[1]], [[2]]]
    assert read_arrays(write("single.npz", [[[1]]]), WORD).tolist() == [[1]]


@pytest.mark.parametrize(
    "samples, options, batch",
    [
        ([[1, 2, 3], [4]], {}, [[1, 2, 3], [4, 0, 0]]),
        ([[1, 2, 3], [4]], {"side": "pre"}, [[1, 2, 3], [0, 0, 4]]),
        ([[1, 2], [], [3]], {"side": "pre", "value": -1}, [[1, 2], [-1, -1], [-1, 3]]),
        ([[1], [2, 3]], {"value": 0.5}, [[1, 0.5], [2, 3]]),
        ([[[1, 2], [3, 4]], [[5, 6]]], {"value": 9}, [[[1, 2], [3, 4]], [[5, 6], [9, 9]]]),
        ([[], [[1, 2]]], {}, [[[0, 0]], [[1, 2]]]),
        ([[True, True], [True]], {}, [[1, 1], [1, 0]]),
        ([3, 4], {}, [3, 4]),
    ],
)
def test_json_is_padded_as_told(write, samples, options, batch):
    array = read_arrays(write("x.json", samples), WORD, **options)
    np.testing.assert_array_equal(array, batch)


def test_json_keeps_indices_whole_and_names_apart(write):
    arrays = read_arrays(write("x.json", {"a": [[1], [2, 3]], "b": [[0.5], [1]]}), WORD)
    assert arrays["a"].dtype.kind == "i" and arrays["a"].shape == (2, 2)
    assert arrays["b"].dtype.kind == "f" and arrays["b"].shape == (2, 1)


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("x.json", "[[1, 2],\n [3,, 4]]", "x.json is not valid JSON, line 2: Expecting value."),
        ("x.json", "", "x.json is not valid JSON, line 1: Expecting value."),
        ("x.json", "[" * 100_000, "x.json is damaged, or not what its name says."),
        ("x.json", b"\xff\xfe\xfa", "x.json is damaged, or not what its name says."),
        ("x.json", "3", "x.json must be a list of samples, each a list of steps."),
        ("x.json", {"a": [[1]], "b": "c"}, "x.json, 'b' must be a list of samples"),
        ("x.json", [[1, 2], ["a"]], "x.json, sample 1 holds something other than numbers"),
        ("x.json", [[1, None]], "x.json, sample 0 holds something other than numbers"),
        ("x.json", [[10**30]], "x.json, sample 0 holds something other than numbers"),
        ("x.json", [[1], 2], "x.json: the steps differ in their number of features."),
        ("x.json", [[[1, 2]], [[1, 2], [3]]], "x.json, sample 1: the steps differ in their"),
        ("x.json", [[], [[1, 2]], [[3]]], "steps of sample 2 have shape (1,), those of sample 1"),
        ("x.npy", np.array([{}]), "x.npy holds pickled Python objects, which could run code"),
        ("x.npz", [np.array([{}])], "x.npz holds pickled Python objects, which could run code"),
        ("x.npy", b"", "x.npy is damaged, or not what its name says."),
        ("x.npy", b"no array", "x.npy is damaged, or not what its name says."),
        ("x.csv", b"1,2", "x.csv is not an input that can be read: give .npy, .npz or .json."),
    ],
    ids=lambda x: x if isinstance(x, str) and len(x) < 99 else "",
)
def test_what_is_no_batch(write, name, content, message):
    assert message in refusal(read_arrays, write(name, content))


@pytest.mark.parametrize("name, content", [("x.npy", np.ones((9, 9))), ("x.npz", [np.ones(999)])])
def test_a_file_cut_off(write, name, content):
    path = write(name, content)
    path.write_bytes(path.read_bytes()[:-20])
    assert refusal(read_arrays, path).endswith("is damaged, or not what its name says.")


@pytest.mark.parametrize("read", [read_arrays, load_model])
def test_a_file_that_cannot_be_opened(read, tmp_path):
    assert refusal(read, tmp_path / "none.npy").endswith("none.npy.")
    assert "There is no file" in refusal(read, tmp_path / "none.keras")
    assert "没有文件" in refusal(read, tmp_path / "none.keras", "zh")
    assert refusal(read, tmp_path).endswith("is a folder; give a file.")
    locked = tmp_path / "locked.keras"
    locked.touch(mode=0)
    if not os.access(locked, os.R_OK):
        assert refusal(read, locked).endswith("cannot be read: Permission denied.")


def classifier(*extra):
    x = keras.Input((None,), name="tokens")
    y = layers.Embedding(9, 2, mask_zero=True)(x)
    for layer in extra:
        y = layer(y)
    return keras.Model(x, MaskedMean()(y))


def test_a_model_with_layers_of_this_package(tmp_path):
    model = classifier()
    model.compile(loss=lambda y, z: (y - z) ** 2)
    model.save(tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras", WORD)
    x = np.array([[1, 2, 0]])
    np.testing.assert_array_equal(*map(ops.convert_to_numpy, (loaded(x), model(x))))


def test_an_older_file(tmp_path):
    model = keras.Sequential([keras.Input((4, 2)), layers.Masking(), layers.LSTM(2)])
    model.save(tmp_path / "model.h5")
    assert [type(x) for x in load_model(tmp_path / "model.h5", WORD).layers] == [
        layers.Masking,
        layers.LSTM,
    ]


class Unregistered(layers.Layer):
    def call(self, inputs):
        return inputs

    def compute_output_shape(self, input_shape):
        return input_shape


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_lambda_is_not_run(tmp_path, suffix):
    path = tmp_path / f"model{suffix}"
    keras.Sequential([keras.Input((3,)), layers.Lambda(lambda x: x * 2)]).save(path)
    message = refusal(load_model, path)
    assert "holds a Lambda layer, which is Python code that would run" in message
    assert "keras.saving.load_model(path, safe_mode=False)" in message
    assert "里有 Lambda 层" in refusal(load_model, path, "zh")


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("wrap", [lambda x: x, layers.TimeDistributed], ids=["plain", "wrapped"])
def test_a_class_that_is_not_registered_is_named(tmp_path, suffix, wrap):
    path = tmp_path / f"model{suffix}"
    keras.Sequential([keras.Input((3, 2)), wrap(Unregistered())]).save(path)
    message = refusal(load_model, path)
    assert "holds Unregistered, which is not part of Keras" in message
    assert "call keras_masking.trace or find_leaks on it there" in message


def test_what_is_no_model(tmp_path, write):
    model = classifier()
    model.save_weights(tmp_path / "model.weights.h5")
    assert "holds no model" in refusal(load_model, tmp_path / "model.weights.h5")
    assert "holds no model" in refusal(load_model, write("model.npy", [1]))
    assert "this is not one" in refusal(load_model, write("model.keras", b"text"))
    assert "it is damaged" in refusal(load_model, write("model.h5", b"text"))
    with zipfile.ZipFile(tmp_path / "other.keras", "w") as archive:
        archive.writestr("readme", "text")
    assert "holds no model" in refusal(load_model, tmp_path / "other.keras")


def test_a_damaged_model(tmp_path):
    path = tmp_path / "model.keras"
    classifier().save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert "model.keras is cut off" in refusal(load_model, path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{")
        archive.writestr("metadata.json", "{}")
    assert "it is damaged, or from a release of Keras" in refusal(load_model, path)
