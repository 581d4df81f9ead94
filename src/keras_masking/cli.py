"""The command line: `keras-masking trace`, `check` and `repair`."""

import argparse
import errno
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import keras

from keras_masking import rendering
from keras_masking._keras import in_short
from keras_masking.arguments import FORMATS, number, parser
from keras_masking.files import load_model, read_arrays, read_padding
from keras_masking.inputs import UnusableInput, random_inputs
from keras_masking.leaks.finding import _find_leaks
from keras_masking.progress import progress
from keras_masking.records import LeakReport, Repair, Trace
from keras_masking.rendering import repaired
from keras_masking.rendering.files import FORMS, replacing, write
from keras_masking.repairs.repairing import _repair
from keras_masking.texts import Words, words
from keras_masking.tracing import trace

LEAKS, UNUSABLE, NOT_MEASURED, INTERRUPTED = 1, 2, 3, 130
RAISED_IN = "keras_masking: raised in "


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Returns:
        The exit status: 0; 1 where `check` finds a leak or `repair` leaves one, 3 where it was not
        measured whether padding leaks; 2 where a model, an input or a file cannot be used, with
        one sentence on standard error; 130 when interrupted.
    """
    options = parser().parse_args(arguments)
    options.format = options.format or _format_of(options.output)
    word = words("cli", options.lang)
    try:
        result = _result(options, word)
        if isinstance(result, Repair):
            if options.output and result.ok:
                _save_model(result.model, options.output, word)
            _print(result, options, word)
        elif options.output:
            _save(_rendered(result, options), options.output, word)
        else:
            _print(result, options, word)
    except UnusableInput as error:
        print(f"keras-masking: {error}", file=sys.stderr)
        return UNUSABLE
    except MemoryError:
        print(f"keras-masking: {word('memory')}", file=sys.stderr)
        return UNUSABLE
    except KeyboardInterrupt:
        return INTERRUPTED
    if isinstance(result, Trace):
        return 0
    verdict = result.report.verdict if isinstance(result, Repair) else result.verdict
    return {"clear": 0, "leaks": LEAKS, "not measured": NOT_MEASURED}[verdict]


def _result(options: argparse.Namespace, word: Words) -> Trace | LeakReport | Repair:
    repairs = options.command == "repair"
    if options.output:
        _check_output(options.output, word)
    if options.output and repairs:
        _check_model_file(options.output, options.force, word)
    with progress() as report:
        report(word("loading", path=options.model))
        model = load_model(options.model, word, compiled=repairs)
        if options.random:
            inputs = random_inputs(model, options.samples, options.steps, options.seed)
            print(f"keras-masking: {word('drawn', **vars(options))}", file=sys.stderr)
        else:
            inputs = read_arrays(options.input, word, options.side, options.value)
        mask = options.mask and read_arrays(options.mask, word, options.side)
        try:
            if options.command != "trace":
                padding = _padding(options.padding, word)
                does = _repair if repairs else _find_leaks
                return does(model, inputs, mask, padding, lambda name: report(word(name)))
            report(word("trace"))
            return trace(model, inputs, mask)
        except Exception as error:
            place = _place(error)
            if place is None:
                raise
            raise UnusableInput(word("raised", place=place, error=in_short(error))) from error


def _padding(said: str | None, word: Words) -> Any:
    """A number, or what a file holds."""
    if said is None:
        return None
    with suppress(argparse.ArgumentTypeError):
        return number(said)
    return read_padding(Path(said), word)


def _place(error: Exception) -> str | None:
    """Where in the model an error was raised; None where it was not raised by the model."""
    notes = [x for x in getattr(error, "__notes__", ()) if x.startswith(RAISED_IN)]
    return notes[0].removeprefix(RAISED_IN).removesuffix(".") if notes else None


def _rendered(result: Trace | LeakReport | Repair, options: argparse.Namespace) -> str:
    forms = repaired.FORMS if isinstance(result, Repair) else FORMS
    return forms[FORMATS[options.format]](result, options.lang).rstrip("\n")


def _print(result: Trace | LeakReport | Repair, options: argparse.Namespace, word: Words) -> None:
    if options.format == "table":
        shown = repaired.terminal if isinstance(result, Repair) else rendering.terminal
        text = shown(result, options.lang)
    else:
        text = _rendered(result, options)
        # the other forms are UTF-8 wherever they end up
        sys.stdout.reconfigure(encoding="utf-8")
    try:
        print(text, flush=True)
    except OSError as error:
        # Python would write the rest at exit, and complain
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        # whoever reads it, such as `head`, may have had enough
        if not isinstance(error, BrokenPipeError):
            raise UnusableInput(word("unwritable", path="stdout", why=error.strerror)) from None


def _check_output(path: Path, word: Words) -> None:
    """Before a long run, whether its result could be written."""
    folder = path.resolve().parent
    if not folder.is_dir():
        raise UnusableInput(word("no-folder", path=path))
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UnusableInput(word("unwritable", path=path, why=os.strerror(errno.EACCES)))
    if path.exists() and not path.is_file():
        raise UnusableInput(word("no-output", path=path))


def _save(text: str, path: Path, word: Words) -> None:
    try:
        write(path.resolve(), f"{text}\n")
    except OSError as error:
        raise UnusableInput(word("unwritable", path=path, why=error.strerror)) from None


def _check_model_file(path: Path, force: bool, word: Words) -> None:
    if path.suffix != ".keras":
        raise UnusableInput(word("no-keras-file", path=path))
    if path.exists() and not force:
        raise UnusableInput(word("exists", path=path))


def _save_model(model: keras.Layer, path: Path, word: Words) -> None:
    """Whole or not at all."""
    try:
        with replacing(path.resolve()) as beside:
            model.save(beside)
    except OSError as error:
        raise UnusableInput(word("unwritable", path=path, why=error.strerror)) from None


def _format_of(output: Path | None) -> str:
    suffix = output.suffix if output else ""
    return next((name for name, its in FORMATS.items() if its == suffix), "table")
