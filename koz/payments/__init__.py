"""Gifts, Stripe, inbox, ledger."""
