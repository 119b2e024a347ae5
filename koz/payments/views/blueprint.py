"""The blueprint that all addresses of payments share."""

from flask import Blueprint, redirect, url_for
from werkzeug.exceptions import HTTPException

from koz.core.access import Actor, current_actor

bp = Blueprint("payments", __name__)


class _Elsewhere(HTTPException):
    code = 303


def require_fresh_at(address: str) -> Actor:
    """The actor, who gave the password lately; otherwise they give it now and come back to `address`.

    For forms: their own address cannot be returned to, the page that holds them can.
    """
    actor = current_actor()
    if not actor.fresh:
        raise _Elsewhere(response=redirect(url_for("accounts.confirm", next=address), 303))
    return actor
