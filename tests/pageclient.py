"""A browser-like client for views: every page it gets must be well made, so no test can forget to look."""

import re
from contextvars import Context
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
from flask import Flask
from werkzeug.test import TestResponse

NS = "{http://www.w3.org/1999/xhtml}"


@dataclass
class Page:
    """A parsed page."""

    response: TestResponse
    tree: Element | None

    @property
    def text(self) -> str:
        """All the visible text, blanks folded."""
        return fold("".join(self.root.itertext()))

    @property
    def body(self) -> str:
        """The raw answer."""
        return self.response.get_data(as_text=True)

    @property
    def root(self) -> Element:
        """The html element."""
        assert self.tree is not None, "not an HTML page"
        return self.tree

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """Elements of a tag whose attributes have these values (`class_` for class)."""
        wanted = {k.rstrip("_").replace("_", "-"): v for k, v in attributes.items()}
        return [e for e in self.root.iter(NS + tag) if all(e.get(k) == v for k, v in wanted.items())]

    def one(self, tag: str, **attributes: str) -> Element:
        """The only such element."""
        found = self.all(tag, **attributes)
        assert len(found) == 1, f"{len(found)} × <{tag} {attributes}>"
        return found[0]

    def links(self) -> list[str]:
        """Targets of all links."""
        return [a.get("href", "") for a in self.all("a")]

    def field(self, name: str) -> str:
        """Value of the input, textarea or select called `name`."""
        for tag in ("input", "textarea", "select"):
            for e in self.all(tag, name=name):
                if tag == "textarea":
                    return "".join(e.itertext())
                if tag == "select":
                    chosen = [o for o in e.iter(NS + "option") if "selected" in o.attrib]
                    return chosen[0].get("value", "") if chosen else ""
                return e.get("value", "")
        raise AssertionError(f"no field {name}")


def fold(text: str) -> str:
    """Text with runs of blanks made one."""
    return re.sub(r"[\s\u00a0\u202f]+", " ", text).strip()


class PageClient:
    """GET and POST with checks of what every page must be."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.client = app.test_client()
        self.token = ""

    def open(self, url: str, **kwargs: Any) -> TestResponse:
        """Send a request outside the test's own app context: Flask would share `g` and the session with it."""
        return Context().run(self.client.open, url, **kwargs)

    def csrf_token(self) -> str:
        """A token of this client's session, as its pages hold it; one is good for the whole session."""
        if not self.token:
            page = self.open("/login").get_data(as_text=True)
            found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
            assert found, "the login page has no csrf token"
            self.token = found[1]
        return self.token

    def get(self, url: str, *, status: int = 200, lang: str | None = None, **kwargs: Any) -> Page:
        """Fetch a page and check that it is well made."""
        headers = {"Accept-Language": lang} if lang else {}
        response = self.open(url, method="GET", headers=headers | kwargs.pop("headers", {}), **kwargs)
        assert response.status_code == status, (response.status_code, response.location, response.text[:500])
        return read(response)

    def post(self, url: str, data: Any = None, *, status: int = 303, **kwargs: Any) -> Page:
        """Send a form."""
        response = self.open(url, method="POST", data={"csrf_token": self.csrf_token()} | (data or {}), **kwargs)
        assert response.status_code == status, (response.status_code, response.location, response.text[:1500])
        return read(response)


def read(response: TestResponse) -> Page:
    """Parse an answer; HTML pages are checked."""
    if response.mimetype != "text/html" or response.status_code in {301, 302, 303, 304, 308}:
        return Page(response, None)
    tree = html5lib.HTMLParser(strict=True).parse(response.get_data(as_text=True))
    page = Page(response, tree)
    _check(page)
    return page


def _check(page: Page) -> None:
    headings = page.all("h1")
    assert len(headings) == 1, f"{len(headings)} h1"
    title, h1 = fold("".join(page.one("title").itertext())), fold("".join(headings[0].itertext()))
    assert title.startswith(h1[:60]), f"title {title!r} does not start with h1 {h1!r}"
    ids = [e.get("id") for e in page.root.iter() if e.get("id")]
    assert len(ids) == len(set(ids)), f"repeated ids {sorted({i for i in ids if ids.count(i) > 1})}"
    labels = {e.get("for") for e in page.all("label")}
    wrapped = {id(i) for label in page.all("label") for i in label.iter()}
    for tag in ("input", "select", "textarea"):
        for e in page.all(tag):
            if e.get("type") in {"hidden", "submit", "button", "image"}:
                continue
            named = e.get("id") in labels or id(e) in wrapped or e.get("aria-label") or e.get("aria-labelledby")
            assert named, f"no label for {tag} {e.attrib}"
    for script in page.all("script"):
        assert script.get("src"), "inline script"
    assert not [e for e in page.root.iter() if e.get("style")], "inline style"
    assert not page.all("style"), "inline style element"
    for form in page.all("form"):
        if (form.get("method") or "get").lower() == "post":
            names = {i.get("name") for i in form.iter(NS + "input")}
            assert "csrf_token" in names, f"form without csrf token: {form.attrib}"
