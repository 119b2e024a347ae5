"""The books: double entry, append-only, each posting unique by its cause and zero in sum.

Chart of accounts (positive: held or spent there; negative: where it came from):

- `donors:<campaign>`     what donors of a campaign gave (negative) less what they got back
- `provider:<organisation>`  the organisation's balance at the provider
- `fees:<organisation>`      what the provider kept for its work
- `tips`                    what donors gave to Koz through the application fee
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from koz.core.clock import now
from koz.core.money import Money
from koz.payments.models import Line, Posting

TIPS = "tips"


def donors(campaign_id: int) -> str:
    """Account of a campaign's donors."""
    return f"donors:{campaign_id}"


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
    """Look at every posting: its lines add up to zero, and there are at least two."""
    wrong = session.execute(
        select(Posting.cause, func.coalesce(func.sum(Line.minor), 0), func.count(Line.id))
        .outerjoin(Line, Line.posting_id == Posting.id)
        .group_by(Posting.id, Line.currency)
        .having((func.coalesce(func.sum(Line.minor), 0) != 0) | (func.count(Line.id) < 2))
    ).all()
    postings = session.scalar(select(func.count()).select_from(Posting)) or 0
    lines = session.scalar(select(func.count()).select_from(Line)) or 0
    off = sum(abs(int(total)) for _cause, total, _n in wrong)
    problems = [f"{cause}: {n} lines that add up to {int(total)}" for cause, total, n in wrong]
    return Check(not wrong, postings, lines, off, problems)
