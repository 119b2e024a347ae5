"""Markdown of users to HTML that is safe to show."""

import nh3
from markdown_it import MarkdownIt

_parser = MarkdownIt("js-default", {"linkify": False, "typographer": False})
_TAGS = {
    "p", "br", "hr", "strong", "em", "s", "a", "ul", "ol", "li", "blockquote", "code", "pre",
    "h3", "h4", "h5", "table", "thead", "tbody", "tr", "th", "td", "del", "ins",
}  # fmt: skip
_FIRST, _LAST = 3, 5


def render_markdown(text: str) -> str:
    """HTML of a Markdown text: no raw HTML, no images, links without referrer; headings from h3 down, none skipped."""
    tokens = _parser.parse(text)
    above: list[int] = []  # levels, as written, of the headings that enclose the present one
    for token in tokens:
        if token.type == "heading_open":
            level = int(token.tag[1])
            while above and above[-1] >= level:
                above.pop()
            above.append(level)
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(_FIRST + len(above) - 1, _LAST)}"
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
