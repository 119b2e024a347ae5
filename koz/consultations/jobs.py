"""Periodic: consultations whose last day is over are closed."""

from koz.consultations import services
from koz.core.db import unit_of_work
from koz.core.jobs import job


@job("consultations.close_due", timeout_s=120)
def close_due() -> int:
    """Close what is due. Returns how many."""
    return services.close_due(unit_of_work)
