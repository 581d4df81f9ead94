"""Real Keras in the reader's browser: what is built for it, and from what.

README.md in this folder says which files there are and how a page starts them.
"""

from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CACHE = ROOT / ".cache/live"
