"""Where the provider rings: events are checked, stored and answered; nothing is asked of the provider here."""

import structlog
from flask import jsonify, request
from flask.typing import ResponseReturnValue

from koz.core.access import access
from koz.core.db import unit_of_work
from koz.core.settings import current_settings
from koz.core.web import problem
from koz.payments import webhooks
from koz.payments.gateway import BadSignature
from koz.payments.jobs import current_gateway
from koz.payments.views.blueprint import bp

log = structlog.get_logger(__name__)
MAX_EVENT_BYTES = 512 * 1024


@bp.post("/webhooks/stripe/<any(connect,platform,accounts):endpoint>")
@access("webhook")
def webhook(endpoint: str) -> ResponseReturnValue:
    """Store a signed event and answer at once; nothing is asked of Stripe here."""
    request.max_content_length = MAX_EVENT_BYTES
    try:
        event = current_gateway().read_event(request.get_data(), request.headers.get("Stripe-Signature", ""), endpoint)
    except BadSignature:
        log.warning("webhook.bad_signature", endpoint=endpoint)
        return problem(400, "The signature does not fit the body.")
    if event.live != current_settings().live:
        log.warning("webhook.wrong_mode", endpoint=endpoint, type=event.type)
        return problem(400, "This event is of the other mode, live or test.")
    with unit_of_work() as session:
        new = webhooks.receive(session, endpoint, event)
    return jsonify(received=True, repeat=new is None)
