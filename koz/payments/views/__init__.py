"""Addresses of payments, one module a kind of visitor: donors, the organisation, everybody, the provider."""

from koz.payments.views import accounts, books, gifts, giving, webhooks
from koz.payments.views.blueprint import bp

#: A webhook has a signature. A donor's link is itself the secret that another site does not know; and its page sends no
#: referrer, which the check of forms over TLS asks for.
CSRF_EXEMPT = (webhooks.webhook, giving.pay)

__all__ = ["CSRF_EXEMPT", "accounts", "books", "bp", "gifts", "giving", "webhooks"]
