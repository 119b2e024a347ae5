"""What sends mail, as Koz needs it."""

from dataclasses import dataclass
from typing import Protocol


class MailError(Exception):
    """The mail server did not take the message for now; nothing was sent."""


class MailRefused(MailError):
    """The mail server will never take this message (unknown recipient, for one)."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message ready to go: one recipient, text and HTML.

    `unsubscribe` is the address at which such messages are stopped, for those that one can stop.
    """

    to_email: str
    subject: str
    text: str
    html: str
    message_id: str
    locale: str = "fr"
    unsubscribe: str | None = None


class Mailer(Protocol):
    """Sends letters."""

    def send(self, letter: Letter) -> None:
        """Hand the letter over. Raises MailError or MailRefused."""
        ...
