import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_masking")
class DropMask(keras.layers.Layer):
    """End a mask on purpose, without the warning of Keras.

    The values stay as they are, those of padded steps too, and they count from here on. The tensor
    given keeps its mask.

    Call arguments:
        inputs: a tensor, with or without a mask.

    Returns:
        The same values without a mask.
    """

    def call(self, inputs):
        return ops.copy(inputs)  # what is returned unchanged keeps its mask, whatever is computed

    def compute_mask(self, inputs, previous_mask=None):
        return None
