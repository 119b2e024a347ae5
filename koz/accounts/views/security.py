"""« My account »: name and language, address, password, sessions, data, erasure."""

import json

from flask import Response, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from koz.accounts import queries, services
from koz.accounts.forms import EraseForm, NewEmailForm, NewPasswordForm, ProfileForm
from koz.accounts.views.web import bp, cookie_name, go, session_token
from koz.core.access import access, require_fresh, require_member
from koz.core.clock import today
from koz.core.db import reading, unit_of_work
from koz.core.errors import Conflict, Invalid
from koz.core.i18n import LOCALE_COOKIE
from koz.core.limits import limit
from koz.core.settings import current_settings


@bp.get("/security")
@access("member")
def security() -> ResponseReturnValue:
    """All about one's own account."""
    actor = require_member()
    person_id = actor.id or 0
    with reading() as session:
        here = queries.find_session(session, session_token())
        found = {
            "person": queries.get_person(session, person_id),
            "sessions": queries.list_sessions(session, person_id),
            "organisations": queries.list_organisations_of(session, person_id),
            "change": queries.find_open_email_change(session, person_id),
            "codes_left": queries.count_recovery_codes(session, person_id),
        }
    return render_template("accounts/security.html", here=here.session.id if here else None, **found)


@bp.post("/security/proof")
@access("member")
def ask_proof() -> ResponseReturnValue:
    """Send the link that proves the address again."""
    actor = require_member()
    limit("proof", str(actor.id), "5/day")
    with unit_of_work() as session:
        services.ask_proof(session, actor.id or 0)
    return go(url_for("accounts.security", sent=1))


@bp.post("/security/sessions/<int:session_id>/end")
@access("member")
def end_session(session_id: int) -> ResponseReturnValue:
    """End one of one's own sessions."""
    actor = require_member()
    with unit_of_work() as session:
        services.end_session_by_id(session, actor.id or 0, session_id)
    return go(url_for("accounts.security"))


@bp.post("/security/sessions/end")
@access("member")
def end_other_sessions() -> ResponseReturnValue:
    """End all of one's sessions but this one."""
    actor = require_member()
    with unit_of_work() as session:
        services.end_sessions(session, actor.id or 0, but=session_token())
    return go(url_for("accounts.security"))


@bp.route("/security/profile", methods=["GET", "POST"])
@access("member")
def profile() -> ResponseReturnValue:
    """Name and language."""
    actor = require_member()
    form = ProfileForm(data={"name": actor.name, "locale": actor.locale})
    if not form.validate_on_submit():
        return render_template("accounts/profile.html", form=form), 422 if form.errors else 200
    with unit_of_work() as session:
        services.change_profile(session, actor.id or 0, form.name.data or "", form.locale.data)
    answer = make_response(go(url_for("accounts.security")))
    answer.delete_cookie(LOCALE_COOKIE, samesite="Lax", httponly=True, secure=current_settings().secure_cookies)
    return answer


@bp.route("/security/email", methods=["GET", "POST"])
@access("member")
def email() -> ResponseReturnValue:
    """Ask to move the account to another address."""
    actor, form = require_fresh(), NewEmailForm()
    if form.validate_on_submit():
        limit("email", str(actor.id), "5/day")
        try:
            with unit_of_work() as session:
                services.request_email_change(session, actor.id or 0, form.email.data or "")
            return go(url_for("accounts.security", asked=1))
        except Invalid as error:
            form.email.errors = [error.sentence]
    return render_template("accounts/email.html", form=form), 422 if form.errors else 200


@bp.route("/security/email/<token>", methods=["GET", "POST"])
@access("public")
def change_email(token: str) -> ResponseReturnValue:
    """Prove the new address: the link shows a button, so that mail scanners change nothing."""
    if request.method == "GET":
        return render_template("accounts/change_email.html")
    with unit_of_work() as session:
        services.change_email(session, token)
    return go(url_for("accounts.login", proved=1))


@bp.route("/security/password", methods=["GET", "POST"])
@access("member")
def password() -> ResponseReturnValue:
    """Change the password; other sessions end."""
    actor, form = require_fresh(), NewPasswordForm()
    if not form.validate_on_submit():
        return render_template("accounts/password.html", form=form), 422 if form.errors else 200
    with unit_of_work() as session:
        services.change_password(session, actor.id or 0, (form.password.data or ""), keep=session_token())
    return go(url_for("accounts.security"))


@bp.get("/security/data")
@access("member")
def export() -> ResponseReturnValue:
    """All that Koz holds on the person, as a file."""
    actor = require_fresh()
    limit("export", str(actor.id), "20/day")
    with reading() as session:
        found = services.export_person(session, actor.id or 0)
    text = json.dumps(found, ensure_ascii=False, indent=2)
    return Response(
        text,
        content_type="application/json; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="koz-{today().isoformat()}.json"',
            "Cache-Control": "no-store",
        },
    )


@bp.route("/security/erase", methods=["GET", "POST"])
@access("member")
def erase() -> ResponseReturnValue:
    """Have the account forgotten."""
    actor, form = require_fresh(), EraseForm()
    if form.validate_on_submit():
        try:
            with unit_of_work() as session:
                keep = form.contributions.data == "keep"
                services.erase_person(session, actor.id or 0, keep_contributions=keep)
            answer = make_response(go(url_for("accounts.erased")))
            answer.delete_cookie(cookie_name(), path="/", secure=current_settings().secure_cookies)
            return answer
        except Conflict as error:
            form.sure.errors = [error.sentence]
    return render_template("accounts/erase.html", form=form), 422 if form.errors else 200


@bp.get("/erased")
@access("public")
def erased() -> ResponseReturnValue:
    """Good-bye."""
    return render_template("accounts/erased.html")
