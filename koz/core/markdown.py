"""Markdown of users to HTML that is safe to show."""

import nh3
from markdown_it import MarkdownIt

_parser = MarkdownIt("js-default", {"linkify": False, "typographer": False})
_TAGS = {
    "p", "br", "hr", "strong", "em", "s", "a", "ul", "ol", "li", "blockquote", "code", "pre",
    "h3", "h4", "h5", "table", "thead", "tbody", "tr", "th", "td", "del", "ins",
}  # fmt: skip
_HEADINGS = {"h1": "h3", "h2": "h4", "h3": "h5", "h4": "h5", "h5": "h5", "h6": "h5"}


def render_markdown(text: str) -> str:
    """HTML of a Markdown text: no raw HTML, no images, links without referrer; headings from h3 down."""
    tokens = _parser.parse(text)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = _HEADINGS[token.tag]
    return clean_html(_parser.renderer.render(tokens, _parser.options, {}))


def clean_html(html: str) -> str:
    """HTML with only the tags of running text; anything else is taken out, its text kept."""
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes={"a": {"href", "title"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="nofollow noopener noreferrer ugc",
    )
