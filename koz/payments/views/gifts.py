"""The organisation's desk of gifts: the list of a campaign, one gift, giving money back."""

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from koz.campaigns import queries as campaigns
from koz.core.access import Actor, access, require_fresh, require_member
from koz.core.db import reading, unit_of_work
from koz.core.errors import Invalid
from koz.core.forms import plain_amount
from koz.core.paging import after_page, parse_after
from koz.payments import queries
from koz.payments.forms import RefundForm
from koz.payments.gateway import ProviderDown
from koz.payments.jobs import current_gateway
from koz.payments.permissions import can_handle_money, can_see_gifts
from koz.payments.services import refund
from koz.payments.views.blueprint import bp

PER_PAGE = 50


@bp.get("/manage/campaigns/<slug>/gifts")
@access("owner")
def campaign_gifts(slug: str) -> ResponseReturnValue:
    """Gifts of a campaign, latest first; addresses are for owners and treasurers."""
    actor = require_member()
    with reading() as session:
        campaign = campaigns.get_campaign_for(session, actor, slug, lambda a, c: can_see_gifts(a, c.organisation_id))
        before = parse_after(request.args.get("after"))
        rows = queries.list_gifts(session, campaign.id, before=before, limit=PER_PAGE + 1)
    page = after_page(rows, PER_PAGE, lambda gift: gift.id)
    body = render_template(
        "payments/gifts.html",
        campaign=campaign,
        page=page,
        sees_addresses=can_handle_money(actor, campaign.organisation_id),
    )
    answer = make_response(body)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.route("/manage/gifts/<int:gift_id>", methods=["GET", "POST"])
@access("owner")
def manage_gift(gift_id: int) -> ResponseReturnValue:
    """One gift, and giving all or a part of it back."""
    actor = require_member()
    with reading() as session:
        story = queries.get_story_for(session, actor, gift_id, can_handle_money)
    form = RefundForm()
    if request.method == "GET":
        form.amount.data = story.gift.left
    else:
        require_fresh(url_for("payments.manage_gift", gift_id=gift_id))
        if form.validate_on_submit() and _give_back(form, gift_id, actor):
            return redirect(url_for("payments.manage_gift", gift_id=gift_id), 303)
    body = render_template("payments/manage_gift.html", story=story, form=form, left=plain_amount(story.gift.left))
    answer = make_response(body, 422 if form.errors else 200)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _give_back(form: RefundForm, gift_id: int, actor: Actor) -> bool:
    """Write the refund down, then send it; if there is no answer, the job goes on. False: more than is left."""
    try:
        with unit_of_work() as session:
            refund_id = refund.want(session, form.to_command(gift_id, actor.id))
    except Invalid as error:
        form.amount.errors = [error.sentence]
        return False
    _send(refund_id)
    return True


def _send(refund_id: int) -> None:
    try:
        refund.send(unit_of_work, current_gateway(), refund_id)
    except ProviderDown:
        return  # the row is there, and the job sends it


@bp.post("/manage/gifts/<int:gift_id>/refunds/<int:refund_id>/again")
@access("owner")
def again(gift_id: int, refund_id: int) -> ResponseReturnValue:
    """Ask once more for the return of what was paid twice."""
    actor = require_member()
    with reading() as session:
        story = queries.get_story_for(session, actor, gift_id, can_handle_money)
    require_fresh(url_for("payments.manage_gift", gift_id=gift_id))
    if refund_id in {r.id for r in story.refunds}:
        with unit_of_work() as session:
            new_id = refund.want_surplus_again(session, refund_id, actor.id)
        _send(new_id)
    return redirect(url_for("payments.manage_gift", gift_id=gift_id), 303)
