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
