"""Forms: text of people to typed values, with sentences that say what to do. Typing is kept on errors."""

import re
import unicodedata
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from email_validator import EmailNotValidError, validate_email
from flask_wtf import FlaskForm
from wtforms import DateField, Field, StringField, TextAreaField, ValidationError
from wtforms.widgets import TextInput

from koz.core.i18n import _
from koz.core.money import Money
from koz.core.settings import current_settings

_SPACES: Final = re.compile(r"[\s\u00a0\u202f\u2007\u2009]+")
_EUROS: Final = r"(?:€|euros?|eur)"
_MARKED: Final = re.compile(rf"(?:{_EUROS} ?)?([0-9][0-9 .,'’]*?)(?: ?{_EUROS})?")
_PRICED: Final = re.compile(r"([0-9]{1,12}) ?€ ?([0-9]{2})")  # "20€50", as on a market stall
_AMOUNT: Final = re.compile(r"[0-9]{1,12}(?:[.,][0-9]{1,2})?")
_SPACED: Final = re.compile(r"[0-9]{1,3}(?:([ '’])[0-9]{3})(?:\1[0-9]{3})*(?:[.,][0-9]{1,2})?")
_GROUPED: Final = re.compile(r"[0-9]{1,3}(?:([.,])[0-9]{3})+(?:([.,])[0-9]{1,2})?")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
_FOREIGN: Final = ("$", "£", "¥", "usd", "gbp", "chf", "jpy")


class AmountError(ValueError):
    """An amount that cannot be read without guessing; the text is the reason, translated."""


def parse_amount(text: str, currency: str = "EUR") -> Money:
    """Read an amount as people type it: "12,50", "1 234,56", "1.234,56", "12.5", " 20 €".

    Blanks and apostrophes may only stand between thousands, the mark of the euro only before, after, or for the comma
    ("20€50"). What could be read two ways ("1.234", "12 50") is refused, as are letters, exponents, more than two
    decimals, other currencies and digits that only look like some. Raises AmountError.
    """
    typed = _SPACES.sub(" ", _plain_digits(text)).strip().lower()
    if any(mark in typed for mark in _FOREIGN):
        raise AmountError(_("Only euros are accepted. Enter an amount such as 12,50."))
    if priced := _PRICED.fullmatch(typed):
        typed = f"{priced[1]},{priced[2]}"
    marked = _MARKED.fullmatch(typed)
    bare = marked[1].strip() if marked else typed
    if _SPACED.fullmatch(bare):
        bare = re.sub(r"[ '’]", "", bare)
    elif grouped := _GROUPED.fullmatch(bare):
        thousands, decimal = grouped.groups()
        if decimal is None and bare.count(thousands) == 1:
            raise AmountError(_("This amount can be read two ways. Write 1234 or 1,23."))
        if decimal == thousands:
            raise AmountError(_("Enter an amount such as 12,50."))
        bare = bare.replace(thousands, "")
    elif re.fullmatch(r"[0-9]+(?: [0-9]+)+", bare):
        raise AmountError(_("This amount can be read two ways. Write 1234 or 1,23."))
    if not _AMOUNT.fullmatch(bare):
        raise AmountError(_("Enter an amount such as 12,50, with at most two decimals."))
    try:
        return Money(int(Decimal(bare.replace(",", ".")) * 100), currency)
    except InvalidOperation:  # pragma: no cover - the pattern leaves only numbers
        raise AmountError(_("Enter an amount such as 12,50.")) from None


def _plain_digits(text: str) -> str:
    """The text with the wide forms of East Asian keyboards made plain, and nothing else: "²" is not a 2."""
    return "".join(unicodedata.normalize("NFKC", c) if "\uff01" <= c <= "\uff5e" else c for c in text)


def clean_text(text: str) -> str:
    """Text in NFC without control characters and direction marks that could disguise it; ends stripped."""
    return _CONTROL.sub("", unicodedata.normalize("NFC", text)).strip()


class BaseForm(FlaskForm):  # type: ignore[misc]
    """All forms: CSRF-protected, fields in the order they are shown."""

    @property
    def first_error(self) -> str | None:
        """The first error's sentence, if any."""
        return next((str(e) for errors in self.errors.values() for e in errors), None)


class StrippedField(StringField):
    """One line of text, cleaned; empty is None-like "" for validators."""

    def process_formdata(self, valuelist: Sequence[Any]) -> None:
        """Clean what was typed; line breaks become blanks."""
        if valuelist:
            self.data = re.sub(r"\s+", " ", clean_text(valuelist[0]))


class DayField(DateField):
    """A day, as a browser's calendar writes it or as people type it: 2024-03-12 or 12/03/2024. The typing is kept."""

    def __init__(self, label: Any = None, validators: Any = None, **kwargs: Any) -> None:
        super().__init__(label, validators, format=["%Y-%m-%d", "%d/%m/%Y"], **kwargs)

    def process_formdata(self, valuelist: Sequence[Any]) -> None:
        """Read the day."""
        try:
            super().process_formdata([str(v).strip() for v in valuelist])
        except ValueError:
            raise ValueError(_("Enter a day such as 12/03/2024.")) from None


class EmailAddress:
    """Validator: an address that mail could reach, by its form; nothing is looked up."""

    def __call__(self, _form: Any, field: Field) -> None:
        """Raises ValidationError."""
        try:
            # the demo's people live at koz.test, a name reserved for tests
            reserved = not current_settings().is_production
            validate_email(field.data or "", check_deliverability=False, test_environment=reserved)
        except EmailNotValidError:
            raise ValidationError(_("Enter an address such as name@example.org.")) from None


class MarkdownField(TextAreaField):
    """Running text in Markdown, cleaned, with a limit of length."""

    def __init__(self, label: Any = None, validators: Any = None, *, max_length: int = 20_000, **kwargs: Any) -> None:
        super().__init__(label, validators, **kwargs)
        self.max_length = max_length

    def process_formdata(self, valuelist: Sequence[Any]) -> None:
        """Clean what was typed, keeping line breaks."""
        if valuelist:
            self.data = clean_text(valuelist[0].replace("\r\n", "\n"))

    def pre_validate(self, _form: Any) -> None:
        """Refuse texts beyond the limit; they are kept on the page."""
        if self.data and len(self.data) > self.max_length:
            raise ValidationError(
                _("This text has %(n)s characters; the limit is %(max)s.", n=len(self.data), max=self.max_length)
            )


class MoneyField(Field):
    """An amount of money; `data` is Money or None. The typed text is shown again as it was."""

    widget = TextInput()

    def __init__(
        self,
        label: Any = None,
        validators: Any = None,
        *,
        at_least: Money = Money(1),  # noqa: B008 - frozen
        at_most: Money = Money(1_000_000_00),  # noqa: B008 - frozen
        **kwargs: Any,
    ) -> None:
        super().__init__(label, validators, **kwargs)
        self.low, self.high = at_least, at_most

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else plain_amount(self.data)

    def process_formdata(self, valuelist: Sequence[Any]) -> None:
        """Read the amount and check its bounds."""
        self.data = None
        if not valuelist or not str(valuelist[0]).strip():
            return
        try:
            amount = parse_amount(str(valuelist[0])[:60], self.low.currency)
        except AmountError as error:
            raise ValueError(str(error)) from None
        if not self.low <= amount <= self.high:
            raise ValueError(
                _(
                    "Enter an amount from %(low)s to %(high)s €.",
                    low=plain_amount(self.low),
                    high=plain_amount(self.high),
                )
            )
        self.data = amount


def plain_amount(amount: Money) -> str:
    """The amount as one would type it in French: "12" or "12,50"."""
    sign, minor = ("-" if amount.minor < 0 else ""), abs(amount.minor)
    return f"{sign}{minor // 100}" + (f",{minor % 100:02d}" if minor % 100 else "")
