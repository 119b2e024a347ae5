"""Participants who write: contributions, amendments, arguments, sources.

A form is opened by a member and sent by anybody: who was logged out while typing gets the text back, not a log-in.
"""

from collections.abc import Callable
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from koz.consultations import queries, services
from koz.consultations.forms import (
    AmendmentForm,
    ArgumentForm,
    ContributionForm,
    SourceForm,
    SpeakForm,
)
from koz.consultations.permissions import can_take_part
from koz.consultations.queries import Head, Target
from koz.consultations.states import Side
from koz.consultations.views.blueprint import bp, place_of
from koz.core.access import Actor, access, current_actor, require_member
from koz.core.db import reading, unit_of_work
from koz.core.errors import Conflict, KozError, NotAllowed
from koz.core.i18n import _
from koz.core.limits import limit


def _writer(head: Head) -> Actor:
    """Who may open a form: a visitor is led to the login page and back; raises NotAllowed, Conflict."""
    actor = require_member()
    if not can_take_part(actor):
        raise NotAllowed(
            _("Confirm your e-mail address first: press the link in the mail we sent you when you joined.")
        )
    if not head.consultation.is_open:
        raise Conflict(_("This consultation is closed. You can read what was said and its results."))
    return actor


def _greet(form: SpeakForm, head: Head, actor: Actor) -> None:
    """Fill in the name that the person used here before, or that of the account."""
    if actor.id is None or form.name.raw_data:
        return
    with reading() as session:
        known = queries.find_participant(session, head.consultation.id, actor.id)
    form.name.data = known.name if known else actor.name
    if known and known.kind and not form.kind.raw_data:
        form.kind.data = known.kind.value


def _written(form: Any, head: Head, write: Callable[[int], str], template: str, **values: Any) -> ResponseReturnValue:
    """Show a form or write what it says and go to the address that `write(person_id)` returns.

    Whatever refuses the text (no longer logged in, closed meanwhile, too many), the form comes back as it was typed.
    """
    if request.method == "GET":
        actor = _writer(head)
        if isinstance(form, SpeakForm):
            _greet(form, head, actor)
        return render_template(template, form=form, head=head, refusal=None, **values)
    refusal, status = None, 422
    if form.validate_on_submit():
        actor = current_actor()
        try:
            if actor.id is None:
                raise NotAllowed(
                    _("You are no longer logged in. Log in in another tab, then send this again: your text is kept.")
                )
            limit("consultations.write", str(actor.id), "20/10minutes")
            return redirect(write(actor.id), 303)
        except KozError as error:
            refusal, status = error.sentence, error.status
    return render_template(template, form=form, head=head, refusal=refusal, **values), status


@bp.get("/consultations/<slug>/sections/<int:section_id>/contribute")
@access("member")
def contribute(slug: str, section_id: int) -> ResponseReturnValue:
    """Give one's opinion on a section."""
    return _contribute(slug, section_id)


@bp.post("/consultations/<slug>/sections/<int:section_id>/contribute")
@access("public")
def publish_contribution(slug: str, section_id: int) -> ResponseReturnValue:
    """Publish an opinion."""
    return _contribute(slug, section_id)


def _contribute(slug: str, section_id: int) -> ResponseReturnValue:
    actor = current_actor()
    with reading() as session:
        head = queries.get_head(session, actor, slug)
        section = queries.get_section(session, head.consultation.id, section_id)
    assert section is not None
    form = ContributionForm()

    def write(person_id: int) -> str:
        with unit_of_work() as session:
            new = services.contribute(session, form.to_command(section, person_id))
        return url_for("consultations.contribution", slug=slug, contribution_id=new)

    return _written(form, head, write, "consultations/contribute.html", section=section)


@bp.get("/consultations/<slug>/contributions/<int:contribution_id>/amend")
@access("member")
def amend_contribution(slug: str, contribution_id: int) -> ResponseReturnValue:
    """Word a contribution otherwise."""
    return _amend_contribution(slug, contribution_id)


@bp.post("/consultations/<slug>/contributions/<int:contribution_id>/amend")
@access("public")
def publish_amendment(slug: str, contribution_id: int) -> ResponseReturnValue:
    """Publish another wording of a contribution."""
    return _amend_contribution(slug, contribution_id)


def _amend_contribution(slug: str, contribution_id: int) -> ResponseReturnValue:
    actor = current_actor()
    with reading() as session:
        head = queries.get_head(session, actor, slug)
        voice = queries.get_contribution(session, head.consultation.id, contribution_id)
    return _amended(head, voice.contribution.title, voice.contribution.body_md, {"contribution_id": contribution_id})


@bp.get("/consultations/<slug>/sections/<int:section_id>/amend")
@access("member")
def amend_section(slug: str, section_id: int) -> ResponseReturnValue:
    """Word a section of the text otherwise."""
    return _amend_section(slug, section_id)


@bp.post("/consultations/<slug>/sections/<int:section_id>/amend")
@access("public")
def publish_section_amendment(slug: str, section_id: int) -> ResponseReturnValue:
    """Publish another wording of a section."""
    return _amend_section(slug, section_id)


def _amend_section(slug: str, section_id: int) -> ResponseReturnValue:
    actor = current_actor()
    with reading() as session:
        head = queries.get_head(session, actor, slug)
        section = queries.get_section(session, head.consultation.id, section_id)
    assert section is not None
    return _amended(head, section.title, section.body_md, {"section_id": section_id})


def _amended(head: Head, title: str, base: str, what: dict[str, int]) -> ResponseReturnValue:
    form = AmendmentForm()
    if request.method == "GET":
        form.proposed.data = base

    def write(person_id: int) -> str:
        with unit_of_work() as session:
            new = services.amend(session, form.to_command(head.consultation.id, person_id, **what))
        return url_for("consultations.amendment", slug=head.consultation.slug, amendment_id=new)

    return _written(form, head, write, "consultations/amend.html", amended=title)


@bp.get("/consultations/<slug>/contributions/<int:contribution_id>/argue")
@access("member")
def argue_contribution(slug: str, contribution_id: int) -> ResponseReturnValue:
    """Argue for or against a contribution."""
    return _argue_contribution(slug, contribution_id)


@bp.post("/consultations/<slug>/contributions/<int:contribution_id>/argue")
@access("public")
def publish_argument(slug: str, contribution_id: int) -> ResponseReturnValue:
    """Publish an argument about a contribution."""
    return _argue_contribution(slug, contribution_id)


def _argue_contribution(slug: str, contribution_id: int) -> ResponseReturnValue:
    actor = current_actor()
    with reading() as session:
        head = queries.get_head(session, actor, slug)
        voice = queries.get_contribution(session, head.consultation.id, contribution_id)
    back = url_for("consultations.contribution", slug=slug, contribution_id=contribution_id)
    return _argued(head, voice.contribution.title, Target(contribution_id=contribution_id), back)


@bp.get("/consultations/<slug>/amendments/<int:amendment_id>/argue")
@access("member")
def argue_amendment(slug: str, amendment_id: int) -> ResponseReturnValue:
    """Argue for or against an amendment."""
    return _argue_amendment(slug, amendment_id)


@bp.post("/consultations/<slug>/amendments/<int:amendment_id>/argue")
@access("public")
def publish_amendment_argument(slug: str, amendment_id: int) -> ResponseReturnValue:
    """Publish an argument about an amendment."""
    return _argue_amendment(slug, amendment_id)


def _argue_amendment(slug: str, amendment_id: int) -> ResponseReturnValue:
    actor = current_actor()
    with reading() as session:
        head = queries.get_head(session, actor, slug)
        voice = queries.get_amendment(session, head.consultation.id, amendment_id)
    back = url_for("consultations.amendment", slug=slug, amendment_id=amendment_id)
    return _argued(head, voice.amendment.title, Target(amendment_id=amendment_id), back)


def _argued(head: Head, title: str, target: Target, back: str) -> ResponseReturnValue:
    form = ArgumentForm()
    side = Side.AGAINST if request.args.get("side") == Side.AGAINST.value else Side.FOR

    def write(person_id: int) -> str:
        with unit_of_work() as session:
            new = services.argue(session, form.to_command(head.consultation.id, target, side, person_id))
        return f"{back}#argument-{new}"

    return _written(form, head, write, "consultations/argue.html", about=title, side=side.value, back=back)


@bp.get("/consultations/<slug>/arguments/<int:argument_id>/sources/new")
@access("member")
def add_source(slug: str, argument_id: int) -> ResponseReturnValue:
    """Add a source to one's own argument."""
    return _add_source(slug, argument_id)


@bp.post("/consultations/<slug>/arguments/<int:argument_id>/sources/new")
@access("public")
def publish_source(slug: str, argument_id: int) -> ResponseReturnValue:
    """Publish a source of one's own argument."""
    return _add_source(slug, argument_id)


def _add_source(slug: str, argument_id: int) -> ResponseReturnValue:
    actor = current_actor()
    with reading() as session:
        head = queries.get_head(session, actor, slug)
        argument = queries.get_argument(session, head.consultation.id, argument_id)
    form = SourceForm()
    back = place_of(slug, argument.contribution_id, argument.amendment_id)

    def write(person_id: int) -> str:
        source = form.source()
        assert source is not None
        with unit_of_work() as session:
            services.add_source(session, head.consultation.id, argument_id, person_id, source)
        return f"{back}#argument-{argument_id}"

    return _written(form, head, write, "consultations/source.html", argument=argument, back=back)
