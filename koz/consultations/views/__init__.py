"""Addresses of consultations, one module a kind of visitor: all may read, members with a proved address take part."""

from koz.consultations.views import preparing, reading, voting, writing
from koz.consultations.views.blueprint import bp

__all__ = ["bp", "preparing", "reading", "voting", "writing"]
