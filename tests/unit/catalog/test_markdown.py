"""Statements are shown as their authors mean them, and nothing they write becomes markup of the page."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.catalog.markdown import first_paragraph, render, render_remark


def test_a_statement_becomes_html_without_its_title() -> None:
    html = render("# Title\n\nSome *text*.\n\n## How it works\n\n```python\nx = 1\n```\n\n```\nplain\n```\n")
    assert "Title" not in html
    assert "<em>text</em>" in html
    assert '<h2 id="about-how-it-works">' in html
    assert '<span class="n">x</span>' in html
    assert "<code>plain\n</code>" in html


def test_a_requirement_can_be_pointed_at_once() -> None:
    html = render("**R1** First. See **R1**.\n\n**R12** Last. **R** **R0** **Rx**\n")
    assert html.count('id="r1"') == html.count('id="r12"') == 1
    assert 'id="r0"' not in html


def test_a_table_is_aligned_without_inline_styles() -> None:
    html = render("| a | b | c |\n|---|--:|:-:|\n| 1 | 2 | 3 |\n")
    assert '<table class="table">' in html and 'class="text-end"' in html and 'class="text-center"' in html
    assert "style=" not in html


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](data:text/html;base64,x)",
        "![x](https://example.com/x.png)",
        '```"onmouseover="alert(1)\nx\n```',
        "# T\n\n## <b onclick=x>B</b>",
        "<http://example.com/\"onclick='x'>",
        "<style>body{}</style>",
        "<svg><script>1</script></svg>",
    ],
)
def test_no_markup_gets_through(text: str) -> None:
    html = render(text)
    tags = re.findall(r"<[^>]*>", html)
    assert not [tag for tag in tags if re.search(r"script|img|svg|style|\son\w+=|javascript:|data:", tag)]


@settings(deadline=None, max_examples=100)
@given(st.text(alphabet=st.sampled_from(list("<>\"'`[]()#*|-\n abR1:/=&;!")), max_size=80))
def test_only_known_tags_come_out(text: str) -> None:
    allowed = r"</?(h[1-6]|p|hr|blockquote|div|pre|ul|ol|li|table|thead|tbody|tr|th|td|a|br|code|em|s|span|strong)\b"
    assert all(re.match(allowed, tag) for tag in re.findall(r"<[^>]*>", render(text)))


def test_the_summary_is_the_first_paragraph_as_plain_text() -> None:
    assert first_paragraph("# T\n\n- list\n\nWrite a `cache`\nthat **expires** & more.\n\nNot this.") == (
        "Write a cache that expires & more."
    )
    assert first_paragraph("# T\n") == ""


def test_a_remark_has_neither_headings_nor_ids_and_keeps_its_lines() -> None:
    html = render_remark("# Look\nat **R1**\n\nTitle\n===\n\n## x {#y}\n")
    assert "<h" not in html and "id=" not in html
    assert "# Look<br>" in html and "<strong>R1</strong>" in html


@settings(deadline=None, max_examples=100)
@given(st.text(alphabet=st.sampled_from(list("<>\"'`[]()#*|-\n abR1:/=&;!")), max_size=80))
def test_only_known_tags_come_out_of_a_remark(text: str) -> None:
    allowed = r"</?(p|hr|blockquote|div|pre|ul|ol|li|table|thead|tbody|tr|th|td|a|br|code|em|s|span|strong)\b"
    assert all(re.match(allowed, tag) for tag in re.findall(r"<[^>]*>", render_remark(text)))
