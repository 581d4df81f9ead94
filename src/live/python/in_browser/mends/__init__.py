"""What Keras finds in other places and not in Pyodide, one module each."""

from in_browser.mends import absent, indices, threads


def before_keras() -> None:
    absent.mend()
    indices.mend()
    threads.mend()


def after_keras() -> None:
    from in_browser.mends import shapes, tensors

    shapes.mend()
    tensors.mend()
