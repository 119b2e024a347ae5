"""The staff's desk: what waits, what died, who is who. Dense and quick; every act asks for a reason and is logged.

Its pages open only with the role of staff and a second factor. Sections of other modules join by `SECTIONS`.
"""

import json
from collections.abc import Sequence
from typing import Any, Final, TypeVar

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from koz.accounts import queries as people
from koz.accounts import services as accounts
from koz.admin import queries
from koz.admin.forms import ActForm, PersonSearchForm, ReasonForm
from koz.core.access import access, require_member
from koz.core.db import reading, unit_of_work
from koz.core.i18n import _, _l
from koz.core.limits import limit
from koz.core.outbox import replay
from koz.core.paging import Page, after_page, parse_after
from koz.notifications import queries as mails
from koz.notifications import services as notifications
from koz.notifications.models import MailState
from koz.payments import webhooks
from koz.payments.states import InboxState

bp = Blueprint("admin", __name__, url_prefix="/admin")
SIZE: Final = 50
T = TypeVar("T")

#: The desk's menu: (endpoint, label). A section shows when its endpoint exists.
SECTIONS: Final[tuple[tuple[str, Any], ...]] = (
    ("admin.desk", _l("Desk")),
    ("reviews.queue", _l("Campaigns to review")),
    ("admin.organisations", _l("Organisations")),
    ("admin.people_search", _l("People")),
    ("admin.inbox", _l("Inbox")),
    ("admin.outbox", _l("Outbox")),
    ("admin.mail_list", _l("Mails")),
    ("exposure.report", _l("Invitations")),
    ("admin.audit", _l("Log")),
)


@bp.app_context_processor
def _menu() -> dict[str, Any]:
    if not (request and request.path.startswith("/admin")):
        return {}
    known = current_app.view_functions
    return {"desk_menu": [(url_for(e), label, e) for e, label in SECTIONS if e in known]}


def _choice(name: str, allowed: Sequence[str]) -> str:
    """A filter of the address, the first of `allowed` when it is none of them."""
    asked = request.args.get(name, "")
    return asked if asked in allowed else allowed[0]


def _page(rows: Sequence[T], key: Any) -> Page[T]:
    return after_page(rows, SIZE, key)


def _after() -> int | None:
    return parse_after(request.args.get("after"))


def _back(endpoint: str, **values: Any) -> ResponseReturnValue:
    return redirect(url_for(endpoint, **values, done=1), 303)


@bp.get("/")
@access("staff")
def desk() -> ResponseReturnValue:
    """What waits for staff."""
    with reading() as session:
        found = {
            "inbox": queries.count_inbox(session),
            "outbox": queries.count_deliveries(session),
            "mails": mails.count_mails(session),
            "unverified": people.count_unverified(session),
            "log": people.list_audit(session, size=9),
        }
    return render_template("admin/desk.html", **found)


@bp.get("/inbox")
@access("staff")
def inbox() -> ResponseReturnValue:
    """Events of the payment provider."""
    state = InboxState(_choice("state", ["waiting", "dead", "ignored", "handled"]))
    with reading() as session:
        rows = queries.list_inbox(session, state, _after(), SIZE)
    return render_template("admin/inbox.html", page=_page(rows, lambda e: e.id), state=state.value)


@bp.route("/inbox/<int:event_id>", methods=["GET", "POST"])
@access("staff")
def inbox_event(event_id: int) -> ResponseReturnValue:
    """One event, without personal data; handling it again is safe, because the provider is asked anew."""
    actor, form = require_member(), ReasonForm()
    if form.validate_on_submit():
        with unit_of_work() as session:
            webhooks.replay(session, event_id)
            accounts.audit(session, actor.id or 0, "replay-inbox", f"inbox event {event_id}", form.why)
        return _back("admin.inbox_event", event_id=event_id)
    with reading() as session:
        event = queries.get_inbox_event(session, event_id)
    payload = json.dumps(queries.without_personal(event.payload), ensure_ascii=False, indent=2)
    page = render_template("admin/inbox_event.html", event=event, payload=payload, form=form)
    return page, 422 if form.errors else 200


@bp.get("/outbox")
@access("staff")
def outbox() -> ResponseReturnValue:
    """Events of our own and who must still hear of them."""
    state = _choice("state", ["dead", "waiting", "handled"])
    with reading() as session:
        rows = queries.list_deliveries(session, state, _after(), SIZE)
    return render_template("admin/outbox.html", page=_page(rows, lambda r: r.delivery.id), state=state)


@bp.route("/outbox/<int:delivery_id>", methods=["GET", "POST"])
@access("staff")
def delivery(delivery_id: int) -> ResponseReturnValue:
    """One delivery; its handler may run again."""
    actor, form = require_member(), ReasonForm()
    with reading() as session:
        row = queries.get_delivery(session, delivery_id)
    if form.validate_on_submit():
        with unit_of_work() as session:
            replay(session, delivery_id)
            accounts.audit(session, actor.id or 0, "replay-outbox", f"delivery {delivery_id}", form.why)
        return _back("admin.delivery", delivery_id=delivery_id)
    payload = json.dumps(row.message.payload, ensure_ascii=False, indent=2)
    page = render_template("admin/delivery.html", row=row, payload=payload, form=form)
    return page, 422 if form.errors else 200


@bp.get("/mails")
@access("staff")
def mail_list() -> ResponseReturnValue:
    """Mails by state; addresses stay hidden."""
    state = MailState(_choice("state", ["unknown", "refused", "waiting", "sending", "sent"]))
    with reading() as session:
        rows = mails.list_mails(session, state, _after(), SIZE)
    return render_template("admin/mails.html", page=_page(rows, lambda m: m.id), state=state.value)


@bp.route("/mails/<int:mail_id>", methods=["GET", "POST"])
@access("staff")
def mail(mail_id: int) -> ResponseReturnValue:
    """One mail; of an unknown or refused one staff say that it went out, or have it sent again."""
    actor, form = require_member(), ActForm.of("sent", "again")
    if form.validate_on_submit():
        again = form.act.data == "again"
        with unit_of_work() as session:
            notifications.settle_by_hand(session, mail_id, send_again=again)
            act = "send-mail-again" if again else "count-mail-as-sent"
            accounts.audit(session, actor.id or 0, act, f"mail {mail_id}", form.why)
        return _back("admin.mail", mail_id=mail_id)
    with reading() as session:
        found = mails.get_mail(session, mail_id)
    return render_template("admin/mail.html", mail=found, form=form), 422 if form.errors else 200


@bp.get("/organisations")
@access("staff")
def organisations() -> ResponseReturnValue:
    """Organisations that wait for verification, or have it."""
    state = _choice("state", ["waiting", "verified"])
    with reading() as session:
        rows = people.list_organisations(session, verified=state == "verified", after=_after(), size=SIZE)
    return render_template("admin/organisations.html", page=_page(rows, lambda o: o.id), state=state)


@bp.route("/organisations/<int:organisation_id>", methods=["GET", "POST"])
@access("staff")
def organisation(organisation_id: int) -> ResponseReturnValue:
    """One organisation; staff vouch for who it is, or no longer."""
    actor, form = require_member(), ActForm.of("verify", "unverify")
    if form.validate_on_submit():
        verify = form.act.data == "verify"
        with unit_of_work() as session:
            accounts.set_verified(session, organisation_id, actor.id or 0, verified=verify)
            accounts.audit(
                session, actor.id or 0, f"{form.act.data}-organisation", f"organisation {organisation_id}", form.why
            )
        return _back("admin.organisation", organisation_id=organisation_id)
    with reading() as session:
        found = people.get_organisation(session, organisation_id)
        members = people.list_members(session, organisation_id)
    page = render_template("admin/organisation.html", organisation=found, members=members, form=form)
    return page, 422 if form.errors else 200


@bp.route("/people", methods=["GET", "POST"])
@access("staff")
def people_search() -> ResponseReturnValue:
    """Find an account by its exact address. The address is posted, so that no log of addresses holds it."""
    actor, form = require_member(), PersonSearchForm()
    if form.validate_on_submit():
        limit("admin.people", str(actor.id), "100/hour")
        with unit_of_work() as session:
            found = people.find_person_by_email(session, form.email.data or "")
            if found is not None:
                accounts.audit(session, actor.id or 0, "look-up-person", f"person {found.id}", form.why)
        if found is not None:
            return redirect(url_for("admin.person", person_id=found.id), 303)
        form.email.errors = [_("Nobody has an account with this address.")]
    return render_template("admin/people.html", form=form), 422 if form.errors else 200


@bp.route("/people/<int:person_id>", methods=["GET", "POST"])
@access("staff")
def person(person_id: int) -> ResponseReturnValue:
    """The least that helps somebody who writes to us; log them out, or take a lost second factor away."""
    actor, form = require_member(), ActForm.of("end-sessions", "reset-second-factor")
    if form.validate_on_submit():
        act = accounts.end_all_sessions if form.act.data == "end-sessions" else accounts.reset_second_factor
        with unit_of_work() as session:
            act(session, actor.id or 0, person_id, form.why)
        return _back("admin.person", person_id=person_id)
    with reading() as session:
        found = people.get_person(session, person_id)
        held = people.list_organisations_of(session, person_id)
        living = people.list_sessions(session, person_id)
    page = render_template("admin/person.html", person=found, organisations=held, sessions=living, form=form)
    return page, 422 if form.errors else 200


@bp.get("/log")
@access("staff")
def audit() -> ResponseReturnValue:
    """What staff did and why."""
    with reading() as session:
        rows = people.list_audit(session, _after(), SIZE)
    return render_template("admin/audit.html", page=_page(rows, lambda r: r.entry.id))
