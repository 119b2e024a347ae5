"""States of answers and commitments, as data, and the rules that follow from a date alone.

What depends on the calendar is never stored: an answer is overdue and a commitment late because of the day it is,
whether or not a job ran. See docs/adr/0019.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

ANSWER_DAYS: Final = 60
"""The published rule: days an addressee has after the consultation closed. Copied into each request when it is made."""
REMIND_DAYS: Final = 7
"""Days before the due date on which the addressee is reminded, once."""
TOP_POINTS: Final = 5
"""How many of the most supported contributions go to the addressee, beside the ask and the minority position."""


class RequestState(StrEnum):
    """Where a request for an answer stands."""

    ASKED = "asked"
    ACCEPTED = "accepted"
    ANSWERED = "answered"
    WITHDRAWN = "withdrawn"


class Standing(StrEnum):
    """What the public reads: the state together with the day."""

    ASKED = "asked"
    WAITING = "waiting"
    OVERDUE = "overdue"
    ANSWERED = "answered"
    WITHDRAWN = "withdrawn"


class PointKind(StrEnum):
    """Why a point is put to the addressee."""

    ASK = "ask"
    TOP = "top"
    MINORITY = "minority"


class Stance(StrEnum):
    """What the addressee says to a point; NO_ANSWER is said openly, never by leaving a blank."""

    YES = "yes"
    PARTLY = "partly"
    NO = "no"
    UNDER_STUDY = "under_study"
    NO_ANSWER = "no_answer"


class CommitmentState(StrEnum):
    """Where a commitment stands by the word of who made it."""

    ANNOUNCED = "announced"
    UNDER_WAY = "under_way"
    KEPT = "kept"
    DROPPED = "dropped"


class Progress(StrEnum):
    """What the public reads of a commitment: its state together with the day."""

    ANNOUNCED = "announced"
    UNDER_WAY = "under_way"
    LATE = "late"
    KEPT = "kept"
    DROPPED = "dropped"


class Party(StrEnum):
    """Who adds to the story of a commitment."""

    OFFICIAL = "official"
    ORGANISATION = "organisation"


R, C = RequestState, CommitmentState
REQUEST_STEPS: Final[Mapping[RequestState, frozenset[RequestState]]] = {
    R.ASKED: frozenset({R.ACCEPTED, R.ANSWERED, R.WITHDRAWN}),
    R.ACCEPTED: frozenset({R.ANSWERED, R.WITHDRAWN}),
    R.ANSWERED: frozenset(),
    R.WITHDRAWN: frozenset(),
}
COMMITMENT_STEPS: Final[Mapping[CommitmentState, frozenset[CommitmentState]]] = {
    C.ANNOUNCED: frozenset({C.UNDER_WAY, C.KEPT, C.DROPPED}),
    C.UNDER_WAY: frozenset({C.KEPT, C.DROPPED}),
    C.KEPT: frozenset(),
    C.DROPPED: frozenset(),
}
OPEN_REQUESTS: Final = frozenset({R.ASKED, R.ACCEPTED})
OPEN_COMMITMENTS: Final = frozenset({C.ANNOUNCED, C.UNDER_WAY})


def may_step(old: RequestState, new: RequestState) -> bool:
    """Whether the step exists in the table."""
    return new in REQUEST_STEPS[old]


def may_move(old: CommitmentState, new: CommitmentState) -> bool:
    """Whether the step exists in the table."""
    return new in COMMITMENT_STEPS[old]


def standing(state: RequestState, due_on: date | None, today: date) -> Standing:
    """What the public reads. The last day counts in full: overdue begins the day after `due_on`."""
    if state not in OPEN_REQUESTS:
        return Standing(state.value)
    if due_on is None:
        return Standing.ASKED
    return Standing.OVERDUE if today > due_on else Standing.WAITING


def progress(state: CommitmentState, due_on: date, today: date) -> Progress:
    """What the public reads of a commitment: late once its day is over and it is neither kept nor dropped."""
    if state in OPEN_COMMITMENTS and today > due_on:
        return Progress.LATE
    return Progress(state.value)


def due_date(closed_on: date, days: int = ANSWER_DAYS) -> date:
    """The last day for the answer to a consultation that closed on `closed_on`."""
    return closed_on + timedelta(days=days)
