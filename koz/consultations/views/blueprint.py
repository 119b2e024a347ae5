"""The blueprint that all addresses of consultations share, and the words that all their pages know."""

from typing import Any

from flask import Blueprint, url_for

from koz.consultations.forms import KINDS, SOURCES
from koz.consultations.wording import condensed

bp = Blueprint("consultations", __name__)


@bp.context_processor
def _names() -> dict[str, Any]:
    return {"actor_kinds": KINDS, "source_kinds": SOURCES, "condensed": condensed}


def place_of(slug: str, contribution_id: int | None, amendment_id: int | None) -> str:
    """The address of a contribution, or of an amendment where there is one."""
    if amendment_id is None:
        return url_for("consultations.contribution", slug=slug, contribution_id=contribution_id)
    return url_for("consultations.amendment", slug=slug, amendment_id=amendment_id)
