"""Forgetting what is no longer needed."""

from koz.accounts import services
from koz.core.db import unit_of_work
from koz.core.jobs import job


@job("accounts.tidy", timeout_s=120)
def tidy() -> None:
    """Delete ended sessions and old requests; empty the addresses of old invitations."""
    with unit_of_work() as session:
        services.forget_old(session)
