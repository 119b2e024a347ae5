"""Forms of campaigns: one a step, each saying beside the field what is not right; nothing typed is lost.

Drafts may be incomplete, so almost nothing is compulsory here: what is missing is told before submission.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final, cast
from urllib.parse import urlsplit

from werkzeug.datastructures import MultiDict
from wtforms import (  # type: ignore[attr-defined]  # SelectChoice is newer than the published stubs
    Field,
    FieldList,
    Form,
    FormField,
    HiddenField,
    RadioField,
    SelectChoice,
    SelectField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, Optional, ValidationError
from wtforms.widgets import DateInput, TextInput

from koz.campaigns.models import BudgetLine, Campaign, CampaignSource
from koz.campaigns.services import Ask, End, Line, NewCampaign, News, Source, Story, deadline_bounds
from koz.campaigns.services.hours import HOUR_MAX
from koz.campaigns.states import CAUSES, CONSULTATION_TEMPLATES, IN_HOURS, IN_MONEY, Decision, LineKind
from koz.core.forms import BaseForm, EmailAddress, MarkdownField, MoneyField, StrippedField, clean_text
from koz.core.i18n import _, _l
from koz.core.money import Money
from koz.core.templating import long_date, money

ROWS_MAX: Final = 40
HOURS_MAX: Final = 10_000
STORY_MAX: Final = 20_000
TEXT_MAX: Final = 3_000
YEARS: Final = range(1000, 10_000)
_ISO: Final = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)
_FRENCH: Final = re.compile(r"(\d{1,2})[/. -](\d{1,2})[/. -](\d{4})", re.ASCII)
_ROW: Final = re.compile(r"([a-z]+)-(\d{1,4})-([a-z_]+)", re.ASCII)

NEEDED = InputRequired(_l("Fill in this field."))


def choices_of(pairs: Iterable[tuple[Any, Any]]) -> list[Any]:
    """Values and their words as choices."""
    return [SelectChoice(value, words) for value, words in pairs]


def at_most(n: int) -> Length:
    """Validator of a text's length, with a sentence of its own."""
    return Length(max=n, message=_l("Shorten this to %(n)s characters.", n=n))


class PlainArea(TextAreaField):
    """Running text without markup, cleaned, with a limit of length."""

    def process_formdata(self, valuelist: Sequence[Any]) -> None:
        """Clean what was typed, keeping line breaks."""
        if valuelist:
            self.data = clean_text(str(valuelist[0]).replace("\r\n", "\n"))


class DayField(Field):
    """A calendar day, as a date input sends it (2026-11-24) or as people write it (24/11/2026)."""

    widget = DateInput()

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return self.data.isoformat() if self.data else ""

    def process_formdata(self, valuelist: Sequence[Any]) -> None:
        """Read the day."""
        self.data = None
        typed = str(valuelist[0]).strip()[:40] if valuelist else ""
        if not typed:
            return
        iso, french = _ISO.fullmatch(typed), _FRENCH.fullmatch(typed)
        parts = iso.groups() if iso else french.groups()[::-1] if french else None
        try:
            self.data = date(*(int(p) for p in cast("tuple[str, ...]", parts)))
        except (TypeError, ValueError):
            raise ValueError(_("Enter a day such as 24/11/2026.")) from None


class HoursField(Field):
    """A whole number of hours."""

    widget = TextInput()

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return str(self.data) if self.data else ""

    def process_formdata(self, valuelist: Sequence[Any]) -> None:
        """Read the number and check its bounds."""
        self.data = None
        typed = str(valuelist[0]).strip() if valuelist else ""
        if not typed:
            return
        if not (typed.isascii() and typed.isdigit() and len(typed) <= 6 and 1 <= int(typed) <= HOURS_MAX):
            raise ValueError(_("Enter whole hours, from 1 to %(max)s.", max=HOURS_MAX))
        self.data = int(typed)


class VersionedForm(BaseForm):
    """A form that remembers which version of the campaign was on the page."""

    version = HiddenField()

    @property
    def version_read(self) -> int:
        """The version that was on the page; 0, which no campaign has, when the field was tampered with."""
        text = str(self.version.data or "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


class NewCampaignForm(BaseForm):
    """Whose campaign, and its title."""

    organisation = SelectField(_l("For which organisation"), coerce=int)
    title = StrippedField(_l("Title of the campaign"), validators=[NEEDED, at_most(140)])

    def __init__(self, organisations: Iterable[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.organisation.choices = choices_of(organisations)

    def to_command(self) -> NewCampaign:
        """The campaign to be."""
        return NewCampaign(organisation_id=self.organisation.data, title=self.title.data or "")


class AskForm(VersionedForm):
    """Step 1."""

    title = StrippedField(_l("Title of the campaign"), validators=[NEEDED, at_most(140)])
    ask = StrippedField(_l("What you ask, in one sentence"), validators=[at_most(300)])
    addressee_name = StrippedField(_l("Who is to answer"), validators=[at_most(140)])
    addressee_body = StrippedField(_l("Their office or body"), validators=[at_most(140)])
    addressee_email = StrippedField(_l("Their e-mail address"), validators=[Optional(), EmailAddress(), at_most(254)])
    cause = SelectField(_l("The cause"), choices=choices_of(CAUSES.items()))
    summary = PlainArea(_l("Summary for lists and shared links"), validators=[at_most(300)])

    def to_command(self) -> Ask:
        """What to save."""
        return Ask(
            title=self.title.data or "",
            ask=self.ask.data or "",
            summary=" ".join((self.summary.data or "").split()),
            cause=self.cause.data,
            addressee_name=self.addressee_name.data or "",
            addressee_body=self.addressee_body.data or "",
            addressee_email=self.addressee_email.data or "",
        )


class StoryForm(VersionedForm):
    """Step 2."""

    story_md = MarkdownField(_l("The story"), max_length=STORY_MAX)
    expected_result = PlainArea(_l("The result you expect"), validators=[at_most(TEXT_MAX)])
    calendar = PlainArea(_l("The calendar"), validators=[at_most(TEXT_MAX)])

    def to_command(self) -> Story:
        """What to save."""
        return Story(
            story_md=self.story_md.data or "",
            expected_result=self.expected_result.data or "",
            calendar=self.calendar.data or "",
        )


class LineForm(Form):
    """One line of the budget. A row in which nothing was typed is no line."""

    id = HiddenField()
    label = StrippedField(_l("What is needed"), validators=[at_most(140)])
    kind = SelectField(
        _l("Paid in"),
        choices=choices_of(
            [
                (LineKind.MONEY.value, _l("money")),
                (LineKind.SKILL.value, _l("hours of a skill")),
                (LineKind.EITHER.value, _l("money or hours of a skill")),
            ]
        ),
        default=LineKind.MONEY.value,
        validate_choice=False,  # a word that is none is money
    )
    minimum = MoneyField(_l("Minimum in €"), at_least=Money(0))
    optimum = MoneyField(_l("Optimum in €"), at_least=Money(0))
    hours = HoursField(_l("Hours"))

    @property
    def is_blank(self) -> bool:
        """Nothing was typed."""
        typed = (self.label, self.minimum, self.optimum, self.hours)
        return not any(str((f.raw_data or [""])[0]).strip() for f in typed)

    @property
    def paid_in(self) -> LineKind:
        """How the line is paid."""
        return LineKind(self.kind.data) if self.kind.data in set(LineKind) else LineKind.MONEY

    @property
    def is_money(self) -> bool:
        """There is a sum to raise."""
        return self.paid_in in IN_MONEY

    @property
    def is_hours(self) -> bool:
        """Hours can be given."""
        return self.paid_in in IN_HOURS

    def validate_label(self, field: Field) -> None:
        """A line with figures has a name."""
        if not field.data and not self.is_blank:
            raise ValidationError(_("Say what this line is for, or empty its figures."))

    def validate_minimum(self, field: Field) -> None:
        """Money lines have a minimum; skill lines have none. What hours are to replace is above zero."""
        if self.is_blank:
            return
        if self.is_money and field.data is None:
            raise ValidationError(_("Give the least that is needed; 0 is possible."))
        if self.paid_in is LineKind.EITHER and not field.data:
            raise ValidationError(_("Give the sum that the hours replace, or choose hours of a skill alone."))
        if not self.is_money and field.data:
            raise ValidationError(_("A line given in skills has no amount: empty it, or choose money."))

    def validate_optimum(self, field: Field) -> None:
        """Not below the minimum."""
        if self.is_blank or field.data is None:
            return
        if not self.is_money and field.data:
            raise ValidationError(_("A line given in skills has no amount: empty it, or choose money."))
        if self.is_money and self.minimum.data is not None and field.data < self.minimum.data:
            raise ValidationError(_("The optimum cannot be below the minimum."))

    def validate_hours(self, field: Field) -> None:
        """Skill lines have hours; money lines have none. What one hour replaces is bounded (ADR 0042)."""
        if self.is_blank:
            return
        if self.is_hours and field.data is None:
            raise ValidationError(_("Say how many hours are needed."))
        if not self.is_hours and field.data is not None:
            raise ValidationError(_("A line paid in money has no hours: empty them, or choose hours of a skill."))
        if (
            self.paid_in is LineKind.EITHER
            and self.minimum.data
            and self.minimum.data.minor > HOUR_MAX.minor * field.data
        ):
            raise ValidationError(
                _(
                    "One hour would replace more than %(max)s: check the hours, or lower the minimum.",
                    max=money(HOUR_MAX),
                )
            )

    def to_command(self) -> Line:
        """What to save; without an optimum, the minimum is enough."""
        number = str(self.id.data or "")
        minimum = self.minimum.data.minor if self.minimum.data and self.is_money else 0
        optimum = self.optimum.data.minor if self.optimum.data and self.is_money else minimum
        return Line(
            id=int(number) if number.isascii() and number.isdigit() and len(number) <= 18 else None,
            label=self.label.data or "",
            kind=self.paid_in,
            minimum_minor=minimum,
            optimum_minor=max(minimum, optimum),
            hours=self.hours.data or 0 if self.is_hours else 0,
        )

    @staticmethod
    def values_of(line: BudgetLine) -> dict[str, Any]:
        """A stored line as values of the row."""
        is_money = line.kind in IN_MONEY
        return {
            "id": line.id,
            "label": line.label,
            "kind": line.kind.value,
            "minimum": Money(line.minimum_minor) if is_money else None,
            "optimum": Money(line.optimum_minor) if is_money else None,
            "hours": line.hours or None,
        }


class SourceForm(Form):
    """One source. A row in which nothing was typed is no source."""

    title = StrippedField(_l("Title of the document"), validators=[at_most(200)])
    url = StrippedField(_l("Address on the web"), validators=[at_most(1000)])
    publisher = StrippedField(_l("Who published it"), validators=[at_most(140)])
    published_on = DayField(_l("When"))

    @property
    def is_blank(self) -> bool:
        """Nothing was typed."""
        typed = (self.title, self.url, self.publisher, self.published_on)
        return not any(str((f.raw_data or [""])[0]).strip() for f in typed)

    def validate_title(self, field: Field) -> None:
        """A source has a name."""
        if not field.data and not self.is_blank:
            raise ValidationError(_("Give the document's title."))

    def validate_url(self, field: Field) -> None:
        """Only addresses that a browser can safely open."""
        if field.data and not is_web_address(field.data):
            raise ValidationError(_("Enter a whole address that starts with https://."))

    def validate_published_on(self, field: Field) -> None:
        """A day that somebody may have lived."""
        if field.data and field.data.year not in YEARS:
            raise ValidationError(_("Enter a day such as 24/11/2026."))

    def to_command(self) -> Source:
        """What to save."""
        return Source(
            title=self.title.data or "",
            url=self.url.data or "",
            publisher=self.publisher.data or "",
            published_on=self.published_on.data,
        )

    @staticmethod
    def values_of(source: CampaignSource) -> dict[str, Any]:
        """A stored source as values of the row."""
        return {
            "title": source.title,
            "url": source.url,
            "publisher": source.publisher,
            "published_on": source.published_on,
        }


def is_web_address(text: str) -> bool:
    """Whether the text is an http(s) address with a host and no blank."""
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(host) and "." in str(host) and not re.search(r"[\s<>\"]", text)


class BudgetForm(VersionedForm):
    """Step 3: rows."""

    rows = FieldList(FormField(LineForm), max_entries=ROWS_MAX)

    def to_command(self) -> list[Line]:
        """What to save."""
        return [row.form.to_command() for row in self.rows if not row.form.is_blank]


class SourcesForm(VersionedForm):
    """Step 4: rows."""

    rows = FieldList(FormField(SourceForm), max_entries=ROWS_MAX)

    def to_command(self) -> list[Source]:
        """What to save."""
        return [row.form.to_command() for row in self.rows if not row.form.is_blank]


class EndForm(VersionedForm):
    """Step 5."""

    deadline_on = DayField(_l("Last day for gifts"))
    on_success = PlainArea(_l("What happens if the minimum is collected"), validators=[at_most(TEXT_MAX)])
    on_failure = PlainArea(_l("What happens if it is not"), validators=[at_most(TEXT_MAX)])
    consultation_template = RadioField(
        _l("How people will be consulted"), choices=choices_of(CONSULTATION_TEMPLATES.items()), default="text"
    )
    consultation_question = StrippedField(_l("The question of the consultation"), validators=[at_most(300)])

    def validate_deadline_on(self, field: Field) -> None:
        """Not before a week, not after a year."""
        first, last = deadline_bounds()
        if field.data is not None and not first <= field.data <= last:
            raise ValidationError(
                _("Choose a day from %(first)s to %(last)s.", first=long_date(first), last=long_date(last))
            )

    def to_command(self) -> End:
        """What to save."""
        return End(
            deadline_on=self.deadline_on.data,
            on_success=self.on_success.data or "",
            on_failure=self.on_failure.data or "",
            consultation_template=self.consultation_template.data,
            consultation_question=self.consultation_question.data or "",
        )


class NewsForm(BaseForm):
    """A piece of news."""

    title = StrippedField(_l("Title"), validators=[NEEDED, at_most(140)])
    body_md = MarkdownField(_l("What is new"), max_length=STORY_MAX, validators=[NEEDED])
    nonce = HiddenField()

    def to_command(self) -> News:
        """What to publish."""
        nonce = re.sub(r"[^\w-]", "", str(self.nonce.data or ""), flags=re.ASCII)[:20]
        return News(title=self.title.data or "", body_md=self.body_md.data or "", nonce=nonce)


class CancelForm(BaseForm):
    """Giving a campaign up."""

    reason = PlainArea(_l("Why"), validators=[NEEDED, at_most(TEXT_MAX)])


class FollowForm(BaseForm):
    """Following without an account."""

    email = StrippedField(_l("Your e-mail address"), validators=[NEEDED, EmailAddress(), at_most(254)])


class PressForm(BaseForm):
    """A button and nothing else."""


class ReviewForm(VersionedForm):
    """Staff's decision."""

    decision = RadioField(
        _l("Decision"),
        choices=choices_of(
            [
                (Decision.APPROVE.value, _l("Approve")),
                (Decision.CHANGES.value, _l("Ask for changes")),
                (Decision.REFUSE.value, _l("Refuse")),
            ]
        ),
        validators=[InputRequired(_l("Choose a decision."))],
    )
    reasons = PlainArea(_l("Reasons, as the organisation will read them"), validators=[at_most(TEXT_MAX)])

    def validate_reasons(self, field: Field) -> None:
        """Compulsory unless approved."""
        if not field.data and self.decision.data != Decision.APPROVE.value:
            raise ValidationError(_("Give your reasons: the organisation will read them."))


def renumbered(typed: Mapping[str, Any], *, without: int | None = None) -> MultiDict[str, str]:
    """What was typed, with the rows numbered from 0 in their order, at most ROWS_MAX, one left out if asked.

    Names of rows are `rows-<number>-<field>`; others that look like rows are dropped, so that no number of a stranger
    reaches the form.
    """
    plain, rows = MultiDict[str, str](), dict[int, dict[str, str]]()
    for name, value in typed.items():
        found = _ROW.fullmatch(name)
        if found and found[1] == "rows":
            rows.setdefault(int(found[2]), {})[found[3]] = value
        elif not name.startswith("rows"):
            plain[name] = value
    kept = [rows[number] for number in sorted(rows) if number != without][:ROWS_MAX]
    for position, row in enumerate(kept):
        for field, value in row.items():
            plain[f"rows-{position}-{field}"] = value
    return plain


def row_errors(rows: Iterable[Any]) -> list[tuple[str, str, int]]:
    """Errors of rows: id of the field, sentence, number of the row from 1."""
    return [
        (field.id, str(field.errors[0]), position)
        for position, row in enumerate(rows, start=1)
        for field in row.form
        if field.errors
    ]


def values_of_campaign(campaign: Campaign) -> dict[str, Any]:
    """The campaign as values of steps 1, 2 and 5, by the names of their fields."""
    names = {*Ask.__dataclass_fields__, *Story.__dataclass_fields__, *End.__dataclass_fields__}
    return {name: getattr(campaign, name) for name in names} | {"version": campaign.version}
