"""Tables of people, organisations, roles and sessions.

E-mail addresses are stored folded (lower case, NFC) and unique as such. Secrets are stored only as fingerprints:
a copy of the database opens no session.
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from koz.core.clock import now
from koz.core.db import Base, state_column


class OrganisationKind(StrEnum):
    """What an organisation is, as far as its rights on Koz differ."""

    ASSOCIATION = "association"
    FEDERATION = "federation"
    COMPANY = "company"
    PUBLIC_BODY = "public_body"
    OTHER = "other"


class Role(StrEnum):
    """What a member may do: an owner everything, an editor campaigns, a treasurer money, a moderator nothing else."""

    OWNER = "owner"
    EDITOR = "editor"
    TREASURER = "treasurer"
    MODERATOR = "moderator"


class OrganisationAct(StrEnum):
    """What the log of an organisation tells of."""

    CREATED = "created"
    EDITED = "edited"
    VERIFIED = "verified"
    UNVERIFIED = "unverified"
    INVITED = "invited"
    INVITATION_REVOKED = "invitation_revoked"
    JOINED = "joined"
    ROLES_CHANGED = "roles_changed"
    LEFT = "left"
    REMOVED = "removed"


class Person(Base):
    """Somebody with an account. An erased person keeps the id, so that books and votes stay whole, and nothing else."""

    __tablename__ = "persons"
    __table_args__ = (
        CheckConstraint("email = lower(email)", name="email_folded"),
        CheckConstraint("locale IN ('fr', 'en')", name="locale_known"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    email: Mapped[str | None] = mapped_column(String(254), unique=True)
    email_verified_at: Mapped[datetime | None]
    name: Mapped[str] = mapped_column(String(120))
    password_hash: Mapped[str] = mapped_column(String(200))
    locale: Mapped[str] = mapped_column(String(2), default="fr")
    is_staff: Mapped[bool] = mapped_column(default=False)
    is_moderator: Mapped[bool] = mapped_column(default=False)
    totp_secret: Mapped[str | None] = mapped_column(String(64))
    totp_last_step: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(default=now)
    erased_at: Mapped[datetime | None]


class Organisation(Base):
    """A body that runs campaigns, lends people or answers."""

    __tablename__ = "organisations"
    __table_args__ = (
        CheckConstraint("siren ~ '^[0-9]{9}$'", name="siren_form"),
        CheckConstraint("rna ~ '^W[0-9A-Z]{9}$'", name="rna_form"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(String(160))
    kind: Mapped[OrganisationKind] = state_column(OrganisationKind, name="kind")
    siren: Mapped[str | None] = mapped_column(String(9), unique=True)
    rna: Mapped[str | None] = mapped_column(String(10), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    verified_at: Mapped[datetime | None]


class Membership(Base):
    """One role of one person in one organisation."""

    __tablename__ = "memberships"
    __table_args__ = (
        UniqueConstraint("person_id", "organisation_id", "role"),
        Index("ix_memberships_organisation_id", "organisation_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    role: Mapped[Role] = state_column(Role, name="role")
    created_at: Mapped[datetime] = mapped_column(default=now)


class UserSession(Base):
    """A browser that is logged in. The cookie holds the token, the row its fingerprint; ending it is deleting it."""

    __tablename__ = "user_sessions"
    __table_args__ = (Index("ix_user_sessions_person_id", "person_id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"))
    created_at: Mapped[datetime] = mapped_column(default=now)
    seen_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]
    password_at: Mapped[datetime] = mapped_column(default=now)
    second_factor_at: Mapped[datetime | None]
    agent: Mapped[str] = mapped_column(String(120), default="")


class AuditEntry(Base):
    """What staff did and why. Append-only: a trigger refuses changes."""

    __tablename__ = "audit_entries"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    at: Mapped[datetime] = mapped_column(default=now)
    actor_id: Mapped[int] = mapped_column(ForeignKey("persons.id"))
    act: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str] = mapped_column(String(120))
    reason: Mapped[str] = mapped_column(Text)


class Invitation(Base):
    """An address invited to a role. The link holds only this row's id; the row says whether it is still good.

    One is open per organisation, address and role. Addresses are emptied some time after it is over.
    """

    __tablename__ = "invitations"
    __table_args__ = (
        CheckConstraint("email = lower(email)", name="email_folded"),
        CheckConstraint("locale IN ('fr', 'en')", name="locale_known"),
        Index(
            "uq_invitations_open",
            "organisation_id",
            "email",
            "role",
            unique=True,
            postgresql_where="accepted_at IS NULL AND revoked_at IS NULL",
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    email: Mapped[str] = mapped_column(String(254))
    role: Mapped[Role] = state_column(Role, name="role")
    locale: Mapped[str] = mapped_column(String(2))
    invited_by: Mapped[int] = mapped_column(ForeignKey("persons.id"))
    created_at: Mapped[datetime] = mapped_column(default=now)
    sent_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    accepted_by: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    revoked_at: Mapped[datetime | None]


class EmailChange(Base):
    """A wish to move an account to another address, until the link in the mail to that address proves it."""

    __tablename__ = "email_changes"
    __table_args__ = (Index("ix_email_changes_person_id", "person_id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"))
    email: Mapped[str] = mapped_column(String(254))
    old_email: Mapped[str] = mapped_column(String(254))
    created_at: Mapped[datetime] = mapped_column(default=now)
    done_at: Mapped[datetime | None]


class RecoveryCode(Base):
    """A code that stands in for a lost second factor, once. Only its fingerprint is kept."""

    __tablename__ = "recovery_codes"
    __table_args__ = (UniqueConstraint("person_id", "code_hash"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"))
    code_hash: Mapped[str] = mapped_column(String(64))
    used_at: Mapped[datetime | None]


class OrganisationEntry(Base):
    """What was done in an organisation, for its members to read. Append-only; people by id only."""

    __tablename__ = "organisation_entries"
    __table_args__ = (Index("ix_organisation_entries_organisation_id_id", "organisation_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    at: Mapped[datetime] = mapped_column(default=now)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    act: Mapped[OrganisationAct] = state_column(OrganisationAct, name="act")
    person_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    detail: Mapped[str] = mapped_column(String(120), default="")
