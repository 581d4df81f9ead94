"""The pages of this repository, in both languages. Their blocks are tests of their own."""

from sitekit.pages import completeness, parity


def told(problems) -> str:
    return "\n".join(map(str, problems))


def test_every_fence_is_run_compared_or_named_as_another_language(site):
    found = [problem for page in site.pages() for problem in page.problems()]
    assert not found, told(found)


def test_both_languages_say_the_same_in_the_same_order(site):
    found = parity.problems(site)
    assert not found, told(found)


def test_no_page_layer_link_or_figure_is_missing(site):
    found = completeness.problems(site)
    assert not found, told(found)
