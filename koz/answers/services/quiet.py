"""Hearing no more (the way out in each mail to a participant: one button), and saying no more (texts taken down)."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from koz.answers.models import AnswerMute, AnswerPoint
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


def take_down(session: Session, source_keys: Sequence[str]) -> None:
    """Empty what points quote of texts that their author has taken down; counts and the answers to them stay."""
    if source_keys:
        statement = update(AnswerPoint).where(AnswerPoint.source_key.in_(source_keys)).values(title="", text="")
        session.execute(statement.execution_options(synchronize_session=False))
