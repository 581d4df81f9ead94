"""Runs a reader's code as a process of its own would: nothing of one run is left in the next."""

import ast
import linecache
import os
import shutil
import sys
import traceback
import types
import warnings
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
from keras.src.saving import object_registration

from in_browser.figures import Figures
from in_browser.output import Output, TooMuch

NAME = "main.py"
FOLDER = Path("/home/pyodide/run")

Tell = Callable[[str, str], None]  # a stream, "out" or "error", and a piece of text

_filters = list(warnings.filters)
_modules = frozenset(sys.modules)
_path = list(sys.path)
_environment = dict(os.environ)
_print_options = {k: v for k, v in np.get_printoptions().items() if k != "override_repr"}
_float_errors = np.geterr()


def run(code: str, tell: Tell, language: str = "en") -> dict:
    """Run `code` as the file main.py in an empty folder.

    `tell` is given what it prints while it runs. `language`, "en" or "zh", is that of figures.

    Returns:
        `status`: "done", "error", "exit" (it left with a status that is not 0) or "output" (it was
        stopped, for it printed too much). `error`: with "error" the traceback, cut down to the
        lines of `code`; with "exit" the status or the sentence that it left with; else empty.
        `figures`: traces, reports and repairs that it showed, then the SVG and HTML files that it
        wrote, each a dict of `name`, `kind` ("html" or "svg") and `source`.
    """
    reset()
    output, figures = Output(tell), Figures(language)
    status, error = "done", ""
    with output, figures.watch(code), warnings.catch_warnings():
        try:
            _execute(code, figures)
        except TooMuch:
            status = "output"
        except SystemExit as left:
            if left.code not in (None, 0):
                status, error = "exit", str(left.code)
        except BaseException as raised:
            status, error = "error", _told(raised)
    return {"status": status, "error": error, "figures": figures.found(FOLDER)}


def reset() -> None:
    """Bring Keras, numpy, warnings, paths and the folder back to those of a fresh process."""
    os.chdir("/")
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    os.chdir(FOLDER)
    sys.argv[:] = [NAME]
    sys.path[:] = [str(FOLDER), *_path]
    os.environ.clear()
    os.environ.update(_environment)
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        if name not in _modules and file.startswith(str(FOLDER)):
            del sys.modules[name]
    warnings.resetwarnings()
    warnings.filters.extend(_filters)
    np.set_printoptions(**_print_options)
    np.seterr(**_float_errors)
    keras.config.set_dtype_policy("float32")
    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
    keras.config.set_image_data_format("channels_last")
    keras.config.enable_interactive_logging()
    keras.config.enable_traceback_filtering()
    keras.utils.clear_session(free_memory=False)
    for name, registered in list(keras.saving.get_custom_objects().items()):
        if registered.__module__ == "__main__":
            del object_registration.GLOBAL_CUSTOM_OBJECTS[name]
            object_registration.GLOBAL_CUSTOM_NAMES.pop(registered, None)
    keras.utils.set_random_seed(0)


def _execute(code: str, figures: Figures) -> None:
    # inspect, warnings and tracebacks read the lines here
    linecache.cache[NAME] = (len(code), None, code.splitlines(keepends=True), NAME)
    main = types.ModuleType("__main__")
    main.__file__ = NAME
    sys.modules["__main__"] = main
    tree = ast.parse(code, NAME)
    # a notebook shows the value of the last expression
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, NAME, "exec"), main.__dict__)
    if last:
        expression = compile(ast.Expression(last.value), NAME, "eval")
        figures.show(eval(expression, main.__dict__))


def _told(error: BaseException) -> str:
    """A traceback of the reader's own lines."""
    told = traceback.TracebackException.from_exception(error)
    _shorten(told)
    return "".join(told.format())


def _shorten(told: traceback.TracebackException | None) -> None:
    if told is None:
        return
    ours = [frame for frame in told.stack or () if frame.filename == NAME]
    told.stack = traceback.StackSummary.from_list(ours) if ours else None
    for other in (told.__cause__, told.__context__, *(told.exceptions or ())):
        _shorten(other)
