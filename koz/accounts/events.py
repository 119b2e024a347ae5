"""Facts about people and organisations."""

from dataclasses import dataclass

from koz.core.events import Event


@dataclass(frozen=True, slots=True)
class EmailProofRequested(Event):
    """Somebody must show that an address is theirs."""

    person_id: int


@dataclass(frozen=True, slots=True)
class JoinedAgain(Event):
    """Somebody tried to join with the address of an existing person, who is told by mail, not the visitor."""

    person_id: int


@dataclass(frozen=True, slots=True)
class PasswordResetRequested(Event):
    """Somebody asked for a new password."""

    person_id: int


@dataclass(frozen=True, slots=True)
class PasswordChanged(Event):
    """A password was changed; the person is told."""

    person_id: int
