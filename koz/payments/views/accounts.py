"""Setting up payments: the organisation's own account at the provider."""

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from koz.core.access import access, require_fresh, require_member
from koz.core.db import reading, unit_of_work
from koz.core.errors import Invalid
from koz.core.i18n import _
from koz.core.limits import limit
from koz.core.settings import current_settings
from koz.payments import queries
from koz.payments.gateway import ProviderDown, ProviderRefused
from koz.payments.jobs import current_gateway
from koz.payments.permissions import can_handle_money
from koz.payments.services import onboard
from koz.payments.views.blueprint import bp


@bp.get("/manage/organisations/<slug>/payments")
@access("owner")
def account(slug: str) -> ResponseReturnValue:
    """Where the account stands, and the next thing to do."""
    with reading() as session:
        page = queries.get_account_for(session, require_member(), slug, can_handle_money)
    return render_template("payments/account.html", organisation=page.organisation, account=page.account)


@bp.post("/manage/organisations/<slug>/payments/start")
@access("owner")
def start_account(slug: str) -> ResponseReturnValue:
    """Open the account where there is none yet and lead to the provider's forms, by a link that is good once."""
    with reading() as session:
        page = queries.get_account_for(session, require_member(), slug, can_handle_money)
    actor = require_fresh(url_for("payments.account", slug=slug))
    if not actor.email:
        raise Invalid(_("Your account has no e-mail address."))
    limit("account.start", str(page.organisation.id), "20/hour")
    base = current_settings().base_url
    command = onboard.StartOnboarding(
        organisation_id=page.organisation.id,
        email=actor.email,
        refresh_url=base + url_for("payments.account", slug=slug, again=1),
        return_url=base + url_for("payments.account_return", slug=slug),
    )
    return redirect(onboard.start(unit_of_work, current_gateway(), command), 303)


@bp.get("/manage/organisations/<slug>/payments/return")
@access("owner")
def account_return(slug: str) -> ResponseReturnValue:
    """Back from the provider's forms, which proves nothing: the account is read."""
    with reading() as session:
        page = queries.get_account_for(session, require_member(), slug, can_handle_money)
    provider_id = page.account.provider_id if page.account else None
    unread: int | None = None
    if provider_id is not None:
        try:
            onboard.look(unit_of_work, current_gateway(), provider_id)
        except (ProviderDown, ProviderRefused):
            unread = 1
    return redirect(url_for("payments.account", slug=slug, unread=unread), 303)
