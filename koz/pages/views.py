"""Pages made of several features."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from koz.campaigns import queries as campaigns
from koz.core.access import access
from koz.core.db import reading

bp = Blueprint("pages", __name__)


@bp.get("/")
@access("public")
def home() -> ResponseReturnValue:
    """The promise, what has been collected, and the latest campaigns."""
    with reading() as session:
        figures, latest = campaigns.figures(session), campaigns.list_public(session, limit=12)
    return render_template("pages/home.html", figures=figures, campaigns=latest)
