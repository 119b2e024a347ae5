"""Stripe behind `PaymentGateway`: direct charges on the organisation's own account, hosted Checkout, no global state.

Facts: docs.stripe.com/connect/direct-charges, /api/checkout/sessions, /api/idempotent_requests, /webhooks/signature.
The SDK is pinned with its API version; `StripeClient` makes no retries unless told, and 429 is left to the caller.
"""

import json
from collections.abc import Mapping, Sequence
from threading import BoundedSemaphore
from typing import Any, Final

import stripe

from koz.core.money import Money
from koz.payments.gateway import (
    AccountOrder,
    BadSignature,
    CheckoutOrder,
    CheckoutPage,
    ProviderAccount,
    ProviderDown,
    ProviderEvent,
    ProviderPayment,
    ProviderRefund,
    ProviderRefused,
)

CONNECT_TIMEOUT_S: Final = 5
READ_TIMEOUT_S: Final = 10
#: Requests that one process has under way: when Stripe hangs, its other threads still serve pages.
MOST_AT_ONCE: Final = 2
#: How long a request waits for one of those places.
PLACE_WAIT_S: Final = 3.0
EXPAND: Final = ["payment_intent.latest_charge.balance_transaction"]
REFUND_EXPAND: Final = ["balance_transaction"]
ACCOUNT_INCLUDE: Final = ["configuration.merchant", "requirements"]
REFUND_STATES: Final = {"succeeded": "done", "failed": "failed", "canceled": "failed"}
ENTITIES: Final = {"association": "non_profit", "company": "company", "public_body": "government_entity"}
ENDPOINTS: Final = ("connect", "platform", "accounts")


class StripeGateway:
    """The adapter. `api_base` is Stripe's own address, or the sandbox's.

    A webhook secret counts for every endpoint, or for one when written as `connect:whsec_…`; each may have several,
    so that secrets can be rolled. `place_wait_s` is how long a request waits while others have all the places.
    """

    def __init__(
        self, key: str, webhook_secrets: tuple[str, ...], api_base: str, http_client: Any = None,
        place_wait_s: float = PLACE_WAIT_S,
    ) -> None:  # fmt: skip
        self._places, self._place_wait_s = BoundedSemaphore(MOST_AT_ONCE), place_wait_s
        stripe.enable_telemetry = False
        self.webhook_secrets = _by_endpoint(webhook_secrets)
        self.client = stripe.StripeClient(
            key,
            base_addresses={"api": api_base, "connect": api_base, "files": api_base},
            max_network_retries=2,
            http_client=http_client or stripe.RequestsClient(timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S)),
        )

    def open_account(self, order: AccountOrder) -> ProviderAccount:
        """Open an Accounts v2 account: full dashboard, Stripe collects its fees and bears losses (direct charges)."""
        requested = {"requested": True}
        params: dict[str, Any] = {
            "display_name": order.name, "contact_email": order.email, "dashboard": "full",
            "identity": {"country": "fr", "entity_type": ENTITIES.get(order.entity, "company")},
            "configuration": {
                "merchant": {"capabilities": {"card_payments": requested, "sepa_debit_payments": requested}}
            },
            "defaults": {
                "currency": "eur", "responsibilities": {"fees_collector": "stripe", "losses_collector": "stripe"},
            },
            "metadata": {"koz_account": str(order.row_id)}, "include": ACCOUNT_INCLUDE,
        }  # fmt: skip
        options: Any = {"idempotency_key": order.idempotency_key}
        accounts = self.client.v2.core.accounts
        return _account(self._call(lambda: accounts.create(params, options)))  # type: ignore[arg-type]

    def account_link(self, account_id: str, *, refresh_url: str, return_url: str) -> str:
        """A link to Stripe's onboarding forms. Not repeated under a key: each link is good once."""
        params: dict[str, Any] = {
            "account": account_id,
            "use_case": {
                "type": "account_onboarding",
                "account_onboarding": {"refresh_url": refresh_url, "return_url": return_url},
            },
        }
        links = self.client.v2.core.account_links
        url: str = self._call(lambda: links.create(params)).url  # type: ignore[arg-type]
        return url

    def fetch_account(self, account_id: str) -> ProviderAccount:
        """Read an account with its capabilities and requirements (v2 leaves them out unless asked for)."""
        accounts, params = self.client.v2.core.accounts, {"include": ACCOUNT_INCLUDE}
        return _account(self._call(lambda: accounts.retrieve(account_id, params)))  # type: ignore[arg-type]

    def open_checkout(self, order: CheckoutOrder) -> CheckoutPage:
        """Open a hosted page; the same order again (same key) gives the same page. Raises ProviderDown/Refused."""
        metadata = {"koz_gift": str(order.gift_id), "koz_attempt": str(order.attempt)}
        items = [_item(order.campaign_title, order.amount)]
        intent: dict[str, Any] = {"metadata": metadata}
        if order.tip:
            items.append(_item("Koz", order.tip))
            intent["application_fee_amount"] = order.tip.minor  # left out when there is no tip: 0 is refused
        params: dict[str, Any] = {
            "mode": "payment", "submit_type": "donate", "locale": order.locale, "line_items": items,
            "payment_intent_data": intent, "client_reference_id": f"gift-{order.gift_id}", "metadata": metadata,
            "success_url": order.success_url, "cancel_url": order.cancel_url,
        }  # fmt: skip
        if order.email is not None:  # forgotten with the donor's account
            params["customer_email"] = order.email
        options: Any = {"stripe_account": order.account_id, "idempotency_key": order.idempotency_key}
        page = self._call(lambda: self.client.v1.checkout.sessions.create(params, options))  # type: ignore[arg-type]
        if not page.url:
            raise ProviderRefused("checkout_not_open")
        return CheckoutPage(page.id, page.url)

    def expire_checkout(self, account_id: str, session_id: str) -> bool:
        """Close an open page; Stripe refuses when it is not open any more."""
        options: Any = {"stripe_account": account_id}
        try:
            self._call(lambda: self.client.v1.checkout.sessions.expire(session_id, None, options))
        except ProviderRefused:
            return False
        return True

    def fetch_payment(self, account_id: str, session_id: str) -> ProviderPayment:
        """Read a hosted page with its payment, charge and fees. Raises ProviderDown/Refused."""
        options: Any = {"stripe_account": account_id}
        page = self._call(
            lambda: self.client.v1.checkout.sessions.retrieve(session_id, {"expand": EXPAND}, options)
        ).to_dict()
        metadata = page.get("metadata") or {}
        base: dict[str, Any] = {
            "session_id": session_id, "account_id": account_id, "gift_id": _number(metadata.get("koz_gift")),
            "attempt": _number(metadata.get("koz_attempt")),
        }  # fmt: skip
        if page["payment_status"] == "paid":
            return _paid(base, page)
        return ProviderPayment(**base, state=_unpaid_state(page), failure=_failure(page))

    def refund(self, *, refund_id: int, account_id: str, payment_id: str, amount: Money, tip: Money) -> ProviderRefund:
        """Give back `amount + tip`; the tip's part comes from the application fee, in proportion."""
        params: dict[str, Any] = {
            "payment_intent": payment_id, "amount": (amount + tip).minor, "reason": "requested_by_customer",
            "metadata": {"koz_refund": str(refund_id)},
        }  # fmt: skip
        if tip:
            params["refund_application_fee"] = True  # refused by Stripe where there was no fee
        params["expand"] = REFUND_EXPAND
        options: Any = {"stripe_account": account_id, "idempotency_key": f"refund-{refund_id}"}
        return _refund(self._call(lambda: self.client.v1.refunds.create(params, options)).to_dict())  # type: ignore[arg-type]

    def fetch_refund(self, account_id: str, provider_id: str) -> ProviderRefund:
        """Read a refund with what it moved."""
        options: Any = {"stripe_account": account_id}
        refunds = self.client.v1.refunds
        return _refund(self._call(lambda: refunds.retrieve(provider_id, {"expand": REFUND_EXPAND}, options)).to_dict())

    def list_refunds(self, account_id: str, payment_id: str) -> Sequence[ProviderRefund]:
        """Up to 100 refunds of a PaymentIntent (or, by its id, of a charge), latest first."""
        options: Any = {"stripe_account": account_id}
        of = "charge" if payment_id.startswith("ch_") else "payment_intent"
        params: Any = {of: payment_id, "limit": 100, "expand": ["data.balance_transaction"]}
        found = self._call(lambda: self.client.v1.refunds.list(params, options))
        return [_refund(one) for one in found.to_dict()["data"]]

    def read_event(self, body: bytes, signature: str, endpoint: str) -> ProviderEvent:
        """Check the signature over the raw body with each secret of the endpoint. Raises BadSignature."""
        text = _text(body)
        for secret in self.webhook_secrets.get(endpoint, ()):
            try:
                stripe.WebhookSignature.verify_header(text, signature, secret, tolerance=300)
            except stripe.SignatureVerificationError:
                continue
            return _event(text)
        raise BadSignature("no secret fits")

    def _call(self, request: Any) -> Any:
        """Run a request; Stripe's errors become ours: refused (it said no) or down (the outcome is unknown)."""
        if not self._places.acquire(timeout=self._place_wait_s):
            raise ProviderDown("busy")
        try:
            return request()
        except (
            stripe.RateLimitError, stripe.APIConnectionError, stripe.APIError, stripe.AuthenticationError,
        ) as error:  # fmt: skip
            raise ProviderDown(type(error).__name__) from error  # a wrong key of ours is no answer about this payment
        except stripe.StripeError as error:
            inner = getattr(error.error, "code", None)  # the SDK hands the code on for some kinds of errors only
            raise ProviderRefused(error.code or inner or type(error).__name__) from error
        finally:
            self._places.release()


def _item(name: str, amount: Money) -> dict[str, Any]:
    price = {
        "currency": amount.currency.lower(),
        "unit_amount": amount.minor,
        "product_data": {"name": name},
    }
    return {"quantity": 1, "price_data": price}


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None


def _by_endpoint(secrets: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    """Secrets of each endpoint: those that name it, and those that name none."""
    found: dict[str, list[str]] = {endpoint: [] for endpoint in ENDPOINTS}
    for secret in secrets:
        name, colon, bare = secret.partition(":")
        for endpoint in [name] if colon else ENDPOINTS:
            found.setdefault(endpoint, []).append(bare if colon else secret)
    return {endpoint: tuple(held) for endpoint, held in found.items()}


def _account(account: Any) -> ProviderAccount:
    """Active only when cards can be charged; restricted when Stripe refuses it for good."""
    read = account.to_dict()
    merchant = (read.get("configuration") or {}).get("merchant") or {}
    cards = ((merchant.get("capabilities") or {}).get("card_payments") or {}).get("status")
    entries = (read.get("requirements") or {}).get("entries") or []
    mine = [e for e in entries if e.get("awaiting_action_from") == "user"]
    words = tuple(dict.fromkeys(str(e.get("description") or "") for e in mine if e.get("description")))
    state = "active" if cards == "active" else "restricted" if cards in {"rejected", "unsupported"} else "to_finish"
    return ProviderAccount(provider_id=read["id"], state=state, requirements=words[:30])


def _paid(base: dict[str, Any], page: dict[str, Any]) -> ProviderPayment:
    intent = page["payment_intent"]
    charge = intent["latest_charge"]
    booked = charge["balance_transaction"]
    currency = page["currency"].upper()
    if not isinstance(booked, dict):  # Stripe books a moment after the charge: look again later
        raise ProviderDown("balance_transaction is not there yet")
    tip = intent.get("application_fee_amount") or 0
    fee = sum(part["amount"] for part in booked["fee_details"] if part["type"] != "application_fee")
    return ProviderPayment(
        **base, state="paid", payment_id=intent["id"], paid=Money(page["amount_total"], currency),
        fee=Money(fee, currency), tip=Money(tip, currency),
    )  # fmt: skip


def _unpaid_state(page: dict[str, Any]) -> str:
    """A page that is not paid: open, expired, or complete with the money under way, which may have failed since."""
    if page["status"] in {"open", "expired"}:
        return str(page["status"])
    intent = page.get("payment_intent")
    given_up = isinstance(intent, dict) and intent.get("status") in {"requires_payment_method", "canceled"}
    return "expired" if given_up else "unpaid"


def _failure(page: dict[str, Any]) -> str | None:
    """Why the last try on an unpaid page was refused, in Stripe's code."""
    intent = page.get("payment_intent")
    error = (intent.get("last_payment_error") if isinstance(intent, dict) else None) or {}
    code = error.get("decline_code") or error.get("code")
    return str(code)[:80] if code else None


def _refund(read: dict[str, Any]) -> ProviderRefund:
    """A refund; what came back of Koz's part is the (negative) application fee of what it moved, where that is told."""
    currency = read["currency"].upper()
    moved = read.get("balance_transaction")
    fee_back = None
    if isinstance(moved, dict):
        fees = [part["amount"] for part in moved.get("fee_details") or [] if part["type"] == "application_fee"]
        fee_back = Money(-sum(fees), currency) if fees else None
    return ProviderRefund(
        provider_id=read["id"], payment_id=str(read.get("payment_intent") or ""),
        state=REFUND_STATES.get(read.get("status") or "", "pending"), amount=Money(read["amount"], currency),
        fee_back=fee_back, refund_id=_number((read.get("metadata") or {}).get("koz_refund")),
        failure=read.get("failure_reason"),
    )  # fmt: skip


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise BadSignature("not UTF-8") from None


def _event(text: str) -> ProviderEvent:
    try:
        event = json.loads(text)
        related = event.get("related_object") or {}
        found = (event.get("data") or {}).get("object", {}).get("id") or related.get("id")
        account = event.get("account") or event.get("context")
        if related.get("type") == "v2.core.account":  # thin events of accounts speak of the account itself
            account = related["id"]
        return ProviderEvent(
            external_id=event["id"], type=event["type"], live=bool(event["livemode"]), account_id=account,
            object_id=found, payload=event,
        )  # fmt: skip
    except (ValueError, KeyError, AttributeError):
        raise BadSignature("not an event") from None
