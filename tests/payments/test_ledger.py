"""The books: each posting adds up to zero and stays; the database says so to whoever tries otherwise."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from koz.core.db import db, unit_of_work
from koz.core.money import Money
from koz.payments import ledger


def test_a_cause_is_booked_once(committed_app):
    lines = {"donors:1": Money(-500), "provider:1": Money(475), "fees:1": Money(25), "tips": Money(0)}
    with unit_of_work() as session:
        assert ledger.post(session, "pi_1:paid", lines, campaign_id=None)
        assert not ledger.post(session, "pi_1:paid", lines, campaign_id=None)
    with unit_of_work() as session:
        assert ledger.balance(session, "donors:1") == Money(-500)
        assert ledger.check(session).lines == 3


def test_an_unbalanced_posting_is_a_bug(committed_app):
    with pytest.raises(AssertionError), unit_of_work() as session:
        ledger.post(session, "x", {"tips": Money(1), "donors:1": Money(-2)}, campaign_id=None)


ATTACKS = (
    "UPDATE ledger_lines SET minor = minor + 1",
    "DELETE FROM ledger_lines",
    "TRUNCATE ledger_lines CASCADE",
    "UPDATE ledger_postings SET cause = 'other'",
    "DELETE FROM ledger_postings",
    "INSERT INTO ledger_lines (posting_id, account, minor, currency) VALUES (1, 'tips', 1, 'EUR')",
    "INSERT INTO ledger_lines (posting_id, account, minor, currency) VALUES (1, 'tips', 0, 'EUR')",
    "INSERT INTO ledger_lines (posting_id, account, minor, currency) VALUES (1, 'Robert; --', 1, 'EUR')",
    "INSERT INTO ledger_postings (cause, at) VALUES ('empty', now())",
    "INSERT INTO ledger_postings (cause, at) VALUES ('pi_1:paid', now())",
    "INSERT INTO ledger_lines (posting_id, account, minor, currency) VALUES (1, 'tips', 1, 'EUR'), (1, 'fees:2', -1, 'USD')",
)


@pytest.mark.parametrize("attack", ATTACKS)
def test_raw_sql_cannot_spoil_the_books(committed_app, attack):
    with unit_of_work() as session:
        ledger.post(session, "pi_1:paid", {"donors:1": Money(-5), "provider:1": Money(5)}, campaign_id=None)
    with pytest.raises(DBAPIError), db.engine.begin() as connection:
        connection.execute(text(attack))
    with unit_of_work() as session:
        assert ledger.check(session).balanced
        assert ledger.check(session).lines == 2


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 10**9)), max_size=12))
def test_whatever_is_posted_in_whatever_order_the_books_balance(app_of_session, postings):
    with app_of_session.app_context(), db.engine.connect() as connection:
        transaction = connection.begin()
        session = db.session.session_factory(bind=connection, join_transaction_mode="create_savepoint")
        seen = {}
        with session.no_autoflush:
            for cause, minor in postings:
                lines = {"donors:1": Money(-minor), "provider:1": Money(minor)}
                assert ledger.post(session, str(cause), lines, campaign_id=None) == (cause not in seen)
                seen.setdefault(cause, minor)
        assert ledger.balance(session, "provider:1") == Money(sum(seen.values()))
        session.close()
        transaction.rollback()
