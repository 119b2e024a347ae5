"""Who acts, and who may use a route. Every view declares its access; a test walks the URL map."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from hmac import compare_digest
from typing import Any, Final, Literal, ParamSpec, TypeVar, cast
from urllib.parse import urlsplit

from flask import redirect, request, url_for
from flask_login import current_user
from werkzeug.exceptions import HTTPException

from koz.core.errors import NotAllowed, NotFound
from koz.core.i18n import _, current_locale
from koz.core.settings import current_settings

Access = Literal["public", "member", "owner", "moderator", "staff", "webhook", "machine"]
ACCESS: Final = frozenset({"public", "member", "owner", "moderator", "staff", "webhook", "machine"})

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """The person behind a request, as far as permissions need to know; `id` is None for a visitor."""

    id: int | None
    name: str = ""
    email: str | None = None
    email_verified: bool = False
    locale: str = "fr"
    is_staff: bool = False
    is_moderator: bool = False
    roles: Mapping[int, frozenset[str]] = field(default_factory=dict)
    fresh: bool = False
    second_factor: bool = False

    @classmethod
    def anonymous(cls, locale: str = "fr") -> "Actor":
        """A visitor without an account."""
        return cls(id=None, locale=locale)

    def has_role(self, organisation_id: int | None, *roles: str) -> bool:
        """Whether the person has one of `roles` (any, when none is named) in the organisation."""
        if organisation_id is None:
            return False
        held = self.roles.get(organisation_id, frozenset())
        return bool(held & set(roles)) if roles else bool(held)


def current_actor() -> Actor:
    """The actor of this request. Visitors without a session cookie cost no query."""
    actor = getattr(current_user, "actor", None)
    return actor if isinstance(actor, Actor) else Actor.anonymous(current_locale())


class _Elsewhere(HTTPException):
    """Stops a view with a redirect."""

    code = 303


def _page_before() -> str:
    """The page of this site on which a form was sent, as a path; the home page when there is none."""
    parts = urlsplit(request.referrer or "")
    if parts.netloc != request.host:
        return "/"
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _go(endpoint: str, back: str = "") -> HTTPException:
    if not back:
        back = request.full_path.rstrip("?") if request.method == "GET" else _page_before()
    target = back if back.startswith("/") and not back.startswith("//") else "/"
    return _Elsewhere(response=redirect(url_for(endpoint, next=target), 303))


def require_member() -> Actor:
    """The logged-in actor; a visitor is led to the login page and back."""
    actor = current_actor()
    if actor.id is None:
        raise _go("accounts.login")
    return actor


def require_fresh(back: str = "") -> Actor:
    """The actor, who gave the password within the last minutes; otherwise they are asked for it first.

    They come back to `back`: the page that holds the form, unless it is this address or the one they were on.
    """
    actor = require_member()
    if not actor.fresh:
        raise _go("accounts.confirm", back)
    return actor


def _check(level: Access) -> None:
    if level in {"member", "owner"}:
        require_member()
    elif level in {"staff", "moderator"}:
        actor = require_member()
        if not (actor.is_staff or (level == "moderator" and actor.is_moderator)):
            raise NotFound(_("This page does not exist. Start again from the home page."))
        if not actor.second_factor:
            raise _go("accounts.second_factor")
    elif level == "machine":
        _check_machine()


def _check_machine() -> None:
    token = current_settings().metrics_token
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if token:
        if not compare_digest(given, token):
            raise NotAllowed(_("A token is needed here."))
    elif request.remote_addr not in {"127.0.0.1", "::1"}:
        raise NotAllowed(_("Only from this machine."))


def access(level: Access) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare who may use a view and refuse the others.

    public: anyone. member: logged in. owner: logged in, and the view fetches through a function that checks.
    moderator, staff: the role, with a second factor. webhook: a signature the view checks. machine: loopback or token.
    """
    assert level in ACCESS, level

    def declare(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            _check(level)
            return view(*args, **kwargs)

        cast("Any", guarded).__koz_access__ = level
        return guarded

    return declare
