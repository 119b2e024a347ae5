"""The sentences of the public timeline, all in one place: a kind and its values in, one translated sentence out.

A kind that is not known here is shown plainly rather than not at all: the timeline hides nothing.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

from koz.core.i18n import _, ngettext
from koz.core.templating import long_date, money

Params = Mapping[str, Any]


def _live(_params: Params) -> str:
    return _("The campaign opens: gifts can be made.")


def _funded(params: Params) -> str:
    if params.get("skills_minor"):
        return _(
            "All that had to be raised is there: %(amount)s have come in, and hours given replace %(skills)s.",
            amount=money(int(params.get("collected_minor", 0))),
            skills=money(int(params["skills_minor"])),
        )
    if "collected_minor" in params:
        return _("The minimum is collected: %(amount)s have come in.", amount=money(int(params["collected_minor"])))
    return _("The minimum is collected.")


def _failed(params: Params) -> str:
    if {"collected_minor", "minimum_minor"} <= params.keys():
        return _(
            "The collection ends below its minimum: %(collected)s of %(minimum)s.",
            collected=money(int(params["collected_minor"])),
            minimum=money(int(params["minimum_minor"])),
        )
    return _("The collection ends below its minimum.")


def _cancelled(params: Params) -> str:
    if params.get("reason"):
        return _("The organisation gives the campaign up: %(reason)s", reason=params["reason"])
    return _("The organisation gives the campaign up.")


def _update(params: Params) -> str:
    return _("News: %(title)s", title=params.get("title", ""))


def _refund(params: Params) -> str:
    if "amount_minor" in params:
        return _("A gift is refunded: %(amount)s.", amount=money(int(params["amount_minor"])))
    return _("A gift is refunded.")


def _lost(params: Params) -> str:
    if "amount_minor" in params:
        return _("A gift is lost in a dispute: %(amount)s.", amount=money(int(params["amount_minor"])))
    return _("A gift is lost in a dispute.")


def _mission_filled(params: Params) -> str:
    if params.get("title"):
        return _("Somebody takes on a mission: %(title)s", title=params["title"])
    return _("Somebody takes on a mission.")


def _hours_given(params: Params) -> str:
    if not {"hours", "line", "minor", "to_raise_minor"} <= params.keys():
        return _("Hours are given: there is less to raise.")
    return ngettext(
        "%(num)s hour is given for “%(line)s”: %(less)s less to raise. %(left)s in all must now be raised.",
        "%(num)s hours are given for “%(line)s”: %(less)s less to raise. %(left)s in all must now be raised.",
        int(params["hours"]), line=params["line"], less=money(int(params["minor"])),
        left=money(int(params["to_raise_minor"])),
    )  # fmt: skip


def _hours_back(params: Params) -> str:
    if not {"hours", "line", "minor", "to_raise_minor"} <= params.keys():
        return _("Hours will not be given: there is more to raise again.")
    return ngettext(
        "%(num)s hour for “%(line)s” will not be given: %(more)s more to raise. %(left)s in all must now be raised.",
        "%(num)s hours for “%(line)s” will not be given: %(more)s more to raise. %(left)s in all must now be raised.",
        int(params["hours"]), line=params["line"], more=money(int(params["minor"])),
        left=money(int(params["to_raise_minor"])),
    )  # fmt: skip


def _mission_done(params: Params) -> str:
    if params.get("title"):
        return _("A mission is delivered: %(title)s", title=params["title"])
    return _("A mission is delivered.")


def _consultation_opened(_params: Params) -> str:
    return _("The consultation opens: everybody may take part.")


def _consultation_closed(_params: Params) -> str:
    return _("The consultation closes; its results are public.")


def _answer_requested(params: Params) -> str:
    due = _day(params.get("due_on"))
    if due:
        return _("The authority is asked to answer by %(date)s.", date=due)
    return _("The authority is asked to answer.")


def _answer_accepted(_params: Params) -> str:
    return _("The authority promises to answer.")


def _answer_published(params: Params) -> str:
    if params.get("addressee"):
        return _("%(who)s answers.", who=params["addressee"])
    return _("The authority answers.")


def _answer_noted(_params: Params) -> str:
    return _("A note is added to the answer.")


def _answer_overdue(params: Params) -> str:
    due = _day(params.get("due_on"))
    if due:
        return _("The answer was due on %(date)s: the authority is silent.", date=due)
    return _("The date for the answer has passed: the authority is silent.")


def _commitment(params: Params) -> str:
    if params.get("state") == "kept":
        return _("A commitment of the authority is kept: %(text)s", text=params.get("text", ""))
    if params.get("state") == "dropped":
        return _("A commitment of the authority is given up: %(text)s", text=params.get("text", ""))
    if params.get("text"):
        return _("A commitment moves on: %(text)s", text=params["text"])
    return _("A commitment of the authority moves on.")


def _commitment_late(params: Params) -> str:
    if params.get("text"):
        return _("A commitment is late: %(text)s", text=params["text"])
    return _("A commitment of the authority is late.")


def _closed(_params: Params) -> str:
    return _("The campaign ends.")


KINDS: Final[Mapping[str, Callable[[Params], str]]] = {
    "live": _live,
    "funded": _funded,
    "failed": _failed,
    "cancelled": _cancelled,
    "update": _update,
    "refund": _refund,
    "lost": _lost,
    "mission_filled": _mission_filled,
    "hours_given": _hours_given,
    "hours_back": _hours_back,
    "mission_done": _mission_done,
    "consultation_opened": _consultation_opened,
    "consultation_closed": _consultation_closed,
    "answer_requested": _answer_requested,
    "answer_asked": _answer_requested,
    "answer_due": _answer_requested,
    "answer_accepted": _answer_accepted,
    "answer_published": _answer_published,
    "answered": _answer_published,
    "answer_noted": _answer_noted,
    "answer_overdue": _answer_overdue,
    "commitment": _commitment,
    "commitment_late": _commitment_late,
    "closed": _closed,
}


def describe(kind: str, params: Params | None = None) -> str:
    """What a timeline entry says, in the present language."""
    known = KINDS.get(kind)
    return known(params or {}) if known else kind.replace("_", " ").capitalize()


def _day(text: object) -> str:
    try:
        return long_date(date.fromisoformat(str(text)))
    except ValueError:
        return ""
