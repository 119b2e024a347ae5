"""What the pages show: consultations, their sections, and the voices with their authors and the reader's own vote."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, literal, or_, select, tuple_
from sqlalchemy.orm import Session

from koz.accounts.models import Organisation, Person
from koz.campaigns.models import Campaign
from koz.consultations.models import (
    Amendment,
    AmendmentVote,
    Argument,
    ArgumentVote,
    Consultation,
    Contribution,
    ContributionVote,
    Participant,
    Section,
    Source,
)
from koz.consultations.states import PUBLIC, ActorKind, Choice, ConsultationState, Side
from koz.core.access import Actor
from koz.core.clock import now
from koz.core.errors import NotFound
from koz.core.i18n import _
from koz.core.paging import Page, after_page

MAX_SECTIONS = 60
NOBODY = 0  # no person has this id: joins for a visitor's own vote find nothing


@dataclass(frozen=True, slots=True)
class Head:
    """A consultation with what stands above its text: who asks and which campaign it belongs to."""

    consultation: Consultation
    organisation: str | None
    campaign_slug: str | None
    campaign_title: str | None


@dataclass(frozen=True, slots=True)
class Card:
    """A consultation in a list. `votes` are those on its contributions and amendments, as its results count them."""

    consultation: Consultation
    organisation: str | None
    contributions: int
    votes: int
    imported_votes: int


@dataclass(frozen=True, slots=True)
class SectionRow:
    """A section's name and how many contributions it has."""

    id: int
    title: str
    contributions: int


@dataclass(frozen=True, slots=True)
class Voice:
    """A contribution, its author's chosen name ("" for an account that is gone), and the reader's own vote."""

    contribution: Contribution
    author: str
    kind: ActorKind | None
    section_title: str
    vote: Choice | None


@dataclass(frozen=True, slots=True)
class AmendmentVoice:
    """An amendment, its author and the reader's own vote."""

    amendment: Amendment
    author: str
    kind: ActorKind | None
    vote: Choice | None


@dataclass(frozen=True, slots=True)
class ArgumentVoice:
    """An argument, its author, and whether the reader found it useful."""

    argument: Argument
    author: str
    kind: ActorKind | None
    is_mine: bool
    found_useful: bool


@dataclass(frozen=True, slots=True)
class Target:
    """What an argument speaks about: a contribution or an amendment, by id."""

    contribution_id: int | None = None
    amendment_id: int | None = None

    def __post_init__(self) -> None:
        assert (self.contribution_id is None) != (self.amendment_id is None)

    def holds(self, table: type[Argument]) -> ColumnElement[bool]:
        """The rows about this thing."""
        if self.amendment_id is None:
            return table.contribution_id == self.contribution_id
        return table.amendment_id == self.amendment_id


def _missing() -> NotFound:
    return NotFound(_("This consultation does not exist or is not open yet. See the consultations that are open."))


def find_consultation(session: Session, slug: str) -> Consultation | None:
    """The consultation of a slug, whatever its state."""
    return session.scalar(select(Consultation).where(Consultation.slug == slug))


def find_by_campaign(session: Session, campaign_id: int) -> Consultation | None:
    """The consultation of a campaign, whatever its state (a draft is not public)."""
    return session.scalar(select(Consultation).where(Consultation.campaign_id == campaign_id))


def get_consultation(session: Session, slug: str) -> Consultation:
    """The public consultation of a slug. Raises NotFound."""
    consultation = find_consultation(session, slug)
    if consultation is None or consultation.state not in PUBLIC:
        raise _missing()
    return consultation


def get_consultation_by_id(session: Session, consultation_id: int) -> Consultation:
    """The consultation of an id, whatever its state. Raises NotFound."""
    consultation = session.get(Consultation, consultation_id)
    if consultation is None:
        raise _missing()
    return consultation


def get_head(session: Session, actor: Actor, slug: str) -> Head:
    """A consultation's page head, for everyone once it is public and before that for its organisation's members.

    Raises NotFound.
    """
    row = session.execute(
        select(Consultation, Organisation.name, Campaign.slug, Campaign.title)
        .outerjoin(Organisation, Organisation.id == Consultation.organisation_id)
        .outerjoin(Campaign, Campaign.id == Consultation.campaign_id)
        .where(Consultation.slug == slug)
    ).first()
    if row is None:
        raise _missing()
    head = Head(row[0], row[1], row[2], row[3])
    if head.consultation.state not in PUBLIC and not actor.has_role(head.consultation.organisation_id):
        raise _missing()
    return head


def share_lock(session: Session, consultation_id: int) -> Consultation:
    """The consultation, locked so that it cannot close while this transaction writes into it.

    FOR KEY SHARE: the lock its foreign keys take anyway. Any number of writers hold it together; only closing, which
    asks for FOR UPDATE, waits for them. Raises NotFound.
    """
    statement = select(Consultation).where(Consultation.id == consultation_id)
    consultation = session.scalar(
        statement.with_for_update(read=True, key_share=True).execution_options(populate_existing=True)
    )
    if consultation is None:
        raise _missing()
    return consultation


def lock(session: Session, consultation_id: int) -> Consultation:
    """The consultation, locked against everybody who writes into it, and freshly read. Raises NotFound."""
    consultation = session.scalar(
        select(Consultation)
        .where(Consultation.id == consultation_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if consultation is None:
        raise _missing()
    return consultation


def list_due(session: Session, at: datetime, limit: int = 200) -> Sequence[int]:
    """Ids of open consultations whose last moment lies before `at`."""
    due = select(Consultation.id).where(Consultation.state == ConsultationState.OPEN, Consultation.closes_at < at)
    return session.scalars(due.order_by(Consultation.id).limit(limit)).all()


def _cards() -> Any:
    def total(table: Any, *columns: str) -> Any:
        added = sum((getattr(table, c) for c in columns[1:]), getattr(table, columns[0]))
        of = select(func.coalesce(func.sum(added), 0)).where(table.consultation_id == Consultation.id)
        return of.scalar_subquery()

    texts = select(func.count()).where(Contribution.consultation_id == Consultation.id).scalar_subquery()
    votes = total(Contribution, *Choice) + total(Amendment, *Choice)
    imported = total(Contribution, *(f"imported_{choice}" for choice in Choice))
    return select(Consultation, Organisation.name, texts, votes, imported).outerjoin(
        Organisation, Organisation.id == Consultation.organisation_id
    )


def find_card(session: Session, campaign_id: int) -> Card | None:
    """The public consultation of a campaign as its page shows it, with its counts."""
    wanted = _cards().where(Consultation.campaign_id == campaign_id, Consultation.state.in_(PUBLIC))
    row = session.execute(wanted).first()
    return None if row is None else Card(*tuple(row))


def get_card(session: Session, slug: str) -> Card:
    """The public consultation of a slug with its counts. Raises NotFound."""
    row = session.execute(_cards().where(Consultation.slug == slug, Consultation.state.in_(PUBLIC))).first()
    if row is None:
        raise _missing()
    return Card(*tuple(row))


def list_public(session: Session, after: str | None = None, limit: int = 12) -> Page[Card]:
    """Public consultations: those that are open first, then the latest. `after` is the key of the page before."""
    is_open = case((and_(Consultation.state == ConsultationState.OPEN, Consultation.closes_at >= now()), 1), else_=0)
    statement = _cards().where(Consultation.state.in_(PUBLIC))
    if key := parse_key(after, 2):
        statement = statement.where(tuple_(is_open, Consultation.id) < tuple_(*map(literal, key)))
    rows = session.execute(statement.order_by(is_open.desc(), Consultation.id.desc()).limit(limit + 1)).all()
    cards = [Card(*row) for row in rows]
    return after_page(cards, limit, lambda c: f"{int(c.consultation.is_open)}_{c.consultation.id}")


def list_joined(session: Session, person_id: int, limit: int = 20) -> Sequence[Consultation]:
    """Public consultations in which a person wrote or voted on a contribution, latest first."""
    wrote = select(Participant.consultation_id).where(Participant.person_id == person_id)
    voted = (
        select(Contribution.consultation_id)
        .join(ContributionVote, ContributionVote.contribution_id == Contribution.id)
        .where(ContributionVote.person_id == person_id)
    )
    query = select(Consultation).where(Consultation.id.in_(wrote.union(voted)), Consultation.state.in_(PUBLIC))
    return session.scalars(query.order_by(Consultation.id.desc()).limit(limit)).all()


def list_sections(session: Session, consultation_id: int) -> Sequence[Section]:
    """Sections with their text, in order."""
    statement = select(Section).where(Section.consultation_id == consultation_id)
    return session.scalars(statement.order_by(Section.position, Section.id).limit(MAX_SECTIONS)).all()


def list_section_rows(session: Session, consultation_id: int) -> Sequence[SectionRow]:
    """Names of sections with their number of contributions, in order."""
    rows = session.execute(
        select(Section.id, Section.title, func.count(Contribution.id))
        .outerjoin(Contribution, Contribution.section_id == Section.id)
        .where(Section.consultation_id == consultation_id)
        .group_by(Section.id)
        .order_by(Section.position, Section.id)
        .limit(MAX_SECTIONS)
    )
    return [SectionRow(*row) for row in rows]


def get_section(session: Session, consultation_id: int, section_id: int | None) -> Section | None:
    """A section of a consultation, the first when `section_id` is None; None when it has none. Raises NotFound."""
    statement = select(Section).where(Section.consultation_id == consultation_id)
    if section_id is not None:
        statement = statement.where(Section.id == section_id)
    section = session.scalar(statement.order_by(Section.position, Section.id).limit(1))
    if section is None and section_id is not None:
        raise NotFound(_("This section does not exist. Go back to the consultation and choose another."))
    return section


def find_participant(session: Session, consultation_id: int, person_id: int) -> Participant | None:
    """Under which name a person writes in a consultation, once they have."""
    return session.get(Participant, (consultation_id, person_id))


def _author(table: Any) -> ColumnElement[str]:
    label = table.author_label if hasattr(table, "author_label") else literal("")
    name = func.coalesce(Participant.name, label)
    return case((Person.erased_at.is_not(None), ""), else_=name)


def _with_author(statement: Any, table: Any) -> Any:
    wrote = and_(Participant.consultation_id == table.consultation_id, Participant.person_id == table.author_id)
    return statement.outerjoin(Participant, wrote).outerjoin(Person, Person.id == table.author_id)


def _voices(person_id: int | None) -> Any:
    mine = and_(
        ContributionVote.contribution_id == Contribution.id, ContributionVote.person_id == (person_id or NOBODY)
    )
    columns = (Contribution, _author(Contribution), Participant.kind, Section.title, ContributionVote.choice)
    statement = select(*columns).join(Section, Section.id == Contribution.section_id)
    return _with_author(statement, Contribution).outerjoin(ContributionVote, mine)


def list_contributions(
    session: Session,
    consultation_id: int,
    after: str | None = None,
    limit: int = 10,
    *,
    section_id: int | None = None,
    person_id: int | None = None,
) -> Page[Voice]:
    """Contributions of a consultation, or of one of its sections: the organiser's own first, then the latest.

    `after` is the key of the page before; `person_id` the reader, whose own votes come along.
    """
    statement = _voices(person_id).where(Contribution.consultation_id == consultation_id)
    if section_id is not None:
        statement = statement.where(Contribution.section_id == section_id)
    if key := parse_key(after, 2):
        statement = statement.where(tuple_(Contribution.position, Contribution.id) < tuple_(*map(literal, key)))
    statement = statement.order_by(Contribution.position.desc(), Contribution.id.desc()).limit(limit + 1)
    voices = [Voice(*row) for row in session.execute(statement)]
    return after_page(voices, limit, lambda v: f"{v.contribution.position}_{v.contribution.id}")


def get_contribution(
    session: Session, consultation_id: int, contribution_id: int, person_id: int | None = None
) -> Voice:
    """One contribution of a consultation. Raises NotFound."""
    wanted = and_(Contribution.consultation_id == consultation_id, Contribution.id == contribution_id)
    row = session.execute(_voices(person_id).where(wanted)).first()
    if row is None:
        raise NotFound(_("This contribution does not exist. Go back to the consultation to read the others."))
    return Voice(*row)


def _amendments(person_id: int | None) -> Any:
    mine = and_(AmendmentVote.amendment_id == Amendment.id, AmendmentVote.person_id == (person_id or NOBODY))
    statement = select(Amendment, _author(Amendment), Participant.kind, AmendmentVote.choice)
    return _with_author(statement, Amendment).outerjoin(AmendmentVote, mine)


def list_amendments(
    session: Session,
    *,
    contribution_id: int | None = None,
    section_id: int | None = None,
    after: int | None = None,
    limit: int = 5,
    person_id: int | None = None,
) -> Page[AmendmentVoice]:
    """Amendments of a contribution or of a section, oldest first; `after` is the last id of the page before."""
    assert (contribution_id is None) != (section_id is None)
    target = Amendment.contribution_id == contribution_id if section_id is None else Amendment.section_id == section_id
    statement = _amendments(person_id).where(target, Amendment.id > (after or 0)).order_by(Amendment.id)
    found = [AmendmentVoice(*row) for row in session.execute(statement.limit(limit + 1))]
    return after_page(found, limit, lambda v: v.amendment.id)


def get_amendment(
    session: Session, consultation_id: int, amendment_id: int, person_id: int | None = None
) -> AmendmentVoice:
    """One amendment of a consultation. Raises NotFound."""
    wanted = and_(Amendment.consultation_id == consultation_id, Amendment.id == amendment_id)
    row = session.execute(_amendments(person_id).where(wanted)).first()
    if row is None:
        raise NotFound(_("This amendment does not exist. Go back to the consultation to read the others."))
    return AmendmentVoice(*row)


def list_arguments(
    session: Session,
    side: Side,
    target: Target,
    *,
    after: str | None = None,
    limit: int = 6,
    person_id: int | None = None,
) -> Page[ArgumentVoice]:
    """Arguments of one side: those with a source first, then the most useful, then the oldest. None is left out."""
    reader = person_id or NOBODY
    mine = and_(ArgumentVote.argument_id == Argument.id, ArgumentVote.person_id == reader)
    sourced = case((Argument.sources > 0, 1), else_=0)
    order = (sourced, Argument.useful, Argument.imported_useful, -Argument.id)
    columns = (
        Argument,
        _author(Argument),
        Participant.kind,
        func.coalesce(Argument.author_id == reader, literal(value=False)),
        ArgumentVote.person_id.is_not(None),
    )
    statement = _with_author(select(*columns), Argument).outerjoin(ArgumentVote, mine)
    statement = statement.where(target.holds(Argument), Argument.side == side)
    if key := parse_key(after, 4):
        statement = statement.where(tuple_(*order) < tuple_(*map(literal, (*key[:3], -key[3]))))
    rows = session.execute(statement.order_by(*(o.desc() for o in order)).limit(limit + 1))
    return after_page([ArgumentVoice(*row) for row in rows], limit, lambda v: _argument_key(v.argument))


def _argument_key(argument: Argument) -> str:
    return f"{int(argument.sources > 0)}_{argument.useful}_{argument.imported_useful}_{argument.id}"


def get_argument(session: Session, consultation_id: int, argument_id: int) -> Argument:
    """One argument of a consultation. Raises NotFound."""
    argument = session.get(Argument, argument_id)
    if argument is None or argument.consultation_id != consultation_id:
        raise NotFound(_("This argument does not exist. Go back to the consultation to read the others."))
    return argument


def list_sources(
    session: Session, argument_ids: Sequence[int], contribution_id: int | None = None, limit: int = 60
) -> Sequence[Source]:
    """Sources of some arguments and, where given, those that stand under a contribution itself; oldest first."""
    wanted: list[ColumnElement[bool]] = [Source.argument_id.in_(argument_ids)]
    if contribution_id is not None:
        wanted.append(Source.contribution_id == contribution_id)
    return session.scalars(select(Source).where(or_(*wanted)).order_by(Source.id).limit(limit)).all()


def parse_key(text: str | None, numbers: int) -> tuple[int, ...] | None:
    """The whole numbers of a page's key, such as "1_45"; None when absent or not of that form."""
    if text is None or not re.fullmatch(r"-?\d{1,18}" + r"_\d{1,18}" * (numbers - 1), text, re.ASCII):
        return None
    return tuple(int(part) for part in text.split("_"))


def list_annexes(session: Session, contribution_id: int) -> Sequence[dict[str, Any]]:
    """The explanations of an imported contribution: {"title", "html"} or {"title", "diff"}."""
    return session.scalar(select(Contribution.annexes).where(Contribution.id == contribution_id)) or []
