"""The arguments of the command line: read before Keras is loaded, so nothing here needs it."""

import argparse
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from keras_masking.texts import LANGUAGES

FORMATS = {
    "table": ".txt",
    "json": ".json",
    "markdown": ".md",
    "html": ".html",
    "svg": ".svg",
}


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="keras-masking",
        description="See where a Keras model loses its mask, and whether padding leaks.",
        epilog="KERAS_BACKEND=jax or numpy in the environment runs the model on another backend.",
        allow_abbrev=False,
    )
    made.add_argument("--version", action="version", version=version("keras-masking"))
    commands = made.add_subparsers(dest="command", required=True, metavar="trace|check")
    for name, does, ends in (
        (
            "trace",
            "run a model once and show the mask that each layer gives",
            "Exit status: 0, or 2 on a model or an input that cannot be used.",
        ),
        (
            "check",
            "run a model on other padding and compare the results",
            "Exit status: 0 where padding changes no valid result, 1 where it leaks, 2 on a model "
            "or an input that cannot be used, 3 where it was not measured.",
        ),
    ):
        command = commands.add_parser(
            name, help=does, description=f"{does.capitalize()}.", epilog=ends, allow_abbrev=False
        )
        _add_arguments(command)
        if name == "check":
            command.add_argument(
                "--padding",
                metavar="NUMBER|FILE",
                help="which steps are padding, for the check alone: what they hold, such as 0; or "
                "a file with lengths (batch,), or booleans (batch, time) with True = padding",
            )
    return made


def _add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "model",
        type=Path,
        metavar="MODEL",
        help="a .keras file, or an .h5 file of an older Keras; loaded in Keras's safe mode",
    )
    batch = command.add_argument_group("the batch").add_mutually_exclusive_group(required=True)
    batch.add_argument(
        "--input",
        type=Path,
        metavar="FILE",
        help=".npy; .npz, several inputs by name; or .json, a list of samples of unequal length, "
        "or an object of such lists by name",
    )
    batch.add_argument(
        "--random", action="store_true", help="make one from the model's own input shapes"
    )
    command.add_argument(
        "--mask",
        type=Path,
        metavar="FILE",
        help="True (or 1) for each step to use, passed to the model with the input; "
        ".npy, .npz or .json",
    )
    json = command.add_argument_group("with --input FILE.json")
    json.add_argument(
        "--side",
        choices=("post", "pre"),
        default="post",
        help="where shorter samples are padded, at the end or at the start (default: %(default)s)",
    )
    json.add_argument(
        "--value",
        type=number,
        default=0,
        help="the number they are padded with (default: %(default)s)",
    )
    drawn = command.add_argument_group("with --random")
    for option, default, numbers, what in (
        ("--seed", 0, range(2**32), "of the random numbers"),
        ("--samples", 4, range(1, 10**6), "where the model leaves their number open"),
        ("--steps", 8, range(1, 10**6), "where the model leaves their number open"),
    ):
        drawn.add_argument(
            option,
            type=_within(numbers),
            default=default,
            metavar="N",
            help=f"{what} (default: %(default)s)",
        )
    report = command.add_argument_group("the report")
    report.add_argument(
        "--format",
        choices=FORMATS,
        help="default: the one that the suffix of --output names, else table",
    )
    report.add_argument("--lang", choices=LANGUAGES, default="en", help="default: %(default)s")
    report.add_argument(
        "--output", type=Path, metavar="FILE", help="write it there instead of standard output"
    )


def number(text: str) -> float:
    for kind in (int, float):
        with suppress(ValueError):
            return kind(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no number")


def _within(numbers: range) -> Callable[[str], int]:
    def whole(text: str) -> int:
        if not text.isdecimal() or int(text) not in numbers:
            raise argparse.ArgumentTypeError(
                f"{text!r} is no whole number from {numbers[0]} to {numbers[-1]}"
            )
        return int(text)

    return whole
