"""A campaign in a frame on other people's pages: no cookie, no script, nothing asked of the reader."""

from flask import Blueprint, make_response, render_template
from flask.typing import ResponseReturnValue

from koz.campaigns import queries
from koz.core.access import access
from koz.core.db import reading
from koz.core.settings import current_settings
from koz.core.web import content_security_policy
from koz.pages.stages import stage_of

bp = Blueprint("embed", __name__)


@bp.get("/embed/campaigns/<slug>")
@access("public")
def campaign(slug: str) -> ResponseReturnValue:
    """A small page of a campaign that any page may frame."""
    with reading() as session:
        row = queries.get_public_campaign(session, slug)
    page = make_response(render_template("pages/embed.html", campaign=row, stage=stage_of(row.state)))
    page.headers["Content-Security-Policy"] = content_security_policy(current_settings(), frame_ancestors="*")
    page.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return page
