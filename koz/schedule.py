"""Periodic jobs as (name, every how many seconds). Names are strings; the worker compares them with the registry."""

from typing import Final

PERIODIC: Final[tuple[tuple[str, int], ...]] = (
    ("accounts.tidy", 3600),
    ("outbox.relay", 20),
    ("notifications.send_due", 30),
    ("notifications.tidy", 600),
    ("payments.apply_inbox", 20),
    ("payments.sweep", 120),
)
