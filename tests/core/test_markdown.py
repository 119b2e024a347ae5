"""Users' Markdown: safe, and its headings fit under the page's own without a gap."""

import re
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from koz.core.markdown import render_markdown


def levels(html: str) -> list[int]:
    return [int(n) for n in re.findall(r"<h([1-6])>", html)]


def test_headings_begin_under_the_page_s_own_whatever_level_was_written() -> None:
    assert levels(render_markdown("## A\n\n### B\n\n## C")) == [3, 4, 3]
    assert levels(render_markdown("# A\n\n### B\n\n###### C")) == [3, 4, 5]


@given(st.lists(st.integers(1, 6), max_size=12))
def test_no_level_of_heading_is_skipped(written: list[int]) -> None:
    found = [2, *levels(render_markdown("\n\n".join(f"{'#' * n} word" for n in written)))]
    assert all(here <= before + 1 for before, here in pairwise(found))
    assert all(3 <= n <= 5 for n in found[1:])


def test_scripts_and_pictures_are_taken_out() -> None:
    html = render_markdown("<script>alert(1)</script> ![x](https://example.org/x.png) [y](javascript:alert(1))")
    assert "<script" not in html
    assert "<img" not in html
    assert 'href="javascript' not in html
