"""What people write: contributions, amendments, arguments and sources.

Everything written while a consultation closes is either in before its end or refused: `check_may_write` holds the lock
that closing waits for. A form sent twice writes once: its `form_key` is unique for its author.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from koz.accounts.models import Person
from koz.consultations import queries
from koz.consultations.models import (
    Amendment,
    Argument,
    Consultation,
    Contribution,
    Participant,
    Section,
    Source,
)
from koz.consultations.queries import Target
from koz.consultations.states import ActorKind, Side, SourceKind
from koz.consultations.wording import difference, is_changed, plain
from koz.core.clock import now
from koz.core.errors import Conflict, Invalid, NotAllowed, NotFound
from koz.core.i18n import _
from koz.core.markdown import render_markdown

TITLE_MAX: Final = 140
BODY_MAX: Final = 6_000
SECTION_MAX: Final = 12_000
PROPOSED_MAX: Final = 20_000  # long enough for every text that can be amended, imported ones included
REASON_MAX: Final = 2_000
ARGUMENT_MAX: Final = 2_000
PASSAGE_MAX: Final = 600
HTML_MAX: Final = 20_000  # what a text may become once rendered: pages stay light whatever the marks in it
EXCERPT: Final = 320
SOURCES_MAX: Final = 5


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who writes, under which name, and (if they say so) as whom."""

    person_id: int
    name: str
    kind: ActorKind | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewContribution:
    """An opinion on a section."""

    consultation_id: int
    section_id: int
    speaker: Speaker
    title: str
    body_md: str
    form_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAmendment:
    """Another wording of a contribution or of a section: exactly one of the two ids."""

    consultation_id: int
    contribution_id: int | None = None
    section_id: int | None = None
    speaker: Speaker
    title: str
    proposed_md: str
    reason: str
    form_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSource:
    """A document with the passage that matters."""

    kind: SourceKind
    title: str
    publisher: str = ""
    url: str = ""
    published_on: date | None = None
    passage: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewArgument:
    """A reason for or against, with its source where there is one."""

    consultation_id: int
    target: Target
    side: Side
    speaker: Speaker
    body: str
    source: NewSource | None
    form_key: str


def check_may_write(session: Session, consultation_id: int, person_id: int) -> Consultation:
    """The consultation, open now and locked against closing; the person has a proved address.

    Raises NotFound, Conflict, NotAllowed.
    """
    consultation = queries.share_lock(session, consultation_id)
    if not consultation.is_open:
        raise Conflict(_("This consultation is closed. You can read what was said and its results."))
    proved = select(Person.email_verified_at).where(Person.id == person_id, Person.erased_at.is_(None))
    if session.scalar(proved) is None:
        raise NotAllowed(
            _("Confirm your e-mail address first: press the link in the mail we sent you when you joined.")
        )
    return consultation


def _speak(session: Session, consultation_id: int, speaker: Speaker) -> None:
    values = {"name": speaker.name, "kind": speaker.kind}
    key = {"consultation_id": consultation_id, "person_id": speaker.person_id}
    statement = insert(Participant).values(key | values | {"created_at": now()})
    session.execute(statement.on_conflict_do_update(index_elements=list(key), set_=values))


def html_of(markdown: str, most: int = HTML_MAX) -> str:
    """What a text in Markdown looks like. Raises Invalid when it would weigh too much on its page."""
    html = render_markdown(markdown)
    if len(html) > most:
        raise Invalid(_("This text has too many marks and links to be shown. Write it more simply."))
    return html


def excerpt_of(text: str) -> str:
    """The beginning of a text as one line, cut at a word."""
    line = " ".join(text.split())
    return line if len(line) <= EXCERPT else line[:EXCERPT].rsplit(" ", 1)[0] + "…"


def _insert_once(session: Session, table: Any, values: dict[str, Any]) -> tuple[int, bool]:
    """The new row's id and True, or the id of the row that the same form wrote before and False."""
    statement = insert(table).values(values | {"created_at": now()})
    new = session.scalar(statement.on_conflict_do_nothing(index_elements=["author_id", "form_key"]).returning(table.id))
    if new is not None:
        return int(new), True
    same = select(table.id).where(table.author_id == values["author_id"], table.form_key == values["form_key"])
    return int(session.scalars(same).one()), False


def contribute(session: Session, command: NewContribution) -> int:
    """Add a contribution to a section. Returns its id. Raises NotFound, Conflict, NotAllowed, Invalid."""
    check_may_write(session, command.consultation_id, command.speaker.person_id)
    if queries.get_section(session, command.consultation_id, command.section_id) is None:
        raise NotFound(_("This section does not exist. Go back to the consultation and choose another."))
    _speak(session, command.consultation_id, command.speaker)
    html = html_of(command.body_md)
    values = {
        "consultation_id": command.consultation_id, "section_id": command.section_id,
        "position": int(now().timestamp() * 1000), "author_id": command.speaker.person_id, "title": command.title,
        "body_md": command.body_md, "body_html": html, "excerpt": excerpt_of(plain(html)),
        "form_key": command.form_key, "annexes": [],
    }  # fmt: skip
    return _insert_once(session, Contribution, values)[0]


def amend(session: Session, command: NewAmendment) -> int:
    """Propose another wording. Returns the amendment's id. Raises NotFound, Conflict, NotAllowed, Invalid."""
    assert (command.contribution_id is None) != (command.section_id is None)
    check_may_write(session, command.consultation_id, command.speaker.person_id)
    table: Any = Section if command.contribution_id is None else Contribution
    object_id = command.section_id or command.contribution_id
    here = select(table.body_md).where(table.id == object_id, table.consultation_id == command.consultation_id)
    base = session.scalar(here)
    if base is None:
        raise NotFound(_("What you want to amend does not exist. Go back to the consultation and reload the page."))
    diff = difference(base, command.proposed_md)
    if not is_changed(diff):
        raise Invalid(_("This is the same text as before. Change what you would word otherwise."))
    _speak(session, command.consultation_id, command.speaker)
    values = {
        "consultation_id": command.consultation_id, "contribution_id": command.contribution_id,
        "section_id": command.section_id, "author_id": command.speaker.person_id, "title": command.title,
        "proposed_md": command.proposed_md, "diff": diff, "reason": command.reason, "form_key": command.form_key,
    }  # fmt: skip
    amendment_id, is_new = _insert_once(session, Amendment, values)
    if is_new:
        session.execute(update(table).where(table.id == object_id).values(amendments=table.amendments + 1))
    return amendment_id


def _target_table(session: Session, consultation_id: int, target: Target) -> tuple[Any, int]:
    table: Any = Contribution if target.amendment_id is None else Amendment
    object_id = target.contribution_id or target.amendment_id
    here = select(table.id).where(table.id == object_id, table.consultation_id == consultation_id)
    found = session.scalar(here)
    if found is None:
        raise NotFound(_("What you argue about does not exist. Go back to the consultation and reload the page."))
    return table, int(found)


def argue(session: Session, command: NewArgument) -> int:
    """Add an argument, with its source if given. Returns its id. Raises NotFound, Conflict, NotAllowed."""
    check_may_write(session, command.consultation_id, command.speaker.person_id)
    table, object_id = _target_table(session, command.consultation_id, command.target)
    _speak(session, command.consultation_id, command.speaker)
    values = {
        "consultation_id": command.consultation_id, "contribution_id": command.target.contribution_id,
        "amendment_id": command.target.amendment_id, "side": command.side, "author_id": command.speaker.person_id,
        "body": command.body, "form_key": command.form_key,
    }  # fmt: skip
    argument_id, is_new = _insert_once(session, Argument, values)
    if is_new:
        column = f"arguments_{command.side.value}"
        session.execute(update(table).where(table.id == object_id).values({column: getattr(table, column) + 1}))
        if command.source is not None:
            _put_source(session, session.get_one(Argument, argument_id), command.source)
    return argument_id


def add_source(session: Session, consultation_id: int, argument_id: int, person_id: int, source: NewSource) -> None:
    """Add a source to one's own argument. Raises NotFound, Conflict, NotAllowed."""
    check_may_write(session, consultation_id, person_id)
    statement = select(Argument).where(Argument.id == argument_id, Argument.consultation_id == consultation_id)
    argument = session.scalar(statement.with_for_update(key_share=True).execution_options(populate_existing=True))
    if argument is None:
        raise NotFound(_("This argument does not exist. Go back to the consultation to read the others."))
    if argument.author_id != person_id:
        raise NotAllowed(_("Only the person who wrote an argument adds sources to it."))
    if argument.sources >= SOURCES_MAX:
        raise Conflict(_("This argument has %(n)s sources already, the most there may be.", n=SOURCES_MAX))
    _put_source(session, argument, source)


def _put_source(session: Session, argument: Argument, source: NewSource) -> None:
    """Write the source and keep the tallies of the argument, whose row is ours, and of what it speaks about."""
    session.add(
        Source(
            consultation_id=argument.consultation_id,
            argument_id=argument.id,
            kind=source.kind,
            title=source.title,
            publisher=source.publisher,
            url=source.url,
            published_on=source.published_on,
            passage=source.passage,
        )
    )
    if argument.sources == 0:
        table: Any = Contribution if argument.amendment_id is None else Amendment
        object_id = argument.contribution_id or argument.amendment_id
        counted = {"sourced_arguments": table.sourced_arguments + 1}
        session.execute(update(table).where(table.id == object_id).values(counted))
    argument.sources += 1
    session.flush()
