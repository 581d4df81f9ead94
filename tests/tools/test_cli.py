import json
import os
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import entry_points, version
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from keras_masking import MaskedMean, find_leaks, rendering, trace
from keras_masking.arguments import FORMATS, parser
from keras_masking.cli import main
from keras_masking.leaks.finding import PROBES
from keras_masking.rendering.document import page

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="the command line is the same on each backend"
)
BATCH = np.array([[1, 2, 3], [4, 0, 0]])


def reader(*pooling):
    """Indices below 9 in, their embeddings pooled; masked unless the pooling loses the mask."""
    x = keras.Input((None,), name="tokens")
    y = layers.Embedding(9, 2, mask_zero=True, name="table")(x)
    for layer in pooling:
        y = layer(y)
    return keras.Model(x, y, name="reader")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A folder with models and batches."""
    folder = tmp_path_factory.mktemp("files")
    keras.utils.set_random_seed(0)
    reader(MaskedMean(name="mean")).save(folder / "healthy.keras")
    reader(layers.GlobalMaxPooling1D(name="max")).save(folder / "leaky.keras")
    reader(layers.Masking(), layers.Softmax(name="softmax")).save(folder / "raising.keras")
    keras.Sequential([layers.LSTM(2)], name="early").save(folder / "early.keras")
    a, b = keras.Input((None,), name="a"), keras.Input((None, 2), name="b")
    masked = [layers.Embedding(9, 2, mask_zero=True)(a), layers.Masking()(b)]
    keras.Model([a, b], MaskedMean()(layers.Concatenate()(masked))).save(folder / "two.keras")
    x = keras.Input((3, 2), name="x")
    keras.Model(x, layers.LSTM(2, name="lstm")(x)).save(folder / "unmasked.keras")
    np.save(folder / "batch.npy", BATCH)
    np.save(folder / "mask.npy", BATCH != 0)
    np.save(folder / "features.npy", np.ones((2, 3, 2)))
    np.save(folder / "padded.npy", np.stack([BATCH, BATCH], axis=-1))
    np.save(folder / "full.npy", np.arange(1.0, 13).reshape(2, 3, 2))
    np.save(folder / "lengths.npy", [3, 1])
    np.save(folder / "booleans.npy", BATCH == 0)
    np.save(folder / "no_padding.npy", BATCH < 0)
    (folder / "named.json").write_text('{"x": [3, 1]}')
    (folder / "unknown.json").write_text('{"y": 0}')
    np.save(folder / "empty.npy", BATCH[:0])
    np.save(folder / "large.npy", BATCH + 9)
    np.savez(folder / "two.npz", a=BATCH, b=np.stack([BATCH, BATCH], axis=-1))
    np.savez(folder / "unknown.npz", a=BATCH, c=np.ones((2, 3, 2)))
    (folder / "ragged.json").write_text("[[1, 2, 3], [4]]")
    (folder / "ragged_two.json").write_text(
        '{"a": [[1, 2], [4]], "b": [[[1, 1], [2, 2]], [[3, 3]]]}'
    )
    return folder


@pytest.fixture
def command(files, monkeypatch, capsys):
    """Run the command line in that folder: its status, standard output and standard error."""
    monkeypatch.chdir(files)

    def command(*arguments):
        try:
            status = main(arguments)
        except SystemExit as exit:
            status = exit.code
        return status, *capsys.readouterr()

    return command


def loaded(files, name):
    return keras.saving.load_model(files / name)


def test_trace_prints_the_table(command, files):
    status, output, errors = command("trace", "healthy.keras", "--input", "batch.npy")
    assert (status, errors) == (0, "")
    assert output == f"{trace(loaded(files, 'healthy.keras'), BATCH)}\n"


@pytest.mark.parametrize("model, status", [("healthy.keras", 0), ("leaky.keras", 1)])
def test_check_tells_by_its_status(command, files, model, status):
    found = command("check", model, "--input", "batch.npy")
    assert found == (status, f"{find_leaks(loaded(files, model), BATCH)}\n", "")


def test_a_model_that_is_not_deterministic_is_not_checked(command, files, monkeypatch):
    report = find_leaks(loaded(files, "healthy.keras"), BATCH)
    random = replace(report, verdict="not measured", probes=(), random="table")
    monkeypatch.setattr("keras_masking.cli._find_leaks", lambda *_: random)
    status, output, _ = command("check", "healthy.keras", "--input", "batch.npy")
    assert status == 3 and "the model is not deterministic" in output


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    "name, render",
    {
        "json": lambda x, _: x.to_json(),
        "markdown": lambda x, language: x.to_markdown(language),
        "html": page,
        "svg": lambda x, language: x.to_svg(language),
    }.items(),
)
def test_formats_and_languages(command, files, name, render, language):
    options = ("--input", "batch.npy", "--format", name, "--lang", language)
    found = command("trace", "healthy.keras", *options)
    expected = render(trace(loaded(files, "healthy.keras"), BATCH), language)
    assert found == (0, expected.rstrip("\n") + "\n", "")


def test_the_table_in_chinese(command, files):
    found = command("check", "leaky.keras", "--input", "batch.npy", "--lang", "zh")
    report = find_leaks(loaded(files, "leaky.keras"), BATCH)
    assert found == (1, f"{rendering.terminal(report, 'zh')}\n", "")


@pytest.mark.parametrize("suffix", [".txt", ".json", ".md", ".html", ".svg"])
def test_output_is_what_save_writes(command, files, tmp_path, suffix):
    path = tmp_path / f"report{suffix}"
    path.write_text("of yesterday")
    found = command("trace", "healthy.keras", "--input", "batch.npy", "--output", str(path))
    assert found == (0, "", "")
    trace(loaded(files, "healthy.keras"), BATCH).save(tmp_path / f"saved{suffix}")
    assert path.read_text() == (tmp_path / f"saved{suffix}").read_text()


def test_a_format_goes_before_a_suffix(command, tmp_path):
    path = tmp_path / "report.txt"
    command(
        "trace", "healthy.keras", "--input", "batch.npy", "--output", str(path), "--format", "json"
    )
    assert json.loads(path.read_text())["model"] == "reader"


def test_ragged_json_is_padded_as_told(command):
    def masks(*options):
        arguments = ("trace", "two.keras", "--input", "ragged_two.json", "--format", "json")
        return json.loads(command(*arguments, *options)[1])["masks"]

    assert masks() == [[[1, 1], [1, 0]]]
    assert masks("--side", "pre") == [[[1, 1], [0, 1]]]
    assert masks("--value", "7") != masks()


def test_several_inputs_from_npz(command):
    assert command("check", "two.keras", "--input", "two.npz")[0] == 0


def test_a_mask_from_a_file(command):
    arguments = ("check", "unmasked.keras", "--input", "features.npy")
    status, _, errors = command(*arguments)
    assert status == 2 and "No layer of" in errors
    assert command(*arguments, "--mask", "mask.npy")[0] == 0


def test_what_was_not_measured_has_a_status_of_its_own(command):
    arguments = ("check", "unmasked.keras", "--input", "full.npy", "--padding", "no_padding.npy")
    status, output, errors = command(*arguments)
    assert (status, errors) == (3, "") and "Not measured" in output


@pytest.mark.parametrize("said", ["0", "lengths.npy", "booleans.npy", "named.json"])
def test_where_padding_is(command, said):
    arguments = ("check", "unmasked.keras", "--input", "padded.npy", "--padding", said)
    status, output, errors = command(*arguments)
    assert (status, errors) == (1, "") and "Padding leaks in lstm" in output


@pytest.mark.parametrize(
    "said, message",
    [
        ("7", "No step holds 7 alone"),
        ("mask.npy", "so it looks like a mask"),
        ("features.npy", "padding= is a number, integers of shape (2,)"),
        ("none.npy", "There is no file none.npy."),
        ("unknown.json", "padding= names 'y', and there is no such input"),
    ],
)
def test_padding_that_cannot_be_used(command, said, message):
    arguments = ("check", "unmasked.keras", "--input", "padded.npy", "--padding", said)
    status, output, errors = command(*arguments)
    assert (status, output) == (2, "")
    assert errors.startswith("keras-masking: ") and message in errors


def test_a_random_batch_can_be_made_again(command):
    status, output, errors = command("trace", "healthy.keras", "--random", "--seed", "3")
    assert status == 0
    assert errors == (
        "keras-masking: a random input; --random --seed 3 --samples 4 --steps 8 "
        "makes the same one again\n"
    )
    told = errors.split("input; ")[1].split(" makes")[0].split()
    assert command("trace", "healthy.keras", *told) == (0, output, errors)
    assert command("trace", "healthy.keras", *told[:-1], "5")[1] != output


@pytest.mark.parametrize("given", ["trace", "check"])
@pytest.mark.parametrize(
    "arguments, message",
    [
        ("none.keras --random", "There is no file none.keras."),
        (". --random", ". is a folder; give a file."),
        ("batch.npy --random", "batch.npy holds no model"),
        ("early.keras --random", "The model 'early' was never built"),
        ("healthy.keras --input none.npy", "There is no file none.npy."),
        ("healthy.keras --input features.npy", "The input takes shape (None, None), received"),
        ("healthy.keras --input empty.npy", "The input is empty, of shape (0, 3)"),
        ("healthy.keras --input large.npy", "The layer 'table' has rows for the indices 0 to 8"),
        ("healthy.keras --input batch.npy --mask features.npy", "The mask of shape (2, 3, 2) does"),
        ("healthy.keras --input batch.npy --mask none.npy", "There is no file none.npy."),
        ("two.keras --input batch.npy", "The model takes 2 inputs ('a', 'b'), received 1."),
        ("two.keras --input unknown.npz", "lacks 'b' and has no use for 'c'."),
        (
            "raising.keras --input batch.npy",
            "The model itself raised an error in softmax: Value",
        ),
        ("healthy.keras --random --output none/x.svg", "The folder of none/x.svg does not exist."),
        ("healthy.keras --random --output .", ". is not an ordinary file"),
    ],
)
def test_bad_input_is_one_sentence(command, files, given, arguments, message):
    before = sorted(files.iterdir())
    status, output, errors = command(given, *arguments.split())
    assert (status, output) == (2, "")
    last = errors.splitlines()[-1]
    assert last.startswith("keras-masking: ") and message in last
    assert len(errors.splitlines()) == 1 + ("--random --seed" in errors)
    assert sorted(files.iterdir()) == before


def test_bad_input_in_chinese(command):
    _, _, errors = command("trace", "raising.keras", "--input", "batch.npy", "--lang", "zh")
    assert errors.startswith("keras-masking: 模型自身在 softmax 中抛出异常：ValueError: The `mask`")


@pytest.mark.parametrize(
    "arguments, message",
    [
        ("", "the following arguments are required"),
        ("draw healthy.keras", "invalid choice: 'draw'"),
        ("trace healthy.keras", "one of the arguments --input --random is required"),
        ("trace healthy.keras --random --input batch.npy", "not allowed with argument"),
        ("trace healthy.keras --random --steps 0", "'0' is no whole number from 1 to 999999"),
        ("trace healthy.keras --random --seed -1", "'-1' is no whole number from 0 to 4294967295"),
        ("trace healthy.keras --random --format pdf", "invalid choice: 'pdf'"),
        ("trace healthy.keras --input x.json --value zero", "'zero' is no number"),
    ],
)
def test_wrong_usage(command, arguments, message):
    status, output, errors = command(*arguments.split())
    assert (status, output) == (2, "") and message in errors


def test_a_failed_write_leaves_the_old_file(command, tmp_path, monkeypatch):
    path = tmp_path / "report.md"
    path.write_text("of yesterday")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    found = command("trace", "healthy.keras", "--input", "batch.npy", "--output", str(path))
    assert found == (2, "", f"keras-masking: {path} cannot be written: No space left on device.\n")
    assert path.read_text() == "of yesterday"
    assert list(tmp_path.iterdir()) == [path]


def test_an_output_that_cannot_be_written_is_told_before_the_run(command, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setattr("keras_masking.cli.load_model", None)
    path = tmp_path / "report.md"
    status, _, errors = command("trace", "healthy.keras", "--random", "--output", str(path))
    assert status == 2 and errors.endswith("cannot be written: Permission denied.\n")


@pytest.mark.parametrize("error, status", [(KeyboardInterrupt, 130), (MemoryError, 2)])
def test_a_run_that_ends_early(command, monkeypatch, error, status):
    def stop(*_, **__):
        raise error

    monkeypatch.setattr("keras_masking.cli.load_model", stop)
    found, output, errors = command("trace", "healthy.keras", "--random")
    assert (found, output) == (status, "") and "Traceback" not in errors


def test_progress_is_shown_where_standard_error_is_a_terminal(command, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", "200")
    told = []
    monkeypatch.setattr("rich.status.Status.update", lambda _, text: told.append(text))
    status, output, _ = command("check", "healthy.keras", "--input", "batch.npy")
    assert status == 0 and "loading" not in output
    assert told == [
        "loading healthy.keras",
        "running the model",
        "running it again",
        *(f"probe: {name}" for name in PROBES),
    ]


def test_version_and_entry_point(command):
    assert command("--version") == (0, f"{version('keras-masking')}\n", "")
    (script,) = entry_points(group="console_scripts", name="keras-masking")
    assert script.load() is main


def test_every_format_has_a_suffix():
    assert len(set(FORMATS.values())) == len(FORMATS)


def run(files, arguments, **options):
    return subprocess.run(
        f"{sys.executable} -m keras_masking {arguments}",
        shell=True,
        cwd=files,
        capture_output=True,
        encoding="utf-8",
        env=os.environ | {"KERAS_BACKEND": "numpy", "PYTHONIOENCODING": "ascii"},
        **options,
    )


def test_as_a_command_in_a_terminal_without_unicode(files):
    done = run(files, "check leaky.keras --input ragged.json")
    assert (done.returncode, done.stderr) == (1, "") and "Padding leaks in max" in done.stdout
    assert done.stdout.isascii()


def test_other_forms_are_utf8_wherever_they_end_up(files):
    done = run(files, "trace healthy.keras --input batch.npy --format svg --lang zh")
    assert done.returncode == 0 and "掩码" in done.stdout


def test_a_reader_that_has_had_enough(files):
    done = run(files, "trace healthy.keras --input batch.npy --format html | true; exit 0")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_reference_names_every_argument(language):
    (commands,) = (x for x in parser()._actions if isinstance(x.choices, dict))
    of_both = [x for command in commands.choices.values() for x in command._actions]
    options = {name for x in [*of_both, *parser()._actions] for name in x.option_strings}
    page = Path(f"docs/{language}/reference/command.md").read_text(encoding="utf-8")
    rows = {row.split("`")[1].split()[0] for row in page.splitlines() if row.startswith("| `--")}
    assert rows == options - {"-h"}
