"""How invitations fall on professionals and missions: staff sees whether the plan is fair, from the rows."""

from typing import Final

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from koz.core.access import access
from koz.core.db import reading
from koz.matching.queries.exposure import SPAN, read_exposure

bp = Blueprint("exposure", __name__)
#: From this many invitations on, people are counted together.
MANY: Final = 10


@bp.get("/admin/exposure")
@access("staff")
def report() -> ResponseReturnValue:
    """Invitations a person, how unevenly, missions without anybody, times until an answer."""
    with reading() as session:
        found = read_exposure(session)
    few = [(times, people) for times, people in found.by_number if times < MANY]
    many = sum(people for times, people in found.by_number if times >= MANY)
    return render_template("admin/exposure.html", found=found, few=few, many=many, most=MANY, days=SPAN.days)
