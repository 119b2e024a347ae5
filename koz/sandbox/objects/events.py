"""Events and where they are sent: webhook endpoints (v1) and event destinations (v2)."""

from typing import Any, Final

import stripe

from koz.sandbox.calls import Call, operation
from koz.sandbox.errors import Json, invalid, not_here
from koz.sandbox.render import metadata, show, show_list
from koz.sandbox.store import new_id
from koz.sandbox.webhooks import check_url, iso, set_endpoint

EVENT: Final = "event"
ENDPOINT: Final = "webhook_endpoint"
DESTINATION: Final = "v2.core.event_destination"
V2_EVENT: Final = "v2.core.event"


@operation("get", "/v1/events/{id}")
def retrieve(call: Call) -> Json:
    """An event."""
    return show(call.tx, call.account, call.tx.get(call.account, EVENT, call.ids[0]), call.params.get("expand"))


@operation("get", "/v1/events", "type types delivery_success", is_list=True)
def list_events(call: Call) -> Json:
    """Events of an account; `delivery_success=false`: those that some endpoint has not got."""
    params = call.params
    if "type" in params and "types" in params:
        raise invalid("You may only specify one of these parameters: type, types.", "types")
    kinds = params.get("types") or ([params["type"]] if "type" in params else None)
    found, cursor = _filtered(call, kinds)
    return show_list(call.tx, call.account, "/v1/events", (found, cursor), params.get("expand"))


def _filtered(call: Call, kinds: list[str] | None) -> tuple[list[Json], bool]:
    """Pages until enough events pass the filters that are not columns of the store."""
    wanted, params = call.params.get("limit", 10), dict(call.params)
    if kinds is None and "delivery_success" not in params:
        return call.tx.page(call.account, EVENT, params)
    found: list[Json] = []
    params |= {"limit": 100}
    more = True
    while more and len(found) <= wanted:
        page, more = call.tx.page(call.account, EVENT, params)
        found += [event for event in page if _passes(call, event, kinds)]
        if not page or "ending_before" in params:
            break
        params["starting_after"] = page[-1]["id"]
    return found[:wanted], len(found) > wanted


def _passes(call: Call, event: Json, kinds: list[str] | None) -> bool:
    fits = kinds is None or any(
        event["type"] == kind or (kind.endswith("*") and event["type"].startswith(kind[:-1])) for kind in kinds
    )
    if not fits or "delivery_success" not in call.params:
        return fits
    query = "SELECT COUNT(*), COUNT(*) FILTER (WHERE state != 'delivered') FROM deliveries WHERE event = ?"
    total, open_ = call.tx.sql(query, (event["id"],)).fetchone()
    return bool(open_ == 0 and total) if call.params["delivery_success"] else bool(open_)


@operation("get", "/v2/core/events/{id}")
def retrieve_v2(call: Call) -> Json:
    """A v2 event with the data that its thin notification leaves out."""
    found = call.tx.get("", V2_EVENT, call.ids[0])
    if call.account and call.account != found["_account"]:
        call.tx.get(call.account, V2_EVENT, call.ids[0])  # raises 404
    shown = {key: value for key, value in found.items() if not key.startswith("_")}
    return shown | {"changes": None} | ({"data": found["_data"]} if found["_data"] else {})


@operation("post", "/v1/webhook_endpoints", "url connect enabled_events api_version description")
def create_endpoint(call: Call) -> Json:
    """Have snapshot events sent somewhere. The secret is shown now and never again."""
    params = call.params
    check_url(params["url"])
    if params.get("api_version", stripe.api_version) != stripe.api_version:
        raise not_here(f"The API version {params['api_version']}", "api_version")
    secret = new_id("whsec_", 32)
    endpoint: Json = {
        "id": new_id("we_1"), "object": ENDPOINT, "api_version": params.get("api_version"), "application": None,
        "created": call.now, "description": params.get("description") or None,
        "enabled_events": params["enabled_events"], "livemode": False, "metadata": metadata(params),
        "status": "enabled", "url": params["url"],
    }  # fmt: skip
    call.tx.insert(call.account, endpoint)
    kind = "connect" if params.get("connect") else "platform"
    set_endpoint(call.tx, endpoint["id"], kind, params["url"], secret, params["enabled_events"])
    return endpoint | {"secret": secret}


@operation("get", "/v1/webhook_endpoints", is_list=True)
def list_endpoints(call: Call) -> Json:
    """The endpoints made through the API."""
    page = call.tx.page(call.account, ENDPOINT, call.params)
    return show_list(call.tx, call.account, "/v1/webhook_endpoints", page, call.params.get("expand"))


@operation(
    "post", "/v2/core/event_destinations",
    """name description type event_payload enabled_events events_from webhook_endpoint.url include
       snapshot_api_version""",
)  # fmt: skip
def create_destination(call: Call) -> Json:
    """Have thin events about connected accounts sent somewhere."""
    params = call.params
    if params["type"] != "webhook_endpoint" or params["event_payload"] != "thin":
        raise not_here("An event destination other than a webhook endpoint with thin events", "event_payload")
    if "webhook_endpoint" not in params:
        raise invalid("webhook_endpoint.url is required.", "webhook_endpoint.url", "parameter_missing")
    url = params["webhook_endpoint"]["url"]
    check_url(url)
    secret = new_id("whsec_", 32)
    include = params.get("include", [])
    shown: dict[str, Any] = {
        "signing_secret": secret if "webhook_endpoint.signing_secret" in include else None,
        "url": url if "webhook_endpoint.url" in include else None,
    }  # fmt: skip
    destination: Json = {
        "id": new_id("ed_test_", 40), "object": DESTINATION, "created": iso(call.now),
        "description": params.get("description", ""), "enabled_events": params["enabled_events"],
        "event_payload": "thin", "events_from": params.get("events_from", ["@self"]), "livemode": False,
        "metadata": metadata(params), "name": params["name"], "snapshot_api_version": None, "status": "enabled",
        "status_details": None, "type": "webhook_endpoint", "updated": iso(call.now), "amazon_eventbridge": None,
        "azure_event_grid": None,
    }  # fmt: skip
    call.tx.insert("", destination)
    set_endpoint(call.tx, destination["id"], "accounts", url, secret, params["enabled_events"])
    return destination | {"webhook_endpoint": shown}
