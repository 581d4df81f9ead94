"""Traces and reports in words and pictures: for a terminal, a notebook, a page, a program."""

from keras_masking.rendering import repaired
from keras_masking.rendering.data import encode as json
from keras_masking.rendering.document import html
from keras_masking.rendering.files import save
from keras_masking.rendering.picture import svg
from keras_masking.rendering.summary import markdown
from keras_masking.rendering.table import terminal, text
from keras_masking.rendering.view import remedy

__all__ = ["html", "json", "markdown", "remedy", "repaired", "save", "svg", "terminal", "text"]
