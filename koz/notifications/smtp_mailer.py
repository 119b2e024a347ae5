"""Mail through SMTP, by the standard library. `smtp://host:port` (STARTTLS where offered) or `smtps://`."""

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import unquote, urlsplit

from koz.core.clock import now
from koz.notifications.mailer import Letter, MailError, MailRefused

TIMEOUT_S = 20


class SmtpMailer:
    """Sends each letter over a connection of its own."""

    def __init__(self, url: str, sender: str) -> None:
        self.parts, self.sender = urlsplit(url), sender

    def send(self, letter: Letter) -> None:
        """Hand the letter to the server. Raises MailError or MailRefused."""
        try:
            with self._connect() as server:
                server.send_message(self._message(letter))
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _text in error.recipients.values()]
            raise (MailRefused if all(c >= 500 for c in codes) else MailError)(f"refused with {codes}") from None
        except (smtplib.SMTPException, OSError) as error:
            raise MailError(type(error).__name__) from None

    def _connect(self) -> smtplib.SMTP:
        host, secure = self.parts.hostname or "127.0.0.1", ssl.create_default_context()
        if self.parts.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, self.parts.port or 465, timeout=TIMEOUT_S, context=secure)
        else:
            server = smtplib.SMTP(host, self.parts.port or 25, timeout=TIMEOUT_S)
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls(context=secure)
        if self.parts.username:
            server.login(unquote(self.parts.username), unquote(self.parts.password or ""))
        return server

    def _message(self, letter: Letter) -> EmailMessage:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self.sender, letter.to_email, letter.subject
        message["Message-ID"], message["Date"] = letter.message_id, format_datetime(now())
        message["Auto-Submitted"] = "auto-generated"
        message["X-Auto-Response-Suppress"] = "All"
        if letter.unsubscribe:
            message["List-Unsubscribe"] = f"<{letter.unsubscribe}>"
        message.set_content(letter.text)
        message.add_alternative(letter.html, subtype="html")
        message["Content-Language"] = letter.locale  # after the parts, which would take it
        return message
