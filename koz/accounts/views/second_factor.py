"""Setting up, giving and switching off the second factor."""

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from koz.accounts import queries, services
from koz.accounts.forms import CodeForm, EnrolForm
from koz.accounts.views.web import bp, go, go_logged_in, next_address, session_token
from koz.core.access import Actor, access, require_fresh, require_member
from koz.core.db import reading, unit_of_work
from koz.core.errors import Conflict, Gone, Invalid
from koz.core.i18n import _
from koz.core.limits import limit
from koz.core.settings import current_settings

#: What operations asks for: five tries in five minutes, twenty in an hour, fifty in a day, for each person.
RATES = ("5/5minutes", "20/hour", "50/day")


@bp.route("/second-factor", methods=["GET", "POST"])
@access("member")
def second_factor() -> ResponseReturnValue:
    """Give a code before the desk opens; who has no second factor yet sets it up first."""
    actor, form = require_member(), CodeForm()
    with reading() as session:
        person = queries.get_person(session, actor.id or 0)
    if person.totp_secret is None:
        return go(url_for("accounts.enrol", next=next_address(url_for("accounts.security"))))
    if form.validate_on_submit():
        limit("second_factor", str(actor.id), *RATES, fail_closed=True)
        token = _raise_session(actor, form.code.data or "")
        if token is not None:
            return go_logged_in(next_address(url_for("accounts.security")), token)
        form.code.errors = [_("This code is not right, or was used already. Wait for the next one and try again.")]
    code = _demo_code(person.totp_secret, person.totp_last_step)
    page = render_template("accounts/second_factor.html", form=form, demo_code=code)
    return page, 422 if form.errors else 200


def _demo_code(secret: str, after: int | None = None) -> str | None:
    """The code of the moment, in the demo and nowhere else: its people have no telephone."""
    return services.next_good_code(secret, after) if current_settings().env == "demo" else None


def _raise_session(actor: Actor, code: str) -> str | None:
    with unit_of_work() as session:
        if not services.check_second_factor(session, actor.id or 0, code):
            return None
        return services.raise_session(session, session_token())


@bp.route("/security/second-factor", methods=["GET", "POST"])
@access("member")
def enrol() -> ResponseReturnValue:
    """Set it up: the secret as picture and text, and the first code as the proof that it arrived."""
    actor, form = require_fresh(), EnrolForm()
    if form.validate_on_submit():
        limit("second_factor", str(actor.id), *RATES, fail_closed=True)
        try:
            with unit_of_work() as session:
                secret = services.read_proposal(actor.id or 0, form.proposal.data or "")
                codes = services.enable_second_factor(session, actor.id or 0, secret, form.code.data or "")
                token = services.raise_session(session, session_token())
            page = render_template("accounts/recovery.html", codes=codes, onward=next_address(""))
            answer = go_logged_in("", token)
            answer.status_code, answer.data = 200, page.encode()
            answer.headers.pop("Location", None)
            answer.headers["Cache-Control"] = "no-store"
            return answer
        except (Invalid, Gone) as error:
            form.code.errors = [error.sentence]
            if isinstance(error, Gone):
                form.proposal.data = None
    return _enrol_page(actor, form)


def _enrol_page(actor: Actor, form: EnrolForm) -> ResponseReturnValue:
    with reading() as session:
        if queries.get_person(session, actor.id or 0).totp_secret is not None:
            raise Conflict(_("Your second factor is on already."))
    proposal = form.proposal.data or services.propose_secret(actor.id or 0)
    form.proposal.data = proposal
    secret = services.read_proposal(actor.id or 0, proposal)
    qr = Markup(services.qr_svg(services.provisioning_uri(secret, actor.email or "Koz")))  # noqa: S704 - made by us
    code = _demo_code(secret)
    page = render_template("accounts/enrol.html", form=form, qr=qr, secret=services.spaced(secret), demo_code=code)
    return page, 422 if form.errors else 200, {"Cache-Control": "no-store"}


@bp.route("/security/recovery-codes", methods=["GET", "POST"])
@access("member")
def recovery_codes() -> ResponseReturnValue:
    """Make new recovery codes, with a code."""
    actor, form = require_fresh(), CodeForm()
    if form.validate_on_submit():
        limit("second_factor", str(actor.id), *RATES, fail_closed=True)
        with unit_of_work() as session:
            good = services.check_second_factor(session, actor.id or 0, form.code.data or "")
            codes = services.renew_recovery_codes(session, actor.id or 0) if good else []
        if good:
            page = render_template("accounts/recovery.html", codes=codes, onward="")
            return page, 200, {"Cache-Control": "no-store"}
        form.code.errors = [_("This code is not right, or was used already. Wait for the next one and try again.")]
    return render_template("accounts/recovery_renew.html", form=form), 422 if form.errors else 200


@bp.route("/security/second-factor/off", methods=["GET", "POST"])
@access("member")
def disable_second_factor() -> ResponseReturnValue:
    """Switch it off: the password given a moment ago, and a code."""
    actor, form = require_fresh(), CodeForm()
    if request.method == "POST" and form.validate_on_submit():
        limit("second_factor", str(actor.id), *RATES, fail_closed=True)
        try:
            with unit_of_work() as session:
                services.disable_second_factor(session, actor.id or 0, form.code.data or "")
            return go(url_for("accounts.security"))
        except (Invalid, Conflict) as error:
            form.code.errors = [error.sentence]
    return render_template("accounts/second_factor_off.html", form=form), 422 if form.errors else 200
