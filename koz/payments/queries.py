"""Reads of money."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from koz.accounts import queries as accounts
from koz.accounts.models import Organisation
from koz.campaigns import queries as campaigns
from koz.campaigns.models import Campaign
from koz.campaigns.states import CampaignState
from koz.core.access import Actor
from koz.core.clock import now
from koz.core.errors import NotAllowed, NotFound
from koz.core.i18n import _
from koz.core.money import Money
from koz.payments.models import Gift, GiftAttempt, Line, PaymentAccount, Posting, Refund
from koz.payments.states import AttemptState, GiftState, RefundState


def get_gift(session: Session, gift_id: int) -> Gift:
    """The gift. Raises NotFound."""
    gift = session.get(Gift, gift_id)
    if gift is None:
        raise NotFound(_("This gift does not exist."))
    return gift


def lock_gift(session: Session, gift_id: int) -> Gift:
    """The gift's row, locked and freshly read. Raises NotFound."""
    query = (
        select(Gift).where(Gift.id == gift_id).with_for_update(key_share=True).execution_options(populate_existing=True)
    )
    gift = session.scalar(query)
    if gift is None:
        raise NotFound(_("This gift does not exist."))
    return gift


def find_account(session: Session, organisation_id: int, *, lock: bool = False) -> PaymentAccount | None:
    """The organisation's account at the provider, locked and freshly read as asked."""
    return _account(session, PaymentAccount.organisation_id == organisation_id, lock=lock)


def find_account_by_provider_id(session: Session, provider_id: str, *, lock: bool = False) -> PaymentAccount | None:
    """Our row of an account at the provider."""
    return _account(session, PaymentAccount.provider_id == provider_id, lock=lock)


def _account(session: Session, condition: ColumnElement[bool], *, lock: bool) -> PaymentAccount | None:
    query = select(PaymentAccount).where(condition)
    if lock:
        query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    return session.scalar(query)


def find_attempt(session: Session, session_id: str) -> GiftAttempt | None:
    """The try to pay that a hosted page belongs to, freshly read: a state remembered from before would charge twice."""
    query = select(GiftAttempt).where(GiftAttempt.session_id == session_id)
    return session.scalar(query.execution_options(populate_existing=True))


def find_attempt_by_number(session: Session, gift_id: int, number: int) -> GiftAttempt | None:
    """The try of a gift with this number, freshly read."""
    query = select(GiftAttempt).where(GiftAttempt.gift_id == gift_id, GiftAttempt.number == number)
    return session.scalar(query.execution_options(populate_existing=True))


def last_attempt(session: Session, gift_id: int) -> GiftAttempt | None:
    """The latest try of a gift, freshly read."""
    query = select(GiftAttempt).where(GiftAttempt.gift_id == gift_id).order_by(GiftAttempt.number.desc()).limit(1)
    return session.scalar(query.execution_options(populate_existing=True))


def find_attempt_of_metadata(session: Session, metadata: Mapping[str, Any], account_id: str) -> GiftAttempt | None:
    """The try that a provider's metadata name, if it was made on that account."""
    gift_id, number = (_number(metadata.get(name)) for name in ("koz_gift", "koz_attempt"))
    if gift_id is None or number is None:
        return None
    attempt = find_attempt_by_number(session, gift_id, number)
    return attempt if attempt is not None and attempt.account_id == account_id else None


def _number(text: object) -> int | None:
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 10 else None


def find_attempt_by_payment(session: Session, payment_id: str) -> GiftAttempt | None:
    """The try that a provider's payment belongs to, freshly read."""
    query = select(GiftAttempt).where(GiftAttempt.payment_id == payment_id)
    return session.scalar(query.execution_options(populate_existing=True))


def find_counted_attempt(session: Session, gift_id: int) -> GiftAttempt | None:
    """The paid try whose money counts: not one that was paid a second time by mistake."""
    query = select(GiftAttempt).where(
        GiftAttempt.gift_id == gift_id, GiftAttempt.state == AttemptState.PAID, GiftAttempt.surplus.is_(False)
    )
    return session.scalar(query.execution_options(populate_existing=True))


def list_attempts(session: Session, gift_id: int, limit: int = 50) -> Sequence[GiftAttempt]:
    """Tries of a gift, latest first."""
    query = select(GiftAttempt).where(GiftAttempt.gift_id == gift_id).order_by(GiftAttempt.number.desc()).limit(limit)
    return session.scalars(query.execution_options(populate_existing=True)).all()


def list_open_attempts(
    session: Session, at: datetime, look_after: timedelta, limit: int = 200
) -> Sequence[GiftAttempt]:
    """Tries that may have been paid without our knowing: open for `look_after`, and not looked at for as long.

    The older the page, the rarer the look: every eighth of its age, at least once an hour.
    """
    age_s = func.extract("epoch", at - GiftAttempt.created_at)
    pause_s = func.greatest(look_after.total_seconds(), func.least(age_s / 8, 3600))
    query = select(GiftAttempt).where(
        GiftAttempt.state.in_([AttemptState.OPEN, AttemptState.UNDER_WAY]),
        GiftAttempt.created_at <= at - look_after,
        GiftAttempt.looked_at.is_(None) | (func.extract("epoch", at - GiftAttempt.looked_at) >= pause_s),
    )
    return session.scalars(query.order_by(GiftAttempt.id).limit(limit)).all()


def list_unasked(session: Session, before: datetime, limit: int = 200) -> Sequence[tuple[int, int]]:
    """(try, gift) of tries from before a moment of which the provider never told us a page."""
    query = select(GiftAttempt.id, GiftAttempt.gift_id).where(
        GiftAttempt.state == AttemptState.ASKED, GiftAttempt.created_at < before
    )
    return [(row[0], row[1]) for row in session.execute(query.order_by(GiftAttempt.id).limit(limit))]


def has_given(session: Session, campaign_id: int, email: str, *, but: int) -> bool:
    """Whether another gift of this address to this campaign came in."""
    query = select(Gift.id).where(
        Gift.campaign_id == campaign_id, Gift.email == email, Gift.id != but, Gift.collected_at.is_not(None)
    )
    return session.scalar(query.limit(1)) is not None


def find_gift(session: Session, gift_id: int) -> Gift | None:
    """The gift of an id."""
    return session.get(Gift, gift_id)


def find_gift_by_form_key(session: Session, form_key: str) -> Gift | None:
    """The gift that was typed in one form."""
    return session.scalar(select(Gift).where(Gift.form_key == form_key))


def list_gifts(session: Session, campaign_id: int, *, before: int | None = None, limit: int = 51) -> Sequence[Gift]:
    """Gifts of a campaign that were paid, latest first; `before` is the last id of the page before."""
    query = select(Gift).where(Gift.campaign_id == campaign_id, Gift.collected_at.is_not(None))
    if before is not None:
        query = query.where(Gift.id < before)
    return session.scalars(query.order_by(Gift.id.desc()).limit(limit)).all()


def get_refund(session: Session, refund_id: int, *, fresh: bool = False, lock: bool = False) -> Refund:
    """The refund, read anew and locked as asked. Raises NotFound."""
    query = select(Refund).where(Refund.id == refund_id)
    if lock:
        query = query.with_for_update()
    if fresh:
        query = query.execution_options(populate_existing=True)
    refund = session.scalar(query)
    if refund is None:
        raise NotFound(_("This refund does not exist."))
    return refund


def find_refund(session: Session, refund_id: int) -> Refund | None:
    """The refund of an id, freshly read."""
    return session.get(Refund, refund_id, populate_existing=True)


def find_refund_by_provider_id(session: Session, provider_id: str) -> Refund | None:
    """The refund that the provider knows under an id, freshly read."""
    query = select(Refund).where(Refund.provider_id == provider_id)
    return session.scalar(query.execution_options(populate_existing=True))


def find_refund_by_form_key(session: Session, form_key: str) -> Refund | None:
    """The refund that was typed in one form."""
    return session.scalar(select(Refund).where(Refund.form_key == form_key))


def list_refunds(session: Session, gift_id: int, limit: int = 100) -> Sequence[Refund]:
    """Refunds of a gift, latest first."""
    query = select(Refund).where(Refund.gift_id == gift_id).execution_options(populate_existing=True)
    return session.scalars(query.order_by(Refund.id.desc()).limit(limit)).all()


def list_due_refunds(session: Session, due: datetime, limit: int = 100) -> Sequence[int]:
    """Ids of refunds to be sent or looked at again by a moment."""
    query = select(Refund.id).where(
        Refund.state.in_([RefundState.WANTED, RefundState.PENDING]), Refund.next_attempt_at <= due
    )
    return session.scalars(query.order_by(Refund.next_attempt_at, Refund.id).limit(limit)).all()


def tip_given_back(session: Session, gift_id: int) -> Money:
    """What of a gift's tip went back, or is on its way."""
    total = select(func.coalesce(func.sum(Refund.tip_minor), 0)).where(
        Refund.gift_id == gift_id, Refund.state != RefundState.FAILED, Refund.surplus.is_(False)
    )
    return Money(int(session.scalar(total) or 0))


@dataclass(frozen=True, slots=True)
class Receiver:
    """Who a gift to a campaign goes to; `open` tells whether one can be made now, `ended` that none ever will."""

    campaign_id: int
    slug: str
    title: str
    organisation_id: int
    organisation: str
    organisation_slug: str
    open: bool
    ended: bool
    currency: str
    collected_minor: int
    to_raise_minor: int
    minimum_minor: int
    skills_minor: int


def get_receiver(session: Session, slug: str) -> Receiver:
    """Who gifts to a public campaign go to. Raises NotFound."""
    campaign = campaigns.get_public_campaign(session, slug)
    query = (
        select(Organisation.name, Organisation.slug, PaymentAccount.can_charge)
        .outerjoin(PaymentAccount, PaymentAccount.organisation_id == Organisation.id)
        .where(Organisation.id == campaign.organisation_id)
    )
    name, organisation_slug, can_charge = session.execute(query).one()
    accepts = campaigns.accepts_gifts(campaign, now())
    return Receiver(
        campaign.id, campaign.slug, campaign.title, campaign.organisation_id, name, organisation_slug,
        accepts and bool(can_charge), not accepts, campaign.currency, campaign.collected_minor,
        campaign.to_raise_minor, campaign.minimum_minor, campaign.skills_minor,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class GiftStory:
    """All that a gift's page tells: the gift, its tries and refunds (latest first), and where it went."""

    gift: Gift
    attempts: Sequence[GiftAttempt]
    refunds: Sequence[Refund]
    campaign_slug: str
    campaign_title: str
    campaign_state: CampaignState
    organisation: str

    @property
    def given_back(self) -> Sequence[Refund]:
        """Refunds that the donor has."""
        return [r for r in self.refunds if r.state is RefundState.DONE]

    @property
    def on_the_way(self) -> Sequence[Refund]:
        """Refunds that the donor will have."""
        return [r for r in self.refunds if r.state in {RefundState.WANTED, RefundState.PENDING}]


def get_story(session: Session, gift_id: int) -> GiftStory:
    """Everything about one gift. Raises NotFound."""
    gift = get_gift(session, gift_id)
    query = (
        select(Campaign.slug, Campaign.title, Campaign.state, Organisation.name)
        .join(Organisation, Organisation.id == Campaign.organisation_id)
        .where(Campaign.id == gift.campaign_id)
    )
    row = session.execute(query).one()
    return GiftStory(gift, list_attempts(session, gift_id), list_refunds(session, gift_id), *row)


def get_story_for(session: Session, actor: Actor, gift_id: int, allowed: Callable[[Actor, int], bool]) -> GiftStory:
    """Everything about a gift for a member of its organisation. Raises NotFound, NotAllowed."""
    gift = find_gift(session, gift_id)
    if gift is None or not actor.has_role(gift.organisation_id):
        raise NotFound(_("This gift does not exist."))
    if not allowed(actor, gift.organisation_id):
        raise NotAllowed(_("Only the owners and treasurers of the organisation may do this."))
    return get_story(session, gift_id)


@dataclass(frozen=True, slots=True)
class AccountPage:
    """An organisation and its account at the provider, if it has begun one."""

    organisation: Organisation
    account: PaymentAccount | None


def get_account_for(session: Session, actor: Actor, slug: str, allowed: Callable[[Actor, int], bool]) -> AccountPage:
    """The payment account of an organisation for one of its members. Raises NotFound, NotAllowed."""
    organisation = accounts.find_organisation_by_slug(session, slug)
    if organisation is None or not actor.has_role(organisation.id):
        raise NotFound(_("This organisation does not exist."))
    if not allowed(actor, organisation.id):
        raise NotAllowed(_("Only the owners and treasurers of the organisation may do this."))
    return AccountPage(organisation, find_account(session, organisation.id))


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One posting of a campaign's public ledger. Amounts in minor units, signed as the campaign sees them.

    kind: paid, refunded, refund_failed; paid_again and its return do not count in the totals. `gift_minor` went to the
    cause, `fee_minor` the payment provider kept of it, `net_minor` is what the organisation holds; the totals run from
    the first posting to this one. `donor` is a name only where the donor chose to show it.
    """

    id: int
    at: datetime
    kind: str
    counts: bool
    gift_minor: int
    fee_minor: int
    net_minor: int
    total_gift_minor: int
    total_fee_minor: int
    total_net_minor: int
    currency: str
    donor: str | None
    reference: str


def list_public_ledger(
    session: Session, campaign_id: int, after: int | None = None, limit: int = 51
) -> Sequence[LedgerLine]:
    """Postings of a campaign, latest first; `after` is the last id of the page before. One statement, any length."""
    part = _sum_of_accounts
    given = -part("donors:%") - part("tips")
    rows = (
        select(
            Posting.id, Posting.at, Posting.cause, Posting.gift_id, func.max(Line.currency).label("currency"),
            (part("surplus:%") == 0).label("counts"), given.label("gift"), part("fees:%").label("fee"),
            part("provider:%").label("net"), (-part("surplus:%") - part("tips")).label("surplus"),
        )
        .join(Line, Line.posting_id == Posting.id)
        .where(Posting.campaign_id == campaign_id)
        .group_by(Posting.id)
        .subquery()
    )  # fmt: skip
    counted = case((rows.c.counts, rows.c.gift), else_=0)
    running = select(
        rows,
        func.sum(counted).over(order_by=rows.c.id).label("total_gift"),
        func.sum(rows.c.fee).over(order_by=rows.c.id).label("total_fee"),
        func.sum(rows.c.net).over(order_by=rows.c.id).label("total_net"),
    ).subquery()
    query = select(running, Gift.public_name).outerjoin(Gift, Gift.id == running.c.gift_id)
    if after is not None:
        query = query.where(running.c.id < after)
    found = session.execute(query.order_by(running.c.id.desc()).limit(limit))
    return [_ledger_line(row) for row in found]


def _sum_of_accounts(pattern: str) -> ColumnElement[int]:
    """Sum of a posting's lines on accounts of a kind, 0 when it has none."""
    return func.coalesce(func.sum(Line.minor).filter(Line.account.like(pattern)), 0)


def _ledger_line(row: Any) -> LedgerLine:
    reference, _colon, kind = row.cause.rpartition(":")
    gift = row.gift if row.counts else row.surplus
    return LedgerLine(
        row.id, row.at, kind, row.counts, int(gift), int(row.fee), int(row.net), int(row.total_gift),
        int(row.total_fee), int(row.total_net), row.currency, row.public_name, reference,
    )  # fmt: skip


def donors_column(limit: int) -> Any:
    """For `campaigns.queries.public_page`: who ticked that their name may be shown, latest first, as JSON objects."""
    shown = (Gift.state == GiftState.COLLECTED, Gift.public_name.is_not(None))
    return campaigns.rows_of(Gift, ("public_name",), Gift.collected_at.desc(), where=shown, limit=limit)


def list_gifts_of_person(session: Session, person_id: int, limit: int = 30) -> Sequence[tuple[Gift, str]]:
    """Gifts made while logged in that were paid, latest first, each with its campaign's title."""
    paid = (GiftState.COLLECTED, GiftState.REFUNDED)
    query = (
        select(Gift, Campaign.title)
        .join(Campaign, Campaign.id == Gift.campaign_id)
        .where(Gift.person_id == person_id, Gift.state.in_(paid))
    )
    return [(gift, title) for gift, title in session.execute(query.order_by(Gift.id.desc()).limit(limit))]
