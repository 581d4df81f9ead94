"""What Keras finds in other places and not in Pyodide, one module each."""

from in_browser.mends import indices, threads


def before_keras() -> None:
    indices.mend()
    threads.mend()


def after_keras() -> None:
    from in_browser.mends import tensors

    tensors.mend()
