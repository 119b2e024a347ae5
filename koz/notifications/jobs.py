"""Sending: render in the recipient's language, hand over, mark."""

import structlog
from flask import current_app, render_template

from koz.core.db import unit_of_work
from koz.core.i18n import in_locale
from koz.core.ids import fingerprint
from koz.core.jobs import job
from koz.core.settings import current_settings
from koz.notifications import services
from koz.notifications.mailer import Letter, Mailer, MailError, MailRefused
from koz.notifications.services import Claim

log = structlog.get_logger(__name__)
PER_RUN = 200
#: Params that hold the path at which one kind of mail is stopped.
STOPS = ("unsubscribe_path", "stop_path", "unfollow_path")


def render_letter(claim: Claim) -> Letter:
    """The letter of a mail: subject, text and HTML from `templates/mail/<template>/`.

    A param of `STOPS` is where the recipient stops such mails: it stands in a header, and under the text when the
    template does not say it itself.
    """
    settings = current_settings()
    values = dict(claim.params) | {"base_url": settings.base_url, "locale": claim.locale}
    with in_locale(claim.locale):
        folder = f"mail/{claim.template}"
        subject = " ".join(render_template(f"{folder}/subject.txt", **values).split())
        text = render_template(f"{folder}/body.txt", **values).strip() + "\n"
        html = render_template(f"{folder}/body.html", **values, subject=subject)
    host = settings.base_url.split("//")[-1].split(":")[0].split("/")[0] or "localhost"
    message_id = f"<{fingerprint(f'mail-{claim.id}')[:32]}@{host}>"
    stop = next((claim.params[name] for name in STOPS if claim.params.get(name)), None)
    unsubscribe = f"{settings.base_url}{stop}" if stop else None
    if unsubscribe and unsubscribe not in text:
        text += f"\n-- \n{unsubscribe}\n"
    return Letter(claim.to_email, subject, text, html, message_id, claim.locale, unsubscribe)


@job(services.SEND_JOB, queue="mail", timeout_s=300)
def send_due() -> int:
    """Send what is due. Returns how many the server took."""
    mailer: Mailer = current_app.extensions["koz_mailer"]
    sent = 0
    for _ in range(PER_RUN):
        with unit_of_work() as session:
            claim = services.claim_next(session)
        if claim is None:
            break
        sent += _send(mailer, claim)
    return sent


def _send(mailer: Mailer, claim: Claim) -> bool:
    try:
        mailer.send(render_letter(claim))
    except MailError as error:
        log.warning("mail.failed", mail=claim.id, template=claim.template, why=str(error))
        with unit_of_work() as session:
            services.mark_failed(session, claim.id, str(error), for_good=isinstance(error, MailRefused))
        return False
    with unit_of_work() as session:
        services.mark_sent(session, claim.id)
    return True


@job("notifications.tidy", queue="mail", timeout_s=120)
def tidy() -> None:
    """Mark mails whose sender died; forget old addresses."""
    with unit_of_work() as session:
        services.settle_stuck(session)
        services.forget_old(session)
