"""A mail server with a memory."""

from koz.core.db import unit_of_work_is_open
from koz.notifications.mailer import Letter, MailError, MailRefused


class FakeMailer:
    """Keeps what it is given; `fail` and `refuse` name addresses it will not serve."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.fail: set[str] = set()
        self.refuse: set[str] = set()

    def send(self, letter: Letter) -> None:
        """Take the letter. Raises as a server would."""
        assert not unit_of_work_is_open(), "network call inside a transaction"
        if letter.to_email in self.refuse:
            raise MailRefused("550")
        if letter.to_email in self.fail:
            raise MailError("451")
        self.letters.append(letter)
