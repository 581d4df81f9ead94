"""Which pages the site has, and where."""

from sitekit.published.build import ROOT

PAGES = sorted(
    path.stem for path in (ROOT / "docs/en").iterdir() if path.suffix in (".md", ".ipynb")
)
# neither the address nor the folder that the tests serve from: an absolute link is noticed
SITE_URL = "https://masking.example/some/repo/"


def path_of(language: str, page: str) -> str:
    return f"{language}/" if page == "index" else f"{language}/{page}/"
