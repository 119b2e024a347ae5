"""An organisation's own account at the provider: our row first, then the account under the row's key, then its forms.

Coming back from the forms proves nothing: the account is read. Gifts are taken only while card payments are active.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from koz.accounts import queries as accounts
from koz.core.clock import now
from koz.core.db import Uow
from koz.core.errors import Unavailable
from koz.core.i18n import _
from koz.payments import queries
from koz.payments.gateway import AccountOrder, PaymentGateway, ProviderAccount, ProviderDown, ProviderRefused
from koz.payments.models import PaymentAccount
from koz.payments.states import AccountState


@dataclass(frozen=True, slots=True, kw_only=True)
class StartOnboarding:
    """Who starts it, and where the provider's forms lead back to."""

    organisation_id: int
    email: str
    refresh_url: str
    return_url: str


def start(uow: Uow, gateway: PaymentGateway, command: StartOnboarding) -> str:
    """Open the account where there is none yet, and return the address of its forms, good once.

    Raises Unavailable when the provider does not answer: pressing again goes on where it stopped.
    """
    with uow() as session:
        order, provider_id = _order(session, command)
    try:
        if provider_id is None:
            opened = gateway.open_account(order)
            provider_id = opened.provider_id
            with uow() as session:
                _keep(session, command.organisation_id, opened)
        return gateway.account_link(provider_id, refresh_url=command.refresh_url, return_url=command.return_url)
    except (ProviderDown, ProviderRefused):
        raise Unavailable(_("Stripe does not answer now. Nothing was lost: try again in a moment.")) from None


def look(uow: Uow, gateway: PaymentGateway, provider_id: str) -> AccountState | None:
    """Read an account and keep what it says. None when it is not one of ours. Raises ProviderDown, ProviderRefused."""
    with uow() as session:
        if queries.find_account_by_provider_id(session, provider_id) is None:
            return None
    asked_at = now()
    found = gateway.fetch_account(provider_id)
    with uow() as session:
        account = queries.find_account_by_provider_id(session, provider_id, lock=True)
        assert account is not None
        if account.read_at is None or account.read_at <= asked_at:  # a later look may have been quicker
            _apply(account, found, asked_at)
        return account.state


def _order(session: Session, command: StartOnboarding) -> tuple[AccountOrder, str | None]:
    values = {
        "organisation_id": command.organisation_id, "can_charge": False, "state": AccountState.TO_FINISH,
        "requirements": [], "contact_email": command.email, "created_at": now(),
    }  # fmt: skip
    session.execute(insert(PaymentAccount).values(values).on_conflict_do_nothing(index_elements=["organisation_id"]))
    account = queries.find_account(session, command.organisation_id)
    assert account is not None
    organisation = accounts.get_organisation(session, command.organisation_id)
    order = AccountOrder(
        row_id=account.id, name=organisation.name, email=account.contact_email, entity=_entity(organisation.kind)
    )
    return order, account.provider_id


def _entity(kind: str) -> str:
    return {"federation": "association", "other": "company"}.get(kind, str(kind))


def _keep(session: Session, organisation_id: int, opened: ProviderAccount) -> None:
    account = queries.find_account(session, organisation_id, lock=True)
    assert account is not None
    if account.provider_id is None:
        account.provider_id = opened.provider_id
        _apply(account, opened, now())


def _apply(account: PaymentAccount, found: ProviderAccount, read_at: datetime) -> None:
    was = account.state
    account.state = AccountState(found.state)
    if account.state is AccountState.TO_FINISH and was is not AccountState.TO_FINISH:
        account.state = AccountState.RESTRICTED  # it could take gifts before: this is not a form to finish
    account.can_charge = account.state is AccountState.ACTIVE
    account.requirements = list(found.requirements)
    account.read_at = read_at
