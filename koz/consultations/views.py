"""Pages of consultations. Everything is read by anybody; taking part needs an account with a proved address."""

import csv
import io
from collections.abc import Callable, Sequence
from typing import Any, Final

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from koz.campaigns.permissions import can_write
from koz.campaigns.queries import get_campaign_for
from koz.consultations import queries, services
from koz.consultations.forms import (
    KINDS,
    MOST_SECTIONS,
    SOURCES,
    AmendmentForm,
    ArgumentForm,
    ContributionForm,
    DraftForm,
    SourceForm,
    SpeakForm,
)
from koz.consultations.models import Source
from koz.consultations.permissions import can_take_part
from koz.consultations.queries import Head, Target
from koz.consultations.states import Choice, ConsultationState, Side
from koz.consultations.wording import condensed
from koz.core.access import Actor, access, current_actor, require_member
from koz.core.db import reading, unit_of_work
from koz.core.errors import Conflict, Invalid, KozError, NotAllowed
from koz.core.i18n import _
from koz.core.limits import limit
from koz.core.paging import parse_after

bp = Blueprint("consultations", __name__)
PER_PAGE: Final = 10
CSV_MOST: Final = 20_000


@bp.context_processor
def _names() -> dict[str, Any]:
    return {"actor_kinds": KINDS, "source_kinds": SOURCES, "condensed": condensed}


# --- reading ---


@bp.get("/consultations")
@access("public")
def index() -> ResponseReturnValue:
    """All consultations, the open ones first."""
    with reading() as session:
        page = queries.list_public(session, request.args.get("after"), limit=12)
    return render_template("consultations/index.html", page=page)


@bp.get("/consultations/<slug>")
@access("public")
def show(slug: str) -> ResponseReturnValue:
    """The question, one section's text, and the voices on it."""
    actor = current_actor()
    with reading() as session:
        head = queries.get_head(session, actor, slug)
        here = head.consultation.id
        section = queries.get_section(session, here, parse_after(request.args.get("section")))
        rows = queries.list_section_rows(session, here)
        page = None
        if section is not None:
            after = request.args.get("after")
            page = queries.list_contributions(session, here, after, PER_PAGE, section_id=section.id, person_id=actor.id)
    return render_template("consultations/show.html", head=head, section=section, rows=rows, page=page)


@bp.get("/consultations/<slug>/results")
@access("public")
def results(slug: str) -> ResponseReturnValue:
    """Figures, during and after."""
    actor = current_actor()
    with reading() as session:
        head = queries.get_head(session, actor, slug)
        found = queries.results(session, head.consultation.id)
    return render_template("consultations/results.html", head=head, results=found)


@bp.get("/consultations/<slug>/results.csv")
@access("public")
def results_csv(slug: str) -> ResponseReturnValue:
    """The rows behind the figures: one line a contribution, no names."""
    with reading() as session:
        consultation = queries.get_consultation(session, slug)
        rows = queries.list_tallies(session, consultation.id, CSV_MOST)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(queries.TALLY_COLUMNS)
    writer.writerows([[_harmless(cell) for cell in row] for row in rows])
    headers = {"Content-Disposition": f'attachment; filename="{consultation.slug}.csv"'}
    return Response(text.getvalue(), mimetype="text/csv", headers=headers)


def _harmless(cell: object) -> object:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in {"=", "+", "-", "@", "\t", "\r"} else cell


@bp.get("/consultations/<slug>/contributions/<int:contribution_id>")
@access("public")
def contribution(slug: str, contribution_id: int) -> ResponseReturnValue:
    """One contribution, its amendments, the arguments for and against, and their sources."""
    actor, args = current_actor(), request.args
    target = Target(contribution_id=contribution_id)
    with reading() as session:
        head = queries.get_head(session, actor, slug)
        voice = queries.get_contribution(session, head.consultation.id, contribution_id, actor.id)
        amendments = queries.list_amendments(
            session, contribution_id=contribution_id, after=parse_after(args.get("amendments")), person_id=actor.id
        )
        sides = _sides(session, target, actor)
        sources = _sources(session, sides, contribution_id)
    return render_template(
        "consultations/contribution.html", head=head, voice=voice, amendments=amendments, sides=sides, sources=sources
    )


def _sides(session: Any, target: Target, actor: Actor) -> dict[str, Any]:
    """A page of arguments a side; `?for=` and `?against=` are the keys after which they go on."""
    return {
        side.value: queries.list_arguments(
            session, side, target, after=request.args.get(side.value), person_id=actor.id
        )
        for side in Side
    }


def _sources(session: Any, sides: dict[str, Any], contribution_id: int | None) -> dict[int | None, list[Source]]:
    """Sources by argument; those under the contribution itself by None."""
    ids = [voice.argument.id for page in sides.values() for voice in page.items]
    found: dict[int | None, list[Source]] = {}
    for source in queries.list_sources(session, ids, contribution_id):
        found.setdefault(source.argument_id, []).append(source)
    return found


@bp.get("/consultations/<slug>/contributions/<int:contribution_id>/annexes")
@access("public")
def annexes(slug: str, contribution_id: int) -> ResponseReturnValue:
    """The explanations that came with an imported contribution."""
    actor = current_actor()
    with reading() as session:
        head = queries.get_head(session, actor, slug)
        voice = queries.get_contribution(session, head.consultation.id, contribution_id)
        found = queries.list_annexes(session, contribution_id)
    return render_template("consultations/annexes.html", head=head, voice=voice, annexes=found)


@bp.get("/consultations/<slug>/amendments/<int:amendment_id>")
@access("public")
def amendment(slug: str, amendment_id: int) -> ResponseReturnValue:
    """One amendment: what it changes word by word, why, and the arguments about it."""
    actor = current_actor()
    with reading() as session:
        head = queries.get_head(session, actor, slug)
        voice = queries.get_amendment(session, head.consultation.id, amendment_id, actor.id)
        sides = _sides(session, Target(amendment_id=amendment_id), actor)
        sources = _sources(session, sides, None)
    return render_template("consultations/amendment.html", head=head, voice=voice, sides=sides, sources=sources)


@bp.get("/consultations/<slug>/sections/<int:section_id>/amendments")
@access("public")
def section_amendments(slug: str, section_id: int) -> ResponseReturnValue:
    """Other wordings proposed for a section of the text."""
    actor, after = current_actor(), parse_after(request.args.get("after"))
    with reading() as session:
        head = queries.get_head(session, actor, slug)
        section = queries.get_section(session, head.consultation.id, section_id)
        page = queries.list_amendments(session, section_id=section_id, after=after, limit=PER_PAGE, person_id=actor.id)
    return render_template("consultations/section_amendments.html", head=head, section=section, page=page)


# --- writing ---
# A form is opened by a member and sent by anybody: who was logged out while typing gets the text back, not a log-in.


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
    back = _place(slug, argument.contribution_id, argument.amendment_id)

    def write(person_id: int) -> str:
        source = form.source()
        assert source is not None
        with unit_of_work() as session:
            services.add_source(session, head.consultation.id, argument_id, person_id, source)
        return f"{back}#argument-{argument_id}"

    return _written(form, head, write, "consultations/source.html", argument=argument, back=back)


def _place(slug: str, contribution_id: int | None, amendment_id: int | None) -> str:
    if amendment_id is None:
        return url_for("consultations.contribution", slug=slug, contribution_id=contribution_id)
    return url_for("consultations.amendment", slug=slug, amendment_id=amendment_id)


# --- voting ---


def _vote(slug: str, anchor: str, fallback: str, act: Callable[[Any, int, int], None]) -> ResponseReturnValue:
    """Do one vote and go back to where the button was."""
    back = request.form.get("back", "")
    if not back.startswith(f"/consultations/{slug}") or any(c in back for c in "\\\r\n#"):
        back = fallback
    back = f"{back}#{anchor}"
    person_id = require_member().id or 0
    limit("consultations.vote", str(person_id), "120/minute")
    with reading() as session:
        consultation_id = queries.get_consultation(session, slug).id
    with unit_of_work() as session:
        act(session, consultation_id, person_id)
    return redirect(back, 303)


def _choice() -> Choice | None:
    word = request.form.get("choice", "")
    if word == "none":
        return None
    if word not in set(Choice):
        raise Invalid(_("Choose agree, mixed or disagree. Go back and press one of the buttons."))
    return Choice(word)


@bp.post("/consultations/<slug>/contributions/<int:contribution_id>/vote")
@access("member")
def vote_contribution(slug: str, contribution_id: int) -> ResponseReturnValue:
    """Vote on a contribution, change the vote, or take it back."""
    choice = _choice()

    def act(session: Any, consultation_id: int, person_id: int) -> None:
        services.vote_on_contribution(session, consultation_id, contribution_id, person_id, choice)

    return _vote(slug, f"contribution-{contribution_id}", _place(slug, contribution_id, None), act)


@bp.post("/consultations/<slug>/amendments/<int:amendment_id>/vote")
@access("member")
def vote_amendment(slug: str, amendment_id: int) -> ResponseReturnValue:
    """Vote on an amendment, change the vote, or take it back."""
    choice = _choice()

    def act(session: Any, consultation_id: int, person_id: int) -> None:
        services.vote_on_amendment(session, consultation_id, amendment_id, person_id, choice)

    return _vote(slug, f"amendment-{amendment_id}", _place(slug, None, amendment_id), act)


@bp.post("/consultations/<slug>/arguments/<int:argument_id>/useful")
@access("member")
def vote_argument(slug: str, argument_id: int) -> ResponseReturnValue:
    """Find an argument useful, or take that back."""
    useful = request.form.get("useful") == "1"

    def act(session: Any, consultation_id: int, person_id: int) -> None:
        services.vote_useful(session, consultation_id, argument_id, person_id, useful=useful)

    return _vote(slug, f"argument-{argument_id}", url_for("consultations.show", slug=slug), act)


# --- preparing ---


@bp.route("/manage/campaigns/<slug>/consultation", methods=["GET", "POST"])
@access("owner")
def prepare(slug: str) -> ResponseReturnValue:
    """The NGO writes the consultation before it opens: question, introduction, sections, days."""
    actor = require_member()
    with reading() as session:
        campaign = get_campaign_for(session, actor, slug, can_write)
    with unit_of_work() as session:
        consultation = services.prepare(session, campaign.id)
    if consultation.state is not ConsultationState.DRAFT:
        return render_template("consultations/prepared.html", campaign=campaign, consultation=consultation)
    with reading() as session:
        sections = queries.list_sections(session, consultation.id)
    form, refusal, status = DraftForm.of(consultation, sections), None, 200
    if request.method == "POST" and "more" in request.form:
        if len(form.sections) < MOST_SECTIONS:
            form.sections.append_entry()
    elif form.validate_on_submit():
        try:
            with unit_of_work() as session:
                version = parse_after(form.version.data) or 0
                services.save_draft(session, consultation.id, form.to_draft(), version)
            return redirect(url_for("consultations.prepare", slug=slug, saved=1), 303)
        except KozError as error:
            refusal, status = error.sentence, error.status
    elif form.errors:
        status = 422
    return render_template(
        "consultations/prepare.html", form=form, campaign=campaign, consultation=consultation, refusal=refusal,
        saved="saved" in request.args, problems=_problems(form),
    ), status  # fmt: skip


def _problems(form: DraftForm) -> Sequence[tuple[str, str, str]]:
    """Errors of a form with parts: (id of the field, its label, the sentence)."""
    fields = [form.question, form.intro, form.days, form.answer_days]
    fields += [field for entry in form.sections for field in entry.form]
    found = [(f.id, str(f.label.text), str(f.errors[0])) for f in fields if f.errors]
    whole = [str(e) for e in form.sections.errors if isinstance(e, str)]
    return found + [("sections-0-title", _("Sections"), e) for e in whole]
