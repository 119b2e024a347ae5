"""Rounds of invitations: what nobody answered ends, what was planned is sent, one person at a time.

Each invitation is a transaction of its own through `proposing.invite`: the limits are decided there, under the locks
of the mission and of the profile, and one that is not possible any more stops no other.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from koz.accounts.models import Membership, Person
from koz.core.access import Actor
from koz.core.clock import now
from koz.core.db import Uow
from koz.core.errors import Conflict, NotAllowed, NotFound
from koz.matching.models import Proposal
from koz.matching.queries import planning as reads
from koz.matching.services import letters, planning, proposing
from koz.matching.states import ProposalState, Side
from koz.skills import queries as skills

#: An invitation that nobody answered in this time makes room for the next round: as long as letters say one has.
ROUND: Final = timedelta(days=letters.ANSWER_DAYS)
BATCH: Final = 1000


@dataclass(frozen=True, slots=True)
class Sent:
    """How many invitations of a round went out, and how many could not be sent any more."""

    sent: int
    left: int


def expire_due(session: Session) -> int:
    """End invitations that nobody answered within a round; nobody is written to. At most BATCH; returns how many."""
    due = (
        select(Proposal.id)
        .where(
            Proposal.made_by == Side.ORGANISATION,
            Proposal.state == ProposalState.PROPOSED,
            Proposal.invited_at < now() - ROUND,
        )
        .order_by(Proposal.id)
        .limit(BATCH)
        .with_for_update(key_share=True, skip_locked=True)
    )
    ended = update(Proposal).where(Proposal.id.in_(due.scalar_subquery())).values(state=ProposalState.EXPIRED)
    return len(session.scalars(ended.returning(Proposal.id).execution_options(synchronize_session=False)).all())


def send_planned(uow: Uow, actor: Actor, mission_id: int) -> Sent:
    """Send what is planned for a mission, as far as it is still possible; then plan the mission anew.

    Raises NotFound, NotAllowed when the mission is not the actor's.
    """
    with uow() as session:
        skills.get_mission_for(session, actor, mission_id)
        planned = [row.profile_id for row in reads.list_planned(session, mission_id)]
    sent = 0
    for profile_id in planned:
        try:
            with uow() as session:
                proposal = proposing.invite(session, actor, mission_id, profile_id)
                planning.forget_pair(session, mission_id, profile_id)
                sent += proposal.state is ProposalState.PROPOSED
        except (Conflict, NotFound):  # asked enough meanwhile, paused, gone; or the mission has enough who think
            with uow() as session:
                planning.forget_pair(session, mission_id, profile_id)
    with uow() as session:
        planning.replan(session, [mission_id])
    return Sent(sent, len(planned) - sent)


def send_automatic(uow: Uow) -> int:
    """Send the rounds of missions whose organisation wants it so, in the name of the member who said it.

    Who may not manage the mission any more sends nothing. Returns how many invitations went out.
    """
    total, after = 0, 0
    while True:
        with uow() as session:
            due = reads.list_auto_missions(session, after)
            actors = {member_id: _actor(session, member_id) for _mission_id, member_id in due}
        if not due:
            return total
        for mission_id, member_id in due:
            after = mission_id
            actor = actors[member_id]
            if actor is None:
                continue
            try:
                total += send_planned(uow, actor, mission_id).sent
            except (NotAllowed, NotFound):
                continue


def _actor(session: Session, person_id: int) -> Actor | None:
    """The person with their roles of today; None when the account is gone."""
    person = session.get(Person, person_id)
    if person is None or person.erased_at is not None:
        return None
    roles: dict[int, set[str]] = {}
    for organisation_id, role in session.execute(
        select(Membership.organisation_id, Membership.role).where(Membership.person_id == person_id)
    ):
        roles.setdefault(organisation_id, set()).add(role.value)
    return Actor(
        id=person.id, name=person.name, email=person.email, email_verified=person.email_verified_at is not None,
        locale=person.locale, roles={o: frozenset(r) for o, r in roles.items()},
    )  # fmt: skip
