"""What a person said in consultations: a copy of it for them, and forgetting it.

Votes stay counted and have no name; what was taken down leaves an empty place, so that answers to it keep theirs.
"""

from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from koz.accounts.services import exporter
from koz.consultations.models import (
    Amendment,
    AmendmentVote,
    Argument,
    ArgumentVote,
    Consultation,
    Contribution,
    ContributionVote,
    Participant,
    Source,
)


def forget_person(session: Session, person_id: int, *, keep_texts: bool = True) -> list[int]:
    """Take away the names under which a person wrote, and on demand their texts.

    Without `keep_texts` contributions, amendments, arguments and their sources are emptied; amendments that others
    made to them keep the words they change. Returns the ids of emptied contributions; twice is once.
    """
    written = update(Participant).where(Participant.person_id == person_id)
    session.execute(written.values(name="", kind=None).execution_options(synchronize_session=False))
    if keep_texts:
        return []
    theirs = select(Argument.id).where(Argument.author_id == person_id)
    nothing: dict[str, Any] = {"title": "", "publisher": "", "url": "", "passage": ""}
    _empty(session, update(Source).where(Source.argument_id.in_(theirs)), nothing)
    _empty(session, update(Argument).where(Argument.author_id == person_id), {"body": ""})
    nothing = {"title": "", "proposed_md": "", "diff": [], "reason": ""}
    _empty(session, update(Amendment).where(Amendment.author_id == person_id), nothing)
    nothing = {"title": "", "body_md": "", "body_html": "", "excerpt": ""}
    emptied = update(Contribution).where(Contribution.author_id == person_id).values(nothing).returning(Contribution.id)
    return list(session.scalars(emptied.execution_options(synchronize_session=False)))


def _empty(session: Session, statement: Any, nothing: dict[str, Any]) -> None:
    session.execute(statement.values(nothing).execution_options(synchronize_session=False))


@exporter("consultation_texts")
def _export_texts(session: Session, person_id: int) -> list[dict[str, Any]]:
    """Everything the person wrote, oldest first of each kind."""
    contributions = session.execute(
        select(Consultation.slug, Contribution.title, Contribution.body_md, Contribution.created_at)
        .join(Consultation, Consultation.id == Contribution.consultation_id)
        .where(Contribution.author_id == person_id)
        .order_by(Contribution.id)
    )
    amendments = session.execute(
        select(Consultation.slug, Amendment.title, Amendment.proposed_md, Amendment.reason, Amendment.created_at)
        .join(Consultation, Consultation.id == Amendment.consultation_id)
        .where(Amendment.author_id == person_id)
        .order_by(Amendment.id)
    )
    arguments = session.execute(
        select(Consultation.slug, Argument.side, Argument.body, Argument.created_at)
        .join(Consultation, Consultation.id == Argument.consultation_id)
        .where(Argument.author_id == person_id)
        .order_by(Argument.id)
    )
    return [
        *({"kind": "contribution", "consultation": slug, "title": title, "text": text, "at": at.isoformat()}
          for slug, title, text, at in contributions),
        *({"kind": "amendment", "consultation": slug, "title": title, "text": text, "reason": why,
           "at": at.isoformat()} for slug, title, text, why, at in amendments),
        *({"kind": "argument", "consultation": slug, "side": side.value, "text": text, "at": at.isoformat()}
          for slug, side, text, at in arguments),
    ]  # fmt: skip


@exporter("consultation_names")
def _export_names(session: Session, person_id: int) -> list[dict[str, Any]]:
    """Under which name, and as whom, the person wrote."""
    rows = session.execute(
        select(Consultation.slug, Participant.name, Participant.kind)
        .join(Consultation, Consultation.id == Participant.consultation_id)
        .where(Participant.person_id == person_id)
        .order_by(Consultation.id)
    )
    return [{"consultation": slug, "name": name, "as": kind and kind.value} for slug, name, kind in rows]


@exporter("consultation_votes")
def _export_votes(session: Session, person_id: int) -> list[dict[str, Any]]:
    """The person's present votes."""
    found: list[dict[str, Any]] = []
    tables: tuple[tuple[str, Any], ...] = (("contribution", ContributionVote), ("amendment", AmendmentVote))
    for kind, table in tables:
        object_id = getattr(table, f"{kind}_id")
        votes = select(Consultation.slug, object_id, table.choice, table.voted_at)
        votes = votes.join(Consultation, Consultation.id == table.consultation_id)
        rows = session.execute(votes.where(table.person_id == person_id).order_by(object_id))
        found += [
            {"consultation": slug, kind: on, "vote": choice.value, "at": at.isoformat()}
            for slug, on, choice, at in rows
        ]
    useful = (
        select(Consultation.slug, ArgumentVote.argument_id, ArgumentVote.voted_at)
        .join(Consultation, Consultation.id == ArgumentVote.consultation_id)
        .where(ArgumentVote.person_id == person_id)
        .order_by(ArgumentVote.argument_id)
    )
    return found + [
        {"consultation": slug, "argument": on, "vote": "useful", "at": at.isoformat()}
        for slug, on, at in session.execute(useful)
    ]
