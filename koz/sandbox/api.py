"""The front door of `/v1` and `/v2`: key, version, contract, what is not here, faults, idempotency; then the operation.

Order: 401 → wrong version 400 → unknown address 404 → contract 400 → not in the sandbox 400 → injected fault → 403 for
an account that is not connected → idempotency → the operation, in one transaction with its events and its kept answer.
"""

import json
import logging
from collections import Counter
from urllib.parse import parse_qsl

import stripe
from flask import Blueprint, Request, Response, current_app, request

from koz.sandbox import calls, contract, faults, idempotency
from koz.sandbox.errors import ApiError, Json, invalid, not_here
from koz.sandbox.idempotency import Answer, InFlight, Keyed
from koz.sandbox.objects.accounts import require
from koz.sandbox.store import Store, Tx, new_id
from koz.sandbox.webhooks import Dispatcher

log = logging.getLogger(__name__)
bp = Blueprint("api", __name__)
MAX_BODY = 1024 * 1024


class Door:
    """What the front door remembers while the process lives."""

    def __init__(self, store: Store, dispatcher: Dispatcher) -> None:
        self.store, self.dispatcher = store, dispatcher
        self.in_flight = InFlight()
        #: Parameters that were accepted without effect, by operation and name.
        self.ignored: Counter[str] = Counter()
        self.requests: Counter[str] = Counter()


def door() -> Door:
    """The door of the running application."""
    found = current_app.extensions["koz_sandbox"]
    assert isinstance(found, Door)
    return found


@bp.route("/v1/<path:rest>", methods=["GET", "POST", "DELETE"])
@bp.route("/v2/<path:rest>", methods=["GET", "POST", "DELETE"])
def api(rest: str) -> Response:  # noqa: ARG001
    """Answer any call to Stripe's API."""
    request.max_content_length = MAX_BODY
    request_id = new_id("req_", 14)
    try:
        answer = _answer(request_id)
    except ApiError as error:
        answer = Answer(error.status, error.body())
    except Exception:
        log.exception("the sandbox failed at %s %s", request.method, request.path)
        answer = Answer(500, ApiError(500, "The Koz sandbox failed; its log says why.", type_="api_error").body())
    return _response(answer, request_id)


def _response(answer: Answer, request_id: str) -> Response:
    response = Response(json.dumps(answer.body), answer.status, mimetype="application/json")
    response.headers["Request-Id"] = request_id
    response.headers["Stripe-Version"] = stripe.api_version
    for name in ("Idempotency-Key", "Stripe-Account"):
        if request.headers.get(name):
            response.headers[name] = request.headers[name]
    if answer.original is not None:
        response.headers["Idempotent-Replayed"] = "true"
        response.headers["Original-Request"] = answer.original
    return response


def _answer(request_id: str) -> Answer:
    here = door()
    check_key(request.headers.get("Authorization", ""))
    check_version(request.headers.get("Stripe-Version"))
    verb, path = request.method.lower(), request.path.rstrip("/")
    found = contract.find(verb, path)
    if found is None:
        words = (f"Unrecognized request URL ({request.method}: {path}). If you are trying to list objects, remove the "
                 "trailing slash. If you are trying to retrieve an object, make sure you passed a valid (non-empty) "
                 "identifier in your code.")  # fmt: skip
        raise ApiError(404, words)
    operation, ids = found
    params = operation.read(read_params(request, is_v2=operation.is_v2))
    implemented = calls.REGISTRY.get((verb, operation.path))
    here.requests[f"{verb} {operation.path}"] += 1
    if implemented is None:
        raise not_here(f"{request.method} {operation.path}")
    here.ignored.update(f"{verb} {operation.path}: {name}" for name in implemented.unused(params))
    account = request.headers.get("Stripe-Account") or request.headers.get("Stripe-Context") or ""
    key = request.headers.get("Idempotency-Key") if verb != "get" else None
    keyed = None
    if key is not None:
        idempotency.check_key(key)
        call_print = idempotency.fingerprint(verb, path, params)
        keyed = Keyed(account=account, key=key, call=call_print, request_id=request_id, is_v2=operation.is_v2)
    call = {"account": account, "params": params, "ids": ids, "base_url": request.host_url.rstrip("/")}
    with here.store.transaction() as tx:
        fault = faults.draw(tx)
        hold_s = (faults.NONE | tx.setting("faults", {}))["hold_s"] if fault == "timeout" else 0
    if fault in {"429", "500"}:
        raise faults.error(fault)
    if fault == "reset":
        request.environ[faults.CUT] = ("reset", 0)
        return Answer(500, {})
    answer = _guarded(here, implemented, keyed, call, fault)
    if fault == "timeout":
        request.environ[faults.CUT] = ("timeout", hold_s)
    if verb != "get":
        here.dispatcher.wake()
    return answer


def _guarded(here: Door, implemented: calls.Implemented, keyed: Keyed | None, call: Json, fault: str | None) -> Answer:
    """One transaction for the effect and the kept answer; the key is held meanwhile."""
    if keyed is None:
        with here.store.transaction() as tx:
            return _run(tx, implemented, keyed, call, fault)
    with here.in_flight.hold(keyed.account, keyed.key), here.store.transaction() as tx:
        tx.request = {"id": keyed.request_id, "idempotency_key": keyed.key}
        return _run(tx, implemented, keyed, call, fault)


def _run(tx: Tx, implemented: calls.Implemented, keyed: Keyed | None, call: Json, fault: str | None) -> Answer:
    require(tx, call["account"])

    def operate() -> Json:
        if fault == "500_kept":
            raise faults.error(fault)
        return implemented.run(calls.Call(tx=tx, **call))

    if keyed is None:
        return idempotency.execute(tx, operate)
    return idempotency.execute_once(tx, keyed, operate)


def check_key(header: str) -> None:
    """Only test keys. Raises ApiError 401."""
    scheme, _, key = header.partition(" ")
    if scheme.lower() != "bearer" or not key:
        words = ("You did not provide an API key. You need to provide your API key in the Authorization header, using "
                 "Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').")  # fmt: skip
        raise ApiError(401, words)
    if key.startswith(("sk_live_", "rk_live_")):
        raise ApiError(401, "This is the Koz sandbox: it refuses live keys. Use a test key (sk_test_...).")
    if not key.startswith("sk_test_") or len(key) <= len("sk_test_"):
        raise ApiError(401, f"Invalid API Key provided: {key[:8]}{'*' * 8}")


def check_version(version: str | None) -> None:
    """Only the version of the installed SDK. Raises ApiError 400."""
    if version and version != stripe.api_version:
        words = (f"The Koz sandbox speaks only Stripe API version {stripe.api_version}, the one of the installed SDK; "
                 f"the request asks for {version}.")  # fmt: skip
        raise ApiError(400, words)


def read_params(asked: Request, *, is_v2: bool) -> Json:
    """The parameters as sent, nested. Raises ApiError when they cannot be read."""
    if asked.method in {"GET", "DELETE"} and not (is_v2 and asked.method == "DELETE"):
        return contract.nested(parse_qsl(asked.query_string.decode("utf-8", "replace"), keep_blank_values=True))
    try:
        body = asked.get_data().decode()
        if not is_v2:
            return contract.nested(parse_qsl(body, keep_blank_values=True, max_num_fields=2000))
        found = json.loads(body or "{}")
    except ValueError:
        raise invalid("The body of the request cannot be read.") from None
    if not isinstance(found, dict):
        raise invalid("The body of the request must be a JSON object.")
    return found
