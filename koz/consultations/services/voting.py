"""Votes: one per person and object by the primary key, the last one counts, a withdrawn one is gone.

The row voted on is locked first (FOR NO KEY UPDATE), so its votes come one after another and the tally moves by
exactly what the vote changed. Nothing about money is read or known here.
"""

from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from koz.consultations.models import (
    Amendment,
    AmendmentVote,
    Argument,
    ArgumentVote,
    Contribution,
    ContributionVote,
)
from koz.consultations.services.writing import check_may_write
from koz.consultations.states import Choice
from koz.consultations.tally import change
from koz.core.clock import now
from koz.core.errors import NotFound
from koz.core.i18n import _


def vote_on_contribution(
    session: Session, consultation_id: int, contribution_id: int, person_id: int, choice: Choice | None
) -> None:
    """Put, change or withdraw (`choice` None) a person's vote. Raises NotFound, NotAllowed, Conflict when closed."""
    check_may_write(session, consultation_id, person_id)
    _lock(session, Contribution, consultation_id, contribution_id)
    key = {"contribution_id": contribution_id, "person_id": person_id}
    _vote(session, Contribution, ContributionVote, key, consultation_id, choice)


def vote_on_amendment(
    session: Session, consultation_id: int, amendment_id: int, person_id: int, choice: Choice | None
) -> None:
    """Put, change or withdraw (`choice` None) a person's vote. Raises NotFound, NotAllowed, Conflict when closed."""
    check_may_write(session, consultation_id, person_id)
    _lock(session, Amendment, consultation_id, amendment_id)
    key = {"amendment_id": amendment_id, "person_id": person_id}
    _vote(session, Amendment, AmendmentVote, key, consultation_id, choice)


def vote_useful(session: Session, consultation_id: int, argument_id: int, person_id: int, *, useful: bool) -> None:
    """Say that an argument is useful, or take that back. Raises NotFound, NotAllowed, Conflict when closed."""
    check_may_write(session, consultation_id, person_id)
    _lock(session, Argument, consultation_id, argument_id)
    if useful:
        values = {"consultation_id": consultation_id, "voted_at": now()}
        values |= {"argument_id": argument_id, "person_id": person_id}
        statement: Any = insert(ArgumentVote).values(values).on_conflict_do_nothing()
    else:
        statement = delete(ArgumentVote).where(
            ArgumentVote.argument_id == argument_id, ArgumentVote.person_id == person_id
        )
    changed = session.execute(statement.returning(ArgumentVote.person_id)).first() is not None
    if changed:
        step = 1 if useful else -1
        session.execute(update(Argument).where(Argument.id == argument_id).values(useful=Argument.useful + step))


def _lock(session: Session, table: Any, consultation_id: int, object_id: int) -> None:
    statement = select(table.id).where(table.id == object_id, table.consultation_id == consultation_id)
    if session.scalar(statement.with_for_update(key_share=True)) is None:
        raise NotFound(_("What you vote on does not exist. Go back to the consultation and reload the page."))


def _vote(
    session: Session, table: Any, votes: Any, key: dict[str, int], consultation_id: int, choice: Choice | None
) -> None:
    """Replace the person's vote and move the tally of the row, which is locked, by the difference."""
    here = [getattr(votes, name) == value for name, value in key.items()]
    old = session.scalar(select(votes.choice).where(*here))
    added = change(old, choice)
    if not added:
        return
    if choice is None:
        session.execute(delete(votes).where(*here))
    else:
        values = {"choice": choice, "voted_at": now()}
        statement = insert(votes).values(values | key | {"consultation_id": consultation_id})
        session.execute(statement.on_conflict_do_update(index_elements=list(key), set_=values))
    object_id = next(value for name, value in key.items() if name != "person_id")
    counts = {c.value: getattr(table, c.value) + step for c, step in added.items()}
    session.execute(update(table).where(table.id == object_id).values(counts))
