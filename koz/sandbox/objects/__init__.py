"""Stripe's objects that the sandbox has, a module a kind; importing a module registers its operations."""

from koz.sandbox.objects import accounts, balance, checkout, events, fees, payments, refunds

__all__ = ["accounts", "balance", "checkout", "events", "fees", "payments", "refunds"]
