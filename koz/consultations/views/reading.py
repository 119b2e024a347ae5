"""Everybody: the list, a consultation, its contributions and its results."""

import csv
import io
from typing import Any, Final

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue

from koz.consultations import queries
from koz.consultations.models import Source
from koz.consultations.queries import Target
from koz.consultations.states import Side
from koz.consultations.views.blueprint import bp
from koz.core.access import Actor, access, current_actor
from koz.core.db import reading
from koz.core.paging import parse_after

PER_PAGE: Final = 10
CSV_MOST: Final = 20_000


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
