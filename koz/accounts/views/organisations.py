"""An organisation from inside: details, members, invitations, log; and the invited person's page."""

from flask import make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from koz.accounts import queries, services
from koz.accounts.forms import (
    InvitationForm,
    JoinByInvitationForm,
    OrganisationDetailsForm,
    OrganisationForm,
    RolesForm,
)
from koz.accounts.models import Organisation, Role
from koz.accounts.permissions import can_manage, get_organisation_for
from koz.accounts.queries import Member
from koz.accounts.views.web import bp, go, go_logged_in
from koz.core.access import Actor, access, current_actor, require_fresh, require_member
from koz.core.db import reading, unit_of_work
from koz.core.errors import Conflict, KozError, NotAllowed, NotFound
from koz.core.i18n import _, current_locale
from koz.core.limits import limit
from koz.core.paging import after_page, parse_after

LOG_SIZE = 20


@bp.route("/manage/organisations/new", methods=["GET", "POST"])
@access("member")
def new_organisation() -> ResponseReturnValue:
    """Bring in an organisation."""
    actor, form = require_member(), OrganisationForm()
    if form.validate_on_submit():
        limit("organisation", str(actor.id), "10/day")
        try:
            with unit_of_work() as session:
                organisation = services.create_organisation(session, form.to_command(actor.id or 0))
            return go(url_for("accounts.organisation", slug=organisation.slug))
        except KozError as error:
            form.name.errors = [error.sentence]
    return render_template("accounts/organisation_new.html", form=form), 422 if form.errors else 200


@bp.get("/manage/organisations/<slug>")
@access("owner")
def organisation(slug: str) -> ResponseReturnValue:
    """What the organisation is, who is in it, who is invited, what happened."""
    return _organisation_page(require_member(), slug, InvitationForm())


def _organisation_page(actor: Actor, slug: str, form: InvitationForm) -> ResponseReturnValue:
    with reading() as session:
        found = get_organisation_for(session, actor, slug)
        members = queries.list_members(session, found.id)
        may_manage = can_manage(actor, found)
        invitations = queries.list_open_invitations(session, found.id) if may_manage else []
        rows = queries.list_organisation_entries(session, found.id, parse_after(request.args.get("after")), LOG_SIZE)
    log = after_page(rows, LOG_SIZE, lambda row: row.entry.id)
    page = render_template(
        "accounts/organisation.html", organisation=found, members=members, may_manage=may_manage,
        invitations=invitations, log=log, form=form,
    )  # fmt: skip
    return page, 422 if form.errors else 200


@bp.route("/manage/organisations/<slug>/edit", methods=["GET", "POST"])
@access("owner")
def edit_organisation(slug: str) -> ResponseReturnValue:
    """Change the details."""
    with reading() as session:
        found = get_organisation_for(session, require_member(), slug, can_manage)
    actor, form = require_fresh(), OrganisationDetailsForm(obj=found)
    if form.validate_on_submit():
        try:
            with unit_of_work() as session:
                services.edit_organisation(session, found.id, actor.id or 0, form.to_command(actor.id or 0))
            return go(url_for("accounts.organisation", slug=slug))
        except KozError as error:
            form.name.errors = [error.sentence]
    return render_template("accounts/organisation_edit.html", form=form, organisation=found), (
        422 if form.errors else 200
    )


@bp.post("/manage/organisations/<slug>/invitations")
@access("owner")
def invite(slug: str) -> ResponseReturnValue:
    """Invite an address."""
    actor, form = require_member(), InvitationForm()
    with reading() as session:
        found = get_organisation_for(session, actor, slug, can_manage)
    if not actor.email_verified:
        raise NotAllowed(_("Confirm your own address first: follow the link in our mail."))
    require_fresh()
    if form.validate_on_submit():
        limit("invite", str(found.id), "50/day")
        try:
            with unit_of_work() as session:
                services.invite(session, form.to_command(found.id, actor.id or 0))
            return go(url_for("accounts.organisation", slug=slug))
        except Conflict as error:
            form.email.errors = [error.sentence]
    return _organisation_page(actor, slug, form)


@bp.post("/manage/organisations/<slug>/invitations/<int:invitation_id>/revoke")
@access("owner")
def revoke_invitation(slug: str, invitation_id: int) -> ResponseReturnValue:
    """Take an invitation back."""
    actor = require_member()
    with unit_of_work() as session:
        found = get_organisation_for(session, actor, slug, can_manage)
        services.revoke_invitation(session, found.id, actor.id or 0, invitation_id)
    return go(url_for("accounts.organisation", slug=slug))


def _member(actor: Actor, slug: str, person_id: int) -> tuple[Organisation, Member]:
    with reading() as session:
        found = get_organisation_for(session, actor, slug, can_manage)
        member = queries.find_member(session, found.id, person_id)
    if member is None:
        raise NotFound(_("This person is not a member of the organisation."))
    return found, member


@bp.route("/manage/organisations/<slug>/members/<int:person_id>", methods=["GET", "POST"])
@access("owner")
def member(slug: str, person_id: int) -> ResponseReturnValue:
    """The roles of a member."""
    found, who = _member(require_member(), slug, person_id)
    actor, form = require_fresh(), RolesForm(data={role.value: True for role in who.roles})
    if form.validate_on_submit():
        try:
            with unit_of_work() as session:
                services.set_roles(session, found.id, actor.id or 0, person_id, form.roles)
            return go(url_for("accounts.organisation", slug=slug))
        except Conflict as error:
            form.owner.errors = [error.sentence]
    return render_template("accounts/member.html", form=form, organisation=found, member=who), (
        422 if form.errors else 200
    )


@bp.post("/manage/organisations/<slug>/members/<int:person_id>/remove")
@access("owner")
def remove_member(slug: str, person_id: int) -> ResponseReturnValue:
    """End somebody's membership."""
    found, _who = _member(require_member(), slug, person_id)
    actor = require_fresh()
    with unit_of_work() as session:
        services.set_roles(session, found.id, actor.id or 0, person_id, ())
    return go(url_for("accounts.organisation", slug=slug))


@bp.post("/manage/organisations/<slug>/leave")
@access("owner")
def leave(slug: str) -> ResponseReturnValue:
    """End one's own membership."""
    actor = require_member()
    with unit_of_work() as session:
        found = get_organisation_for(session, actor, slug)
        services.set_roles(session, found.id, actor.id or 0, actor.id or 0, ())
    return go(url_for("accounts.security"))


@bp.route("/invitations/<token>", methods=["GET", "POST"])
@access("public")
def invitation(token: str) -> ResponseReturnValue:
    """What one is invited to. A button takes it, never the link alone; without an account, one is made here."""
    actor = current_actor()
    with reading() as session:
        found = services.open_invitation(session, token)
        inviter = queries.find_person(session, found.invited_by)
        shown = {
            "invitation": found,
            "organisation": queries.get_organisation(session, found.organisation_id),
            "inviter": inviter.name if inviter else "",
            "known": queries.find_person_by_email(session, found.email) is not None,
            "role": Role(found.role),
        }
    if actor.id is not None:
        return _accept(token, actor.id, shown)
    form = JoinByInvitationForm()
    if not shown["known"] and form.validate_on_submit():
        limit("join", request.remote_addr or "", "20/hour")
        with unit_of_work() as session:
            person = services.join_by_invitation(
                session, token, form.name.data or "", form.password.data or "", current_locale()
            )
            secret = services.open_session(session, person, str(request.user_agent))
            slug = queries.get_organisation(session, found.organisation_id).slug
        return go_logged_in(url_for("accounts.organisation", slug=slug), secret)
    page = make_response(render_template("accounts/invitation.html", form=form, **shown), 422 if form.errors else 200)
    page.headers["Referrer-Policy"] = "no-referrer"
    return page


def _accept(token: str, person_id: int, shown: dict[str, object]) -> ResponseReturnValue:
    if request.method == "GET":
        page = make_response(render_template("accounts/invitation.html", form=None, **shown))
        page.headers["Referrer-Policy"] = "no-referrer"
        return page
    with unit_of_work() as session:
        joined = services.accept_invitation(session, token, person_id)
    return go(url_for("accounts.organisation", slug=joined.slug))
