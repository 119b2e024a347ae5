"""« Mon Koz »: all that a person has to do here and has done, with ways on."""

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from koz.accounts import queries as accounts
from koz.campaigns import queries as campaigns
from koz.consultations import queries as consultations
from koz.core.access import access, require_member
from koz.core.db import reading
from koz.matching import queries as matching
from koz.payments import queries as payments
from koz.payments.services.give import link_token

bp = Blueprint("my", __name__)


@bp.get("/my")
@access("member")
def my() -> ResponseReturnValue:
    """What waits for the person, then gifts, missions, consultations, followed campaigns. A statement for each."""
    actor = require_member()
    person_id = actor.id or 0
    with reading() as session:
        return render_template(
            "pages/my.html",
            gift_link=lambda gift_id: url_for("payments.gift", token=link_token(gift_id)),
            organisations=accounts.list_organisations_of(session, person_id) if actor.roles else (),
            invitations=matching.count_to_answer(session, person_id),
            engagements=matching.list_engagements_of_person(session, person_id, limit=10),
            gifts=payments.list_gifts_of_person(session, person_id),
            joined=consultations.list_joined(session, person_id),
            followed=campaigns.list_followed(session, actor.email or "") if actor.email_verified else (),
        )
