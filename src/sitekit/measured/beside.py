"""Packages beside the environment, for a measurement that needs others than the lock has."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def beside(*packages: str) -> Iterator[Path]:
    """A folder that holds them, without what they depend on, until the block ends.

    Raises:
        subprocess.CalledProcessError: one of them cannot be installed; uv has said why.
    """
    with tempfile.TemporaryDirectory() as folder:
        uv = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps"]
        subprocess.run([*uv, "--target", folder, *packages], check=True)
        yield Path(folder)
