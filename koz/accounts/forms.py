"""Forms of accounts."""

from wtforms import BooleanField, PasswordField, SelectField, ValidationError
from wtforms.validators import InputRequired, Length

from koz.accounts.services import NewOrganisation, NewPerson, check_password_rules, clean_rna, clean_siren
from koz.core.errors import Invalid
from koz.core.forms import BaseForm, EmailAddress, StrippedField
from koz.core.i18n import _l, current_locale

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

    def to_command(self) -> NewPerson:
        """The person to be."""
        return NewPerson(
            email=self.email.data or "",
            name=self.name.data or "",
            password=self.password.data or "",
            locale=current_locale(),
        )


class ConfirmForm(BaseForm):
    """The password again."""

    password = PasswordField(_l("Your password"), validators=[NEEDED])


class ForgottenForm(BaseForm):
    """Where to send the link."""

    email = StrippedField(_l("E-mail address"), validators=EMAIL)


class OrganisationForm(BaseForm):
    """A new organisation."""

    name = StrippedField(_l("Name of the organisation"), validators=[NEEDED, Length(max=160)])
    kind = SelectField(
        _l("Kind"),
        choices=[
            ("association", _l("Association")),
            ("federation", _l("Federation")),
            ("company", _l("Company")),
            ("public_body", _l("Public body")),
            ("other", _l("Other")),
        ],
    )
    siren = StrippedField(_l("SIREN number (if it has one)"), validators=[Length(max=20)])
    rna = StrippedField(_l("RNA number (if it has one)"), validators=[Length(max=20)])
    may_act = BooleanField(
        _l("I may act for this organisation"), validators=[InputRequired(_l("Tick the box to go on."))]
    )

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
