"""States of gifts, attempts and refunds, as data."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class GiftState(StrEnum):
    """Where a gift stands. What was given back is in `refunded_minor`; a part given back leaves it collected."""

    OPENED = "opened"
    COLLECTED = "collected"
    ABANDONED = "abandoned"
    REFUNDED = "refunded"


class AccountState(StrEnum):
    """Where an organisation's account at the provider stands: forms to finish, can take gifts, stopped by it."""

    TO_FINISH = "to_finish"
    ACTIVE = "active"
    RESTRICTED = "restricted"


class AttemptState(StrEnum):
    """Where one try to pay stands: the provider's page was asked for, is open, was paid, expired.

    under_way: the donor did all, the money is on its way and may still fail (direct debit).
    """

    ASKED = "asked"
    OPEN = "open"
    UNDER_WAY = "under_way"
    PAID = "paid"
    EXPIRED = "expired"


class RefundState(StrEnum):
    """Where a refund stands: wanted (our row), sent to the provider, done, failed."""

    WANTED = "wanted"
    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"


class InboxState(StrEnum):
    """What became of an event: waiting, handled, of a type nobody handles, or given up."""

    WAITING = "waiting"
    HANDLED = "handled"
    IGNORED = "ignored"
    DEAD = "dead"


GIFT_STEPS: Final[Mapping[GiftState, frozenset[GiftState]]] = {
    GiftState.OPENED: frozenset({GiftState.COLLECTED, GiftState.ABANDONED}),
    GiftState.ABANDONED: frozenset({GiftState.COLLECTED}),  # paid in an old tab after all: money is never ignored
    GiftState.COLLECTED: frozenset({GiftState.REFUNDED}),
    GiftState.REFUNDED: frozenset({GiftState.COLLECTED}),  # the bank sent a refund back
}
REFUND_STEPS: Final[Mapping[RefundState, frozenset[RefundState]]] = {
    RefundState.WANTED: frozenset({RefundState.PENDING, RefundState.DONE, RefundState.FAILED}),
    RefundState.PENDING: frozenset({RefundState.DONE, RefundState.FAILED}),
    RefundState.DONE: frozenset({RefundState.FAILED}),  # a bank may send it back days later
    RefundState.FAILED: frozenset(),
}
