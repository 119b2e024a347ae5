"""Bring a Cap Collectif consultation in for a local trial: complete, in the caller's one transaction, repeatable.

Every object keeps the number it had, unique within the consultation, so bringing the same file in again updates and
never doubles. Votes and amendments come as counts only: they stand in columns of their own (`imported_*`).
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from markupsafe import escape
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from sqlalchemy.sql import literal_column

from koz.consultations.models import Argument, Consultation, Contribution, Section, Source
from koz.consultations.queries.reading import MAX_SECTIONS
from koz.consultations.services.cap_format import CapOpinion, CapSection, read_opinion
from koz.consultations.services.writing import excerpt_of
from koz.consultations.states import ConsultationState, Side
from koz.core.clock import PARIS, end_of_day, now, today
from koz.core.errors import Conflict, Invalid
from koz.core.i18n import _

BATCH: Final = 50
#: Above every position a moment gives, so that the organiser's own articles stand first, in their order.
FIRST: Final = 10**15


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportAs:
    """Under which address and name it is shown. `open_days`: open it here for a trial, else closed as it was."""

    slug: str
    title: str
    question: str
    origin: str
    open_days: int | None = None


@dataclass(slots=True)
class Report:
    """What a file held (counted while reading), how much of it was new, and what stands in the database after it."""

    slug: str
    lines: int = 0
    sections: int = 0
    contributions: int = 0
    arguments: int = 0
    arguments_for: int = 0
    arguments_against: int = 0
    sources: int = 0
    authors: int = 0
    votes: dict[str, int] = field(default_factory=lambda: {"agree": 0, "mixed": 0, "disagree": 0})
    amendments: int = 0
    new: dict[str, int] = field(default_factory=lambda: {"contributions": 0, "arguments": 0, "sources": 0})
    stored: dict[str, int] = field(default_factory=dict)


class _Importer:
    """One run: remembers the sections, whose numbers were seen, and the report."""

    def __init__(self, session: Session, consultation_id: int, report: Report) -> None:
        self.session, self.consultation_id, self.report = session, consultation_id, report
        self.sections: dict[str, int] = {}
        self.orders: dict[str, int] = {}
        self.seen: Counter[tuple[str, str]] = Counter()
        self.authors: set[str] = set()
        self.earliest: datetime | None = None
        self.latest: datetime | None = None

    def take(self, opinion: CapOpinion, number: int) -> None:
        """Count one opinion and refuse numbers that came before."""
        report = self.report
        report.contributions += 1
        report.arguments += len(opinion.arguments)
        report.arguments_for += sum(a.side is Side.FOR for a in opinion.arguments)
        report.arguments_against += sum(a.side is Side.AGAINST for a in opinion.arguments)
        report.sources += len(opinion.sources)
        report.amendments += opinion.amendments
        for name, votes in (("agree", opinion.agree), ("mixed", opinion.mixed), ("disagree", opinion.disagree)):
            report.votes[name] += votes
        keys = [("opinion", opinion.external_id)]
        keys += [("argument", a.external_id) for a in opinion.arguments]
        keys += [("source", s.external_id) for s in opinion.sources]
        for key in keys:
            self.seen[key] += 1
            if self.seen[key] > 1:
                name = f"{key[0]} {key[1]}"
                raise Invalid(_("Line %(n)s repeats %(name)s. Nothing was brought in.", n=number, name=name))
        self.authors |= {opinion.author, *(a.author for a in opinion.arguments), *(s.author for s in opinion.sources)}
        moments = [opinion.created_at, *(a.created_at for a in opinion.arguments)]
        self.earliest = min([*moments, self.earliest] if self.earliest else moments)
        self.latest = max([*moments, self.latest] if self.latest else moments)

    def write(self, opinions: list[CapOpinion]) -> None:
        """Write a batch."""
        for opinion in opinions:
            self._section(opinion.section)
        ids = self._upsert(Contribution, [self._contribution(o) for o in opinions], "contributions")
        arguments, sources = [], []
        for o in opinions:
            here = {"consultation_id": self.consultation_id, "contribution_id": ids[o.external_id]}
            arguments += [
                here | {
                    "external_id": a.external_id, "side": a.side, "author_label": a.author, "body": a.body,
                    "created_at": a.created_at, "imported_useful": a.useful,
                }
                for a in o.arguments
            ]  # fmt: skip
            sources += [
                here | {
                    "external_id": s.external_id, "kind": s.kind, "title": s.title, "url": s.url, "publisher": "",
                    "passage": s.passage, "author_label": s.author, "created_at": s.created_at,
                    "imported_useful": s.useful,
                }
                for s in o.sources
            ]  # fmt: skip
        self._upsert(Argument, arguments, "arguments")
        self._upsert(Source, sources, "sources")

    def _contribution(self, o: CapOpinion) -> dict[str, Any]:
        position = FIRST - o.number if o.by_organiser else int(o.created_at.timestamp() * 1000)
        return {
            "consultation_id": self.consultation_id, "section_id": self.sections[o.section.external_id],
            "external_id": o.external_id, "position": position, "author_label": o.author,
            "by_organiser": o.by_organiser, "title": o.title, "body_md": o.text, "body_html": o.body_html,
            "excerpt": excerpt_of(o.text), "created_at": o.created_at, "imported_agree": o.agree,
            "imported_mixed": o.mixed, "imported_disagree": o.disagree, "imported_amendments": o.amendments,
            "imported_trashed": o.trashed, "annexes": o.annexes,
        }  # fmt: skip

    def _section(self, section: CapSection) -> None:
        if section.external_id in self.sections:
            return
        if len(self.sections) >= MAX_SECTIONS:
            raise Invalid(_("There are more than %(n)s sections. Nothing was brought in.", n=MAX_SECTIONS))
        body = f"<p>{escape(section.help_text)}</p>" if section.help_text else ""
        row = {
            "consultation_id": self.consultation_id, "external_id": section.external_id, "position": section.order,
            "title": section.title, "body_md": section.help_text, "body_html": body,
        }  # fmt: skip
        self.sections |= self._upsert(Section, [row], None)

    def _upsert(self, table: Any, rows: list[dict[str, Any]], name: str | None) -> dict[str, int]:
        """Insert or update by (consultation, external id). Returns our id by external id."""
        if not rows:
            return {}
        statement = insert(table).values(rows)
        kept = {
            column: statement.excluded[column] for column in rows[0] if column not in {"consultation_id", "external_id"}
        }
        # xmax is 0 for a row that this statement inserted, and not for one that it updated
        statement = statement.on_conflict_do_update(index_elements=["consultation_id", "external_id"], set_=kept)
        found = self.session.execute(
            statement.returning(table.external_id, table.id, literal_column("(xmax = 0)"))
        ).all()
        if name:
            self.report.new[name] += sum(bool(is_new) for _external, _id, is_new in found)
        return {external: int(row_id) for external, row_id, _is_new in found}


def import_cap(session: Session, lines: Iterable[bytes], target: ImportAs) -> Report:
    """Bring in a file's lines (empty ones are skipped). All or nothing: the caller's transaction.

    Raises Invalid with the number of the first line that cannot be used, Conflict when the address is another's.
    """
    consultation = _consultation(session, target)
    report = Report(target.slug)
    importer = _Importer(session, consultation.id, report)
    batch: list[CapOpinion] = []
    for number, line in enumerate(lines, 1):
        report.lines = number
        if not line.strip():
            continue
        opinion = read_opinion(line, number)
        importer.take(opinion, number)
        batch.append(opinion)
        if len(batch) == BATCH:
            importer.write(batch)
            batch = []
    importer.write(batch)
    if importer.earliest is None or importer.latest is None:
        raise Invalid(_("There is no opinion in this file. Nothing was brought in."))
    _date(consultation, importer.earliest, importer.latest, target.open_days)
    session.flush()
    _recount(session, consultation.id)
    report.sections, report.authors = len(importer.sections), len(importer.authors)
    report.stored = _stored(session, consultation.id)
    return report


def _consultation(session: Session, target: ImportAs) -> Consultation:
    """The consultation to import into, locked; made when it is not there."""
    external = f"cap-collectif:{target.slug}"
    statement = insert(Consultation).values(
        slug=target.slug, title=target.title, question=target.question, origin=target.origin, external_id=external,
        intro_md="", intro_html="", addressee="", days=30, answer_days=60, state=ConsultationState.DRAFT,
        created_at=now(), version=1,
    )  # fmt: skip
    session.execute(statement.on_conflict_do_nothing())
    consultation = session.scalar(select(Consultation).where(Consultation.slug == target.slug).with_for_update())
    if consultation is None or consultation.external_id != external:
        raise Conflict(_("Another consultation has the address %(slug)s. Choose one with --slug.", slug=target.slug))
    consultation.title, consultation.question, consultation.origin = target.title, target.question, target.origin
    consultation.version += 1
    return consultation


def _date(consultation: Consultation, earliest: datetime, latest: datetime, open_days: int | None) -> None:
    consultation.opens_at = earliest
    if open_days is None:
        consultation.state = ConsultationState.CLOSED
        consultation.closes_at = end_of_day(latest.astimezone(PARIS).date())
        consultation.closed_at = consultation.closes_at
    else:
        consultation.state, consultation.closed_at = ConsultationState.OPEN, None
        consultation.closes_at = end_of_day(today() + timedelta(days=open_days))


def _recount(session: Session, consultation_id: int) -> None:
    """Set the tallies of arguments from the rows: imported ones and those people added here."""

    def count(side: Side) -> Any:
        of = select(func.count()).where(Argument.contribution_id == Contribution.id, Argument.side == side)
        return of.correlate(Contribution).scalar_subquery()

    here = Contribution.consultation_id == consultation_id
    values = {f"arguments_{s.value}": count(s) for s in Side}
    session.execute(update(Contribution).where(here).values(values).execution_options(synchronize_session=False))


def _stored(session: Session, consultation_id: int) -> dict[str, int]:
    """What the database holds of the imported objects of a consultation."""

    def count(table: Any) -> int:
        imported = table.consultation_id == consultation_id, table.external_id.is_not(None)
        return session.scalar(select(func.count()).select_from(table).where(*imported)) or 0

    sums = select(
        *(
            func.coalesce(func.sum(getattr(Contribution, f"imported_{name}")), 0)
            for name in ("agree", "mixed", "disagree", "amendments")
        )
    ).where(Contribution.consultation_id == consultation_id)
    agree, mixed, disagree, amendments = map(int, session.execute(sums).one())
    return {
        "sections": count(Section), "contributions": count(Contribution), "arguments": count(Argument),
        "sources": count(Source), "agree": agree, "mixed": mixed, "disagree": disagree, "amendments": amendments,
    }  # fmt: skip
