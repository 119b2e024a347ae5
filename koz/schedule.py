"""Periodic jobs as (name, every how many seconds). Names are strings; the worker compares them with the registry."""

from typing import Final

PERIODIC: Final[tuple[tuple[str, int], ...]] = (
    ("accounts.tidy", 3600),
    ("answers.calendar", 600),
    ("campaigns.close_due", 300),
    ("campaigns.tidy_followers", 3600),
    ("consultations.close_due", 60),
    ("matching.remind", 3600),
    ("matching.rounds", 3600),
    ("notifications.send_due", 30),
    ("notifications.tidy", 600),
    ("outbox.relay", 20),
    ("payments.apply_inbox", 20),
    ("payments.send_refunds", 20),
    ("payments.sweep", 120),
    ("payments.tidy", 3600),
)
