"""Invitations answered from the mail: signed links that open one proposal without a log-in, and one reminder.

Opening a link changes nothing, since mail programs and scanners open links; the answer is a form. A link is bound to
one round of one proposal: answered, taken back or asked again, it opens nothing any more. See adr/0045.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from koz.accounts.queries import find_person
from koz.core.access import Actor
from koz.core.clock import PARIS, now
from koz.core.errors import Gone
from koz.core.i18n import _
from koz.core.outbox import record
from koz.core.tokens import sign, unsign
from koz.matching import queries
from koz.matching.events import InvitationRecalled
from koz.matching.models import Proposal
from koz.matching.queries import ProposalRow
from koz.matching.services import proposing
from koz.matching.states import WAITING, ProposalState, Reason, Side

PURPOSE: Final = "invitation"
#: Days within which an answer is hoped for.
ANSWER_DAYS: Final = 14
#: The one reminder goes out when this is left.
REMIND_BEFORE: Final = timedelta(days=3)
#: Longest life of a link, for an invitation put off.
LINK_AGE: Final = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Letter:
    """What a link opens: the proposal, and whether it still waits for an answer."""

    row: ProposalRow
    open: bool


def link_token(proposal: Proposal) -> str:
    """The token of an invitation's link. It names the proposal and its round, nothing of the person."""
    return sign(PURPOSE, {"p": proposal.id, "r": proposal.round})


def answer_due(invited_at: datetime | None) -> date | None:
    """The day by which an answer is hoped for."""
    return None if invited_at is None else (invited_at + timedelta(days=ANSWER_DAYS)).astimezone(PARIS).date()


def open_letter(session: Session, token: str) -> Letter:
    """The invitation behind a link. Raises NotFound when the link is not ours, Gone when it opens nothing any more."""
    payload = unsign(PURPOSE, token, max_age_s=int(LINK_AGE.total_seconds()))
    row = queries.get_proposal(session, int(payload["p"]))
    proposal = row.proposal
    asked_again = proposal.round != payload["r"] or proposal.made_by is not Side.ORGANISATION
    if asked_again or find_person(session, proposal.person_id) is None:
        raise Gone(_("This link opens nothing any more. Log in to see what waits for you."))
    answered = proposal.state in {ProposalState.ACCEPTED, ProposalState.DECLINED}
    late = proposal.state is ProposalState.EXPIRED  # a late answer counts while the mission is open
    if proposal.state not in WAITING and not answered and not late:
        raise Gone(
            _("This invitation does not stand any more: the mission has somebody, or the association took it back.")
        )
    return Letter(row, open=not answered)


def answer_letter(session: Session, token: str, answer: str, reason: Reason | None = None) -> None:
    """Answer yes, later or no, as the person whose invitation it is. Raises Gone, NotFound, Conflict.

    The same answer again changes nothing; another one than before is refused.
    """
    letter = open_letter(session, token)
    proposal = letter.row.proposal
    state = {"yes": ProposalState.ACCEPTED, "no": ProposalState.DECLINED, "later": ProposalState.LATER}[answer]
    if not letter.open:
        if proposal.state is state:
            return
        raise Gone(_("You have answered this invitation. Log in to see where it stands."))
    person = Actor(id=proposal.person_id)
    if answer == "yes":
        proposing.accept(session, person, proposal.id)
    elif answer == "later":
        proposing.put_off(session, person, proposal.id)
    else:
        proposing.decline(session, person, proposal.id, reason)


def remind(session: Session, proposal_id: int) -> bool:
    """Recall an invitation; true once for each time somebody is asked."""
    proposal = queries.lock_proposal(session, proposal_id)
    reminded = proposal.reminded_at and proposal.invited_at and proposal.reminded_at >= proposal.invited_at
    if proposal.state is not ProposalState.PROPOSED or reminded:
        return False
    proposal.reminded_at = now()
    record(session, InvitationRecalled(proposal.id, proposal.round))
    return True
