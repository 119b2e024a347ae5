"""Amounts: whole cents, no guessing, nothing lost in a split."""

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from koz.core.forms import AmountError, parse_amount, plain_amount
from koz.core.money import CurrencyMismatch, Money


@given(st.integers(-(10**12), 10**12), st.lists(st.integers(0, 10**6), min_size=1, max_size=12).filter(any))
def test_parts_add_up_to_the_whole(minor, weights):
    parts = Money(minor).split(weights)
    assert sum(p.minor for p in parts) == minor
    total = sum(weights)
    assert all(abs(p.minor * total - minor * w) < total for p, w in zip(parts, weights, strict=True))


def test_money_refuses_what_is_not_whole_cents():
    for wrong in (1.0, True, "1"):
        with pytest.raises(TypeError):
            Money(wrong)
    with pytest.raises(CurrencyMismatch):
        Money(1) + Money(1, "USD")


READ = {
    "12,50": 1250, "12.5": 1250, "1 234,56": 123456, "1.234,56": 123456, "1,234.56": 123456, " 20 €": 2000,
    "20€": 2000, "1\u202f000": 100000, "1\u00a0000,00 €": 100000, "0,01": 1, "5": 500, "12 eur": 1200,
    "20€50": 2050, "20 € 50": 2050, "€ 20": 2000, "1 234 567,8": 123456780, "１ ２３４，５０": 123450, "  7,5  euro": 750,
    "1’000": 100000, "12.50€": 1250, "1\u2009234": 123400, "\t20\n": 2000, "0": 0, "10000": 1000000,
    "1.234.567": 123456700, "1'000": 100000, "007": 700, "１２": 1200, "20 euros": 2000, "EUR 20": 2000,
}  # fmt: skip
REFUSED = (
    "", "abc", "1e400", "1e2", "nan", "inf", "-5", "+5", "12,505", "1,234", "1.234", "12..5", "1,2,3", "$20", "20 £",
    "12 50", "1 2", "20²", "①", "20€5", "20€500", "2€0€", "1 234 56", "12 34 567", "1'234 567", "20 € 50 €", "12\u202e34",
    "−5", "5-", "20 $CA", "¥20", "20 CHF", "20k", "2O", "l0", "twenty", "vingt", "1_000", "20;50", "20/2", "(20)", "1 000.000,00",
    "12, 50", "= 20", "20 usd", "Infinity", "1e-2", "0b1", "৫", "20.0.0", "1,234,56", "euros", "€", "20 bitcoins",
    "20 USD", "٣", "0x10", "1 234,5678", "9999999999999", "12,", ",5", ".5", "20%", "1.2345.678", "∞", "½",
)  # fmt: skip


@pytest.mark.parametrize(("typed", "minor"), READ.items())
def test_amounts_are_read_as_people_type_them(app: Flask, typed, minor):
    assert parse_amount(typed) == Money(minor)


@pytest.mark.parametrize("typed", REFUSED)
def test_what_would_need_guessing_is_refused_with_a_sentence(app: Flask, typed):
    with pytest.raises(AmountError) as refusal:
        parse_amount(typed)
    assert str(refusal.value).endswith(".")


@given(st.integers(0, 10**12))
def test_a_shown_amount_reads_back(minor):
    whole, _, cents = plain_amount(Money(minor)).partition(",")
    assert int(whole) * 100 + int(cents or 0) == minor
