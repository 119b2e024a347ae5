"""Joining, proving an address, logging in and out, a forgotten password."""

from typing import Final

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from koz.accounts import services
from koz.accounts.forms import ConfirmForm, ForgottenForm, JoinForm, LoginForm, NewPasswordForm
from koz.accounts.queries import fold_email
from koz.accounts.views.web import bp, cookie_name, go, go_logged_in, next_address, session_token
from koz.core.access import access, require_member
from koz.core.db import unit_of_work
from koz.core.i18n import _
from koz.core.limits import check_limit, limit
from koz.core.settings import current_settings

#: A longer address is not carried through a mail: who joined starts from their own page.
NEXT_LENGTH: Final = 300


@bp.route("/join", methods=["GET", "POST"])
@access("public")
def join() -> ResponseReturnValue:
    """Join; the answer does not tell whether the address is known."""
    form = JoinForm()
    if not form.validate_on_submit():
        return render_template("accounts/join.html", form=form), 422 if form.errors else 200
    next_path = next_address("")
    next_path = next_path if len(next_path) <= NEXT_LENGTH else ""
    limit("join", request.remote_addr or "", "20/hour")
    limit("join.mail", fold_email(form.email.data or ""), "10/day")  # from however many addresses: it sends mail
    with unit_of_work() as session:
        services.join(session, form.to_command(next_path))
    return go(url_for("accounts.joined"))


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
        next_path = services.prove_email(session, token)
    return go(url_for("accounts.login", proved=1, next=next_path or None))


@bp.route("/login", methods=["GET", "POST"])
@access("public")
def login() -> ResponseReturnValue:
    """Log in. Attempts are limited per account, failures also per address and in all."""
    form = LoginForm()
    if not form.validate_on_submit():
        return render_template("accounts/login.html", form=form), 422 if form.errors else 200
    here, email, password = request.remote_addr or "", form.email.data or "", form.password.data or ""
    check_limit("login.address", here, "10/5minutes", fail_closed=True)
    check_limit("login.all", "", "1000/5minutes", fail_closed=True)
    limit("login.account", email.lower(), "10/5minutes", fail_closed=True)
    with unit_of_work() as session:
        person = services.authenticate(session, email, password)
        token = None if person is None else services.open_session(session, person, str(request.user_agent))
    if token is not None:
        return go_logged_in(next_address("/my"), token)
    limit("login.address", here, "10/5minutes", fail_closed=True)
    limit("login.all", "", "1000/5minutes", fail_closed=True)
    form.password.errors = [_("This address and password do not go together. Try again, or ask for a new password.")]
    return render_template("accounts/login.html", form=form), 422


@bp.post("/logout")
@access("public")
def logout() -> ResponseReturnValue:
    """Log out: the session ends on the server."""
    token = session_token()
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
    limit("reset.address", request.remote_addr or "", "20/hour")
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
    return go(url_for("accounts.login", changed=1))


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
                services.confirm_session(session, session_token())
        if good is not None:
            return go(next_address(url_for("accounts.security")))
        form.password.errors = [_("This is not your password. Try again.")]
    return render_template("accounts/confirm.html", form=form), 422 if form.errors else 200
