"""The home page."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from koz.campaigns import queries as campaigns
from koz.core.access import access
from koz.core.db import reading
from koz.pages.brief_cache import briefly_kept
from koz.pages.stages import stage_of

bp = Blueprint("pages", __name__)


@bp.get("/")
@access("public")
@briefly_kept
def home() -> ResponseReturnValue:
    """The promise, what has been collected, one campaign large and the latest others."""
    with reading() as session:
        figures, latest = campaigns.figures(session), campaigns.list_public(session, limit=7)
    return render_template("pages/home.html", figures=figures, campaigns=latest, stage_of=stage_of)
