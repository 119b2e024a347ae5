"""Pages of accounts, and the log-in behind every request."""

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, UserMixin

from koz.accounts import queries, services
from koz.accounts.forms import ConfirmForm, ForgottenForm, JoinForm, LoginForm, NewPasswordForm, OrganisationForm
from koz.accounts.queries import SessionRow
from koz.core.access import Actor, access, require_fresh, require_member
from koz.core.clock import now
from koz.core.db import reading, unit_of_work
from koz.core.errors import KozError
from koz.core.i18n import _
from koz.core.limits import limit
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


def _load() -> LoggedIn | None:
    token = request.cookies.get(cookie_name())
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


def _with_cookie(response: Response, token: str) -> Response:
    settings = current_settings()
    response.set_cookie(
        cookie_name(), token, max_age=int(services.SESSION_LIFE.total_seconds()), httponly=True,
        samesite="Lax", secure=settings.secure_cookies, path="/",
    )  # fmt: skip
    return response


@bp.route("/join", methods=["GET", "POST"])
@access("public")
def join() -> ResponseReturnValue:
    """Join; the answer does not tell whether the address is known."""
    form = JoinForm()
    if not form.validate_on_submit():
        return render_template("accounts/join.html", form=form), 422 if form.errors else 200
    limit("join", request.remote_addr or "", "20/hour")
    with unit_of_work() as session:
        services.join(session, form.to_command())
    return redirect(url_for("accounts.joined"), 303)


@bp.get("/joined")
@access("public")
def joined() -> ResponseReturnValue:
    """What happens next after joining."""
    return render_template("accounts/joined.html")


@bp.route("/verify/<token>", methods=["GET", "POST"])
@access("public")
def verify(token: str) -> ResponseReturnValue:
    """Prove an address: the link shows a button, so that mail scanners prove nothing."""
    if request.method == "GET":
        return render_template("accounts/verify.html")
    with unit_of_work() as session:
        services.prove_email(session, token)
    return redirect(url_for("accounts.login", proved=1), 303)


@bp.route("/login", methods=["GET", "POST"])
@access("public")
def login() -> ResponseReturnValue:
    """Log in."""
    form = LoginForm()
    if form.validate_on_submit():
        limit("login.address", request.remote_addr or "", "30/5minutes", fail_closed=True)
        limit("login.account", (form.email.data or "").lower(), "10/5minutes", fail_closed=True)
        with unit_of_work() as session:
            person = services.authenticate(session, (form.email.data or ""), (form.password.data or ""))
            token = None if person is None else services.open_session(session, person, str(request.user_agent))
        if token is not None:
            answer = redirect(next_address(url_for("accounts.security")), 303)
            return _with_cookie(Response(answer.get_data(), 303, answer.headers), token)
        form.password.errors = [
            _("This address and password do not go together. Try again, or ask for a new password.")
        ]
    return render_template("accounts/login.html", form=form), 422 if form.errors else 200


@bp.post("/logout")
@access("public")
def logout() -> ResponseReturnValue:
    """Log out: the session ends on the server."""
    token = request.cookies.get(cookie_name())
    if token:
        with unit_of_work() as session:
            services.end_session(session, token)
    answer = redirect(url_for("accounts.login"), 303)
    answer.delete_cookie(cookie_name(), path="/", secure=current_settings().secure_cookies)
    return answer


@bp.route("/forgotten", methods=["GET", "POST"])
@access("public")
def forgotten() -> ResponseReturnValue:
    """Ask for a new password."""
    form = ForgottenForm()
    if not form.validate_on_submit():
        return render_template("accounts/forgotten.html", form=form), 422 if form.errors else 200
    limit("reset", (form.email.data or "").lower(), "5/day")
    with unit_of_work() as session:
        services.request_reset(session, (form.email.data or ""))
    return render_template("accounts/forgotten_sent.html")


@bp.route("/reset/<token>", methods=["GET", "POST"])
@access("public")
def reset(token: str) -> ResponseReturnValue:
    """Choose a new password by the mailed link."""
    form = NewPasswordForm()
    if not form.validate_on_submit():
        return render_template("accounts/reset.html", form=form), 422 if form.errors else 200
    with unit_of_work() as session:
        services.reset_password(session, token, (form.password.data or ""))
    return redirect(url_for("accounts.login", changed=1), 303)


@bp.route("/confirm", methods=["GET", "POST"])
@access("member")
def confirm() -> ResponseReturnValue:
    """Give the password again before something sensitive."""
    actor, form = require_member(), ConfirmForm()
    if form.validate_on_submit():
        limit("confirm", str(actor.id), "10/5minutes", fail_closed=True)
        with unit_of_work() as session:
            good = services.authenticate(session, actor.email or "", (form.password.data or ""))
            if good is not None:
                services.confirm_session(session, request.cookies[cookie_name()])
        if good is not None:
            return redirect(next_address(url_for("accounts.security")), 303)
        form.password.errors = [_("This is not your password. Try again.")]
    return render_template("accounts/confirm.html", form=form), 422 if form.errors else 200


@bp.get("/security")
@access("member")
def security() -> ResponseReturnValue:
    """Sessions and password."""
    actor = require_member()
    with reading() as session:
        sessions = queries.list_sessions(session, actor.id or 0)
        organisations = queries.list_organisations_of(session, actor.id or 0)
        here = queries.find_session(session, request.cookies.get(cookie_name(), ""))
    here_id = here.session.id if here else None
    return render_template("accounts/security.html", sessions=sessions, here=here_id, organisations=organisations)


@bp.post("/security/sessions/<int:session_id>/end")
@access("member")
def end_session(session_id: int) -> ResponseReturnValue:
    """End one of one's own sessions."""
    actor = require_member()
    with unit_of_work() as session:
        services.end_session_by_id(session, actor.id or 0, session_id)
    return redirect(url_for("accounts.security"), 303)


@bp.route("/security/password", methods=["GET", "POST"])
@access("member")
def password() -> ResponseReturnValue:
    """Change the password; other sessions end."""
    actor, form = require_fresh(), NewPasswordForm()
    if not form.validate_on_submit():
        return render_template("accounts/password.html", form=form), 422 if form.errors else 200
    with unit_of_work() as session:
        services.change_password(
            session, actor.id or 0, (form.password.data or ""), keep=request.cookies[cookie_name()]
        )
    return redirect(url_for("accounts.security"), 303)


@bp.route("/manage/organisations/new", methods=["GET", "POST"])
@access("member")
def new_organisation() -> ResponseReturnValue:
    """Bring in an organisation."""
    actor, form = require_member(), OrganisationForm()
    if form.validate_on_submit():
        try:
            with unit_of_work() as session:
                services.create_organisation(session, form.to_command(actor.id or 0))
            return redirect(url_for("accounts.security"), 303)
        except KozError as error:
            form.name.errors = [error.sentence]
    return render_template("accounts/organisation.html", form=form), 422 if form.errors else 200
