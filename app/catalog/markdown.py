"""Markdown that authors write → HTML that is safe to show. Pure.

Raw HTML is text, not HTML; nh3 is the second lock, in case the first one ever fails. No inline styles: the content
security policy would refuse them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from mdit_py_plugins.anchors import anchors_plugin
from pygments import highlight
from pygments.formatters.html import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

_BLOCKS = ("h1", "h2", "h3", "h4", "h5", "h6", "p", "hr", "blockquote", "div", "pre", "ul", "ol", "li")
_TABLES = ("table", "thead", "tbody", "tr", "th", "td")
_TAGS = frozenset((*_BLOCKS, *_TABLES, "a", "br", "code", "em", "s", "span", "strong"))
_ATTRIBUTES = {
    "*": {"class"},
    "a": {"href", "title"},
    "ol": {"start"},
    **{tag: {"id", "class"} for tag in ("h1", "h2", "h3", "h4", "h5", "h6", "strong")},
    "div": {"class", "tabindex"},
}
_REQUIREMENT = re.compile(r"R[1-9][0-9]?")


def render(text: str) -> str:
    """Return `text` as HTML. A leading level-1 heading is left out: the page already says the title.

    A bold R1 … R99 gets the id of its name in lower case, so that a check can point at its requirement.
    """
    html: str = _markdown.renderer.render(_without_title(_markdown.parse(text)), _markdown.options, {})
    return _clean(html)


def render_remark(text: str) -> str:
    """Return what people write to each other as HTML: each line end counts, nothing is a heading or gets an id."""
    html: str = _remarks.render(text)
    return _clean(html)


def first_paragraph(text: str) -> str:
    """Return the first paragraph of `text` without markup, on one line; empty if there is none."""
    tokens = _markdown.parse(text)
    for before, token in pairwise(tokens):
        if before.type == "paragraph_open" and before.level == 0:
            parts = (
                " " if child.type in {"softbreak", "hardbreak"} else child.content for child in token.children or ()
            )
            return " ".join("".join(parts).split())
    return ""


def _clean(html: str) -> str:
    return nh3.clean(
        html,
        tags=set(_TAGS),
        attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )


def _without_title(tokens: Sequence[Token]) -> Sequence[Token]:
    return tokens[3:] if tokens and tokens[0].type == "heading_open" and tokens[0].tag == "h1" else tokens


def _highlighted(code: str, name: str, _attributes: str) -> str:
    """Return `code` marked up with Pygments' classes, or an empty string when the language is not known."""
    try:
        lexer = get_lexer_by_name(name) if name else None
    except ClassNotFound:
        lexer = None
    return highlight(code, lexer, HtmlFormatter(nowrap=True)) if lexer else ""


def _requirements(state: StateCore) -> None:
    """Give the first bold mention of each requirement its id."""
    seen: set[str] = set()
    for token in state.tokens:
        children = token.children or []
        for opening, text in pairwise(children):
            if opening.type == "strong_open" and _REQUIREMENT.fullmatch(text.content) and text.content not in seen:
                seen.add(text.content)
                opening.attrs |= {"id": text.content.lower(), "class": "gr-requirement"}


def _cell(renderer: RendererHTML, tokens: Sequence[Token], position: int, options: OptionsDict, env: EnvType) -> str:
    """Render a table cell with a class where markdown-it would write an inline style."""
    style = str(tokens[position].attrs.pop("style", ""))
    if style in {"text-align:right", "text-align:center"}:
        tokens[position].attrs["class"] = "text-end" if style.endswith("right") else "text-center"
    return renderer.renderToken(tokens, position, options, env)


def _table_open(*_: object) -> str:
    return '<div class="table-responsive" tabindex="0"><table class="table">'


def _table_close(*_: object) -> str:
    return "</table></div>"


def _heading_id(title: str) -> str:
    # With a prefix: an id such as "content" or "main-menu" belongs to the page.
    return "about-" + re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def _build(*, remarks: bool = False) -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False, "highlight": _highlighted, "breaks": remarks})
    markdown.enable(["table", "strikethrough"])
    if remarks:
        markdown.disable(["heading", "lheading"])  # the page around them has its own
    else:
        markdown.use(anchors_plugin, max_level=4, slug_func=_heading_id)
        markdown.core.ruler.push("requirements", _requirements)
    for name in ("th_open", "td_open"):
        markdown.add_render_rule(name, _cell)
    markdown.renderer.rules["table_open"] = _table_open  # type: ignore[attr-defined] # of its own renderer
    markdown.renderer.rules["table_close"] = _table_close  # type: ignore[attr-defined]
    return markdown


_markdown = _build()
_remarks = _build(remarks=True)
