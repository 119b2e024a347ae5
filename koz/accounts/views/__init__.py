"""Pages of accounts, and the log-in behind every request."""

from koz.accounts.views import entry, organisations, second_factor, security
from koz.accounts.views.web import bp, init_login, next_address

__all__ = ["bp", "entry", "init_login", "next_address", "organisations", "second_factor", "security"]
