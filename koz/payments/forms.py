"""Forms of payments: text of donors and treasurers to commands."""

from typing import Any, Final

from wtforms import BooleanField, HiddenField, ValidationError
from wtforms.validators import InputRequired, Length

from koz.accounts.queries import fold_email
from koz.core.forms import BaseForm, EmailAddress, MarkdownField, MoneyField, StrippedField, plain_amount
from koz.core.i18n import _, _l, current_locale
from koz.core.ids import new_token
from koz.core.money import Money
from koz.payments.services.give import OpenGift
from koz.payments.services.refund import WantRefund

PRESETS: Final = (10_00, 20_00, 50_00, 100_00)
#: What the chips send: whole euros.
CHOICES: Final = tuple(str(minor // 100) for minor in PRESETS)
LOWEST: Final = Money(1_00)
HIGHEST: Final = Money(10_000_00)
HIGHEST_TIP: Final = Money(1_000_00)
MESSAGE_LENGTH: Final = 500
NEEDED: Final = InputRequired(_l("Fill in this field."))


def _key(text: str | None) -> str | None:
    """The form's one-time key, when it looks like one of ours."""
    return text if text and len(text) <= 64 and text.isascii() and text.isprintable() else None


class GiveForm(BaseForm):
    """A gift: an amount chosen or typed, an address; the rest is optional and nothing is ticked beforehand."""

    choice = StrippedField(_l("Amount"))
    amount = MoneyField(_l("Another amount, in euros"), at_least=LOWEST, at_most=HIGHEST)
    email = StrippedField(_l("Your e-mail address"), validators=[NEEDED, EmailAddress(), Length(max=254)])
    tip = MoneyField(_l("For Koz, in euros (optional)"), at_least=Money(0), at_most=HIGHEST_TIP)
    shows_name = BooleanField(_l("Show my name among the donors"))
    public_name = StrippedField(_l("Name to be shown"), validators=[Length(max=80)])
    message = MarkdownField(_l("A word to the organisation (optional)"), max_length=MESSAGE_LENGTH)
    form_key = HiddenField(default=new_token)

    def validate_amount(self, field: MoneyField) -> None:
        """One amount: chosen, or typed. Both are refused unless they are the same: no guessing about money."""
        chosen = self.choice.data if self.choice.data in CHOICES else None
        typed = bool(field.raw_data and str(field.raw_data[0]).strip())
        if chosen is None and not typed:
            raise ValidationError(_("Choose an amount, or enter one from 1 to 10,000 euros."))
        if chosen is None or field.process_errors:
            return
        money = Money(int(chosen) * 100)
        if typed and field.data != money:
            raise ValidationError(
                _(
                    "You chose %(chosen)s € and entered %(typed)s €. Clear what you entered, or choose the same.",
                    chosen=chosen,
                    typed=plain_amount(field.data),
                )
            )
        field.data = money

    def validate_public_name(self, field: StrippedField) -> None:
        """A name is needed only to show it."""
        if self.shows_name.data and not field.data:
            raise ValidationError(_("Enter the name to be shown, or untick the box."))

    def to_command(self, campaign_id: int, person_id: int | None) -> OpenGift:
        """The wish."""
        assert self.amount.data is not None
        return OpenGift(
            campaign_id=campaign_id, amount=self.amount.data, tip=self.tip.data or Money(0),
            email=fold_email(self.email.data or ""), locale=current_locale(), person_id=person_id,
            public_name=(self.public_name.data or None) if self.shows_name.data else None,
            message=self.message.data or "", form_key=_key(self.form_key.data),
        )  # fmt: skip


class RefundForm(BaseForm):
    """What to give back of a gift, and why."""

    amount = MoneyField(_l("Amount to give back, in euros"), at_least=Money(1), at_most=HIGHEST, validators=[NEEDED])
    reason = StrippedField(_l("Reason, for your books"), validators=[NEEDED, Length(max=300)])
    form_key = HiddenField(default=new_token)

    def to_command(self, gift_id: int, by: int | None) -> WantRefund:
        """The wish."""
        amount: Any = self.amount.data
        return WantRefund(
            gift_id=gift_id, amount=amount, reason=self.reason.data or "", by=by, form_key=_key(self.form_key.data)
        )
