"""One line of a Cap Collectif export (JSON: an opinion with its arguments, sources and counts) to plain values. Pure.

Every value is checked here, so that a bad line is refused with a sentence before anything of it reaches the database.
HTML is cleaned to the tags of running text; people stay the pseudonyms they are in the file.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from koz.consultations.states import Side, SourceKind
from koz.consultations.wording import difference, plain
from koz.core.errors import Invalid
from koz.core.forms import clean_text
from koz.core.i18n import _
from koz.core.markdown import clean_html

_MOST: Final = 2**31 - 1
_TITLE: Final = 250
_NAME: Final = 120
_URL: Final = 1000
_BODY: Final = 200_000
_KINDS: Final[Mapping[str, SourceKind]] = {
    "Site internet": SourceKind.WEB,
    "Articles de presse": SourceKind.PRESS,
    "Lois et règlements": SourceKind.LAW,
    "Rapport / Étude": SourceKind.REPORT,
    "Billet de blog": SourceKind.WEB,
    "Article scientifique": SourceKind.SCIENCE,
    "Manuel / Guide": SourceKind.BOOK,
    "Thèse / Mémoire": SourceKind.SCIENCE,
}


@dataclass(frozen=True, slots=True)
class CapSection:
    """A section; `order` is its number where it comes from."""

    external_id: str
    order: int
    title: str
    help_text: str


@dataclass(frozen=True, slots=True)
class CapArgument:
    """An argument under an opinion."""

    external_id: str
    side: Side
    body: str
    author: str
    created_at: datetime
    useful: int


@dataclass(frozen=True, slots=True)
class CapSource:
    """A source under an opinion."""

    external_id: str
    kind: SourceKind
    title: str
    url: str
    passage: str
    author: str
    created_at: datetime
    useful: int


@dataclass(frozen=True, slots=True)
class CapOpinion:
    """An opinion with all that hangs on it. `annexes` are {"title", "html"} or {"title", "diff"}."""

    external_id: str
    number: int
    section: CapSection
    title: str
    body_html: str
    text: str
    author: str
    by_organiser: bool
    created_at: datetime
    agree: int
    mixed: int
    disagree: int
    amendments: int
    trashed: bool
    annexes: list[dict[str, Any]]
    arguments: Sequence[CapArgument]
    sources: Sequence[CapSource]


class _Bad(ValueError):
    """A value that cannot be used; the text names the field."""


def read_opinion(line: bytes, number: int) -> CapOpinion:
    """The opinion of line `number` (from 1). Raises Invalid with one sentence that names the line."""
    try:
        return _opinion(json.loads(line))
    except _Bad as error:
        raise Invalid(
            _("Line %(n)s cannot be used (%(field)s). Nothing was brought in.", n=number, field=str(error))
        ) from None
    except (ValueError, RecursionError):
        raise Invalid(_("Line %(n)s is not JSON. Nothing was brought in.", n=number)) from None


def _opinion(o: Any) -> CapOpinion:
    if not isinstance(o, dict):
        raise _Bad("{}")
    external = _number(o, "id")
    body = clean_html(_text(o, "body", _BODY))
    author = _object(o, "author")
    return CapOpinion(
        external_id=str(external),
        number=external,
        section=_section(o),
        title=_needed(o, "title", _TITLE),
        body_html=body,
        text=plain(body),
        author=_author(o),
        by_organiser=author.get("vip") is True,
        created_at=_moment(o, "created_at"),
        agree=_number(o, "votes_ok"),
        mixed=_number(o, "votes_mitige"),
        disagree=_number(o, "votes_nok"),
        amendments=_number(o, "versions_count"),
        trashed=o.get("is_trashed") is True,
        annexes=[*map(_appendix, _list(o, "appendices")), *map(_modal, _list(o, "modals"))],
        arguments=[_argument(a) for a in _list(o, "arguments")],
        sources=[_source(s) for s in _list(o, "sources")],
    )


def _section(o: dict[str, Any]) -> CapSection:
    kind = _object(o, "type")
    title = _text(kind, "subtitle", _TITLE) or _needed(kind, "title", _TITLE)
    return CapSection(
        _needed(o, "section_slug", 200), _number(kind, "id"), title[:200], _text(kind, "votesHelpText", 2000)
    )


def _argument(a: dict[str, Any]) -> CapArgument:
    side = _number(a, "type")
    if side not in {0, 1}:
        raise _Bad("arguments.type")
    return CapArgument(
        external_id=str(_number(a, "id")),
        side=Side.FOR if side == 1 else Side.AGAINST,
        body=_needed(a, "body", _BODY),
        author=_author(a),
        created_at=_moment(a, "created_at"),
        useful=_number(a, "votes_count"),
    )


def _source(s: dict[str, Any]) -> CapSource:
    url = _text(s, "link", _URL)
    return CapSource(
        external_id=str(_number(s, "id")),
        kind=_KINDS.get(_text(s, "category", 200), SourceKind.OTHER),
        title=_needed(s, "title", _TITLE),
        url=url if re.match(r"https?://\S+$", url) else "",
        passage=_text(s, "body", _BODY),
        author=_author(s),
        created_at=_moment(s, "created_at"),
        useful=_number(s, "votes_count"),
    )


def _appendix(a: dict[str, Any]) -> dict[str, Any]:
    return {"title": _text(_object(a, "type"), "title", _TITLE), "html": clean_html(_text(a, "body", _BODY))}


def _modal(m: dict[str, Any]) -> dict[str, Any]:
    title = _text(m, "title", _TITLE) or _text(m, "key", _TITLE)
    before, after = (plain(clean_html(_text(m, name, _BODY))) for name in ("before", "after"))
    return {"title": title, "diff": difference(before, after)}


def _author(o: dict[str, Any]) -> str:
    return _needed(_object(o, "author"), "displayName", _NAME)


def _object(o: dict[str, Any], name: str) -> dict[str, Any]:
    value = o.get(name)
    if not isinstance(value, dict):
        raise _Bad(name)
    return value


def _list(o: dict[str, Any], name: str) -> list[dict[str, Any]]:
    value = o.get(name)
    if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
        raise _Bad(name)
    return value


def _text(o: dict[str, Any], name: str, most: int) -> str:
    value = o.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > most:
        raise _Bad(name)
    return clean_text(value.replace("\r\n", "\n"))


def _needed(o: dict[str, Any], name: str, most: int) -> str:
    value = _text(o, name, most)
    if not value:
        raise _Bad(name)
    return value


def _number(o: dict[str, Any], name: str) -> int:
    value = o.get(name)
    if type(value) is not int or not 0 <= value <= _MOST:
        raise _Bad(name)
    return value


def _moment(o: dict[str, Any], name: str) -> datetime:
    value = o.get(name)
    try:
        moment = datetime.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise _Bad(name) from None
    if moment.tzinfo is None:
        raise _Bad(name)
    return moment
