"""Forms of consultations. Texts are cleaned of what cannot be seen and must hold words; nothing typed is lost."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from urllib.parse import urlsplit

from wtforms import (
    BooleanField,
    Field,
    FieldList,
    Form,
    FormField,
    HiddenField,
    IntegerField,
    SelectField,
    ValidationError,
)
from wtforms.validators import DataRequired, Length, NumberRange, Optional

from koz.consultations.models import Consultation, Section
from koz.consultations.queries import Target
from koz.consultations.services import (
    Draft,
    NewAmendment,
    NewArgument,
    NewContribution,
    NewSource,
    SectionDraft,
    Speaker,
)
from koz.consultations.services.writing import (
    ARGUMENT_MAX,
    BODY_MAX,
    PASSAGE_MAX,
    PROPOSED_MAX,
    REASON_MAX,
    SECTION_MAX,
    TITLE_MAX,
)
from koz.consultations.states import ActorKind, Side, SourceKind
from koz.core.clock import today
from koz.core.forms import BaseForm, DayField, MarkdownField, StrippedField
from koz.core.i18n import _, _l
from koz.core.ids import new_token

#: Marks that are not seen and could disguise a text: directions, zero-width spaces, byte order marks.
_UNSEEN: Final = re.compile("[\u061c\u200b\u200e\u200f\u2060\ufeff]")
_KEY: Final = re.compile(r"[\w-]{8,64}", re.ASCII)
NEEDED: Final = DataRequired(_l("Fill in this field."))
MOST_SECTIONS: Final = 20

KINDS: Final[dict[ActorKind, Any]] = {
    ActorKind.PERSON: _l("A person"),
    ActorKind.ASSOCIATION: _l("An association"),
    ActorKind.COMPANY: _l("A company"),
    ActorKind.PUBLIC_BODY: _l("A public body"),
}
SOURCES: Final[dict[SourceKind, Any]] = {
    SourceKind.LAW: _l("Law or regulation"),
    SourceKind.REPORT: _l("Report or study"),
    SourceKind.SCIENCE: _l("Scientific article"),
    SourceKind.DATA: _l("Data or statistics"),
    SourceKind.PRESS: _l("Press article"),
    SourceKind.BOOK: _l("Book or manual"),
    SourceKind.WEB: _l("Web page"),
    SourceKind.OTHER: _l("Other source"),
}


def visible(text: str | None) -> str | None:
    """A text without marks that cannot be seen."""
    return None if text is None else _UNSEEN.sub("", text).strip()


class HasWords:
    """Validator: at least so many letters or digits, so that dots and pictures alone are not a text."""

    def __init__(self, least: int) -> None:
        self.least = least

    def __call__(self, _form: Any, field: Field) -> None:
        """Raises ValidationError."""
        if sum(c.isalnum() for c in field.data or "") < self.least:
            raise ValidationError(_("Write this in words: at least %(n)s letters.", n=self.least))


def _line(label: Any, least: int = 3, most: int = TITLE_MAX) -> StrippedField:
    message = _l("At most %(max)d characters.")
    return StrippedField(
        label, validators=[NEEDED, HasWords(least), Length(max=most, message=message)], filters=[visible]
    )


def _text(label: Any, most: int, rows: int) -> MarkdownField:
    checks = [NEEDED, HasWords(10)]
    return MarkdownField(label, validators=checks, filters=[visible], max_length=most, render_kw={"rows": rows})


class SpeakForm(BaseForm):
    """Under which name one writes and, if one wishes, as whom. `form_key` makes sending twice write once."""

    form_key = HiddenField()
    name = _line(_l("Name shown with your text"), least=1, most=120)
    kind = SelectField(_l("You speak as (optional)"), default="")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind.choices = [("", _l("I would rather not say")), *((k.value, label) for k, label in KINDS.items())]
        if not _KEY.fullmatch(self.form_key.data or ""):
            self.form_key.data = new_token(16)

    def speaker(self, person_id: int) -> Speaker:
        """Who speaks."""
        return Speaker(person_id, self.name.data or "", ActorKind(self.kind.data) if self.kind.data else None)


class ContributionForm(SpeakForm):
    """An opinion on a section."""

    title = _line(_l("Your opinion in one sentence"))
    body = _text(_l("Explain it"), BODY_MAX, 10)

    def to_command(self, section: Section, person_id: int) -> NewContribution:
        """The contribution to be."""
        return NewContribution(
            consultation_id=section.consultation_id,
            section_id=section.id,
            speaker=self.speaker(person_id),
            title=self.title.data or "",
            body_md=self.body.data or "",
            form_key=self.form_key.data or "",
        )


class AmendmentForm(SpeakForm):
    """Another wording."""

    title = _line(_l("What you change, in one sentence"))
    proposed = _text(_l("The text as you would write it"), PROPOSED_MAX, 12)
    reason = _text(_l("Why it is better so"), REASON_MAX, 5)

    def to_command(
        self, consultation_id: int, person_id: int, *, contribution_id: int | None = None, section_id: int | None = None
    ) -> NewAmendment:
        """The amendment to be."""
        return NewAmendment(
            consultation_id=consultation_id,
            contribution_id=contribution_id,
            section_id=section_id,
            speaker=self.speaker(person_id),
            title=self.title.data or "",
            proposed_md=self.proposed.data or "",
            reason=self.reason.data or "",
            form_key=self.form_key.data or "",
        )


class SourceFields(BaseForm):
    """A source; optional as a whole, but named once begun."""

    source_title = StrippedField(_l("Title of the source"), validators=[Length(max=250)], filters=[visible])
    source_kind = SelectField(_l("Kind of source"), default=SourceKind.WEB.value)
    source_publisher = StrippedField(_l("Author or publisher"), validators=[Length(max=140)], filters=[visible])
    source_url = StrippedField(_l("Web address"), validators=[Length(max=1000)])
    source_on = DayField(_l("Date of publication"), validators=[Optional()])
    source_passage = MarkdownField(
        _l("The passage that matters"), filters=[visible], max_length=PASSAGE_MAX, render_kw={"rows": 3}
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.source_kind.choices = [(k.value, label) for k, label in SOURCES.items()]

    @property
    def has_source(self) -> bool:
        """Whether anything of a source was typed."""
        return any(
            f.data for f in (self.source_title, self.source_publisher, self.source_url, self.source_passage)
        ) or bool(self.source_on.raw_data and str(self.source_on.raw_data[0]).strip())

    def validate_source_title(self, field: Field) -> None:
        """Named, once there is a source."""
        if self.has_source and not field.data:
            raise ValidationError(_("Give the title of your source, so that others can find it."))

    def validate_source_url(self, field: Field) -> None:
        """An address of the web that leads where it says."""
        if not field.data:
            if self.has_source and not (self.source_publisher.data or "").strip():
                raise ValidationError(_("Give the web address or the author, so that others can find the source."))
            return
        if re.fullmatch(r"[\w-]+(\.[\w-]+)+(/\S*)?", field.data):
            field.data = f"https://{field.data}"
        if not is_web_address(field.data):
            raise ValidationError(_("Enter a web address such as https://example.org/page."))

    def validate_source_on(self, field: Field) -> None:
        """Not in the future."""
        if isinstance(field.data, date) and not date(1000, 1, 1) <= field.data <= today():
            raise ValidationError(_("A source has been published already: this day is not right."))

    def source(self) -> NewSource | None:
        """The source, if there is one."""
        if not self.has_source:
            return None
        return NewSource(
            kind=SourceKind(self.source_kind.data),
            title=self.source_title.data or "",
            publisher=self.source_publisher.data or "",
            url=self.source_url.data or "",
            published_on=self.source_on.data,
            passage=self.source_passage.data or "",
        )


def is_web_address(text: str) -> bool:
    """Http or https, a host with a dot, no user name in it, no blanks."""
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
    except ValueError:
        return False
    plain = not re.search(r"\s", text) and "@" not in parts.netloc
    return parts.scheme in {"http", "https"} and "." in host.strip(".") and plain


class ArgumentForm(SpeakForm, SourceFields):
    """A reason for or against, and its source."""

    body = _text(_l("Your argument"), ARGUMENT_MAX, 6)

    def to_command(self, consultation_id: int, target: Target, side: Side, person_id: int) -> NewArgument:
        """The argument to be."""
        return NewArgument(
            consultation_id=consultation_id,
            target=target,
            side=side,
            speaker=self.speaker(person_id),
            body=self.body.data or "",
            source=self.source(),
            form_key=self.form_key.data or "",
        )


class SourceForm(SourceFields):
    """One more source for an argument of one's own."""

    @property
    def has_source(self) -> bool:
        """It is what this form is for."""
        return True


class SectionForm(Form):
    """A section as the NGO writes it."""

    title = StrippedField(_l("Title of the section"), validators=[Length(max=200)], filters=[visible])
    body = MarkdownField(_l("Text of the section"), filters=[visible], max_length=SECTION_MAX, render_kw={"rows": 8})
    drop = BooleanField(_l("Remove this section"))

    def validate_title(self, field: Field) -> None:
        """A text has a title."""
        if self.body.data and not field.data and not self.drop.data:
            raise ValidationError(_("Give this section a title."))


class DraftForm(BaseForm):
    """The consultation as the NGO prepares it."""

    version = HiddenField()
    question = StrippedField(
        _l("The question you put"), validators=[NEEDED, HasWords(5), Length(max=300)], filters=[visible]
    )
    intro = MarkdownField(_l("Introduction"), filters=[visible], max_length=10_000, render_kw={"rows": 6})
    days = IntegerField(_l("How many days it stays open"), validators=[NumberRange(7, 365, _l("From 7 to 365 days."))])
    answer_days = IntegerField(
        _l("Days the addressee has to answer, after the end"),
        validators=[NumberRange(7, 365, _l("From 7 to 365 days."))],
    )
    sections = FieldList(FormField(SectionForm), max_entries=MOST_SECTIONS)

    @classmethod
    def of(cls, consultation: Consultation, sections: Sequence[Section]) -> "DraftForm":
        """The form, filled with what is stored unless something was typed."""
        return cls(
            data={
                "version": str(consultation.version),
                "question": consultation.question,
                "intro": consultation.intro_md,
                "days": consultation.days,
                "answer_days": consultation.answer_days,
                "sections": [{"title": s.title, "body": s.body_md} for s in sections],
            }
        )

    def validate_sections(self, _field: Field) -> None:
        """At least one section to speak about."""
        if not self.kept():
            raise ValidationError(_("Keep at least one section: people speak about its text."))

    def kept(self) -> list[SectionDraft]:
        """Sections that are not empty and not to be removed."""
        forms = [entry.form for entry in self.sections]
        return [SectionDraft(f.title.data or "", f.body.data or "") for f in forms if f.title.data and not f.drop.data]

    def to_draft(self) -> Draft:
        """What the NGO decided."""
        return Draft(
            question=self.question.data or "",
            intro_md=self.intro.data or "",
            days=self.days.data or 30,
            answer_days=self.answer_days.data or 60,
            sections=self.kept(),
        )
