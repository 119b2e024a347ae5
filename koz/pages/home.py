"""The home page."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from koz.answers import queries as answers
from koz.campaigns import queries as campaigns
from koz.campaigns.states import CampaignState
from koz.core.access import access
from koz.core.db import reading
from koz.matching import queries as matching
from koz.pages.brief_cache import briefly_kept
from koz.pages.stages import stage_of
from koz.skills import queries as skills

bp = Blueprint("pages", __name__)
LATEST = 7
REGISTER = 4


@bp.get("/")
@access("public")
@briefly_kept
def home() -> ResponseReturnValue:
    """The promise, one cause large, figures that can be checked, the latest causes, who answered and who is silent."""
    with reading() as session:
        latest = list(campaigns.list_public(session, limit=LATEST))
        money, replies = campaigns.figures(session), answers.figures(session)
        hours, missions = matching.sum_hours_given(session), skills.count_open_missions(session)
        register = answers.list_register(session, limit=REGISTER)
    large = max(latest, key=lambda c: (c.state is CampaignState.LIVE, c.gifts), default=None)
    return render_template(
        "pages/home.html",
        large=large,
        campaigns=[c for c in latest if c is not large],
        money=money,
        replies=replies,
        hours=hours,
        missions=missions,
        register=register,
        stage_of=stage_of,
    )
