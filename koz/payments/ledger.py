"""The books: double entry, append-only, each posting unique by its cause and zero in sum.

Chart of accounts (positive: held or spent there; negative: where it came from):

- `donors:<campaign>`     what donors of a campaign gave (negative) less what they got back
- `surplus:<campaign>`    what was paid twice by mistake (negative) less what was given back of it
- `provider:<organisation>`  the organisation's balance at the provider
- `fees:<organisation>`      what the provider kept for its work
- `tips`                    what donors gave to Koz through the application fee
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from koz.campaigns.models import Campaign
from koz.campaigns.queries import list_wrong_skills
from koz.core.clock import now
from koz.core.money import Money
from koz.payments.models import Gift, GiftAttempt, Line, Posting, Refund
from koz.payments.states import AttemptState, RefundState

TIPS = "tips"


def donors(campaign_id: int) -> str:
    """Account of a campaign's donors."""
    return f"donors:{campaign_id}"


def surplus(campaign_id: int) -> str:
    """Account of what was paid twice in a campaign and goes back."""
    return f"surplus:{campaign_id}"


def provider(organisation_id: int) -> str:
    """Account of an organisation's balance at the provider."""
    return f"provider:{organisation_id}"


def fees(organisation_id: int) -> str:
    """Account of the provider's fees that an organisation bears."""
    return f"fees:{organisation_id}"


def post(
    session: Session, cause: str, lines: Mapping[str, Money], *, campaign_id: int | None, gift_id: int | None = None
) -> bool:
    """Write one posting; lines of zero are left out. False when `cause` is in the books already: a repeat is a no-op.

    The amounts must add up to zero in one currency: anything else is a bug, refused here and by the database.
    """
    moving = {account: amount for account, amount in lines.items() if amount}
    assert sum(m.minor for m in moving.values()) == 0, cause
    assert len({m.currency for m in moving.values()}) == 1, cause
    posting_id = session.scalar(
        insert(Posting)
        .values(cause=cause, campaign_id=campaign_id, gift_id=gift_id, at=now())
        .on_conflict_do_nothing(index_elements=["cause"])
        .returning(Posting.id)
    )
    if posting_id is None:
        return False
    session.add_all(
        Line(posting_id=posting_id, account=account, minor=amount.minor, currency=amount.currency)
        for account, amount in moving.items()
    )
    session.flush()
    return True


def balance(session: Session, account: str, currency: str = "EUR") -> Money:
    """Sum of an account's lines."""
    total = session.scalar(
        select(func.coalesce(func.sum(Line.minor), 0)).where(Line.account == account, Line.currency == currency)
    )
    return Money(int(total or 0), currency)


@dataclass(frozen=True, slots=True)
class Check:
    """What a check of the books found; `problems` are sentences, empty when all is well."""

    balanced: bool
    postings: int
    lines: int
    unexplained_minor: int
    problems: list[str]


def check(session: Session) -> Check:
    """Look at every posting, gift and campaign.

    Each posting adds up to zero; each gift's postings say what its payments and refunds say; each campaign's totals
    are the sums of its gifts. `unexplained_minor` adds up all that is off, without signs.
    """
    off, problems = 0, []
    for found in (_postings(session), _gifts(session), _refunds(session), _campaigns(session)):
        for minor, sentence in found:
            off += abs(minor)
            problems.append(sentence)
    postings = session.scalar(select(func.count()).select_from(Posting)) or 0
    lines = session.scalar(select(func.count()).select_from(Line)) or 0
    return Check(not problems, postings, lines, off, problems)


Finding = tuple[int, str]


def _postings(session: Session) -> list[Finding]:
    wrong = session.execute(
        select(Posting.cause, func.coalesce(func.sum(Line.minor), 0), func.count(Line.id))
        .outerjoin(Line, Line.posting_id == Posting.id)
        .group_by(Posting.id, Line.currency)
        .having((func.coalesce(func.sum(Line.minor), 0) != 0) | (func.count(Line.id) < 2))
    )
    return [(int(total), f"{cause}: {n} lines that add up to {int(total)}") for cause, total, n in wrong]


def _gifts(session: Session) -> list[Finding]:
    """What donors gave and got back by the books, against the paid pages and the refunds that are done."""
    paid = (
        select(GiftAttempt.gift_id, func.count().label("n"))
        .where(GiftAttempt.state == AttemptState.PAID)
        .group_by(GiftAttempt.gift_id)
        .subquery()
    )
    back = (
        select(Refund.gift_id, func.sum(Refund.amount_minor + Refund.tip_minor).label("minor"))
        .where(Refund.state == RefundState.DONE)
        .group_by(Refund.gift_id)
        .subquery()
    )
    booked = (
        select(Posting.gift_id, func.sum(-Line.minor).label("minor"))
        .join(Line, Line.posting_id == Posting.id)
        .where(Posting.gift_id.is_not(None), Line.account.op("~")("^(donors|surplus):"))
        .group_by(Posting.gift_id)
        .subquery()
    )
    rows = select(
        Gift.id,
        (func.coalesce(paid.c.n, 0) * (Gift.amount_minor + Gift.tip_minor) - func.coalesce(back.c.minor, 0)).label(
            "worth"
        ),
        func.coalesce(booked.c.minor, 0).label("booked"),
        Gift.collected_at.is_not(None).label("collected"),
        func.coalesce(paid.c.n, 0).label("pages"),
    )
    for part in (paid, back, booked):
        rows = rows.outerjoin(part, part.c.gift_id == Gift.id)
    every = rows.subquery()
    wrong = select(every).where((every.c.worth != every.c.booked) | (every.c.collected != (every.c.pages > 0)))
    return [
        (
            int(one.booked - one.worth),
            f"gift {one.id}: {one.pages} paid pages, worth {one.worth} with refunds, but {one.booked} booked",
        )
        for one in session.execute(wrong)
    ]


def _refunds(session: Session) -> list[Finding]:
    """What gifts say was given back or is under way, against their refunds."""

    def total(*states: RefundState) -> ColumnElement[int]:
        counted = Refund.state.in_(states) & Refund.surplus.is_(False)
        return func.coalesce(func.sum(Refund.amount_minor).filter(counted), 0)

    done, under_way = total(RefundState.DONE), total(RefundState.WANTED, RefundState.PENDING)
    wrong = session.execute(
        select(Gift.id, Gift.refunded_minor, done, Gift.refunding_minor, under_way)
        .outerjoin(Refund, Refund.gift_id == Gift.id)
        .group_by(Gift.id)
        .having((Gift.refunded_minor != done) | (Gift.refunding_minor != under_way))
    )
    return [
        (
            abs(int(said - was)) + abs(int(asked - open_)),
            f"gift {gift}: refunded {said} but its refunds are {was}; under way {asked} but they are {open_}",
        )
        for gift, said, was, asked, open_ in wrong
    ]


def _campaigns(session: Session) -> list[Finding]:
    """Cached totals of campaigns, against their gifts."""
    came_in = Gift.collected_at.is_not(None)
    sums = (
        select(
            Gift.campaign_id,
            func.sum(Gift.amount_minor - Gift.refunded_minor).label("collected"),
            func.sum(Gift.refunded_minor).label("refunded"),
            func.count().label("gifts"),
            func.count(Gift.email.distinct()).label("donors"),
        )
        .where(came_in)
        .group_by(Gift.campaign_id)
        .subquery()
    )
    names = ("collected", "refunded", "gifts", "donors")
    cached = (Campaign.collected_minor, Campaign.refunded_minor, Campaign.gifts, Campaign.donors)
    rows = select(Campaign.slug, *cached, *(func.coalesce(sums.c[name], 0) for name in names))
    found: list[Finding] = []
    for slug, *values in session.execute(rows.outerjoin(sums, sums.c.campaign_id == Campaign.id)):
        said, are = [int(v) for v in values[:4]], [int(v) for v in values[4:]]
        if said != are:
            off = abs(said[0] - are[0]) + abs(said[1] - are[1])
            found.append((off, f"campaign {slug}: {names} say {said}, its gifts {are}"))
    for wrong in list_wrong_skills(session):
        off = abs(wrong.cached_minor - wrong.counted_minor)
        said_by = f"says {wrong.cached_minor}, its rows {wrong.counted_minor} (or its lines differ)"
        found.append((off, f"campaign {wrong.slug}: the sum that hours replace {said_by}"))
    return found
