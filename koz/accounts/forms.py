"""Forms of accounts."""

from typing import Any

from wtforms import BooleanField, HiddenField, PasswordField, RadioField, SelectField, ValidationError
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # newer than its stubs
from wtforms.validators import InputRequired, Length

from koz.accounts.models import Role
from koz.accounts.services import (
    NewInvitation,
    NewOrganisation,
    NewPerson,
    check_password_rules,
    clean_rna,
    clean_siren,
)
from koz.core.errors import Invalid
from koz.core.forms import BaseForm, EmailAddress, StrippedField
from koz.core.i18n import _, _l, current_locale

NEEDED = InputRequired(_l("Fill in this field."))
EMAIL = (NEEDED, EmailAddress(), Length(max=254))


class LoginForm(BaseForm):
    """Address and password."""

    email = StrippedField(_l("E-mail address"), validators=EMAIL)
    password = PasswordField(_l("Password"), validators=[NEEDED])


class NewPasswordForm(BaseForm):
    """A password to be chosen."""

    password = PasswordField(_l("Choose a password"), validators=[NEEDED])

    def validate_password(self, field: PasswordField) -> None:
        """The rules of passwords, as a sentence beside the field."""
        try:
            check_password_rules(field.data or "")
        except Invalid as error:
            raise ValidationError(str(error)) from None


class JoinForm(NewPasswordForm):
    """Name, address, password."""

    name = StrippedField(_l("Your name"), validators=[NEEDED, Length(max=120)])
    email = StrippedField(_l("E-mail address"), validators=EMAIL)

    def to_command(self, next_path: str) -> NewPerson:
        """The person to be, and the page that they came from."""
        return NewPerson(
            email=self.email.data or "",
            name=self.name.data or "",
            password=self.password.data or "",
            locale=current_locale(),
            next_path=next_path,
        )


class ConfirmForm(BaseForm):
    """The password again."""

    password = PasswordField(_l("Your password"), validators=[NEEDED])


class ForgottenForm(BaseForm):
    """Where to send the link."""

    email = StrippedField(_l("E-mail address"), validators=EMAIL)


class ProfileForm(BaseForm):
    """Name and language."""

    name = StrippedField(_l("Your name"), validators=[NEEDED, Length(max=120)])
    locale = RadioField(
        _l("Language of pages and mails"), choices=[SelectChoice("fr", "Français"), SelectChoice("en", "English")]
    )


class NewEmailForm(BaseForm):
    """Another address."""

    email = StrippedField(_l("New e-mail address"), validators=EMAIL)


class CodeForm(BaseForm):
    """A code of the second factor, or a recovery code."""

    code = StrippedField(_l("Code"), validators=[NEEDED, Length(max=40)])


class EnrolForm(CodeForm):
    """The first code, with the proposed secret (signed)."""

    proposal = HiddenField(validators=[NEEDED])


class EraseForm(BaseForm):
    """What becomes of what one published, and that one is sure."""

    contributions = RadioField(
        _l("What you published"),
        choices=[
            SelectChoice("keep", _l("Keep it, signed « deleted account »")),
            SelectChoice("remove", _l("Take it down")),
        ],
        validators=[InputRequired(_l("Choose one of the two."))],
    )
    sure = BooleanField(
        _l("I know that this cannot be undone"), validators=[InputRequired(_l("Tick the box to go on."))]
    )


class JoinByInvitationForm(NewPasswordForm):
    """Name and password; the address is the invited one."""

    name = StrippedField(_l("Your name"), validators=[NEEDED, Length(max=120)])


ROLE_CHOICES = [
    SelectChoice(Role.EDITOR.value, _l("Editor: campaigns and consultations")),
    SelectChoice(Role.TREASURER.value, _l("Treasurer: gifts, refunds and the payment account")),
    SelectChoice(Role.MODERATOR.value, _l("Moderator: contributions")),
    SelectChoice(Role.OWNER.value, _l("Owner: everything, also members")),
]


class InvitationForm(BaseForm):
    """Whom to invite, as what."""

    email = StrippedField(_l("E-mail address"), validators=EMAIL)
    role = RadioField(_l("Role"), choices=ROLE_CHOICES, validators=[InputRequired(_l("Choose a role."))])

    def to_command(self, organisation_id: int, invited_by: int) -> NewInvitation:
        """The invitation to be."""
        return NewInvitation(
            organisation_id=organisation_id, email=self.email.data or "", role=Role(self.role.data),
            invited_by=invited_by, locale=current_locale(),
        )  # fmt: skip


class RolesForm(BaseForm):
    """The roles of a member."""

    owner = BooleanField(ROLE_CHOICES[3].label)
    editor = BooleanField(ROLE_CHOICES[0].label)
    treasurer = BooleanField(ROLE_CHOICES[1].label)
    moderator = BooleanField(ROLE_CHOICES[2].label)

    def validate(self, extra_validators: Any = None) -> bool:
        """At least one role: ending a membership has its own button."""
        good = bool(super().validate(extra_validators))
        if good and not self.roles:
            self.owner.errors = [_("Tick at least one role, or end the membership below.")]
        return good and bool(self.roles)

    @property
    def roles(self) -> frozenset[Role]:
        """The roles that are ticked."""
        return frozenset(role for role in Role if self[role.value].data)


class OrganisationDetailsForm(BaseForm):
    """What an organisation is."""

    name = StrippedField(_l("Name of the organisation"), validators=[NEEDED, Length(max=160)])
    kind = SelectField(
        _l("Kind"),
        choices=[
            SelectChoice("association", _l("Association")),
            SelectChoice("federation", _l("Federation")),
            SelectChoice("company", _l("Company")),
            SelectChoice("public_body", _l("Public body")),
            SelectChoice("other", _l("Other")),
        ],
    )
    siren = StrippedField(_l("SIREN number (if it has one)"), validators=[Length(max=20)])
    rna = StrippedField(_l("RNA number (if it has one)"), validators=[Length(max=20)])

    def validate_siren(self, field: StrippedField) -> None:
        """The number's key."""
        try:
            clean_siren(field.data or "")
        except Invalid as error:
            raise ValidationError(str(error)) from None

    def validate_rna(self, field: StrippedField) -> None:
        """The number's form."""
        try:
            clean_rna(field.data or "")
        except Invalid as error:
            raise ValidationError(str(error)) from None

    def to_command(self, owner_id: int) -> NewOrganisation:
        """The organisation to be."""
        return NewOrganisation(
            name=self.name.data or "",
            kind=self.kind.data,
            siren=self.siren.data or "",
            rna=self.rna.data or "",
            owner_id=owner_id,
        )


class OrganisationForm(OrganisationDetailsForm):
    """A new organisation."""

    may_act = BooleanField(
        _l("I may act for this organisation"), validators=[InputRequired(_l("Tick the box to go on."))]
    )
