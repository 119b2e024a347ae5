"""Following: who made a commitment says where it stands; the association may add a proof; the date speaks by itself."""

from sqlalchemy.orm import Session

from koz.answers import queries
from koz.answers.events import CommitmentLate, CommitmentMoved
from koz.answers.models import AnswerRequest, Commitment, CommitmentChange
from koz.answers.services.requests import touch_campaign
from koz.answers.states import (
    CommitmentState,
    Party,
    Progress,
    RequestState,
    may_move,
    progress,
)
from koz.campaigns.services import add_timeline
from koz.core.clock import now, today
from koz.core.errors import Conflict, Invalid
from koz.core.i18n import _
from koz.core.outbox import record


def move_commitment(
    session: Session, request_id: int, commitment_id: int, new: CommitmentState, *, note: str = "", proof_url: str = ""
) -> bool:
    """The official says where a commitment stands. False when it stands there already.

    Kept needs a proof or a sentence, dropped a reason: Invalid otherwise. Raises Conflict when the step does not exist.
    """
    request = queries.lock(session, request_id)
    _check_public(request)
    commitment = queries.lock_commitment(session, request_id, commitment_id)
    if commitment.state is new:
        return False
    if not may_move(commitment.state, new):
        raise Conflict(_("This commitment is no longer at this stage. Reload the page to see where it stands."))
    if new is CommitmentState.KEPT and not (note or proof_url):
        raise Invalid(_("Say what was done, or give the address of a page that shows it."))
    if new is CommitmentState.DROPPED and not note:
        raise Invalid(_("Say why this commitment is given up."))
    commitment.state = new
    commitment.proof_url = proof_url or commitment.proof_url
    change = CommitmentChange(
        commitment_id=commitment_id, party=Party.OFFICIAL, state=new, note=note, proof_url=proof_url
    )
    session.add(change)
    session.flush()
    _tell(session, request, commitment, "commitment", key=f"commitment-{commitment_id}-{new}")
    record(session, CommitmentMoved(commitment_id, request_id, change.id, new.value))
    return True


def propose_proof(session: Session, request_id: int, commitment_id: int, *, note: str, proof_url: str) -> int:
    """The association adds what it saw, shown as its word; the state stays the official's. Returns the entry's id."""
    request = queries.lock(session, request_id)
    _check_public(request)
    commitment = queries.lock_commitment(session, request_id, commitment_id)
    if not (note or proof_url):
        raise Invalid(_("Say what you saw, or give the address of a page that shows it."))
    change = CommitmentChange(commitment_id=commitment.id, party=Party.ORGANISATION, note=note, proof_url=proof_url)
    session.add(change)
    session.flush()
    touch_campaign(session, request.campaign_id)
    return change.id


def tell_late(session: Session, request_id: int, commitment_id: int) -> bool:
    """Record that a commitment's day is over, once. The public sees it from the date alone."""
    request = queries.lock(session, request_id)
    commitment = queries.lock_commitment(session, request_id, commitment_id)
    if request.state is not RequestState.ANSWERED or commitment.late_told_at is not None:
        return False
    assert commitment.due_on is not None
    if progress(commitment.state, commitment.due_on, today()) is not Progress.LATE:
        return False
    commitment.late_told_at = now()
    _tell(session, request, commitment, "commitment_late", key=f"commitment-{commitment_id}-late")
    record(session, CommitmentLate(commitment_id, request_id))
    return True


def _check_public(request: AnswerRequest) -> None:
    if request.state is not RequestState.ANSWERED:
        raise Conflict(_("The answer is not published yet: its commitments are not followed before that."))


def _tell(session: Session, request: AnswerRequest, commitment: Commitment, kind: str, *, key: str) -> None:
    touch_campaign(session, request.campaign_id)
    slug = queries.get_slug(session, request.id)
    add_timeline(
        session, request.campaign_id, kind, {"text": commitment.text, "state": commitment.state.value}, key=key,
        href=f"/campaigns/{slug}/answer#commitment-{commitment.id}",
    )  # fmt: skip
