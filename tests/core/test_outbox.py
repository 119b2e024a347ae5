"""The outbox: an event with its change or not at all, each subscriber once, failures alone and later."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import select

from koz.core import outbox
from koz.core.clock import now
from koz.core.db import unit_of_work
from koz.core.events import Event
from koz.core.outbox import OutboxDelivery, OutboxMessage, record, relay, replay, subscribe


@dataclass(frozen=True, slots=True)
class Happened(Event):
    number: int


@pytest.fixture
def heard(monkeypatch):
    monkeypatch.setattr(outbox, "_subscribers", {})
    seen = {"good": [], "bad": []}

    @subscribe(Happened)
    def good(session, event):
        seen["good"].append(event.number)

    @subscribe(Happened)
    def bad(session, event):
        seen["bad"].append(event.number)
        if len(seen["bad"]) == 1:
            raise ValueError("first time")

    return seen


def test_a_rolled_back_change_tells_nothing(committed_app, heard):
    with pytest.raises(RuntimeError), unit_of_work() as session:
        record(session, Happened(1))
        raise RuntimeError
    assert relay() == 0
    assert heard["good"] == []


def test_a_failing_subscriber_is_tried_again_alone(committed_app, heard):
    with unit_of_work() as session:
        record(session, Happened(7))
    assert relay() == 1
    assert heard == {"good": [7], "bad": [7]}
    with unit_of_work() as session:
        failed = session.scalars(select(OutboxDelivery).where(OutboxDelivery.handled_at.is_(None))).one()
        assert "first time" in failed.last_error
        failed.next_attempt_at = now() - timedelta(seconds=1)
    assert relay() == 1
    assert heard == {"good": [7], "bad": [7, 7]}
    assert relay() == 0


def test_many_relays_at_once_deliver_each_once(committed_app, heard):
    heard["bad"].append(0)  # not the first time any more
    with unit_of_work() as session:
        for n in range(40):
            record(session, Happened(n))

    def work(_):
        with committed_app.app_context():
            return relay()

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(work, range(6))) == 80
    assert sorted(heard["good"]) == list(range(40))


def test_a_dead_delivery_can_be_replayed(committed_app, heard, monkeypatch):
    monkeypatch.setattr(outbox, "MAX_ATTEMPTS", 1)
    with unit_of_work() as session:
        record(session, Happened(3))
    relay()
    with unit_of_work() as session:
        dead = session.scalars(select(OutboxDelivery).where(OutboxDelivery.dead_at.is_not(None))).one()
        replay(session, dead.id)
    assert relay() == 1
    with unit_of_work() as session:
        assert session.scalars(select(OutboxMessage)).one().payload == {"number": 3}
