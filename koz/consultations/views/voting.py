"""Participants who vote."""

from collections.abc import Callable
from typing import Any

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from koz.consultations import queries, services
from koz.consultations.states import Choice
from koz.consultations.views.blueprint import bp, place_of
from koz.core.access import access, require_member
from koz.core.db import reading, unit_of_work
from koz.core.errors import Invalid
from koz.core.i18n import _
from koz.core.limits import limit


def _vote(slug: str, anchor: str, fallback: str, act: Callable[[Any, int, int], None]) -> ResponseReturnValue:
    """Do one vote and go back to where the button was."""
    back = request.form.get("back", "")
    if not back.startswith(f"/consultations/{slug}") or any(c in back for c in "\\\r\n#"):
        back = fallback
    back = f"{back}#{anchor}"
    person_id = require_member().id or 0
    limit("consultations.vote", str(person_id), "120/minute")
    with reading() as session:
        consultation_id = queries.get_consultation(session, slug).id
    with unit_of_work() as session:
        act(session, consultation_id, person_id)
    return redirect(back, 303)


def _choice() -> Choice | None:
    word = request.form.get("choice", "")
    if word == "none":
        return None
    if word not in set(Choice):
        raise Invalid(_("Choose agree, mixed or disagree. Go back and press one of the buttons."))
    return Choice(word)


@bp.post("/consultations/<slug>/contributions/<int:contribution_id>/vote")
@access("member")
def vote_contribution(slug: str, contribution_id: int) -> ResponseReturnValue:
    """Vote on a contribution, change the vote, or take it back."""
    choice = _choice()

    def act(session: Any, consultation_id: int, person_id: int) -> None:
        services.vote_on_contribution(session, consultation_id, contribution_id, person_id, choice)

    return _vote(slug, f"contribution-{contribution_id}", place_of(slug, contribution_id, None), act)


@bp.post("/consultations/<slug>/amendments/<int:amendment_id>/vote")
@access("member")
def vote_amendment(slug: str, amendment_id: int) -> ResponseReturnValue:
    """Vote on an amendment, change the vote, or take it back."""
    choice = _choice()

    def act(session: Any, consultation_id: int, person_id: int) -> None:
        services.vote_on_amendment(session, consultation_id, amendment_id, person_id, choice)

    return _vote(slug, f"amendment-{amendment_id}", place_of(slug, None, amendment_id), act)


@bp.post("/consultations/<slug>/arguments/<int:argument_id>/useful")
@access("member")
def vote_argument(slug: str, argument_id: int) -> ResponseReturnValue:
    """Find an argument useful, or take that back."""
    useful = request.form.get("useful") == "1"

    def act(session: Any, consultation_id: int, person_id: int) -> None:
        services.vote_useful(session, consultation_id, argument_id, person_id, useful=useful)

    return _vote(slug, f"argument-{argument_id}", url_for("consultations.show", slug=slug), act)
