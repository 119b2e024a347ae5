"""A payment provider with a memory: it behaves, it does not record calls."""

from dataclasses import replace
from itertools import count

from koz.core.db import unit_of_work_is_open
from koz.core.money import Money
from koz.payments.gateway import (
    AccountOrder,
    BadSignature,
    CheckoutOrder,
    CheckoutPage,
    ProviderAccount,
    ProviderDown,
    ProviderEvent,
    ProviderPayment,
    ProviderRefund,
    ProviderRefused,
)

_numbers = count(1)  # of all fakes: two of them may share a database


class FakeGateway:
    """Keeps accounts, pages, payments and refunds by idempotency key.

    Knobs: `down` makes every verb fail before it does anything, `lose` after; `deaf` makes pages stay open when they
    are to be closed; `refund_state` is what new refunds come back as.
    """

    def __init__(self) -> None:
        self.accounts: dict[str, ProviderAccount] = {}
        self.account_keys: dict[str, tuple[AccountOrder, str]] = {}
        self.pages: dict[str, tuple[CheckoutOrder, str]] = {}
        self.states: dict[str, str] = {}
        self.failures: dict[str, str] = {}
        self.payments: dict[str, str] = {}
        self.refund_keys: dict[str, str] = {}
        self.refunds: dict[str, ProviderRefund] = {}
        self.events: dict[bytes, ProviderEvent] = {}
        self.down = self.lose = self.deaf = False
        self.refund_state = "done"
        self._numbers = _numbers

    def _call(self) -> None:
        assert not unit_of_work_is_open(), "network call inside a transaction"
        if self.down:
            raise ProviderDown

    def _lose(self) -> None:
        if self.lose:
            raise ProviderDown

    def open_account(self, order: AccountOrder) -> ProviderAccount:
        self._call()
        known = self.account_keys.get(order.idempotency_key)
        if known is None:
            known = (order, f"acct_new{next(self._numbers)}")
            self.account_keys[order.idempotency_key] = known
            self.accounts[known[1]] = ProviderAccount(
                provider_id=known[1], state="to_finish", requirements=("business_details.registered_name",)
            )
        assert known[0] == order, "one key with other parameters"
        self._lose()
        return self.accounts[known[1]]

    def account_link(self, account_id: str, *, refresh_url: str, return_url: str) -> str:
        self._call()
        assert account_id in self.accounts
        return f"https://connect.test/{account_id}?n={next(self._numbers)}"

    def fetch_account(self, account_id: str) -> ProviderAccount:
        self._call()
        if account_id not in self.accounts:
            raise ProviderRefused("account_invalid")
        return self.accounts[account_id]

    def set_account(self, account_id: str, state: str, *requirements: str) -> None:
        """The organisation filled in the forms, or the provider stopped it."""
        self.accounts[account_id] = ProviderAccount(provider_id=account_id, state=state, requirements=requirements)

    def open_checkout(self, order: CheckoutOrder) -> CheckoutPage:
        self._call()
        known = self.pages.get(order.idempotency_key)
        if known is None:
            session_id = f"cs_{next(self._numbers)}"
            self.pages[order.idempotency_key] = (order, session_id)
            self.states[session_id] = "open"
        else:
            assert known[0] == order, "one key with other parameters"
            session_id = known[1]
        self._lose()
        return CheckoutPage(session_id, f"https://pay.test/{session_id}")

    def expire_checkout(self, account_id: str, session_id: str) -> bool:
        self._call()
        if self.deaf or self.states[session_id] != "open":
            return False
        self.states[session_id] = "expired"
        return True

    def pay(self, session_id: str) -> None:
        """The donor pays on the hosted page."""
        assert self.states[session_id] == "open"
        self.states[session_id] = "paid"
        self.payments[session_id] = f"pi_{session_id}"

    def decline(self, session_id: str, code: str = "insufficient_funds") -> None:
        """The bank refuses the card; the page stays open."""
        self.failures[session_id] = code

    def expire(self, session_id: str) -> None:
        """The hosted page closes."""
        self.states[session_id] = "expired"

    def order_of(self, session_id: str) -> CheckoutOrder:
        return next(order for order, known in self.pages.values() if known == session_id)

    def order_of_payment(self, payment_id: str) -> CheckoutOrder:
        return next(self.order_of(page) for page, known in self.payments.items() if known == payment_id)

    def fetch_payment(self, account_id: str, session_id: str) -> ProviderPayment:
        self._call()
        order = self.order_of(session_id)
        paid = order.amount + order.tip if self.states[session_id] == "paid" else Money(0)
        return ProviderPayment(
            session_id=session_id, account_id=account_id, gift_id=order.gift_id, attempt=order.attempt,
            state=self.states[session_id], payment_id=self.payments.get(session_id), paid=paid,
            fee=Money(paid.minor * 15 // 1000 + 25) if paid else Money(0), tip=order.tip if paid else Money(0),
            failure=self.failures.get(session_id),
        )  # fmt: skip

    def refund(self, *, refund_id: int, account_id: str, payment_id: str, amount: Money, tip: Money) -> ProviderRefund:
        self._call()
        key = f"refund-{refund_id}"
        if key not in self.refund_keys:
            one = self.give_back(payment_id, amount + tip, state=self.refund_state, fee_back=tip, refund_id=refund_id)
            self.refund_keys[key] = one.provider_id
        self._lose()
        return self.refunds[self.refund_keys[key]]

    def give_back(
        self, payment_id: str, total: Money, *, state: str = "done", fee_back: Money | None = None, refund_id=None
    ) -> ProviderRefund:
        """A refund comes to be; without `refund_id` it is one that somebody made at the provider itself."""
        order = self.order_of_payment(payment_id)
        living = [r for r in self.refunds.values() if r.payment_id == payment_id and r.state != "failed"]
        if sum(r.amount.minor for r in living) + total.minor > (order.amount + order.tip).minor:
            raise ProviderRefused("charge_already_refunded")
        one = ProviderRefund(
            provider_id=f"re_{next(self._numbers)}", payment_id=payment_id, state=state, amount=total,
            fee_back=fee_back, refund_id=refund_id,
        )  # fmt: skip
        self.refunds[one.provider_id] = one
        return one

    def settle_refund(self, provider_id: str, state: str) -> None:
        """The bank has decided about a refund."""
        failure = "lost_or_stolen_card" if state == "failed" else None
        self.refunds[provider_id] = replace(self.refunds[provider_id], state=state, failure=failure)

    def fetch_refund(self, account_id: str, provider_id: str) -> ProviderRefund:
        self._call()
        return self.refunds[provider_id]

    def list_refunds(self, account_id: str, payment_id: str) -> list[ProviderRefund]:
        self._call()
        return [one for one in reversed(self.refunds.values()) if one.payment_id == payment_id]

    def read_event(self, body: bytes, signature: str, endpoint: str) -> ProviderEvent:
        if body not in self.events:
            raise BadSignature
        return self.events[body]
