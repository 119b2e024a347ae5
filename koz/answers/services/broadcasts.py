"""Telling everybody around a campaign, a batch at a time, so that ten thousand people are no longer one transaction.

A broadcast is a row; a job takes a batch of one audience, queues its mails and moves the mark in the same
transaction. The key of each mail is made of the broadcast and the address: whoever follows *and* took part hears once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from koz.answers import queries
from koz.answers.models import AnswerBroadcast
from koz.core.clock import now
from koz.core.db import wake_after_commit
from koz.core.ids import fingerprint
from koz.notifications.services import queue_mail

JOB: Final = "answers.broadcast"
BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody to be told; `id` is the key of their row, `stop_path` where they stop hearing of this campaign."""

    id: int
    email: str | None
    locale: str
    stop_path: str


Audience = Callable[[Session, int, int, int], Sequence[Recipient]]
"""(session, campaign id, after this row, at most so many) → recipients in the order of their ids."""

#: Audiences in the order in which they are told; the last step is always "done".
AUDIENCES: dict[str, Audience] = {}
ORDER: Final = ("followers", "participants", "done")


def broadcast(session: Session, request_id: int, template: str, params: Mapping[str, str | int], *, key: str) -> bool:
    """Begin to tell everybody; False when `key` was begun before."""
    values = {
        "key": key, "request_id": request_id, "template": template, "params": dict(params),
        "audience": ORDER[0], "after": 0, "created_at": now(),
    }  # fmt: skip
    statement = insert(AnswerBroadcast).values(values).on_conflict_do_nothing(index_elements=["key"])
    new = session.scalar(statement.returning(AnswerBroadcast.id))
    if new is not None:
        wake_after_commit(session, JOB)
    return new is not None


def send_batch(session: Session) -> int | None:
    """Queue the next batch of the oldest open broadcast. Returns how many were looked at, None when none is open."""
    open_one = queries.find_open_broadcast(session)
    if open_one is None:
        return None
    request = queries.get_request(session, open_one.request_id)
    audience = AUDIENCES.get(open_one.audience)
    people = audience(session, request.campaign_id, open_one.after, BATCH) if audience else []
    for one in people:
        if one.email:
            key = f"{open_one.key}-{fingerprint(one.email)[:40]}"
            queue_mail(
                session, open_one.template, one.email, one.locale, open_one.params | {"stop_path": one.stop_path}, key
            )
    if len(people) < BATCH:
        open_one.audience, open_one.after = ORDER[ORDER.index(open_one.audience) + 1], 0
    else:
        open_one.after = people[-1].id
    return len(people)
