"""Accounts v2 and their onboarding links (docs.stripe.com/connect/accounts-v2).

A capability that was requested is `restricted` until its holder has filled the onboarding page, then `active` (or
`pending` while "Stripe verifies", which the control desk can end). Fields that a v2 account holds are null unless
`include` names them.
"""

import secrets
from typing import Any, Final

from koz.sandbox.calls import Call, operation
from koz.sandbox.errors import ApiError, Json, invalid
from koz.sandbox.render import metadata
from koz.sandbox.store import Tx, new_id
from koz.sandbox.webhooks import emit_thin, iso

OBJECT: Final = "v2.core.account"
LINK: Final = "v2.core.account_link"
LINK_LIVES_S: Final = 300
#: What must be filled in before a capability gets active, in the words of Stripe's requirement entries.
REQUIRED: Final = ("identity.business_details.registered_name", "identity.attestations.terms_of_service.account",
                   "defaults.profile.business_url", "external_account")  # fmt: skip
DETAILS: Final = {
    "active": [],
    "pending": [{"code": "requirements_pending_verification", "resolution": "no_resolution"}],
    "rejected": [{"code": "rejected_other", "resolution": "no_resolution"}],
    "restricted": [{"code": "requirements_past_due", "resolution": "provide_info"}],
}
CAPABILITIES: Final = ("card_payments", "cartes_bancaires_payments", "sepa_debit_payments")
USES: Final = """display_name contact_email dashboard identity.country identity.entity_type include defaults.currency
    defaults.responsibilities.fees_collector defaults.responsibilities.losses_collector defaults.locales""" + " ".join(
    f" configuration.merchant.capabilities.{name}.requested" for name in CAPABILITIES
)


@operation("post", "/v2/core/accounts", USES, ignores="contact_phone defaults.profile configuration.merchant.mcc")
def create(call: Call) -> Json:
    """A connected account, not yet able to take payments."""
    return _shown(open_account(call.tx, call.params), call.params.get("include", []))


@operation("get", "/v2/core/accounts/{id}", "include")
def retrieve(call: Call) -> Json:
    """An account with the parts that `include` names."""
    return _shown(call.tx.get("", OBJECT, call.ids[0]), call.params.get("include", []))


@operation(
    "post", "/v2/core/account_links",
    """account use_case.type use_case.account_onboarding.refresh_url use_case.account_onboarding.return_url
       use_case.account_onboarding.collection_options""",
)  # fmt: skip
def create_link(call: Call) -> Json:
    """A hosted onboarding page that opens once and for a short time."""
    use_case = call.params["use_case"]
    if use_case["type"] != "account_onboarding" or "account_onboarding" not in use_case:
        raise invalid("use_case[account_onboarding] is required when use_case[type] is account_onboarding", "use_case")
    call.tx.get("", OBJECT, call.params["account"], "account")
    code = secrets.token_urlsafe(24)
    link: Json = {
        "object": LINK, "account": call.params["account"], "created": iso(call.now), "livemode": False,
        "expires_at": iso(call.now + LINK_LIVES_S), "url": f"{call.base_url}/onboarding/{code}", "use_case": use_case,
    }  # fmt: skip
    call.tx.insert("", link | {"id": f"link_{code}", "_expires": call.now + LINK_LIVES_S, "_used": False})
    return link


def open_account(tx: Tx, params: Json) -> Json:
    """Create an account from v2 parameters. Raises ApiError on what Stripe refuses together."""
    responsibilities = params.get("defaults", {}).get("responsibilities", {})
    losses = responsibilities.get("losses_collector")
    if params.get("dashboard") == "express" and losses == "stripe":
        raise invalid("An express dashboard needs losses_collector to be application.", "dashboard")
    merchant = params.get("configuration", {}).get("merchant", {})
    asked = [name for name, each in merchant.get("capabilities", {}).items() if each.get("requested")]
    if asked and not params.get("identity", {}).get("country"):
        raise invalid("identity.country is required to request capabilities.", "identity.country", "parameter_missing")
    account: Json = {
        "id": new_id("acct_1", 15), "object": OBJECT, "applied_configurations": ["merchant"] if merchant else [],
        "closed": False, "contact_email": params.get("contact_email"), "created": iso(tx.now()),
        "contact_phone": None, "dashboard": params.get("dashboard"), "display_name": params.get("display_name"),
        "livemode": False, "metadata": metadata(params), "future_requirements": None,
        "defaults": _defaults(params), "identity": params.get("identity"),
        "configuration": {"customer": None, "merchant": None, "recipient": None},
        "requirements": _requirements("restricted" if asked else "active"),
    }  # fmt: skip
    if merchant:
        account["configuration"]["merchant"] = {
            "applied": True, "capabilities": {name: _capability("restricted") for name in asked},
        }  # fmt: skip
    return tx.insert("", account)


def set_state(tx: Tx, account_id: str, state: str) -> Json:
    """Make all requested capabilities active, pending, restricted or rejected; tell by thin events what changed."""
    assert state in DETAILS
    account = tx.get("", OBJECT, account_id)
    merchant = account["configuration"]["merchant"] or {"applied": True, "capabilities": {}}
    changed = [name for name, each in merchant["capabilities"].items() if each["status"] != state]
    merchant["capabilities"] = {name: _capability(state) for name in merchant["capabilities"]}
    account["configuration"]["merchant"] = merchant
    account["requirements"] = _requirements(state)
    tx.save(account)
    for name in changed:
        event_type = "v2.core.account[configuration.merchant].capability_status_updated"
        emit_thin(tx, account_id, event_type, {"updated_capability": name})
    if changed:
        emit_thin(tx, account_id, "v2.core.account[requirements].updated")
    return account


def require(tx: Tx, account_id: str) -> None:
    """Raises Stripe's 403 when a Stripe-Account header names an account that is not connected."""
    if account_id and tx.find("", OBJECT, account_id) is None:
        raise ApiError(
            403,
            f"The provided key does not have access to account '{account_id}' (or that account does not exist). "
            "Application access may have been revoked.",
            code="account_invalid",
        )


def can_take_cards(tx: Tx, account_id: str) -> bool:
    """Whether card payments are active. The platform itself can."""
    if not account_id:
        return True
    merchant = tx.get("", OBJECT, account_id)["configuration"]["merchant"] or {"capabilities": {}}
    return bool(merchant["capabilities"].get("card_payments", {}).get("status") == "active")


def _defaults(params: Json) -> Json | None:
    """As asked for; with losses and fees at Stripe, Stripe collects the requirements too."""
    defaults: Json | None = params.get("defaults")
    if defaults is None or "responsibilities" not in defaults:
        return defaults
    losses = defaults["responsibilities"].get("losses_collector")
    collector = "stripe" if losses == "stripe" else "application"
    return defaults | {"responsibilities": defaults["responsibilities"] | {"requirements_collector": collector}}


def _capability(state: str) -> Json:
    return {"status": state, "status_details": DETAILS[state]}


def _requirements(state: str) -> Json:
    if state in {"active", "rejected"}:
        return {"entries": [], "summary": None}
    awaiting, deadline = ("stripe", "currently_due") if state == "pending" else ("user", "past_due")
    entries: list[Any] = [
        {
            "awaiting_action_from": awaiting, "description": name, "errors": [],
            "impact": {"restricts_capabilities": [
                {"capability": "card_payments", "configuration": "merchant", "deadline": {"status": deadline}},
            ]},
            "minimum_deadline": {"status": deadline}, "reference": None,
            "requested_reasons": [{"code": "routine_onboarding"}],
        }
        for name in REQUIRED
    ]  # fmt: skip
    return {
        "entries": entries,
        "summary": {"minimum_deadline": {"status": deadline, "time": None}},
    }


def _shown(account: Json, include: list[str]) -> Json:
    """v2 answers null for what was not asked for."""
    shown = {key: value for key, value in account.items() if not key.startswith("_")}
    for name in ("configuration", "defaults", "identity", "requirements", "future_requirements"):
        if not any(asked.split(".")[0] == name for asked in include):
            shown[name] = None
    if shown["configuration"] is not None:
        parts = {asked.split(".")[1] for asked in include if asked.startswith("configuration.")}
        shown["configuration"] = {k: v if k in parts else None for k, v in shown["configuration"].items()}
    return shown
