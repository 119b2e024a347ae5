"""Stripe's test cards with their meaning (docs.stripe.com/testing). No other number is accepted, none is kept whole."""

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Card:
    """A test card. `decline`: (code, decline_code). `secure`: asks for 3-D Secure. `refund`: how refunds go."""

    number: str
    name: str
    brand: str = "visa"
    country: str = "US"
    decline: tuple[str, str] | None = None
    secure: bool = False
    refund: str = "succeeded"  # or pending (then succeeded), fail (after having succeeded)
    button: bool = False

    @property
    def last4(self) -> str:
        """All that is kept."""
        return self.number[-4:]


CARDS: Final = {
    card.number: card
    for card in (
        Card("4242424242424242", "works", button=True),
        Card("5555555555554444", "works_mastercard", brand="mastercard"),
        Card("4000002500001001", "works_cb", brand="cartes_bancaires", country="FR"),
        Card("4000002500003155", "secure_once", secure=True, button=True),
        Card("4000002760003184", "secure_always", secure=True),
        Card("4000008260003178", "secure_no_funds", secure=True, decline=("card_declined", "insufficient_funds")),
        Card("4000000000000002", "declined", decline=("card_declined", "generic_decline"), button=True),
        Card("4000000000009995", "no_funds", decline=("card_declined", "insufficient_funds"), button=True),
        Card("4000000000009987", "lost", decline=("card_declined", "lost_card")),
        Card("4000000000009979", "stolen", decline=("card_declined", "stolen_card")),
        Card("4000000000000069", "expired", decline=("expired_card", "")),
        Card("4000000000000127", "bad_cvc", decline=("incorrect_cvc", "")),
        Card("4000000000000119", "error", decline=("processing_error", "")),
        Card("4000000000007726", "refund_pending", refund="pending"),
        Card("4000000000005126", "refund_fail", refund="fail"),
    )
}

MESSAGES: Final = {
    "generic_decline": "Your card was declined.",
    "insufficient_funds": "Your card has insufficient funds.",
    "lost_card": "Your card was declined.",
    "stolen_card": "Your card was declined.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "processing_error": "An error occurred while processing your card. Try again in a little bit.",
}


def read_number(text: str) -> Card | None:
    """The test card of a number as people type it, or None."""
    return CARDS.get(re.sub(r"[\s.\-\u00a0\u202f]", "", text))


def by_name(name: str) -> Card:
    """A test card by the name under which an intent remembers it."""
    return next(card for card in CARDS.values() if card.name == name)
