"""What is done before anything else is imported: read the command line, and find Keras's backend.

Keras knows the classes in a saved model only when their modules have been imported, so
`import keras_masking` imports all of them, and Keras with its backend. The command line answers
`--help`, `--version` and wrong usage here, without either.
"""

import sys
from pathlib import Path

from keras_masking.arguments import parser
from keras_masking.texts import words

# the extra that brings what a backend imports; Keras's numpy backend imports both SciPy and JAX
EXTRAS = {"tensorflow": "tensorflow", "jax": "jax", "scipy": "jax", "torch": "torch"}


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
    if needed not in EXTRAS:
        raise
    word = words("cli", _options.lang if _options else "en")
    said = word("no-backend", needed=needed, extra=EXTRAS[needed])
    if _options:
        print(f"keras-masking: {said}", file=sys.stderr)
        sys.exit(2)
    raise ModuleNotFoundError(said, name=needed) from None
