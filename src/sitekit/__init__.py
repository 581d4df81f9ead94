"""The machinery of the site, in four rooms: published → drawn → measured → pages, never back.

Each may use those behind it, and all the package; `fix` rewrites what is generated in any of them.
"""

from pathlib import Path

ROOT = Path(__file__).parents[2]
