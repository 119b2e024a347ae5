"""Forms of the official's desk and of the association's side. The answer is one page made of many small forms."""

from collections.abc import Sequence
from typing import Any

from wtforms import DateField, HiddenField, RadioField, SelectField
from wtforms.validators import DataRequired, Length, Optional, ValidationError

from koz.answers.models import AnswerPoint, AnswerRequest, Commitment
from koz.answers.services import CommitmentDraft, Draft, PointDraft
from koz.answers.states import COMMITMENT_STEPS, CommitmentState, Stance
from koz.core.forms import BaseForm, MarkdownField, StrippedField
from koz.core.i18n import _, _l

MAX_COMMITMENTS = 20
STANCES = (
    (Stance.YES, _l("Yes")),
    (Stance.PARTLY, _l("Partly")),
    (Stance.NO, _l("No")),
    (Stance.UNDER_STUDY, _l("Under study")),
    (Stance.NO_ANSWER, _l("No answer to this point")),
)
MOVES = (
    (CommitmentState.UNDER_WAY, _l("Under way")),
    (CommitmentState.KEPT, _l("Kept")),
    (CommitmentState.DROPPED, _l("Given up")),
)


class WebAddress:
    """Validator: an address of the web that a reader can open."""

    def __call__(self, _form: Any, field: Any) -> None:
        """Raises ValidationError."""
        if field.data and not field.data.startswith(("https://", "http://")):
            raise ValidationError(_("Enter an address that begins with https://."))


class _Part(BaseForm):
    """A part of the answer's page: the page itself carries the CSRF token."""

    class Meta:
        """No token of its own."""

        csrf = False


class PointForm(_Part):
    """What is said to one point; everything may wait until publication."""

    stance = RadioField(
        _l("Your answer"), choices=lambda: list(STANCES), validators=[Optional()], coerce=str, validate_choice=False
    )
    reasons = MarkdownField(_l("Your reasons"))


class CommitmentForm(_Part):
    """One commitment; a row left empty is none."""

    text = StrippedField(_l("What will be done"), validators=[Length(max=500)])
    owner = StrippedField(_l("Who sees to it"), validators=[Length(max=140)])
    due_on = DateField(_l("By when"), validators=[Optional()])
    proof_url = StrippedField(
        _l("Address of a page that will show it (optional)"), validators=[Length(max=1000), WebAddress()]
    )

    @property
    def is_empty(self) -> bool:
        """Whether nothing was typed."""
        dated = self.due_on.data or any(self.due_on.raw_data or ())
        return not (self.text.data or self.owner.data or dated or self.proof_url.data)


class DeskForm(BaseForm):
    """Signature and the draft's number."""

    version = HiddenField()
    signed_name = StrippedField(_l("Your name"), validators=[Length(max=140)])
    signed_function = StrippedField(_l("Your function"), validators=[Length(max=140)])


class AnswerForm:
    """The whole page: head, one form a point, rows of commitments. Speaks like a form to the view."""

    def __init__(
        self, request: AnswerRequest, points: Sequence[AnswerPoint], commitments: Sequence[Commitment], rows: int
    ) -> None:
        self.head = DeskForm(
            data={
                "version": str(request.draft_version),
                "signed_name": request.signed_name,
                "signed_function": request.signed_function,
            }
        )
        self.points = [
            (p, PointForm(prefix=f"point{p.id}", data={"stance": p.stance, "reasons": p.reasons_md})) for p in points
        ]
        stored = list(commitments) + [None] * max(0, rows - len(commitments))
        self.commitments = [
            CommitmentForm(prefix=f"commitment{number}", obj=one)
            for number, one in enumerate(stored[:MAX_COMMITMENTS], start=1)
        ]

    def validate_on_submit(self) -> bool:
        """Whether the page was sent and every part can be kept; all parts are looked at, so all errors show."""
        if not self.head.is_submitted():
            return False
        parts = [self.head, *(form for _point, form in self.points), *self.commitments]
        return all([part.validate() for part in parts])  # noqa: C419 - every part is to be checked

    @property
    def parts_with_errors(self) -> list[tuple[str, Any]]:
        """(where, field) of every field that cannot be kept, for the summary."""
        found = [("", field) for field in self.head if field.errors]
        for number, (_point, form) in enumerate(self.points, start=1):
            found += [(_("Point %(n)s", n=number), field) for field in form if field.errors]
        for number, form in enumerate(self.commitments, start=1):
            found += [(_("Commitment %(n)s", n=number), field) for field in form if field.errors]
        return found

    def to_draft(self) -> Draft:
        """The typed answer. Only after validation."""
        version = self.head.version.data or ""
        return Draft(
            version=int(version) if version.isascii() and version.isdigit() and len(version) < 9 else -1,
            signed_name=self.head.signed_name.data or "",
            signed_function=self.head.signed_function.data or "",
            points={
                point.id: PointDraft(
                    Stance(form.stance.data) if form.stance.data in set(Stance) else None, form.reasons.data or ""
                )
                for point, form in self.points
            },
            commitments=[
                CommitmentDraft(
                    form.text.data or "", form.owner.data or "", form.due_on.data, form.proof_url.data or ""
                )
                for form in self.commitments
                if not form.is_empty
            ],
        )


class PressForm(BaseForm):
    """A button and nothing else."""


class NoteForm(BaseForm):
    """A dated note to a published answer."""

    body = MarkdownField(_l("Your note"), validators=[DataRequired(_l("Fill in this field."))], max_length=5_000)


class MoveForm(BaseForm):
    """Where a commitment stands now."""

    state = SelectField(_l("Where the commitment stands"), choices=lambda: list(MOVES))
    note = StrippedField(_l("What was done, or why not"), validators=[Length(max=500)])
    proof_url = StrippedField(_l("Address of a page that shows it"), validators=[Length(max=1000), WebAddress()])

    def validate_note(self, field: StrippedField) -> None:
        """A commitment that is kept is shown, one that is given up is explained."""
        if self.state.data == CommitmentState.DROPPED and not field.data:
            raise ValidationError(_("Say why this commitment is given up."))
        if self.state.data == CommitmentState.KEPT and not (field.data or self.proof_url.data):
            raise ValidationError(_("Say what was done, or give the address of a page that shows it."))

    def offer(self, state: CommitmentState) -> None:
        """Offer only the steps that exist from `state`."""
        self.state.choices = [(word, label) for word, label in MOVES if word in COMMITMENT_STEPS[state]]


class ProofForm(BaseForm):
    """What the association saw of a commitment."""

    note = StrippedField(_l("What you saw"), validators=[Length(max=500)])
    proof_url = StrippedField(_l("Address of a page that shows it"), validators=[Length(max=1000), WebAddress()])

    def validate_note(self, field: StrippedField) -> None:
        """Something must be said or shown."""
        if not (field.data or self.proof_url.data):
            raise ValidationError(_("Say what you saw, or give the address of a page that shows it."))


class ResendForm(BaseForm):
    """Send the link again; `replace` makes the older ones void."""

    replace = HiddenField()
