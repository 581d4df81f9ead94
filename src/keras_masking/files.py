"""Reads a batch, a mask or a model from a file."""

import json
import re
import warnings
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_masking._keras import in_short
from keras_masking.inputs import UnusableInput
from keras_masking.texts import Words

MODEL_SUFFIXES = (".keras", ".h5", ".hdf5")


def read_arrays(path: Path, word: Words, side: str = "post", value: float = 0) -> Any:
    """
    Args:
        path: `.npy`; `.npz`, with arrays saved by name or in order; or `.json`, a list of samples
            or an object of such lists by name.
        side: where samples of unequal length in a `.json` file are padded, `"post"` or `"pre"`.
        value: what they are padded with.

    Returns:
        One array, a list of them in order, or a dict of them by name.

    Raises:
        UnusableInput: in the language of `word`.
    """
    _check_file(path, word)
    if path.suffix == ".json":
        return _read_json(path, word, side, value)
    if path.suffix not in (".npy", ".npz"):
        raise UnusableInput(word("no-batch", path=path))
    try:
        with path.open("rb") as file:
            # a pickled object would run code of the file's author
            content = np.load(file, allow_pickle=False)
            if not isinstance(content, np.lib.npyio.NpzFile):
                return content
            arrays = dict(content)
    except Exception as error:  # whatever the bytes of the file make numpy and zipfile raise
        pickled = str(error).startswith("Object arrays")
        raise UnusableInput(word("pickled" if pickled else "damaged", path=path)) from None
    if all(re.fullmatch(r"arr_\d+", name) for name in arrays):
        in_order = list(arrays.values())
        return in_order[0] if len(in_order) == 1 else in_order
    return arrays


def read_padding(path: Path, word: Words) -> Any:
    """What `padding=` takes, from a file as `read_arrays` reads it; in `.json` also numbers, lists
    and null by the names of the inputs.

    Raises:
        UnusableInput: in the language of `word`.
    """
    _check_file(path, word)
    return _json(path, word) if path.suffix == ".json" else read_arrays(path, word)


def load_model(path: Path, word: Words, compiled: bool = False) -> keras.Model:
    """The model in a file, without running code of the file's author.

    Args:
        compiled: whether with its optimizer and its losses, as far as they can be loaded.

    Raises:
        UnusableInput: in the language of `word`.
    """
    _check_file(path, word)
    if path.suffix not in MODEL_SUFFIXES:
        raise UnusableInput(word("no-model", path=path))
    if path.suffix == ".keras" and not zipfile.is_zipfile(path):
        raise UnusableInput(word("no-zip", path=path))
    try:
        with warnings.catch_warnings():
            # told of every layer while it is rebuilt; a trace tells it in its place
            warnings.filterwarnings("ignore", ".*will therefore destroy the mask")
            if compiled:
                with suppress(Exception):  # losses of one's own
                    return keras.saving.load_model(path)
            return keras.saving.load_model(path, compile=False)
    except Exception as error:  # whatever the bytes of the file make Keras, h5py or json raise
        raise UnusableInput(_why_not_loaded(path, error, word)) from None


def _why_not_loaded(path: Path, error: Exception, word: Words) -> str:
    text = str(error)
    if "`Lambda` layer" in text and "safe_mode" in text:
        return word("lambda", path=path)
    if unknown := re.search(r"(?:Could not locate \w+|Unknown layer:) '([^']+)'", text):
        return word("unknown-class", path=path, name=unknown[1])
    if "No model config found" in text or "config.json" in text:
        return word("no-model", path=path)
    return word("damaged-model", path=path, why=in_short(error))


def _check_file(path: Path, word: Words) -> None:
    try:
        with path.open("rb"):
            pass
    except FileNotFoundError:
        raise UnusableInput(word("no-file", path=path)) from None
    except IsADirectoryError:
        raise UnusableInput(word("folder", path=path)) from None
    except OSError as error:
        raise UnusableInput(word("unreadable", path=path, why=error.strerror)) from None


def _json(path: Path, word: Words) -> Any:
    try:
        return json.loads(path.read_bytes())
    except json.JSONDecodeError as error:
        raise UnusableInput(
            word("invalid-json", path=path, line=error.lineno, why=error.msg)
        ) from None
    except (UnicodeDecodeError, RecursionError):
        raise UnusableInput(word("damaged", path=path)) from None


def _read_json(path: Path, word: Words, side: str, value: float) -> Any:
    content = _json(path, word)
    if isinstance(content, dict):
        return {
            name: _padded(samples, f"{path}, {name!r}", word, side, value)
            for name, samples in content.items()
        }
    return _padded(content, str(path), word, side, value)


def _padded(samples: Any, place: str, word: Words, side: str, value: float) -> np.ndarray:
    """A list of samples, each a list of steps, as one array."""
    if not isinstance(samples, list):
        raise UnusableInput(word("no-samples", place=place))
    if not all(isinstance(steps, list) for steps in samples):
        return _numbers(samples, place, word)
    rows = [
        _numbers(steps, word("sample", place=place, index=i), word)
        for i, steps in enumerate(samples)
    ]
    with_steps = [i for i, row in enumerate(rows) if len(row)]
    if not with_steps:
        return np.zeros((len(rows), 0))
    first = with_steps[0]
    features = rows[first].shape[1:]
    for i in with_steps:
        if rows[i].shape[1:] != features:
            raise UnusableInput(
                word("features", place=place, i=first, j=i, a=features, b=rows[i].shape[1:])
            )
    dtype = np.result_type(np.asarray(value), *(rows[i] for i in with_steps))
    longest = max(map(len, rows))
    batch = np.full((len(rows), longest, *features), value, dtype)
    for to, row in zip(batch, rows, strict=True):
        start = longest - len(row) if side == "pre" else 0
        to[start : start + len(row)] = row.reshape(-1, *features)
    return batch


def _numbers(items: list, place: str, word: Words) -> np.ndarray:
    try:
        array = np.asarray(items)
    except ValueError:
        raise UnusableInput(word("ragged", place=place)) from None
    if array.dtype.kind not in "biuf":
        raise UnusableInput(word("no-numbers", place=place))
    return array
