"""The blueprint of accounts, and the log-in behind every request."""

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, g, redirect, request
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, UserMixin

from koz.accounts import queries, services
from koz.accounts.queries import SessionRow
from koz.core.access import Actor
from koz.core.clock import now
from koz.core.db import reading, unit_of_work
from koz.core.settings import current_settings

bp = Blueprint("accounts", __name__)
login_manager = LoginManager()
TOUCH_EVERY = timedelta(minutes=10)


@dataclass
class LoggedIn(UserMixin):  # type: ignore[misc]
    """What flask-login holds for a request."""

    actor: Actor

    def get_id(self) -> str:
        """The person's id, as text."""
        return str(self.actor.id)


def init_login(app: Flask) -> None:
    """Wire flask-login over our own session table."""
    login_manager.init_app(app)
    login_manager.request_loader(lambda _request: _load())


def cookie_name() -> str:
    """`__Host-` binds the cookie to this host over TLS; plain http on loopback can't have it."""
    return "__Host-koz_session" if current_settings().secure_cookies else "koz_session"


def session_token() -> str:
    """The secret of this request's session; empty without one."""
    return request.cookies.get(cookie_name(), "")


def _load() -> LoggedIn | None:
    token = session_token()
    if not token or request.endpoint == "static":
        return None
    with reading() as session:
        row = queries.find_session(session, token)
    if row is None:
        return None
    if row.session.seen_at < now() - TOUCH_EVERY:
        _touch(token)
    actor = _actor(row)
    g.person_locale = actor.locale
    return LoggedIn(actor)


def _touch(token: str) -> None:
    with unit_of_work() as session:
        row = queries.find_session(session, token)
        if row is not None:
            services.touch_session(row.session, staff=row.person.is_staff or row.person.is_moderator)


def _actor(row: SessionRow) -> Actor:
    person = row.person
    return Actor(
        id=person.id,
        name=person.name,
        email=person.email,
        email_verified=person.email_verified_at is not None,
        locale=person.locale,
        is_staff=person.is_staff,
        is_moderator=person.is_moderator,
        roles=row.roles,
        fresh=row.session.password_at > now() - services.FRESH,
        second_factor=row.session.second_factor_at is not None,
    )


def next_address(fallback: str) -> str:
    """Where to go after: an address of this site only."""
    target = request.args.get("next", "")
    parts = urlsplit(target)
    good = target.startswith("/") and not target.startswith(("//", "/\\")) and not parts.netloc and not parts.scheme
    return target if good else fallback


def go(target: str) -> ResponseReturnValue:
    """Lead on after a form."""
    return redirect(target, 303)


def go_logged_in(target: str, token: str) -> Response:
    """Lead on with the cookie of a session."""
    answer = redirect(target, 303)
    response = Response(answer.get_data(), 303, answer.headers)
    response.set_cookie(
        cookie_name(), token, max_age=int(services.SESSION_LIFE.total_seconds()), httponly=True,
        samesite="Lax", secure=current_settings().secure_cookies, path="/",
    )  # fmt: skip
    return response
