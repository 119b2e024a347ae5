"""The donor's way: the form, the hosted page of the provider, the page of their own gift. No account is needed."""

from flask import Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from koz.core.access import access, current_actor
from koz.core.db import reading, unit_of_work
from koz.core.errors import Conflict, TooMany, Unavailable
from koz.core.limits import limit
from koz.core.settings import current_settings
from koz.payments import queries
from koz.payments.forms import CHOICES, PRESETS, GiveForm
from koz.payments.gateway import ProviderDown, ProviderRefused
from koz.payments.jobs import current_gateway
from koz.payments.queries import GiftStory, Receiver
from koz.payments.services import give, settle
from koz.payments.states import AttemptState, GiftState
from koz.payments.views.blueprint import bp


def addresses(gift_id: int) -> tuple[str, str]:
    """Where the provider sends the donor: after paying, and after giving up."""
    page = current_settings().base_url + url_for("payments.gift", token=give.link_token(gift_id))
    return f"{page}?back=1", f"{page}?stopped=1"


@bp.route("/campaigns/<slug>/give", methods=["GET", "POST"])
@access("public")
def give_page(slug: str) -> ResponseReturnValue:
    """The form. On errors, and when the provider is down, what was typed stays."""
    with reading() as session:
        receiver = queries.get_receiver(session, slug)
    form = GiveForm()
    if not receiver.open:
        return _closed(receiver)
    if request.method == "GET":
        _prefill(form)
    if not form.validate_on_submit():
        return _form(form, receiver, 422 if form.errors else 200)
    limit("give.address", f"{request.remote_addr}:{slug}", "30/10minutes")
    limit("give.campaign", slug, "600/minute")
    command = form.to_command(receiver.campaign_id, current_actor().id)
    try:
        started = give.start(unit_of_work, current_gateway(), command, addresses)
    except Unavailable as error:
        return _form(form, receiver, error.status, problem=error.sentence)
    except Conflict:
        return _paid_or_closed(command, receiver)
    return redirect(started.url, 303)


def _form(form: GiveForm, receiver: Receiver, status: int, problem: str | None = None) -> ResponseReturnValue:
    page = render_template("payments/give.html", form=form, receiver=receiver, presets=PRESETS, problem=problem)
    answer = make_response(page, status)
    answer.headers["Cache-Control"] = "no-store"  # the back button must not bring an old one-time key
    if status == Unavailable.status:
        answer.headers["Retry-After"] = "5"
    return answer


def _closed(receiver: Receiver) -> ResponseReturnValue:
    status = 200 if request.method == "GET" else Conflict.status
    return render_template("payments/closed.html", receiver=receiver), status


def _paid_or_closed(command: give.OpenGift, receiver: Receiver) -> ResponseReturnValue:
    """The same form was paid before: to the page of that gift. Otherwise the campaign has just ended."""
    with reading() as session:
        known = queries.find_gift_by_form_key(session, command.form_key) if command.form_key else None
    if known is not None and known.collected_at is not None:
        return redirect(url_for("payments.gift", token=give.link_token(known.id)), 303)
    return _closed(receiver)


def _prefill(form: GiveForm) -> None:
    actor, amount = current_actor(), request.args.get("amount", "")
    form.email.data = actor.email or ""
    form.public_name.data = actor.name
    if amount in CHOICES:
        form.choice.data = amount


@bp.get("/gifts/<token>")
@access("public")
def gift(token: str) -> ResponseReturnValue:
    """The donor's own page: what happened to the gift and what will, as true as can be known now."""
    gift_id = give.gift_of_token(token)
    sure = _look(gift_id)
    with reading() as session:
        story = queries.get_story(session, gift_id)
    chapter = _chapter(story, back="back" in request.args, sure=sure)
    page = render_template("payments/gift.html", story=story, chapter=chapter, sure=sure, token=token)
    return private(make_response(page))


def private(answer: Response) -> Response:
    """A page that only its reader may keep, and whose address is a secret."""
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer


def _look(gift_id: int) -> bool:
    """Ask the provider about pages that may have been paid. False when it gave no answer to some."""
    with reading() as session:
        attempts = queries.list_attempts(session, gift_id)
    pending = [a for a in attempts if a.state in {AttemptState.OPEN, AttemptState.UNDER_WAY} and a.session_id]
    try:
        if pending:
            limit("gift.look", str(gift_id), "60/minute")
        for attempt in pending:
            settle.look(unit_of_work, current_gateway(), attempt.account_id, attempt.session_id or "")
    except (ProviderDown, ProviderRefused, TooMany):
        return False
    return True


def _chapter(story: GiftStory, *, back: bool, sure: bool) -> str:
    """Which of the page's texts is true: thanks, refunded, under_way, waiting, declined, unpaid."""
    gift, latest = story.gift, story.attempts[0] if story.attempts else None
    if gift.state is GiftState.REFUNDED:
        return "refunded"
    if gift.state is GiftState.COLLECTED:
        return "thanks"
    if latest is not None and latest.state is AttemptState.UNDER_WAY:
        return "under_way"
    if not sure:
        return "waiting"
    open_now = latest is not None and latest.state is AttemptState.OPEN
    if latest is not None and latest.failure:
        return "declined"
    return "waiting" if back and open_now else "unpaid"


@bp.post("/gifts/<token>/pay")
@access("public")
def pay(token: str) -> ResponseReturnValue:
    """A fresh hosted page for a gift that is not paid yet."""
    gift_id = give.gift_of_token(token)
    limit("gift.pay", str(gift_id), "20/10minutes")
    try:
        url = give.open_page(unit_of_work, current_gateway(), gift_id, addresses)
    except Conflict as error:
        with reading() as session:
            paid = queries.get_gift(session, gift_id).collected_at is not None
        if not paid:
            raise error from None
        url = url_for("payments.gift", token=token)
    return private(redirect(url, 303))  # type: ignore[arg-type]
