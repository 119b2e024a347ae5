"""States and fixed words of consultations, as data; the CHECKs of the database are made of the same enums."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class ConsultationState(StrEnum):
    """Where a consultation stands."""

    DRAFT = "draft"
    OPEN = "open"
    CLOSED = "closed"


class Choice(StrEnum):
    """A vote on a contribution or an amendment."""

    AGREE = "agree"
    MIXED = "mixed"
    DISAGREE = "disagree"


class Side(StrEnum):
    """Which way an argument speaks."""

    FOR = "for"
    AGAINST = "against"


class ActorKind(StrEnum):
    """As whom somebody speaks, declared by themselves."""

    PERSON = "person"
    ASSOCIATION = "association"
    COMPANY = "company"
    PUBLIC_BODY = "public_body"


class SourceKind(StrEnum):
    """What a source is."""

    LAW = "law"
    REPORT = "report"
    SCIENCE = "science"
    DATA = "data"
    PRESS = "press"
    BOOK = "book"
    WEB = "web"
    OTHER = "other"


S = ConsultationState
ALLOWED: Final[Mapping[ConsultationState, frozenset[ConsultationState]]] = {
    S.DRAFT: frozenset({S.OPEN}),
    S.OPEN: frozenset({S.CLOSED}),
    S.CLOSED: frozenset(),
}
PUBLIC: Final = frozenset({S.OPEN, S.CLOSED})


def may_step(old: ConsultationState, new: ConsultationState) -> bool:
    """Whether the step exists in the table."""
    return new in ALLOWED[old]
