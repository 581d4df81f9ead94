"""What is done before anything else is imported: read the command line, and find Keras's backend.

Keras knows the classes in a saved model only when their modules have been imported, so
`import keras_masking` imports all of them, and Keras with its backend. The command line answers
`--help`, `--version` and wrong usage here, without either.
"""

import sys
from pathlib import Path

from keras_masking.arguments import parser
from keras_masking.texts import words

BACKENDS = ("tensorflow", "jax", "torch")


def is_command() -> bool:
    """Whether this process is the command line: `python -m keras_masking`, or `keras-masking`."""
    ran = [*sys.orig_argv[-len(sys.argv) :], ""][0]
    return sys.argv[0] in ("-m", ran) and Path(ran.removeprefix("-m")).stem in (
        "keras_masking",
        "keras-masking",
    )


_options = parser().parse_args() if is_command() else None
try:
    import keras  # noqa: F401
except ModuleNotFoundError as error:
    needed = (error.name or "").partition(".")[0]
    if needed not in BACKENDS:
        raise
    if _options:
        said = words("cli", _options.lang)("no-backend", needed=needed)
        print(f"keras-masking: {said}", file=sys.stderr)
        sys.exit(2)
    said = words("cli", "en")("no-backend", needed=needed)
    raise ModuleNotFoundError(said, name=needed) from None
