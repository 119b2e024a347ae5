"""A payment provider with a memory: it behaves, it does not record calls."""

from itertools import count

from koz.core.db import unit_of_work_is_open
from koz.core.money import Money
from koz.payments.gateway import CheckoutOrder, CheckoutPage, ProviderDown, ProviderPayment, ProviderRefund


class FakeGateway:
    """Keeps pages, payments and refunds by idempotency key. `down` makes every verb fail; `lose` after its effect."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[CheckoutOrder, str]] = {}
        self.states: dict[str, str] = {}
        self.payments: dict[str, str] = {}
        self.refunds: dict[str, tuple[str, Money]] = {}
        self.down = self.lose = False
        self._numbers = count(1)

    def _call(self) -> None:
        assert not unit_of_work_is_open(), "network call inside a transaction"
        if self.down:
            raise ProviderDown

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
        if self.lose:
            raise ProviderDown
        return CheckoutPage(session_id, f"https://pay.test/{session_id}")

    def pay(self, session_id: str) -> None:
        """The donor pays on the hosted page."""
        assert self.states[session_id] == "open"
        self.states[session_id] = "paid"
        self.payments[session_id] = f"pi_{session_id}"

    def expire(self, session_id: str) -> None:
        """The hosted page closes."""
        self.states[session_id] = "expired"

    def order_of(self, session_id: str) -> CheckoutOrder:
        return next(order for order, known in self.pages.values() if known == session_id)

    def fetch_payment(self, account_id: str, session_id: str) -> ProviderPayment:
        self._call()
        order = self.order_of(session_id)
        paid = order.amount + order.tip if self.states[session_id] == "paid" else Money(0)
        return ProviderPayment(
            session_id=session_id, account_id=account_id, gift_id=order.gift_id, attempt=order.attempt,
            state=self.states[session_id], payment_id=self.payments.get(session_id), paid=paid,
            fee=Money(paid.minor * 15 // 1000 + 25) if paid else Money(0), tip=order.tip if paid else Money(0),
        )  # fmt: skip

    def refund(self, *, refund_id: int, account_id: str, payment_id: str, amount: Money, tip: Money) -> ProviderRefund:
        self._call()
        self.refunds.setdefault(f"refund-{refund_id}", (payment_id, amount))
        return ProviderRefund(f"re_{refund_id}", "done")
