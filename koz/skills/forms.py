"""Forms of profiles and missions: what people type to commands, with sentences that say what to do."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Final

from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, IntegerField, SelectField, SelectMultipleField, StringField, ValidationError
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # newer than its stubs
from wtforms.validators import InputRequired, Length, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from koz.campaigns.models import BudgetLine
from koz.campaigns.states import CAUSES
from koz.core.clock import today
from koz.core.forms import BaseForm, DayField, MarkdownField, StrippedField, clean_text
from koz.core.i18n import _, _l
from koz.skills.models.offers import WEEK_HOURS, MissionNeed
from koz.skills.services.missions import Scope
from koz.skills.services.profiles import MAX_PAUSE, MAX_WORDS, Availability
from koz.skills.states import DEPARTMENTS, LANGUAGES, LEVEL_ASKED

NEEDED: Final = InputRequired(_l("Fill in this field."))


class WholeNumberField(IntegerField):
    """A whole number between two bounds; anything else gets one sentence. The typing is kept."""

    def __init__(self, label: Any, low: int, high: int, **kwargs: Any) -> None:
        super().__init__(label, **kwargs)
        self.low, self.high = low, high

    def process_formdata(self, valuelist: Sequence[Any]) -> None:
        """Read the number and check its bounds."""
        self.data = None
        typed = clean_text(str(valuelist[0])) if valuelist else ""
        if re.fullmatch(r"\d{1,6}", typed, re.ASCII) and self.low <= int(typed) <= self.high:
            self.data = int(typed)
        else:
            raise ValueError(_("Enter a whole number from %(low)s to %(high)s.", low=self.low, high=self.high))


class TicksField(SelectMultipleField):
    """Several choices as tick boxes; nothing is ticked unless the person ticked it."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


def choices(words: Mapping[Any, Any], none: Any = None) -> list[SelectChoice]:
    """Choices out of value → words, with an empty one in front when `none` says how it reads."""
    first = [] if none is None else [SelectChoice("", none)]
    return first + [SelectChoice(str(value), label) for value, label in words.items()]


def _fold(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.replace("’", "'")).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", " ", plain.lower()).strip()


_BY_NAME: Final = {_fold(name): code for code, name in DEPARTMENTS.items()}


class DepartmentsField(StringField):
    """Départements by number or name, separated by commas: « 75, 93, Gironde ». `data` is the typed text."""

    codes: tuple[str, ...] = ()

    def pre_validate(self, _form: Any) -> None:
        """Read the codes; an unknown word is named in the error."""
        found = []
        for part in re.split(r"[,;\n]+", clean_text(self.data or "")):
            for word in [part] if _fold(part) in _BY_NAME else part.split():
                code = word.strip().upper()
                code = code.zfill(2) if code.isdigit() else code
                if code not in DEPARTMENTS and _fold(word) not in _BY_NAME:
                    raise ValidationError(
                        _("“%(word)s” is no département. Write numbers such as 75, 93.", word=word[:40])
                    )
                found.append(code if code in DEPARTMENTS else _BY_NAME[_fold(word)])
        self.codes = tuple(dict.fromkeys(found))


class WordsForm(BaseForm):
    """What one can do, in one's own words."""

    words = MarkdownField(_l("What you can do, in your words"), validators=[NEEDED], max_length=MAX_WORDS)


class AvailabilityForm(BaseForm):
    """When, where, in which languages, for what. Dates are optional: without them one is available at any time."""

    hours_per_week = WholeNumberField(_l("Hours you can give in a week, at most"), 1, WEEK_HOURS)
    languages = TicksField(_l("Languages you work in"), choices=choices(LANGUAGES))
    remote = BooleanField(_l("I can work remotely"))
    departments = DepartmentsField(_l("Départements where you can go"), validators=[Length(max=300)])
    available_from = DayField(_l("From which day"), validators=[Optional()])
    available_until = DayField(_l("Until which day"), validators=[Optional()])
    causes = TicksField(_l("Causes you care for"), choices=choices(CAUSES))
    causes_shared = BooleanField(_l("Associations may see the causes I ticked"))

    def validate_languages(self, field: TicksField) -> None:
        """At least one."""
        if not field.data:
            raise ValidationError(_("Choose at least one language you work in."))

    def validate_remote(self, field: BooleanField) -> None:
        """Somewhere, or remotely."""
        if not field.data and not clean_text(self.departments.data or ""):
            raise ValidationError(_("Choose a place, or tick that you can work remotely."))

    def validate_available_until(self, field: DayField) -> None:
        """In order, and not over already."""
        if field.data and self.available_from.data and field.data < self.available_from.data:
            raise ValidationError(_("The last day comes before the first one. Correct one of the two."))
        if field.data and field.data < today():
            raise ValidationError(_("This day is past. Enter a later one, or leave the field empty."))

    def to_command(self) -> Availability:
        """The availability."""
        return Availability(
            hours_per_week=self.hours_per_week.data or 0,
            languages=self.languages.data or (),
            departments=self.departments.codes,
            remote=bool(self.remote.data),
            available_from=self.available_from.data,
            available_until=self.available_until.data,
            causes=self.causes.data or (),
            causes_shared=bool(self.causes_shared.data),
        )


class PauseForm(BaseForm):
    """A pause, with the day on which one may be asked again, or none."""

    until = DayField(_l("Until which day"), validators=[Optional()])

    def validate_until(self, field: DayField) -> None:
        """A pause ends some day to come, within a year."""
        if field.data and not today() < field.data <= today() + MAX_PAUSE:
            raise ValidationError(_("Enter a day to come, within a year, or leave the field empty."))


class MissionForm(BaseForm):
    """A scoped mission."""

    title = StrippedField(_l("Title of the mission"), validators=[NEEDED, Length(max=140)])
    deliverable = MarkdownField(_l("What will be handed over"), validators=[NEEDED], max_length=2000)
    done_criteria = MarkdownField(_l("When it counts as done"), validators=[NEEDED], max_length=2000)
    hours_total = WholeNumberField(_l("Hours for the whole mission"), 1, 2000)
    hours_per_week = WholeNumberField(_l("Hours a week, at most"), 1, WEEK_HOURS)
    language = SelectField(_l("Working language"), choices=choices(LANGUAGES))
    remote = BooleanField(_l("It can be done remotely"))
    department = SelectField(_l("Place, if somebody has to come"))
    starts_on = DayField(_l("Begins on"), validators=[Optional()])
    ends_on = DayField(_l("Must be done by"), validators=[Optional()])
    seats = WholeNumberField(_l("People needed"), 1, 20, default=1)
    budget_line_id = SelectField(_l("Budget line that this mission pays in skills"))

    def __init__(self, *args: Any, lines: Sequence[BudgetLine] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.department.choices = choices({c: f"{c} {name}" for c, name in DEPARTMENTS.items()}, _("No place"))
        self.budget_line_id.choices = choices({line.id: line.label for line in lines}, _("None"))

    def validate_remote(self, field: BooleanField) -> None:
        """Somewhere, or remotely."""
        if not field.data and not self.department.data:
            raise ValidationError(_("Choose a place, or tick that the mission can be done remotely."))

    def validate_hours_per_week(self, field: WholeNumberField) -> None:
        """A week is no more than the whole."""
        if field.data and self.hours_total.data and field.data > self.hours_total.data:
            raise ValidationError(_("The hours a week cannot be more than the hours of the whole mission."))

    def validate_ends_on(self, field: DayField) -> None:
        """In order."""
        if field.data and self.starts_on.data and field.data < self.starts_on.data:
            raise ValidationError(_("The last day comes before the first one. Correct one of the two."))

    def to_command(self) -> Scope:
        """The scope."""
        return Scope(
            title=self.title.data or "",
            deliverable=self.deliverable.data or "",
            done_criteria=self.done_criteria.data or "",
            hours_total=self.hours_total.data or 0,
            hours_per_week=self.hours_per_week.data or 0,
            language=self.language.data,
            department=self.department.data or None,
            remote=bool(self.remote.data),
            starts_on=self.starts_on.data,
            ends_on=self.ends_on.data,
            seats=self.seats.data or 1,
            budget_line_id=int(self.budget_line_id.data) if self.budget_line_id.data else None,
        )


class NeedForm(BaseForm):
    """One skill that a mission needs."""

    concept_id = WholeNumberField(_l("Skill"), 1, 999_999)
    level = SelectField(_l("Level"), choices=choices(LEVEL_ASKED), default="3")
    must = BooleanField(_l("The mission makes no sense without it"))

    def to_command(self) -> MissionNeed:
        """The need, without its mission."""
        return MissionNeed(concept_id=self.concept_id.data or 0, level=int(self.level.data), must=bool(self.must.data))


def read_levels(values: "MultiDict[str, str]") -> Mapping[int, int]:
    """Ticked concepts with their levels: `concept` ticked, `level-<concept>` chosen; what is not a number is dropped.

    A ticked concept whose level was not chosen has level 0, which no profile accepts.
    """
    ticked = [int(v) for v in values.getlist("concept") if v.isascii() and v.isdigit() and len(v) < 18]
    return {c: _level(values.get(f"level-{c}", "")) for c in ticked}


def _level(text: str) -> int:
    return int(text) if re.fullmatch(r"[1-5]", text, re.ASCII) else 0
