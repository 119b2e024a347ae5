"""Facts about people and organisations."""

from dataclasses import dataclass

from koz.core.events import Event


@dataclass(frozen=True, slots=True)
class EmailProofRequested(Event):
    """Somebody must show that an address is theirs. `next_path` is the page of this site that they wanted to go to."""

    person_id: int
    next_path: str = ""


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


@dataclass(frozen=True, slots=True)
class EmailChangeRequested(Event):
    """Somebody wants to move their account to another address; `email_changes` knows which."""

    change_id: int


@dataclass(frozen=True, slots=True)
class EmailChanged(Event):
    """An account has moved to another address; the old one is told."""

    change_id: int


@dataclass(frozen=True, slots=True)
class MemberInvited(Event):
    """An address was invited to an organisation."""

    invitation_id: int


@dataclass(frozen=True, slots=True)
class MemberJoined(Event):
    """Somebody took the role they were invited to."""

    organisation_id: int
    person_id: int
    role: str


@dataclass(frozen=True, slots=True)
class SecondFactorChanged(Event):
    """A second factor was switched on (1) or off (0); the person is told."""

    person_id: int
    on: int


@dataclass(frozen=True, slots=True)
class PersonErased(Event):
    """A person had their account forgotten.

    Each feature forgets its own personal data of theirs. What they published stays without a name when
    `keep_contributions` is 1, and is taken down when it is 0; money, votes counted and the log stay in both.
    """

    person_id: int
    keep_contributions: int
