"""Parameters of Stripe's calls, as the product sends them."""

from typing import Any


def checkout_params(amount: int = 2500, tip: int = 0, **changes: Any) -> dict[str, Any]:
    """A Checkout session in mode payment; `tip` adds a line and the application fee."""

    def item(name: str, minor: int) -> dict[str, Any]:
        return {"quantity": 1, "price_data": {"currency": "eur", "unit_amount": minor, "product_data": {"name": name}}}

    params: dict[str, Any] = {
        "mode": "payment", "submit_type": "donate", "locale": "fr", "line_items": [item("Don", amount)],
        "payment_intent_data": {"metadata": {"koz_gift": "7"}}, "metadata": {"koz_gift": "7"},
        "customer_email": "donor@koz.test", "client_reference_id": "gift-7",
        "success_url": "http://127.0.0.1:8000/thanks?s={CHECKOUT_SESSION_ID}", "cancel_url": "http://127.0.0.1:8000/no",
    }  # fmt: skip
    if tip:
        params["line_items"].append(item("Koz", tip))
        params["payment_intent_data"]["application_fee_amount"] = tip
    return params | changes


def account_params(**changes: Any) -> dict[str, Any]:
    """An organisation's account."""
    return {
        "display_name": "Eau Vive", "contact_email": "a@koz.test", "dashboard": "full",
        "identity": {"country": "fr", "entity_type": "non_profit"},
        "configuration": {"merchant": {"capabilities": {
            "card_payments": {"requested": True}, "sepa_debit_payments": {"requested": True}}}},
        "defaults": {"currency": "eur",
                     "responsibilities": {"fees_collector": "stripe", "losses_collector": "stripe"}},
        "include": ["configuration.merchant", "requirements"],
    } | changes  # fmt: skip
