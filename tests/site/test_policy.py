"""The policies of pages and what completes them. That pages keep them: test_each_page.py."""

import pytest

from sitekit.published.policy import secure, secured

POLICY = '<meta http-equiv="Content-Security-Policy" content="{}">'
# echo -n 'alert(1)' | openssl dgst -sha256 -binary | base64
HASH = "'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='"


def test_scripts_and_styles_in_a_page_are_allowed_by_their_hashes():
    page = POLICY.format("default-src 'none'; script-src 'self'; style-src")
    page += "<script>alert(1)</script><script src='a.js'></script>"
    page += '<script type="application/json">{}</script><style>alert(1)</style>'
    policy = f"default-src 'none'; script-src 'self' {HASH}; style-src {HASH}"
    assert secured(page).startswith(POLICY.format(policy))


def test_no_hash_takes_back_what_a_page_allows():
    page = POLICY.format("style-src 'unsafe-inline'") + "<style>p {}</style>"
    assert secured(page) == page


def test_a_policy_may_end_in_a_semicolon():
    policy = "default-src 'none'; script-src 'self'"
    assert secured(POLICY.format(f"{policy};")) == POLICY.format(policy)


@pytest.mark.parametrize("attribute", ['style="color: red"', "onclick='go()'"])
def test_an_attribute_that_no_policy_allows_is_refused_and_named(tmp_path, attribute):
    (tmp_path / "a.html").write_text(f"{POLICY.format('style-src')}<p {attribute}>x</p>")
    with pytest.raises(ValueError, match=r"a\.html: .*" + attribute[:5]):
        secure(tmp_path)


def test_a_page_without_a_policy_is_refused():
    with pytest.raises(ValueError, match="declares no Content-Security-Policy"):
        secured("<p>x</p>")


def test_every_page_has_one_without_what_is_inline(documents):
    for url, document in documents.items():
        (meta,) = document.select("meta[http-equiv=Content-Security-Policy]")
        policy = dict(x.strip().partition(" ")[::2] for x in meta["content"].split(";"))
        assert policy["default-src"] == "'none'", url
        assert "unsafe-inline" not in policy.get("script-src", ""), url
        assert "/live/" in url or "unsafe" not in meta["content"], url
