"""One run: people give through the real stack while it breaks; then it comes to rest, and a program compares the books.

`python -m tests.chaos.run --gifts 2000 --seed 7` (or `make chaos GIFTS=2000 SEED=7`) runs a longer one by hand.
"""

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from sqlalchemy import func, select, text

from koz.campaigns.models import Campaign
from koz.core.db import db, reading, unit_of_work
from koz.core.jobs import get_job
from koz.core.outbox import OutboxDelivery, OutboxMessage
from koz.core.settings import Settings
from koz.factory import create_app
from koz.notifications.models import Mail, MailState
from koz.payments import ledger
from koz.payments.models import Gift, GiftAttempt, InboxEvent, PaymentAccount, Posting
from koz.payments.services import refund
from koz.payments.states import GiftState, InboxState
from tests.chaos.donors import Seen, give_all
from tests.chaos.stack import Stack
from tests.factories.accounts import make_organisation
from tests.factories.campaigns import make_campaign


@dataclass
class Outcome:
    """What a run found; `problems` is empty when no money was lost or doubled."""

    problems: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)


def run(stack: Stack, *, gifts: int, seed: int, people: int = 6, refunds: int = 20) -> Outcome:
    """Give, break, repair, compare. The stack is running."""
    started = time.monotonic()
    with _app(stack):
        accounts = _prepare(stack, campaigns=4, seed=seed)
        stack.control("webhooks", duplicate=0.2, reorder=0.2, drop=0.05, delay_s=0.1, seed=seed)
        stack.control("faults", rate=0.03, kinds=["429", "500", "timeout", "reset"], seed=seed, hold_s=0.2)
        with reading() as session:
            slugs = list(session.scalars(select(Campaign.slug).order_by(Campaign.id)))
        seen = Seen()
        killer = stack.kill_along(random.Random(seed), lambda: seen.started, gifts)
        give_all(stack, seen, slugs, gifts=gifts, seed=seed, people=people)
        _give_back(random.Random(seed), refunds)
        stack.calm(killer)
        given = time.monotonic()
        _come_to_rest(stack)
        outcome = _compare(stack, accounts, seen)
        outcome.facts |= {
            "seed": seed, "gifts": gifts, "kills": dict(stack.kills), "errors_seen": seen.errors,
            "seconds": [round(given - started, 1), round(time.monotonic() - started, 1)],
        }  # fmt: skip
        return outcome


@contextmanager
def _app(stack: Stack) -> Iterator[Flask]:
    """An app of this process on the same database, for looking and for the sweeps of the end."""
    names = ("KOZ_ENV", "KOZ_DATABASE_URL", "KOZ_BASE_URL", "KOZ_MAIL_URL", "STRIPE_API_BASE")
    app = create_app(Settings.from_env({name: stack.environment[name] for name in names}), TESTING=True)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def _prepare(stack: Stack, *, campaigns: int, seed: int) -> dict[int, str]:
    """Campaigns of two organisations. Returns the provider's account of each organisation."""
    accounts: dict[int, str] = {}
    with unit_of_work() as session:
        for number in range(campaigns):
            if number % 2 == 0:
                organisation = make_organisation(session, slug=f"chaos-{seed}-{number}", name=f"Chaos {number}")
                accounts[organisation.id] = ""
            make_campaign(
                session, organisation_id=organisation.id, slug=f"chaos-{number}", title=f"Chaos {number}",
                minimum_minor=500_00, optimum_minor=500_00,
            )  # fmt: skip
    for organisation_id in accounts:
        accounts[organisation_id] = stack.control("accounts")["id"]
    with unit_of_work() as session:
        for organisation_id, provider_id in accounts.items():
            session.add(
                PaymentAccount(
                    organisation_id=organisation_id, provider_id=provider_id, can_charge=True, state="active"
                )
            )
    return accounts


def _give_back(dice: random.Random, wanted: int) -> None:
    """Treasurers ask for some money back, wholly or in part; whoever is alive sends it."""
    with reading() as session:
        collected = list(session.scalars(select(Gift.id).where(Gift.state == GiftState.COLLECTED).order_by(Gift.id)))
    for gift_id in dice.sample(collected, min(wanted, len(collected))):
        with unit_of_work() as session:
            left = session.get_one(Gift, gift_id).left
            part = left if dice.random() < 0.3 else type(left)(max(1, left.minor // 3))
            refund.want(session, refund.WantRefund(gift_id=gift_id, amount=part, reason="chaos", by=None))


def _come_to_rest(stack: Stack, limit_s: float = 300) -> None:
    """Let waiting deliveries come, then sweep until nothing is due any more."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        counts = stack.control_get("deliveries?limit=1")["counts"]
        if not counts.get("waiting") and not counts.get("sending"):
            break
        stack.control("clock", advance_s=90)  # deliveries that failed wait for their next try
        time.sleep(0.3)
    for _ in range(2):  # the sweep finds what no event told; what it found has consequences; then it finds no more
        _let_time_pass()
        get_job("payments.sweep")(0)
        while time.monotonic() < deadline:
            _let_time_pass()
            for name in ("payments.apply_inbox", "payments.send_refunds", "outbox.relay", "notifications.send_due"):
                get_job(name)()
            with reading() as session:
                if not _unfinished(session):
                    break


def _let_time_pass() -> None:
    """What waits for its next try is due now."""
    with unit_of_work() as session:
        for table, states in (("inbox_events", "waiting"), ("mails", "waiting")):
            session.execute(text(f"UPDATE {table} SET next_attempt_at = now() WHERE state = '{states}'"))
        session.execute(text("UPDATE refunds SET next_attempt_at = now() WHERE state IN ('wanted', 'pending')"))
        session.execute(text("UPDATE outbox_deliveries SET next_attempt_at = now() WHERE handled_at IS NULL"))
        session.execute(text("UPDATE gift_attempts SET looked_at = NULL WHERE state IN ('open', 'under_way')"))


def _unfinished(session: Any) -> int:
    counts = (
        select(func.count()).select_from(InboxEvent).where(InboxEvent.state == InboxState.WAITING),
        select(func.count()).select_from(OutboxDelivery).where(OutboxDelivery.handled_at.is_(None)),
        select(func.count()).select_from(Mail).where(Mail.state == MailState.WAITING),
    )
    refunds = text("SELECT count(*) FROM refunds WHERE state IN ('wanted', 'pending')")
    return sum(int(session.scalar(one) or 0) for one in (*counts, refunds))


def _compare(stack: Stack, accounts: dict[int, str], seen: Seen) -> Outcome:
    outcome = Outcome()
    db.session.remove()  # nothing that this process has read before may be taken for the present state
    states = {organisation: stack.state(account) for organisation, account in accounts.items()}
    intents = [i for s in states.values() for i in s["objects"]["payment_intent"] if i["status"] == "succeeded"]
    with reading() as session:
        outcome.problems += _payments(session, intents)
        outcome.problems += _totals(session, states)
        outcome.problems += _effects(session, stack, seen)
        found = ledger.check(session)
        outcome.problems += [f"ledger: {problem}" for problem in found.problems]
        outcome.facts |= {
            "payments": len(intents), "postings": found.postings, "thanked": len(seen.thanked),
            "letters": sum(stack.mailbox.letters.values()),
            "inbox": dict(session.execute(select(InboxEvent.state, func.count()).group_by(InboxEvent.state)).all()),
            "collected_minor": int(session.scalar(select(func.sum(Campaign.collected_minor))) or 0),
        }  # fmt: skip
    return outcome


def _payments(session: Any, intents: list[Any]) -> list[str]:
    """Every payment of the provider is in the books exactly once, and its gift is collected; nothing else is."""
    problems = []
    booked = Counter(
        cause.split(":")[0] for cause in session.scalars(select(Posting.cause).where(Posting.cause.like("pi_%:paid%")))
    )
    for intent in intents:
        if booked[intent["id"]] != 1:
            problems.append(f"payment {intent['id']} of {intent['amount']} is booked {booked[intent['id']]} times")
    strangers = set(booked) - {intent["id"] for intent in intents}
    problems += [f"posting of an unknown payment {one}" for one in strangers]
    paid = {int(intent["metadata"]["koz_gift"]) for intent in intents}
    collected = set(session.scalars(select(Gift.id).where(Gift.collected_at.is_not(None))))
    problems += [f"gift {gift} was paid and is not collected" for gift in paid - collected]
    problems += [f"gift {gift} is collected and was not paid" for gift in collected - paid]
    return problems


def _totals(session: Any, states: dict[int, Any]) -> list[str]:
    """To the cent: balances of the organisations, fees, and the campaigns' totals out of the provider's own objects."""
    problems = []
    for organisation, state in states.items():
        held = ledger.balance(session, ledger.provider(organisation)).minor
        if held != state["sums"]["net"]:
            problems.append(f"organisation {organisation}: the books hold {held}, the provider {state['sums']['net']}")
    surplus = set(session.scalars(select(GiftAttempt.payment_id).where(GiftAttempt.surplus)))
    truth: Counter[int] = Counter()
    campaign_of = dict(session.execute(select(Gift.id, Gift.campaign_id)).all())
    tip_of = dict(session.execute(select(Gift.id, Gift.tip_minor)).all())
    for state in states.values():
        gift_of = {}
        for intent in state["objects"]["payment_intent"]:
            if intent["status"] == "succeeded" and intent["id"] not in surplus:
                gift_of[intent["id"]] = gift = int(intent["metadata"]["koz_gift"])
                truth[campaign_of[gift]] += intent["amount"] - tip_of[gift]
        for back in state["objects"]["refund"]:
            if back["payment_intent"] in gift_of and back["status"] == "succeeded":
                row = session.execute(
                    text("SELECT amount_minor FROM refunds WHERE provider_id = :id"), {"id": back["id"]}
                ).first()
                truth[campaign_of[gift_of[back["payment_intent"]]]] -= row[0] if row else 0
                if row is None:
                    problems.append(f"refund {back['id']} is not in the books")
    for campaign in session.scalars(select(Campaign)):
        if campaign.collected_minor != truth[campaign.id]:
            problems.append(
                f"campaign {campaign.slug} says {campaign.collected_minor}, the provider's objects {truth[campaign.id]}"
            )
    return problems


def _effects(session: Any, stack: Stack, seen: Seen) -> list[str]:
    """What follows from money, once: mails, funding, consultations; and nobody was thanked in vain."""
    problems = []
    problems += [f"{n} equal letters {key}" for key, n in stack.mailbox.letters.items() if n > 1]
    known = set(session.scalars(select(Gift.id).where(Gift.collected_at.is_not(None))))
    problems += [f"donor of gift {one} was thanked in vain" for one in seen.thanked if int(one) not in known]
    sent = {to for (to, _subject) in stack.mailbox.letters}
    lost = select(Gift.email).where(Gift.collected_at.is_not(None), Gift.email.not_in(sent or {""}))
    for email in session.scalars(lost):
        states = set(session.scalars(select(Mail.state).where(Mail.to_email == email)))
        if not states & {MailState.SENDING, MailState.UNKNOWN}:  # its sender died: staff look into it
            problems.append(f"no thanks to {email}: {states}")
    funded = Counter(
        payload["campaign_id"]
        for payload in session.scalars(select(OutboxMessage.payload).where(OutboxMessage.event == "CampaignFunded"))
    )
    problems += [f"campaign {one} was funded {n} times" for one, n in funded.items() if n > 1]
    twice = text("SELECT campaign_id FROM consultations WHERE campaign_id IS NOT NULL GROUP BY 1 HAVING count(*) > 1")
    if session.scalar(text("SELECT to_regclass('consultations')")) is not None:
        problems += [f"campaign {one} has more than one consultation" for one in session.scalars(twice)]
    dead = session.scalar(select(func.count()).select_from(InboxEvent).where(InboxEvent.state == InboxState.DEAD))
    return problems + ([f"{dead} events were given up"] if dead else [])


def main() -> int:
    """Run once, by hand."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gifts", type=int, default=500)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--people", type=int, default=6)
    parser.add_argument("--naive", action="store_true", help="over the handler that checks and then acts")
    chosen = parser.parse_args()
    print(f"seed {chosen.seed}", flush=True)
    parts = NAIVE if chosen.naive else {}
    with Stack(**parts) as stack:
        outcome = run(stack, gifts=chosen.gifts, seed=chosen.seed, people=chosen.people)
    print(json.dumps({"problems": outcome.problems[:50], "facts": outcome.facts}, indent=1, default=str))
    return 1 if outcome.problems else 0


NAIVE: dict[str, Any] = {"module": "tests.chaos.naive:app", "command": ("-m", "tests.chaos.naive")}

if __name__ == "__main__":
    sys.exit(main())
