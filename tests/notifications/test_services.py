"""Mails: at most once, whatever dies or fails."""

from datetime import timedelta

from sqlalchemy import select

from koz.core.clock import now
from koz.core.db import unit_of_work
from koz.core.jobs import get_job
from koz.notifications import services
from koz.notifications.models import Mail, MailState
from koz.notifications.services import Addressed


def queue(session, key="k", to="a@koz.test"):
    return services.queue_mail(session, "reset", to, "fr", {"name": "A", "path": "/x"}, key)


def state(app, key="k"):
    with unit_of_work() as session:
        return session.scalars(select(Mail).where(Mail.key == key)).one().state


def test_a_key_is_queued_once(committed_app):
    with unit_of_work() as session:
        assert queue(session)
        assert not queue(session)
        assert not services.queue_mail(session, "reset", None, "fr", {}, "nobody")
    send = get_job("notifications.send_due")
    assert send() == 1
    assert send() == 0
    assert state(committed_app) is MailState.SENT


def test_a_server_that_fails_is_tried_later_and_one_that_refuses_never(committed_app):
    mailer = committed_app.extensions["koz_mailer"]
    mailer.fail.add("a@koz.test")
    mailer.refuse.add("b@koz.test")
    with unit_of_work() as session:
        queue(session)
        queue(session, "r", "b@koz.test")
    send = get_job("notifications.send_due")
    send()
    assert state(committed_app) is MailState.WAITING
    assert state(committed_app, "r") is MailState.REFUSED
    mailer.fail.clear()
    assert send() == 0, "not before its time"
    with unit_of_work() as session:
        session.scalars(select(Mail).where(Mail.key == "k")).one().next_attempt_at = now()
    assert send() == 1


def test_a_sender_that_died_leaves_an_unknown_never_a_second_mail(committed_app):
    with unit_of_work() as session:
        queue(session)
    with unit_of_work() as session:
        assert services.claim_next(session) is not None
    with unit_of_work() as session:
        assert services.claim_next(session) is None
        session.scalars(select(Mail)).one().claimed_at = now() - timedelta(hours=1)
    get_job("notifications.tidy")()
    assert state(committed_app) is MailState.UNKNOWN
    assert get_job("notifications.send_due")() == 0


def test_old_addresses_are_forgotten(committed_app):
    with unit_of_work() as session:
        queue(session)
    get_job("notifications.send_due")()
    with unit_of_work() as session:
        session.scalars(select(Mail)).one().created_at = now() - timedelta(days=40)
    get_job("notifications.tidy")()
    with unit_of_work() as session:
        mail = session.scalars(select(Mail)).one()
        assert (mail.to_email, mail.params) == ("", {})
        assert not queue(session)


def test_hundreds_of_mails_are_queued_by_few_statements_and_once(session, queries):
    mails = [Addressed(f"p{n}@koz.test", "fr", {"n": n}, f"many-{n}") for n in range(300)]
    with queries() as asked:
        assert services.queue_mails(session, "verify", [*mails, Addressed(None, "fr", {}, "nobody")]) == 300
    assert len(asked.seen) <= 3
    assert services.queue_mails(session, "verify", mails) == 0
