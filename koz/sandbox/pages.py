"""The hosted pages for a person: Checkout, 3-D Secure, onboarding. French or English, no script, a banner on each.

A page only reads; a press is a POST, checked and carried out in one transaction, that ends in a redirection. A payment
that was declined stands in the PaymentIntent, so that reloading the page tells the same.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from koz.sandbox import texts
from koz.sandbox.api import door
from koz.sandbox.cards import CARDS, Card, by_name, read_number
from koz.sandbox.errors import Json
from koz.sandbox.objects import accounts, checkout, payments
from koz.sandbox.store import Tx

bp = Blueprint("pages", __name__)
TEST_IBAN: Final = "FR1420041010050500013M02606"
NAME: Final = "Camille Essai"


class Words:
    """The dictionary of a language: `t("pay", amount="…")`."""

    def __init__(self, language: str) -> None:
        self.language = language

    def __call__(self, key: str, **values: Any) -> str:
        """A text, with its values put in."""
        return texts.WORDS[self.language][key].format(**values)

    def money(self, minor: int) -> str:
        """Cents as text."""
        return texts.money(minor, self.language)


def words(locale: str | None = None) -> Words:
    """By `?lang=`, then the session's locale, then the browser; English when nothing fits."""
    for wanted in (request.args.get("lang"), (locale or "").split("-")[0]):
        if wanted in texts.WORDS:
            return Words(str(wanted))
    return Words(request.accept_languages.best_match(["fr", "en"]) or "en")


def page(
    template: str, t: Words, status: int = 200, goes_to: tuple[str | None, ...] = (), **values: Any
) -> ResponseReturnValue:
    """A page. `goes_to`: addresses to which its forms may end up redirecting."""
    response = make_response(render_template(f"{template}.html", t=t, **values), status)
    origins = {f"{urlsplit(url).scheme}://{urlsplit(url).netloc}" for url in goes_to if url}
    forms = " ".join(["'self'", *sorted(origins)])
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'self'; img-src 'self'; form-action {forms}; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
    response.headers["Content-Language"] = t.language
    return response


def merchant(tx: Tx, account: str) -> str:
    """Name of who gets the money."""
    found = tx.find("", accounts.OBJECT, account) if account else None
    return str((found or {}).get("display_name") or "Koz")


def back_url(session: Json) -> str:
    """Where a paid session leads."""
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])


# --- Checkout ---------------------------------------------------------------------------------------------------------


@bp.get("/c/pay/<id_>")
def pay(id_: str) -> ResponseReturnValue:
    """The payment page; or, when it is closed, what became of it."""
    with door().store.transaction() as tx:
        found = tx.locate(checkout.OBJECT, id_)
        if found is None:
            return not_found()
        account, session = found
        return _pay_page(tx, account, session)


@bp.post("/c/pay/<id_>")
def try_card(id_: str) -> ResponseReturnValue:
    """Try the card that was typed, or the test card that was pressed."""
    with door().store.transaction() as tx:
        found = tx.locate(checkout.OBJECT, id_)
        if found is None:
            return not_found()
        account, session = found
        if session["status"] == "complete":  # a second press, or another tab
            return redirect(back_url(session), 303)
        if session["status"] != "open":
            return redirect(url_for("pages.pay", id_=id_), 303)
        card, errors = _read_card(request.form, session, tx.now())
        if card is None or errors:
            return _pay_page(tx, account, session, errors)
        payer = {"name": request.form.get("name", "").strip() or NAME, "email": _email(request.form, session)}
        intent = checkout.pay(tx, account, session, card, payer)
    door().dispatcher.wake()
    return _onwards(session, intent)


def _onwards(session: Json, intent: Json) -> ResponseReturnValue:
    """Where a press leads: back to the site, to the bank's page, or to the payment page again."""
    if intent["status"] == "succeeded":
        return redirect(back_url(session), 303)
    if intent["status"] == "requires_action":
        return redirect(url_for("pages.bank", id_=session["id"]), 303)
    return redirect(url_for("pages.pay", id_=session["id"], lang=request.args.get("lang")), 303)


def _email(form: Mapping[str, str], session: Json) -> str:
    return session["customer_email"] or form.get("email", "").strip() or "donor@koz.test"


def _read_card(form: Mapping[str, str], session: Json, now: float) -> tuple[Card | None, dict[str, str]]:
    """The card, and by field the key of what is wrong. A pressed button needs nothing else."""
    if form.get("pressed"):
        return read_number(form["pressed"]), {}
    card = read_number(form.get("number", ""))
    errors: dict[str, str] = {}
    if card is None:
        errors["number"] = "bad_number"
    if not _is_future(form.get("expiry", ""), now):
        errors["expiry"] = "bad_expiry"
    if not re.fullmatch(r"\d{3,4}", form.get("cvc", "").strip(), re.ASCII):
        errors["cvc"] = "bad_cvc"
    if not form.get("name", "").strip():
        errors["name"] = "bad_name"
    if not session["customer_email"] and not checkout.EMAIL.fullmatch(form.get("email", "").strip()):
        errors["email"] = "bad_email"
    return card, errors


def _is_future(text: str, now: float) -> bool:
    """Whether a month as people type it (12/34, 1 2034) is not past."""
    found = re.fullmatch(r"\s*(0?[1-9]|1[0-2])\s*[/. -]?\s*(?:20)?(\d\d)\s*", text, re.ASCII)
    today = datetime.fromtimestamp(now, UTC)
    return found is not None and (2000 + int(found[2]), int(found[1])) >= (today.year, today.month)


def _pay_page(tx: Tx, account: str, session: Json, errors: dict[str, str] | None = None) -> ResponseReturnValue:
    t, name = words(session["locale"]), merchant(tx, account)
    if session["status"] != "open":
        complete = session["status"] == "complete"
        target = back_url(session) if complete else session["cancel_url"]
        return page("closed", t, 200 if complete else 410, complete=complete, target=target, host=_host(target))
    intent = tx.find(account, payments.INTENT, session["payment_intent"] or "")
    declined = (intent or {}).get("last_payment_error")
    if declined:
        code = declined.get("decline_code") or declined["code"]
        declined = t(f"declined.{code}")
    goes_to = (session["success_url"], session["cancel_url"])
    return page(
        "pay", t, 422 if errors else 200, goes_to, session=session, name=name, errors=errors or {}, declined=declined,
        typed=request.form, cards=list(CARDS.values()), host=_host(session["cancel_url"]),
        donate=session["submit_type"] == "donate",
    )  # fmt: skip


def _host(url: str | None) -> str:
    return urlsplit(url).netloc if url else ""


# --- 3-D Secure -------------------------------------------------------------------------------------------------------


@bp.get("/c/bank/<id_>")
def bank(id_: str) -> ResponseReturnValue:
    """What the donor's bank would show."""
    with door().store.transaction() as tx:
        found = tx.locate(checkout.OBJECT, id_)
        intent = tx.find(found[0], payments.INTENT, found[1]["payment_intent"] or "") if found else None
        if found is None or intent is None:
            return not_found()
        account, session = found
        if intent["status"] != "requires_action":
            return _onwards(session, intent)
        goes_to = (session["success_url"], session["cancel_url"])
        last4 = by_name(intent["_card"]).last4
        return page(
            "bank", words(session["locale"]), 200, goes_to, session=session, name=merchant(tx, account), last4=last4
        )


@bp.post("/c/bank/<id_>")
def answer_bank(id_: str) -> ResponseReturnValue:
    """Approve or refuse."""
    with door().store.transaction() as tx:
        found = tx.locate(checkout.OBJECT, id_)
        intent = tx.find(found[0], payments.INTENT, found[1]["payment_intent"] or "") if found else None
        if found is None or intent is None:
            return not_found()
        account, session = found
        if session["status"] == "open" and intent["status"] == "requires_action":
            approved = request.form.get("answer") == "approve"
            card = by_name(intent["_card"])
            intent = checkout.answer_bank(tx, account, session, card, approved=approved)
    door().dispatcher.wake()
    return _onwards(session, intent)


# --- onboarding -------------------------------------------------------------------------------------------------------


@bp.get("/onboarding/<code>")
def onboarding(code: str) -> ResponseReturnValue:
    """The page of an account link: it opens once, and for a few minutes. Opening it uses it up."""
    with door().store.transaction() as tx:
        link = tx.find("", accounts.LINK, f"link_{code}")
        if link is None:
            return not_found()
        if link["_used"] or link["_expires"] < tx.now():
            return _link_closed(link)
        link["_used"] = True
        tx.save(link)
        return _onboarding_page(tx, link)


@bp.post("/onboarding/<code>")
def finish_onboarding(code: str) -> ResponseReturnValue:
    """Filled in, or left: back to the site, where the account must be read again."""
    with door().store.transaction() as tx:
        link = tx.find("", accounts.LINK, f"link_{code}")
        if link is None:
            return not_found()
        if not link["_used"] or link["_expires"] + 3600 < tx.now():
            return _link_closed(link)
        how = request.form.get("how", "done")
        errors = _read_onboarding(request.form) if how != "leave" else {}
        if errors:
            return _onboarding_page(tx, link, errors)
        if how != "leave":
            accounts.set_state(tx, link["account"], "pending" if how == "pending" else "active")
    door().dispatcher.wake()
    target = link["use_case"]["account_onboarding"]
    return redirect(target.get("return_url") or target["refresh_url"], 303)


def _read_onboarding(form: Mapping[str, str]) -> dict[str, str]:
    errors = {}
    if not form.get("legal_name", "").strip():
        errors["legal_name"] = "bad_legal_name"
    if re.sub(r"\s", "", form.get("iban", "")) != TEST_IBAN:
        errors["iban"] = "bad_iban"
    return errors


def _onboarding_page(tx: Tx, link: Json, errors: dict[str, str] | None = None) -> ResponseReturnValue:
    account = tx.get("", accounts.OBJECT, link["account"])
    target = link["use_case"]["account_onboarding"]
    goes_to = (target.get("return_url"), target["refresh_url"])
    typed = request.form or {"legal_name": account["display_name"] or "", "iban": TEST_IBAN}
    return page(
        "onboarding", words(), 422 if errors else 200, goes_to, name=account["display_name"] or account["id"],
        typed=typed, errors=errors or {}, iban=TEST_IBAN,
    )  # fmt: skip


def _link_closed(link: Json) -> ResponseReturnValue:
    return page("link_closed", words(), 410, target=link["use_case"]["account_onboarding"]["refresh_url"])


def not_found() -> ResponseReturnValue:
    """No such page."""
    return page("not_found", words(), 404)
