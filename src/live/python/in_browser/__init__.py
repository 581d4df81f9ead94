"""Runs a reader's code in the browser, on Keras as it is published.

Importing this imports Keras, with what Pyodide lacks mended first. The environment names Keras's
numpy backend.
"""

from in_browser import mends

mends.before_keras()
import keras  # noqa: E402, F401

mends.after_keras()

from in_browser.running import run  # noqa: E402

__all__ = ["run"]
