"""The public page of an organisation: who it is, and its campaigns."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from koz.accounts import queries as accounts
from koz.campaigns import queries as campaigns
from koz.core.access import access
from koz.core.db import reading
from koz.core.errors import NotFound
from koz.core.i18n import _
from koz.matching.queries import answer_times
from koz.pages.brief_cache import briefly_kept
from koz.pages.stages import stage_of

bp = Blueprint("organisation_pages", __name__)
MOST = 60


@bp.get("/organisations/<slug>")
@access("public")
@briefly_kept
def show(slug: str) -> ResponseReturnValue:
    """Name, numbers in the registers, and what it has asked so far."""
    with reading() as session:
        organisation = accounts.find_organisation_by_slug(session, slug)
        if organisation is None:
            raise NotFound(_("This organisation is not on Koz. See the campaigns that are open."))
        found = campaigns.list_public(session, organisation_id=organisation.id, limit=MOST)
        times = answer_times.of_organisations(session, [organisation.id])[organisation.id]
    return render_template(
        "pages/organisation.html", organisation=organisation, campaigns=found, stage_of=stage_of, times=times
    )
