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
        description="See where a Keras model loses its mask, whether padding leaks, and mend it.",
        epilog="KERAS_BACKEND=jax or numpy in the environment runs the model on another backend.",
        allow_abbrev=False,
    )
    made.add_argument("--version", action="version", version=version("keras-masking"))
    commands = made.add_subparsers(dest="command", required=True, metavar="trace|check|repair")
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
        (
            "repair",
            "mend a model where padding leaks, and measure that it is mended",
            "Exit status: 0 where the model is repaired or was clear, 1 where padding still leaks, "
            "2 on a model or an input that cannot be used, 3 where it was not measured. A model is "
            "written only with 0.",
        ),
    ):
        command = commands.add_parser(
            name, help=does, description=f"{does.capitalize()}.", epilog=ends, allow_abbrev=False
        )
        _add_arguments(command)
        if name != "trace":
            command.add_argument(
                "--padding",
                metavar="NUMBER|FILE",
                help="which steps are padding, for this command alone: what they hold, such as 0; "
                "or a file with lengths (batch,), or booleans (batch, time) with True = padding",
            )
        if name == "repair":
            _add_model_file(command)
        else:
            _add_report_file(command)
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


def _add_report_file(command: argparse.ArgumentParser) -> None:
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


def _add_model_file(command: argparse.ArgumentParser) -> None:
    model = command.add_argument_group("the repaired model")
    model.add_argument(
        "--output", type=Path, metavar="FILE.keras", help="write it there; without it, show only"
    )
    model.add_argument("--force", action="store_true", help="replace that file if there is one")
    report = command.add_argument_group("the summary, on standard output")
    report.add_argument(
        "--format",
        choices=[name for name in FORMATS if name != "svg"],
        default="table",
        help="default: %(default)s",
    )
    report.add_argument("--json", action="store_const", const="json", dest="format", help="as JSON")
    report.add_argument("--lang", choices=LANGUAGES, default="en", help="default: %(default)s")


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
