"""Forms of the staff's desk: every act says why."""

from wtforms import HiddenField, TextAreaField
from wtforms.validators import AnyOf, InputRequired, Length

from koz.core.forms import BaseForm, EmailAddress, StrippedField
from koz.core.i18n import _l

NEEDED = InputRequired(_l("Fill in this field."))


class ReasonForm(BaseForm):
    """Why."""

    reason = TextAreaField(
        _l("Reason (kept in the log)"),
        validators=[NEEDED, Length(min=5, max=500, message=_l("Give a reason of 5 to 500 characters."))],
        render_kw={"rows": 2},
    )

    @property
    def why(self) -> str:
        """The reason, on one line."""
        return " ".join((self.reason.data or "").split())


class ActForm(ReasonForm):
    """One of the acts of a page, and why. The buttons carry the act."""

    act = HiddenField()

    @classmethod
    def of(cls, *acts: str) -> "ActForm":
        """The form for these acts only."""
        form = cls()
        form.act.validators = [AnyOf(acts)]
        return form


class PersonSearchForm(ReasonForm):
    """Whom to look up, and why: looking at somebody's account is an act, too."""

    email = StrippedField(_l("E-mail address"), validators=[NEEDED, EmailAddress(), Length(max=254)])
