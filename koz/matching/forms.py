"""Forms of matching: a reason for a no, time given, what is asked of a certificate."""

import re
from collections.abc import Sequence
from typing import Any, Final

from wtforms import Field, SelectField
from wtforms.validators import InputRequired, Length
from wtforms.widgets import TextInput

from koz.core.clock import today
from koz.core.forms import BaseForm, DayField, StrippedField, clean_text
from koz.core.i18n import _, _l
from koz.matching.services.timekeeping import DAY_MINUTES, MAX_HOURS, Worked
from koz.matching.states import REASON_WORDS, Reason
from koz.skills.forms import WholeNumberField, choices


class ReasonForm(BaseForm):
    """Why not, if one likes to say."""

    reason = SelectField(
        _l("Reason (if you like)"),
        choices=choices(REASON_WORDS, _l("No reason")),
        default="",
        validate_choice=False,
    )

    def to_reason(self) -> Reason | None:
        """The reason; a word that is none counts as none, since a no never fails."""
        return Reason(self.reason.data) if self.reason.data in set(Reason) else None


class HoursForm(BaseForm):
    """Hours given."""

    hours = WholeNumberField(_l("Hours that you gave"), 1, MAX_HOURS)


_HOURS: Final = re.compile(r"(\d{1,2})(?:[.,](\d{1,2}))? ?(?:h|heures?|hours?)?", re.IGNORECASE | re.ASCII)
_HOURS_MINUTES: Final = re.compile(r"(\d{1,2}) ?[h:] ?([0-5]\d) ?(?:m|mn|min|minutes?)?", re.IGNORECASE | re.ASCII)
_MINUTES: Final = re.compile(r"(\d{1,3}) ?(?:m|mn|min|minutes?)", re.IGNORECASE | re.ASCII)


def read_minutes(typed: str) -> int | None:
    """Minutes of a time as people write it: "2", "2,5", "2h30", "2:30", "45 min"; None when it is none."""
    text = " ".join(typed.split())
    if found := _HOURS_MINUTES.fullmatch(text):
        return 60 * int(found[1]) + int(found[2])
    if found := _MINUTES.fullmatch(text):
        return int(found[1])
    if found := _HOURS.fullmatch(text):
        hundredths = int((found[2] or "").ljust(2, "0"))
        return 60 * int(found[1]) + (60 * hundredths + 50) // 100
    return None


class MinutesField(Field):
    """Time given on one day; `data` is in minutes. The typed text is shown again as it was."""

    widget = TextInput()

    def _value(self) -> str:
        return str(self.raw_data[0]) if self.raw_data else ""

    def process_formdata(self, valuelist: Sequence[Any]) -> None:
        """Read the time and check its bounds."""
        minutes = read_minutes(clean_text(str(valuelist[0]))[:20]) if valuelist else None
        if minutes is None or not 1 <= minutes <= DAY_MINUTES:
            self.data = None
            raise ValueError(_("Enter a time such as 2, 2,5 or 1h30, of 24 hours at most."))
        self.data = minutes


class TimeForm(BaseForm):
    """One line of the log."""

    worked_on = DayField(_l("Day"), validators=[InputRequired(_l("Enter a day such as 12/03/2024."))])
    minutes = MinutesField(_l("Time given"))
    what = StrippedField(_l("What you did"), validators=[InputRequired(_l("Fill in this field.")), Length(max=200)])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.is_submitted() or self.worked_on.raw_data is None:
            self.worked_on.data = today()

    def to_command(self) -> Worked:
        """The time given."""
        assert self.worked_on.data is not None
        assert self.minutes.data is not None
        return Worked(worked_on=self.worked_on.data, minutes=self.minutes.data, what=self.what.data or "")


class CodeForm(BaseForm):
    """A fingerprint to look up."""

    code = StrippedField(_l("Fingerprint, or its first 16 characters"), validators=[Length(max=200)])


class NameForm(BaseForm):
    """The name on a certificate, to be compared."""

    name = StrippedField(_l("Name on the certificate"), validators=[Length(max=200)])
