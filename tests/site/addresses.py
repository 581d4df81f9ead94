"""Which pages the site has, and where."""

from sitekit import ROOT
from sitekit.published.build import LANGUAGES

PAGES = sorted(
    path.relative_to(ROOT / "docs/en").with_suffix("").as_posix()
    for path in (ROOT / "docs/en").rglob("*")
    if path.suffix in (".md", ".ipynb")
)
# neither the address nor the folder that the tests serve from: an absolute link is noticed
SITE_URL = "https://masking.example/some/repo/"


def source_of(url: str) -> str:
    """The file that an address of the site is made from, and the address."""
    language, _, page = url.removeprefix(SITE_URL).rstrip("/").partition("/")
    if language not in LANGUAGES:
        return f"src/sitekit/published/root ({url})"
    found = ROOT.glob(f"docs/{language}/{page or 'index'}.*")
    return f"{next(found).relative_to(ROOT)} ({url})"


def path_of(language: str, page: str) -> str:
    return f"{language}/" if page == "index" else f"{language}/{page}/"
