"""Hearing no more: the way out that stands in each mail to a participant. No account, one button."""

from typing import Final

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from koz.answers.models import AnswerMute
from koz.core.clock import now
from koz.core.tokens import sign, unsign

QUIET: Final = "answer-quiet"


def mute_path(campaign_id: int, person_id: int) -> str:
    """Address at which a participant stops the mails about one campaign's answer; good for ever."""
    return f"/answers/quiet/{sign(QUIET, {'c': campaign_id, 'p': person_id})}"


def read_mute(token: str) -> tuple[int, int]:
    """(campaign id, person id) of such an address. Raises NotFound when it is forged."""
    payload = unsign(QUIET, token)
    return int(payload["c"]), int(payload["p"])


def mute(session: Session, campaign_id: int, person_id: int) -> None:
    """Write to this participant no more; twice is once."""
    values = {"campaign_id": campaign_id, "person_id": person_id, "at": now()}
    session.execute(insert(AnswerMute).values(values).on_conflict_do_nothing())
