"""The team of a campaign, as its organisation sees it: who covers what, whom to invite together."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from koz.campaigns import queries as campaigns
from koz.core.access import access, require_member
from koz.core.db import reading, unit_of_work
from koz.core.i18n import current_locale
from koz.core.limits import limit
from koz.core.paging import parse_after
from koz.matching.queries.teams import list_missions_of_team
from koz.matching.services import ranking, teaming
from koz.matching.services.teaming import Refusal
from koz.skills.permissions import can_manage_missions

bp = Blueprint("matching_teams", __name__)
SEATS_MAX = 60


@bp.get("/manage/campaigns/<slug>/team")
@access("owner")
def show(slug: str) -> ResponseReturnValue:
    """Missions and their skills, who covers each, suggestions with substitutes."""
    return _page(slug, parse_after(request.args.get("sent")) or 0, [])


def _page(slug: str, sent: int, refused: list[Refusal]) -> ResponseReturnValue:
    actor = require_member()
    with reading() as session:
        campaign = campaigns.get_campaign_for(session, actor, slug, can_manage_missions)
        team = teaming.plan_team(session, campaign)
        shown = [one for _mission, one in team.suggested]
        read = ranking.read_explanations(session, [one.score.as_json() for one in shown], current_locale())
    page = render_template(
        "matching/team.html",
        campaign=campaign,
        team=team,
        reasons={one.letter: explanation for one, explanation in zip(shown, read, strict=True)},
        sent=min(sent, SEATS_MAX),
        refused=refused,
    )
    return page, 409 if refused else 200


@bp.post("/manage/campaigns/<slug>/team/invite")
@access("owner")
def invite(slug: str) -> ResponseReturnValue:
    """Invite those who were on the page, each with all limits; what could not be sent is said."""
    actor = require_member()
    with reading() as session:
        campaign = campaigns.get_campaign_for(session, actor, slug, can_manage_missions)
        missions = frozenset(list_missions_of_team(session, campaign.id))
    seats = [
        (mission, profile)
        for mission, profile in map(_seat, request.form.getlist("seat")[:SEATS_MAX])
        if mission and profile
    ]
    for _pair in seats:
        limit("invite", str(actor.id), "120/hour")
    sent, refused = teaming.invite_team(unit_of_work, actor, missions, list(dict.fromkeys(seats)))
    if refused:
        return _page(slug, sent, refused)
    return redirect(url_for(".show", slug=slug, sent=sent or None), 303)


def _seat(text: str) -> tuple[int, int]:
    """Mission and profile of a seat such as 12-34; zeros for what is none."""
    mission, _dash, profile = text.partition("-")
    return parse_after(mission) or 0, parse_after(profile) or 0
