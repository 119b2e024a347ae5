"""Stripe behind `PaymentGateway`: direct charges on the organisation's own account, hosted Checkout, no global state.

Facts: docs.stripe.com/connect/direct-charges, /api/checkout/sessions, /api/idempotent_requests, /webhooks/signature.
The SDK is pinned with its API version; `StripeClient` makes no retries unless told, and 429 is left to the caller.
"""

import json
from typing import Any, Final

import stripe

from koz.core.money import Money
from koz.payments.gateway import (
    BadSignature,
    CheckoutOrder,
    CheckoutPage,
    ProviderDown,
    ProviderEvent,
    ProviderPayment,
    ProviderRefund,
    ProviderRefused,
)

CONNECT_TIMEOUT_S: Final = 5
READ_TIMEOUT_S: Final = 30
EXPAND: Final = ["payment_intent.latest_charge.balance_transaction"]
REFUND_STATES: Final = {"succeeded": "done", "failed": "failed", "canceled": "failed"}


class StripeGateway:
    """The adapter. `api_base` is Stripe's own address, or the sandbox's."""

    def __init__(self, key: str, webhook_secrets: tuple[str, ...], api_base: str, http_client: Any = None) -> None:
        stripe.enable_telemetry = False
        self.webhook_secrets = webhook_secrets
        self.client = stripe.StripeClient(
            key,
            base_addresses={"api": api_base, "connect": api_base, "files": api_base},
            max_network_retries=2,
            http_client=http_client or stripe.RequestsClient(timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S)),
        )

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
            "customer_email": order.email, "success_url": order.success_url, "cancel_url": order.cancel_url,
        }  # fmt: skip
        options: Any = {"stripe_account": order.account_id, "idempotency_key": order.idempotency_key}
        page = self._call(lambda: self.client.v1.checkout.sessions.create(params, options))  # type: ignore[arg-type]
        if not page.url:
            raise ProviderRefused("checkout_not_open")
        return CheckoutPage(page.id, page.url)

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
        state = {"open": "open", "expired": "expired"}.get(page["status"], "unpaid")
        return ProviderPayment(**base, state=state)

    def refund(self, *, refund_id: int, account_id: str, payment_id: str, amount: Money, tip: Money) -> ProviderRefund:
        """Give back `amount + tip`; the tip's part comes from the application fee, in proportion."""
        params: dict[str, Any] = {
            "payment_intent": payment_id, "amount": (amount + tip).minor, "reason": "requested_by_customer",
            "metadata": {"koz_refund": str(refund_id)},
        }  # fmt: skip
        if tip:
            params["refund_application_fee"] = True  # refused by Stripe where there was no fee
        options: Any = {"stripe_account": account_id, "idempotency_key": f"refund-{refund_id}"}
        refund = self._call(lambda: self.client.v1.refunds.create(params, options))  # type: ignore[arg-type]
        return ProviderRefund(refund.id, REFUND_STATES.get(refund.status or "", "pending"))

    def read_event(self, body: bytes, signature: str) -> ProviderEvent:
        """Check the signature over the raw body with each secret. Raises BadSignature."""
        text = _text(body)
        for secret in self.webhook_secrets:
            try:
                stripe.WebhookSignature.verify_header(text, signature, secret, tolerance=300)
            except stripe.SignatureVerificationError:
                continue
            return _event(text)
        raise BadSignature("no secret fits")

    def _call(self, request: Any) -> Any:
        """Run a request; Stripe's errors become ours: refused (it said no) or down (the outcome is unknown)."""
        try:
            return request()
        except (stripe.RateLimitError, stripe.APIConnectionError, stripe.APIError) as error:
            raise ProviderDown(type(error).__name__) from error
        except stripe.StripeError as error:
            raise ProviderRefused(error.code or type(error).__name__) from error


def _item(name: str, amount: Money) -> dict[str, Any]:
    price = {
        "currency": amount.currency.lower(),
        "unit_amount": amount.minor,
        "product_data": {"name": name},
    }
    return {"quantity": 1, "price_data": price}


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None


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


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise BadSignature("not UTF-8") from None


def _event(text: str) -> ProviderEvent:
    try:
        event = json.loads(text)
        found = event.get("data", {}).get("object", {}).get("id") or (event.get("related_object") or {}).get("id")
        return ProviderEvent(
            external_id=event["id"], type=event["type"], live=bool(event["livemode"]), account_id=event.get("account"),
            object_id=found, payload=event,
        )  # fmt: skip
    except (ValueError, KeyError, AttributeError):
        raise BadSignature("not an event") from None
