from keras_masking.rendering.data import encode as json
from keras_masking.rendering.files import save
from keras_masking.rendering.table import terminal, text
from keras_masking.rendering.view import remedy

__all__ = ["json", "remedy", "save", "terminal", "text"]
