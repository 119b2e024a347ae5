"""Forms of matching: a reason for a no, hours of a delivery."""

from wtforms import SelectField

from koz.core.forms import BaseForm
from koz.core.i18n import _l
from koz.matching.services.engaging import MAX_HOURS
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
