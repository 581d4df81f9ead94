"""Each check sees what it is there for: a good site passes, one broken place is named."""

import os
import subprocess
import sys
from importlib.metadata import version

import pytest

from sitekit.pages import blocks, completeness, parity

KERAS = f"https://github.com/keras-team/keras/blob/v{version('keras')}"


def problems(mini) -> list[str]:
    found = [problem for page in mini.site.pages() for problem in page.problems()]
    return [
        str(p) for p in [*found, *parity.problems(mini.site), *completeness.problems(mini.site)]
    ]


def sole_problem(mini) -> str:
    (problem,) = problems(mini)
    return problem


def failure_of(mini, name="docs/en/demo.md", number=0) -> str:
    """What the checker says of one block of a page."""
    page = next(page for page in mini.site.pages() if str(page.path) == name)
    block, code = blocks.extract(page)[number]
    with pytest.raises(AssertionError) as caught:
        blocks.check(block, code.expected_output)
    return str(caught.value)


def test_a_good_site_has_no_problems(mini):
    assert problems(mini) == []
    for page in mini.site.pages():
        for block, code in blocks.extract(page):
            blocks.check(block, code.expected_output)


def test_a_comment_may_differ(mini):
    mini.change("docs/en/demo.md", "# the sum", "# the sum of two ones")
    assert problems(mini) == []


class TestFences:
    def test_an_unknown_language_is_refused(self, mini):
        mini.change_both("demo.md", "```sh", "```bash")
        assert any(
            p.startswith("docs/en/demo.md:31: a fence of bash is never checked")
            for p in problems(mini)
        )

    def test_a_fence_without_a_language_is_refused(self, mini):
        mini.change_both("demo.md", "```sh", "```")
        assert any("docs/zh/demo.md:31: a fence of no language" in p for p in problems(mini))

    def test_an_unknown_option_is_refused(self, mini):
        mini.change_both("demo.md", 'hl_lines="1"', 'linenums="1"')
        assert "docs/en/demo.md:9: unknown fence option: linenums" in problems(mini)

    def test_an_output_that_follows_no_block_is_refused(self, mini):
        mini.change_both("demo.md", "```sh", "```text")
        assert any(p.startswith("docs/en/demo.md:35: an output stands") for p in problems(mini))

    def test_prose_between_a_block_and_its_output_is_refused(self, mini):
        mini.change_both("demo.md", "```\n\n```output\n2", "```\n\n`2`\n\n```output\n2")
        assert problems(mini)[0].startswith("docs/en/demo.md:15: an output stands directly under")

    def test_an_output_takes_no_option(self, mini):
        mini.change_both("demo.md", "```output\n2", '```output title="sum"\n2')
        assert "docs/en/demo.md:13: unknown fence option: title" in problems(mini)

    def test_indented_code_is_refused(self, mini):
        mini.change("docs/en/demo.md", "One sentence", "    code()\n\nOne sentence")
        assert problems(mini)[0].startswith("docs/en/demo.md:7: indented code is never checked")

    def test_a_line_that_does_not_fit_is_refused(self, mini):
        mini.change_both("demo.md", "print(1 + 1)", f"print(1 + 1){' ' * 65}")
        assert problems(mini)[0].startswith("docs/en/demo.md:10: a line of more than 76 columns")

    @pytest.mark.parametrize(
        ("language", "text"), [("yaml", "a: [1"), ("toml", "a = "), ("json", "{'a': 1}")]
    )
    def test_a_fence_that_does_not_parse_is_refused(self, mini, language, text):
        mini.change_both("other.md", "{ #end }", f"{{ #end }}\n\n```{language}\n{text}\n```")
        assert f"docs/en/other.md:11: this is no {language}: " in "".join(problems(mini))

    def test_an_open_fence_is_refused(self, mini):
        for language in ("en", "zh"):
            text = mini.text(f"docs/{language}/demo.md")
            mini.write(f"docs/{language}/demo.md", text.rstrip().removesuffix("```"))
        assert "docs/en/demo.md:35: this fence is never closed" in problems(mini)

    def test_a_missing_include_is_refused(self, mini):
        mini.remove("docs/shared/en/figures/demo.html")
        assert any(p.startswith("docs/en/demo.md:17: include not found") for p in problems(mini))


class TestParity:
    def test_a_page_in_one_language_only(self, mini):
        mini.remove("docs/zh/other.md")
        assert "docs/en/other.md:1: docs/zh/other.md is missing" in problems(mini)

    def test_another_heading_id(self, mini):
        mini.change("docs/zh/demo.md", "#sources", "#source")
        expected = "docs/en/demo.md:25: heading differs from docs/zh/demo.md:25: "
        assert any(p.startswith(expected) for p in problems(mini))

    def test_another_heading_level(self, mini):
        mini.change("docs/zh/other.md", "## 接下来", "### 接下来")
        assert sole_problem(mini).startswith("docs/en/other.md:9: heading differs from docs/zh")

    def test_a_heading_without_an_id(self, mini):
        mini.change_both("other.md", " { #end }", "")
        assert any("docs/zh/other.md:9: heading '接下来' needs an id" in p for p in problems(mini))

    def test_an_id_that_stands_twice(self, mini):
        mini.change_both("other.md", "#end", "#next")
        assert any("docs/en/other.md:15: the id 'next' stands here" in p for p in problems(mini))

    def test_a_title_with_another_id_than_the_page(self, mini):
        mini.change_both("other.md", "#other", "#another")
        assert "docs/en/other.md:5: a page has one title" in problems(mini)[0]

    def test_a_page_without_description(self, mini):
        mini.change_both("other.md", "description: ", "summary: ")
        assert any("docs/en/other.md:1: the page needs a front matter" in p for p in problems(mini))

    @pytest.mark.parametrize(
        ("text", "line", "message"),
        [
            ("description: a: b\n---", 2, "this front matter is no YAML: mapping values"),
            ('description: "a\nb: c\n---', 4, "this front matter is no YAML: found unexpected"),
            ("description\n---", 2, "a front matter is lines of `key: value`, and this is 'descr"),
            ("description: a", 1, "this front matter is never closed"),
            ("description: 1\n---", 1, "the page needs a front matter"),
        ],
    )
    def test_a_front_matter_that_readers_would_see(self, mini, text, line, message):
        mini.change("docs/en/other.md", "description: A page.\n---", text)
        assert problems(mini)[0].startswith(f"docs/en/other.md:{line}: {message}")

    @pytest.mark.parametrize("text", ['"a: b"', ">-\n  a\n  b", "'a'  # why"])
    def test_any_front_matter_of_yaml(self, mini, text):
        mini.change("docs/en/other.md", "A page.", text)
        assert problems(mini) == []

    def test_a_shell_comment_may_differ(self, mini):
        mini.change("docs/zh/demo.md", "echo done", "# 完成\necho done")
        assert problems(mini) == []

    def test_a_hash_in_a_string_is_no_comment(self, mini):
        for language, text in (("en", "\n#\n"), ("zh", "\n\n")):
            path = f"docs/{language}/demo.md"
            mini.change(path, "print(1 + 1)", f'text = """{text}"""\nprint(1 + 1)')
        assert "'#' against ''" in sole_problem(mini)

    def test_another_order_of_headings(self, mini):
        mini.change("docs/zh/other.md", "#end", "#swapped")
        mini.change("docs/zh/other.md", "#what-breaks", "#end")
        mini.change("docs/zh/other.md", "#swapped", "#what-breaks")
        assert sole_problem(mini).startswith("docs/en/other.md:9: heading differs from docs/zh")

    def test_another_kind_of_admonition(self, mini):
        for language, start in (("en", '!!! note "Mind"'), ("zh", '!!! warning "注意"')):
            path = f"docs/{language}/other.md"
            mini.write(path, mini.text(path) + f"\n{start}\n")
        assert sole_problem(mini).endswith("note against warning")

    def test_code_that_differs(self, mini):
        mini.change("docs/zh/demo.md", "1 + 1)", "1 + 2)")
        assert sole_problem(mini) == (
            "docs/en/demo.md:9: block differs from docs/zh/demo.md:9: "
            "'print(1 + 1)' against 'print(1 + 2)'"
        )

    def test_an_output_that_differs(self, mini):
        mini.change("docs/zh/demo.md", "\n2\n", "\n3\n")
        assert sole_problem(mini).endswith("docs/zh/demo.md:13: '2' against '3'")

    def test_an_option_that_differs(self, mini):
        mini.change("docs/zh/demo.md", ' title="add.py"', "")
        assert "block differs" in sole_problem(mini)

    def test_a_link_that_differs(self, mini):
        mini.change("docs/zh/demo.md", "other.md#end", "other.md#next")
        assert "docs/en/demo.md:27: link differs from docs/zh/demo.md:27" in sole_problem(mini)

    def test_an_include_in_one_language_only(self, mini):
        mini.change("docs/zh/other.md", '--8<-- "figures/demo.html"\n', "")
        assert any(
            p.startswith("docs/en/other.md:7: include has no counterpart in docs/zh/other.md")
            for p in problems(mini)
        )

    def test_a_block_in_one_language_only(self, mini):
        text = mini.text("docs/en/demo.md")
        mini.write("docs/en/demo.md", text + '\n```python title="a.py"\npass\n```\n')
        assert sole_problem(mini).startswith("docs/en/demo.md:39: block has no counterpart in docs")

    def test_a_table_with_another_column(self, mini):
        for language, row in (("en", "| a | b |"), ("zh", "| 甲 |")):
            text = mini.text(f"docs/{language}/other.md")
            mini.write(f"docs/{language}/other.md", text + f"\n{row}\n")
        assert any("table row with cells differs" in p for p in problems(mini))

    @pytest.mark.parametrize(
        ("ours", "theirs", "message", "told"),
        [
            (
                "Since 3.8 of 9.",
                "自 3.9 起，共 9 个。",
                "paragraph differs",
                "numbers 3.8 against 3.9",
            ),
            ("It is 5%.", "是 5。", "paragraph differs", "numbers 5% against 5"),
            ("1,000 rows.", "1000 行。", None, None),
            ("Two rows.", "两行。", None, None),
            ("A `mask`.", "一个 `masks`。", "paragraph differs", "code mask against masks"),
            ("A **mask**.", "一个掩码。", "paragraph differs", "stress 1 against 0"),
            ("One.\n\nTwo.", "一。", "paragraph has no counterpart", ""),
            ("- One.\n- Two 2.", "- 二 2。\n- 一。", "list item differs", "numbers none against 2"),
            ("> One.", "一。", "quote has no counterpart", ""),
            ("| a | 1 |", "| 甲 | |", "cell differs", "numbers 1 against none"),
        ],
    )
    def test_what_no_language_changes(self, mini, ours, theirs, message, told):
        for language, text in (("en", ours), ("zh", theirs)):
            path = f"docs/{language}/other.md"
            mini.write(path, mini.text(path) + f"\n{text}\n")
        found = [p for p in problems(mini) if message is None or (message in p and told in p)]
        assert len(found) == (message is not None)


class TestCompleteness:
    def test_a_page_outside_the_navigation(self, mini):
        mini.change("mkdocs.yml", "- other.md", "- index.md")
        assert "docs/en/other.md:1: the page is not in `nav` of mkdocs.yml" in problems(mini)
        assert "mkdocs.yml:5: `nav` names index.md, and docs/zh/index.md is missing" in problems(
            mini
        )

    def test_a_page_that_stands_twice_in_the_navigation(self, mini):
        mini.change("mkdocs.yml", "- demo.md", "- demo.md\n  - demo.md")
        assert sole_problem(mini) == "mkdocs.yml:3: `nav` names demo.md more than once"

    @pytest.mark.parametrize(
        ("address", "message"),
        [
            ("http://example.org/a", "is not encrypted"),
            ("https://github.com/keras-team/keras/blob/v3.0.0/keras/src/ops/function.py", "lock"),
            (f"{KERAS}/keras/src/ops/functions.py", "has no keras/src/ops/functions.py"),
        ],
    )
    def test_an_address_that_cannot_be_right(self, mini, address, message):
        mini.change_both("demo.md", "(other.md#end)", f"({address})")
        assert all(message in problem for problem in problems(mini)) and len(problems(mini)) == 2

    def test_sources_of_this_keras_and_of_old_ones(self, mini):
        old = "https://github.com/keras-team/keras/blob/2.3.1/keras/engine/base_layer.py"
        for address in (f"{KERAS}/keras/src/ops/function.py#L1", old):
            page = "docs/{}/other.md"
            for language, text in (("en", "its source"), ("zh", "源码")):
                name = page.format(language)
                mini.write(name, mini.text(name) + f"\n[{text}]({address})\n")
        assert problems(mini) == []

    def test_a_dead_link(self, mini):
        mini.change_both("demo.md", "other.md#end", "gone.md")
        expected = "docs/en/demo.md:27: dead link 'gone.md': there is no docs/en/gone.md"
        assert expected in problems(mini)

    def test_a_dead_link_with_a_title(self, mini):
        mini.change_both("demo.md", "(other.md#end)", '(gone.md "text")')
        assert problems(mini)[0].startswith("docs/en/demo.md:27: dead link 'gone.md'")

    def test_a_dead_anchor(self, mini):
        mini.change_both("demo.md", "other.md#end", "other.md#begin")
        assert any("docs/zh/other.md has no heading with id 'begin'" in p for p in problems(mini))

    def test_pictures_stand_beside_the_pages(self, mini):
        for language, alt in (("en", "a dot!"), ("zh", "一个点")):
            (mini.root / f"docs/{language}/dot.png").write_bytes(b"\x89PNG\xff")
            mini.write(f"docs/{language}/dot.svg", "<svg></svg>\n")
            page = f"docs/{language}/other.md"
            mini.write(page, mini.text(page) + f"\n![{alt}](dot.png)\n![{alt}](dot.svg)\n")
        assert problems(mini) == []

    def test_a_picture_that_is_not_there(self, mini):
        for language, alt in (("en", "a dot"), ("zh", "一个点")):
            page = f"docs/{language}/other.md"
            mini.write(page, mini.text(page) + f"\n![{alt}](dot.png)\n")
        assert problems(mini) == [
            f"docs/{language}/other.md:21: dead link 'dot.png': there is no docs/{language}/dot.png"
            for language in ("en", "zh")
        ]

    def test_a_picture_in_one_language_only(self, mini):
        mini.write("docs/en/dot.svg", "<svg></svg>\n")
        assert sole_problem(mini) == "docs/en/dot.svg:1: docs/zh/dot.svg is missing"

    def test_tags_are_no_words(self, mini):
        tag = '<div class="grid cards" markdown>\n</div>'
        mini.change_both("other.md", "{ #end }", f"{{ #end }}\n\n{tag}")
        assert problems(mini) == []

    def test_a_layer_without_a_test(self, mini):
        mini.remove("tests/layers/test_demo.py")
        assert sole_problem(mini) == (
            "src/keras_masking/layers/demo.py:1: the layer has no test: "
            "write tests/layers/test_demo.py"
        )

    def test_a_private_class_is_no_layer(self, mini):
        name = "src/keras_masking/layers/demo.py"
        mini.write(name, mini.text(name) + "class _Helper:\n    pass\n")
        assert problems(mini) == []

    def test_a_public_name_that_no_page_documents(self, mini):
        mini.change("docs/zh/other.md", "::: keras_masking.Demo", "::: keras_masking.Other")
        assert "no page of docs/zh documents Demo" in "".join(problems(mini))

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "Demo has no line of Chinese"),
            ('Demo = "一个层。"\nGone = "没有了。"', "Gone is not a public name"),
            ('Demo = "一个Keras的层。"', "put a space"),
        ],
    )
    def test_a_public_name_without_a_line_of_chinese(self, mini, text, message):
        mini.write("docs/shared/names.toml", text)
        assert message in sole_problem(mini)

    def test_a_layer_that_is_not_exported(self, mini):
        mini.write("docs/shared/names.toml", "")
        mini.write("src/keras_masking/__init__.py", "")
        assert "Demo is not exported by src/keras_masking/__init__.py" in sole_problem(mini)

    def test_a_layer_without_a_page(self, mini):
        mini.change_both(
            "demo.md", '```python\n--8<-- "copies/demo.py"', '```python title="a"\npass'
        )
        assert len(problems(mini)) == 2
        assert "no page of docs/en includes copies/demo.py" in problems(mini)[0]

    def test_a_layer_that_the_list_of_all_lacks(self, mini):
        for language, listed in (("en", "[`Demo`](demo.md)"), ("zh", "")):
            mini.write(f"docs/{language}/layers.md", listed)
        said = [problem for problem in problems(mini) if "does not list" in problem]
        (only,) = said
        assert "docs/zh/layers.md does not list Demo" in only

    def test_a_figure_that_no_page_shows(self, mini):
        mini.write("docs/shared/zh/figures/more.html", "<figure>\n</figure>\n")
        assert sole_problem(mini).startswith("docs/shared/zh/figures/more.html:1: no page")

    def test_a_teaching_page_without_sources(self, mini):
        mini.change_both("other.md", "#sources", "#origins")
        assert "docs/en/other.md:1: the page lacks a section { #sources }" in problems(mini)

    def test_a_block_that_shows_nothing(self, mini):
        for language in ("en", "zh"):
            text = mini.text(f"docs/{language}/other.md")
            mini.write(f"docs/{language}/other.md", text + "\n```python\nx = 1\n```\n")
        said = problems(mini)
        assert len(said) == 2
        assert all("other.md:" in p and "the block has no output" in p for p in said)

    def test_a_page_without_a_figure(self, mini):
        mini.change_both("other.md", '--8<-- "figures/demo.html"\n', "")
        assert "docs/zh/other.md:1: the page shows no figure of a mask" in problems(mini)

    @pytest.mark.parametrize(
        ("sentence", "message"),
        [
            ("The mask says which steps to skip.", "English in a Chinese page"),
            ("掩码：a layer-by-layer rule of the MaskedMean layer.", "English in a Chinese page"),
            ("This is wrong.", "write this in Chinese"),
            ("The mask says\n跳过哪些时间步。", "write this in Chinese"),
            ("<b>This is wrong.</b>", "write this in Chinese"),
            ("掩码.", "full-width punctuation"),
            ("用 Keras, 掩码。", "full-width punctuation"),
            ("掩码mask。", "a space between Chinese and Latin: '码m'"),
            ("用`mask`。", "a space between Chinese and Latin"),
            ("掩码, 填充。", "full-width punctuation"),
            ("掩码(mask)", "full-width punctuation"),
            ("掩码： 填充。", "write '掩码：填充。'"),
        ],
    )
    def test_what_does_not_belong_in_a_chinese_page(self, mini, sentence, message):
        mini.change("docs/zh/demo.md", "关于掩码的一句话。", sentence)
        assert any(p.startswith("docs/zh/demo.md:7: ") and message in p for p in problems(mini))

    def test_an_english_comment_in_a_chinese_page(self, mini):
        mini.change("docs/zh/demo.md", "# 求和", "# this is the sum of two numbers")
        assert sole_problem(mini).startswith("docs/zh/demo.md:10: English in a Chinese page")

    def test_an_english_heading_in_a_chinese_page(self, mini):
        mini.change("docs/zh/demo.md", "## 来源", "## Sources")
        assert sole_problem(mini).startswith("docs/zh/demo.md:25: write this in Chinese: '## Sour")

    def test_the_title_of_a_source_may_be_english(self, mini):
        for language in ("en", "zh"):
            path = f"docs/{language}/demo.md"
            mini.change(path, "- [", "- [All about a mask in Keras](https://x)\n- [")
        assert problems(mini) == []

    def test_chinese_in_an_english_page(self, mini):
        mini.change("docs/en/demo.md", "One sentence", "一句话")
        assert sole_problem(mini) == "docs/en/demo.md:7: Chinese in an English page: '一句话'"

    def test_a_chinese_comment_in_an_english_page(self, mini):
        mini.change("docs/en/demo.md", "# the sum", "#求和")
        assert sole_problem(mini) == "docs/en/demo.md:10: Chinese in an English page: '求和'"


class TestNotebook:
    def test_a_good_one_has_no_problems(self, lab):
        assert problems(lab()) == []

    def test_code_that_differs(self, lab):
        assert sole_problem(lab(zh={"code": "print(2)"})) == (
            "docs/en/lab.ipynb:2: code differs from docs/zh/lab.ipynb:2: print(1) against print(2)"
        )

    def test_a_plot_says_the_same_in_both_languages(self, lab):
        en, zh = {"code": 'plot("o-", "a label")'}, {"code": 'plot("o-", "标签")'}
        assert problems(lab(en=en, zh=zh)) == []

    def test_an_english_label_in_the_chinese_one(self, lab):
        part = {"code": 'plot("o-", "a label")'}
        assert sole_problem(lab(en=part, zh=part)) == (
            "docs/zh/lab.ipynb:2: write the label 'a label' of this plot in Chinese"
        )

    @pytest.mark.parametrize(("alt", "mark"), [("一条线。", "o--"), ("", "o-")])
    def test_a_plot_that_differs(self, lab, alt, mark):
        """In more than what it says; and what draws none has no labels."""
        en, zh = {"code": 'plot("o-", "a label")'}, {"code": f'plot("{mark}", "标签")', "alt": alt}
        assert any("code differs" in problem for problem in problems(lab(en=en, zh=zh)))

    def test_a_link_that_differs(self, lab):
        found = problems(lab(zh={"text": "# 实验\n[甲](demo.md)"}))
        assert found[0].startswith("docs/en/lab.ipynb:1: links differs from docs/zh/lab.ipynb:1")

    def test_a_dead_anchor(self, lab):
        found = problems(lab(en={"text": "# Lab\n[a](demo.md#gone)"}))
        assert any("docs/en/demo.md has no heading with id 'gone'" in p for p in found)

    def test_a_stored_output(self, lab):
        found = problems(lab(en={"outputs": [{"output_type": "stream", "text": "1"}]}))
        assert found == ["docs/en/lab.ipynb:2: the build runs this cell: remove its stored output"]

    @pytest.mark.parametrize(
        "part", [{"text": "# Lab\n[甲](demo.md#next)"}, {"alt": "One line and no more."}]
    )
    def test_english_in_the_chinese_one(self, lab, part):
        assert "write this in Chinese" in sole_problem(lab(zh=part))

    def test_an_english_comment_in_the_chinese_one(self, lab):
        part = {"code": "print(1)  # this prints the number one here"}
        assert sole_problem(lab(zh=part)).startswith("docs/zh/lab.ipynb:2: English in a Chinese")

    def test_a_picture_described_in_one_language_only(self, lab):
        assert "text alternative differs" in sole_problem(lab(zh={"alt": ""}))

    def test_one_without_a_description(self, lab):
        assert set(problems(lab(zh={"description": ""}))) == {
            'docs/zh/lab.ipynb:1: this notebook needs a description: write "description": "…" in '
            "its metadata"
        }

    def test_a_description_in_the_wrong_language(self, lab):
        assert "write this in Chinese" in sole_problem(lab(zh={"description": "An English one."}))

    def test_a_broken_one_is_named(self, lab):
        mini = lab()
        mini.write("docs/zh/lab.ipynb", "{\n")
        assert set(problems(mini)) == {
            "docs/zh/lab.ipynb:2: this notebook cannot be read: "
            "Expecting property name enclosed in double quotes: line 2 column 1 (char 2)"
        }


class TestBlocks:
    def test_a_wrong_output_is_shown_as_a_difference(self, mini):
        mini.change("docs/en/demo.md", "\n2\n", "\n3\n")
        said = failure_of(mini)
        assert said.startswith("docs/en/demo.md:13: the output has changed\n")
        assert "\n-3\n+2" in said

    def test_an_output_that_is_not_on_the_page(self, mini):
        mini.change("docs/en/demo.md", "```output\n2\n```\n", "")
        said = failure_of(mini)
        assert said == ("docs/en/demo.md:9: this block prints, and no output stands under it:\n2\n")

    def test_an_output_that_nothing_prints(self, mini):
        mini.change("docs/en/demo.md", "print(1 + 1)", "1 + 1")
        assert failure_of(mini) == (
            "docs/en/demo.md:13: an output stands here, but the block prints nothing"
        )

    def test_a_block_that_needs_an_earlier_block(self, mini):
        mini.change("docs/en/demo.md", "```sh", "```python\ntotal = 2\n```\n\n```sh")
        mini.change("docs/en/demo.md", "```sh\necho done", "```python\nprint(total)")
        said = failure_of(mini, number=3)
        assert said.startswith("docs/en/demo.md:36: print(total)\n")
        assert "NameError: name 'total' is not defined" in said

    def test_an_error_names_its_own_line(self, mini):
        mini.change("docs/en/demo.md", "print(1 + 1)", "x = 0\n\nprint(1 / x)")
        said = failure_of(mini)
        assert said.startswith("docs/en/demo.md:12: print(1 / x)")
        assert "ZeroDivisionError" in said

    def test_a_syntax_error_names_its_own_line(self, mini):
        mini.change("docs/en/demo.md", "print(1 + 1)", "x = 1\nprint(")
        assert failure_of(mini).startswith("docs/en/demo.md:11: ")

    def test_a_warning_that_the_page_does_not_show(self, mini):
        code = "import warnings\nwarnings.warn('mask lost')"
        mini.change("docs/en/demo.md", "print(1 + 1)", code)
        assert "UserWarning: mask lost" in failure_of(mini)

    def test_a_shell_block_that_fails_on_its_way(self, mini):
        mini.change("docs/en/demo.md", "echo done", "ls no-such-file\necho done")
        said = failure_of(mini, number=2)
        assert said.startswith("docs/en/demo.md:31: exit status ")
        assert "no-such-file" in said

    def test_a_block_does_not_change_the_state_of_the_next(self, mini):
        code = "import keras\nprint(keras.config.floatx())\nkeras.config.set_floatx('float64')"
        page = f"# {{ #x }}\n\n```python\n{code}\n```\n\n```output\nfloat32\n```\n\n" * 2
        mini.write("docs/en/other.md", page)
        for page in mini.site.pages():
            if str(page.path) == "docs/en/other.md":
                for block, output in blocks.extract(page):
                    blocks.check(block, output.expected_output)

    def test_a_last_line_without_an_end_is_compared_as_a_line(self, mini):
        mini.change("docs/en/demo.md", "print(1 + 1)", "print(1 + 1, end='')")
        page = next(mini.site.pages())
        assert blocks.run(page.blocks[0]) == "2\n"

    def test_pytest_runs_every_block_and_names_the_place(self, mini):
        mini.change("docs/en/demo.md", "\n2\n", "\n3\n")
        mini.change("docs/zh/demo.md", "print(1 + 1)", "print(total)")
        mini.write("docs/en/other.md", "```python\n")
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "--continue-on-collection-errors", "docs"],
            cwd=mini.root,
            env=os.environ | {"KERAS_BACKEND": "numpy"},  # which starts quickly
            capture_output=True,
            text=True,
        )
        assert done.returncode == 1
        assert "docs/en/demo.md:13: the output has changed\n" in done.stdout
        assert "\n-3\n+2\n" in done.stdout
        assert "docs/zh/demo.md:10: print(total)" in done.stdout
        assert "NameError: name 'total' is not defined" in done.stdout
        assert "\ndocs/en/other.md:1: this fence is never closed\n" in done.stdout
        assert "2 failed, 4 passed, 1 error" in done.stdout
