"""A deliberately naive handler, so that the run can be seen to fail: it checks, then acts, in several small transactions.

It is what is often written first: the webhook acts at once (no inbox), asks whether the gift is collected already,
reads the payment, then books it, adds to the campaign, marks the gift and queues the mail, each in a transaction of its
own, with names that are new each time, so that no unique key can help. It lives here alone.
"""

import json
import uuid
from typing import Any

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from koz.campaigns.models import Campaign
from koz.cli import main
from koz.core.access import access
from koz.core.clock import now
from koz.core.db import Uow, unit_of_work
from koz.core.web import csrf
from koz.factory import create_app
from koz.notifications.services import queue_mail
from koz.payments import ledger, queries
from koz.payments.gateway import PaymentGateway
from koz.payments.jobs import current_gateway
from koz.payments.models import Gift, GiftAttempt
from koz.payments.services import settle
from koz.payments.states import AttemptState, GiftState


def naive_look(uow: Uow, gateway: PaymentGateway, account_id: str, session_id: str) -> GiftState | None:
    """Check, then act."""
    with uow() as session:
        attempt = queries.find_attempt(session, session_id)
        gift = None if attempt is None else queries.get_gift(session, attempt.gift_id)
        if attempt is None or gift is None or gift.state is GiftState.COLLECTED:
            return None if gift is None else gift.state
    payment = gateway.fetch_payment(account_id, session_id)
    if payment.state != "paid":
        return gift.state
    with uow() as session:
        lines = {
            ledger.donors(gift.campaign_id): -payment.paid,
            ledger.provider(gift.organisation_id): payment.paid - payment.fee - payment.tip,
            ledger.fees(gift.organisation_id): payment.fee,
            ledger.TIPS: payment.tip,
        }
        cause = f"{payment.payment_id}:paid{uuid.uuid4().hex[:8]}"
        ledger.post(session, cause, lines, campaign_id=gift.campaign_id, gift_id=gift.id)
    with uow() as session:
        campaign = session.get_one(Campaign, gift.campaign_id)
        campaign.collected_minor += gift.amount_minor
        campaign.gifts += 1
        campaign.donors += 1
    with uow() as session:
        gift = session.get_one(Gift, gift.id)
        gift.state, gift.collected_at = GiftState.COLLECTED, now()
        attempt = session.get_one(GiftAttempt, attempt.id)
        attempt.state, attempt.payment_id = AttemptState.PAID, payment.payment_id
    with uow() as session:
        params: dict[str, Any] = {"title": "", "organisation": "", "amount_minor": 1, "tip_minor": 0, "path": "/"}
        queue_mail(session, "thanks", gift.email, gift.locale, params, f"thanks-{uuid.uuid4()}")
    return gift.state


@access("webhook")
def naive_webhook(endpoint: str) -> ResponseReturnValue:
    """Act at once."""
    event = json.loads(request.get_data())
    about = event.get("data", {}).get("object", {})
    metadata = about.get("metadata") or {}
    if event["type"] in {"checkout.session.completed", "payment_intent.succeeded"} and "koz_gift" in metadata:
        with unit_of_work() as session:
            attempt = queries.find_attempt_of_metadata(session, metadata, event["account"])
        if attempt is not None and attempt.session_id is not None:
            settle.look(unit_of_work, current_gateway(), attempt.account_id, attempt.session_id)
    return jsonify(received=True, endpoint=endpoint)


settle.look = naive_look

if __name__ == "__main__":
    import sys

    sys.argv[1:] = ["worker"]
    main()
else:
    app = create_app()
    app.view_functions["payments.webhook"] = naive_webhook
    csrf.exempt(naive_webhook)
