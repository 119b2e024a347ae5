"""Figures of a consultation, each counted from the rows it is made of, and the recount that checks the kept tallies."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import (
    CompoundSelect,
    Float,
    Integer,
    Select,
    String,
    Subquery,
    and_,
    case,
    cast,
    distinct,
    func,
    literal,
    select,
    union,
    union_all,
)
from sqlalchemy.orm import Session, aliased

from koz.consultations.models import (
    Amendment,
    AmendmentVote,
    Argument,
    ArgumentVote,
    Contribution,
    ContributionVote,
    Section,
    Source,
)
from koz.consultations.queries.reading import list_section_rows
from koz.consultations.states import Choice, Side
from koz.consultations.tally import share, surely

PointKind = Literal["uniting", "dividing"]
#: A contribution unites when its votes make sure that more than this share agrees...
UNITED: Final = 0.5
#: ... and divides when they make sure of this share on both sides.
DIVIDED: Final = 0.2


@dataclass(frozen=True, slots=True)
class Point:
    """A contribution that stands out, with its votes. `imported` tells whose votes: the place it came from, or Koz."""

    contribution_id: int
    title: str
    excerpt: str
    section_id: int
    kind: PointKind
    agree: int
    mixed: int
    disagree: int
    imported: bool = False


@dataclass(frozen=True, slots=True)
class SectionResult:
    """What was said in one section. Votes are those on its contributions and amendments."""

    id: int
    title: str
    contributions: int = 0
    amendments: int = 0
    arguments: int = 0
    sourced: int = 0
    agree: int = 0
    mixed: int = 0
    disagree: int = 0
    useful: int = 0
    sources: int = 0
    imported_agree: int = 0
    imported_mixed: int = 0
    imported_disagree: int = 0
    imported_amendments: int = 0

    @property
    def votes(self) -> int:
        """Koz's own votes, agree, mixed and disagree."""
        return self.agree + self.mixed + self.disagree

    @property
    def imported_votes(self) -> int:
        """Votes counted where the consultation came from."""
        return self.imported_agree + self.imported_mixed + self.imported_disagree


@dataclass(frozen=True, slots=True)
class Results:
    """All figures of a consultation. `total` adds up the sections."""

    participants: int
    sections: Sequence[SectionResult]
    total: SectionResult
    uniting: Sequence[Point]
    dividing: Sequence[Point]

    @property
    def sourced_share(self) -> float:
        """Share of arguments that have at least one source, in [0, 1]."""
        return share(self.total.sourced, self.total.arguments)


def _people(consultation_id: int) -> CompoundSelect[Any]:
    """Ids of everybody with a present vote or a text of their own, each once."""
    votes = [
        select(t.person_id).where(t.consultation_id == consultation_id)
        for t in (ContributionVote, AmendmentVote, ArgumentVote)
    ]
    texts = [
        select(t.author_id).where(t.consultation_id == consultation_id, t.author_id.is_not(None))
        for t in (Contribution, Amendment, Argument)
    ]
    return union(*votes, *texts)


def count_participants(session: Session, consultation_id: int) -> int:
    """How many people take part: with a present vote or a text. Visitors and withdrawn votes do not count."""
    return session.scalar(select(func.count()).select_from(_people(consultation_id).subquery())) or 0


def participant_ids(session: Session, consultation_id: int, after: int = 0, limit: int = 1000) -> Sequence[int]:
    """Ids of the people who take part, ascending, at most `limit` beyond id `after`."""
    people = _people(consultation_id).subquery()
    column = people.c[0]
    return session.scalars(select(column).where(column > after).order_by(column).limit(limit)).all()


def _counts(consultation_id: int) -> CompoundSelect[Any]:
    """Rows (section id, what, how many): every count of a consultation from its rows, in one statement."""
    of_contribution = aliased(Contribution)
    amendment_section = func.coalesce(Amendment.section_id, Contribution.section_id)
    argument_section = func.coalesce(Contribution.section_id, Amendment.section_id, of_contribution.section_id)

    def named(section: Any, name: str, value: Any) -> Select[Any]:
        return select(section, literal(name, String), value).group_by(section)

    def arguments(name: str, value: Any) -> Select[Any]:
        return (
            named(argument_section, name, value)
            .select_from(Argument)
            .outerjoin(Contribution, Contribution.id == Argument.contribution_id)
            .outerjoin(Amendment, Amendment.id == Argument.amendment_id)
            .outerjoin(of_contribution, of_contribution.id == Amendment.contribution_id)
            .where(Argument.consultation_id == consultation_id)
        )

    here = Contribution.consultation_id == consultation_id
    parts = [
        named(Contribution.section_id, "contributions", func.count()).where(here),
        *(
            named(Contribution.section_id, name, func.sum(getattr(Contribution, name))).where(here)
            for name in ("imported_agree", "imported_mixed", "imported_disagree", "imported_amendments")
        ),
        named(amendment_section, "amendments", func.count())
        .select_from(Amendment)
        .outerjoin(Contribution, Contribution.id == Amendment.contribution_id)
        .where(Amendment.consultation_id == consultation_id),
        arguments("arguments", func.count()),
        arguments("sourced", func.count(distinct(Source.argument_id))).join(Source, Source.argument_id == Argument.id),
        arguments("useful", func.count()).join(ArgumentVote, ArgumentVote.argument_id == Argument.id),
        arguments("sources", func.count()).join(Source, Source.argument_id == Argument.id),
        named(Contribution.section_id, "sources", func.count())
        .select_from(Source)
        .join(Contribution, Contribution.id == Source.contribution_id)
        .where(Source.consultation_id == consultation_id),
        select(Contribution.section_id, cast(ContributionVote.choice, String), func.count())
        .join(Contribution, Contribution.id == ContributionVote.contribution_id)
        .where(ContributionVote.consultation_id == consultation_id)
        .group_by(Contribution.section_id, ContributionVote.choice),
        select(amendment_section, cast(AmendmentVote.choice, String), func.count())
        .select_from(AmendmentVote)
        .join(Amendment, Amendment.id == AmendmentVote.amendment_id)
        .outerjoin(Contribution, Contribution.id == Amendment.contribution_id)
        .where(AmendmentVote.consultation_id == consultation_id)
        .group_by(amendment_section, AmendmentVote.choice),
    ]
    return union_all(*parts)


COUNTED: Final = (
    "contributions", "amendments", "arguments", "sourced", "agree", "mixed", "disagree", "useful", "sources",
    "imported_agree", "imported_mixed", "imported_disagree", "imported_amendments",
)  # fmt: skip


def results(session: Session, consultation_id: int, *, points: int = 5) -> Results:
    """Every figure of a consultation, counted from the rows now; the same during and after. At most five statements."""
    found: dict[int, dict[str, int]] = {}
    for section_id, name, number in session.execute(_counts(consultation_id)):
        counts = found.setdefault(section_id, {})
        counts[name] = counts.get(name, 0) + int(number or 0)
    rows = list_section_rows(session, consultation_id)
    sections = [SectionResult(r.id, r.title, **found.get(r.id, {})) for r in rows]
    total = SectionResult(0, "", **{name: sum(getattr(s, name) for s in sections) for name in COUNTED})
    standing = _points(session, _votes_here(consultation_id), points, imported=False) if total.votes else []
    if not standing and total.imported_votes:
        standing = _points(session, _votes_there(consultation_id), points, imported=True)
    return Results(
        participants=count_participants(session, consultation_id),
        sections=sections,
        total=total,
        uniting=[p for p in standing if p.kind == "uniting"],
        dividing=[p for p in standing if p.kind == "dividing"],
    )


def _votes_here(consultation_id: int) -> Subquery:
    """Votes by contribution, counted from the ballots."""

    def ballots(choice: Choice) -> Any:
        return func.count(case((ContributionVote.choice == choice, 1))).label(choice.value)

    return (
        select(ContributionVote.contribution_id.label("id"), *(ballots(c) for c in Choice))
        .where(ContributionVote.consultation_id == consultation_id)
        .group_by(ContributionVote.contribution_id)
        .subquery()
    )


def _votes_there(consultation_id: int) -> Subquery:
    """Votes by contribution as they were counted where the consultation came from."""
    total = Contribution.imported_agree + Contribution.imported_mixed + Contribution.imported_disagree
    return (
        select(
            Contribution.id,
            Contribution.imported_agree.label("agree"),
            Contribution.imported_mixed.label("mixed"),
            Contribution.imported_disagree.label("disagree"),
        )
        .where(Contribution.consultation_id == consultation_id, total > 0)
        .subquery()
    )


def _points(session: Session, votes: Subquery, limit: int, *, imported: bool, surely_so: bool = True) -> list[Point]:
    """What unites, best first, then what divides, the most first; at most `limit` of each.

    `surely_so`: only what the votes make sure of (more than half agree; a fifth on each side). Otherwise whatever more
    people agree than disagree with, and whatever has both: the two lists may then share contributions.
    """
    agree, disagree = cast(votes.c.agree, Float), cast(votes.c.disagree, Float)
    total = agree + disagree + cast(votes.c.mixed, Float)
    united = surely(agree, total, func.sqrt)
    split = func.least(united, surely(disagree, total, func.sqrt))
    if surely_so:
        wanted = {"uniting": (united, united > UNITED), "dividing": (split, and_(split > DIVIDED, united <= UNITED))}
    else:
        wanted = {"uniting": (united, agree > disagree), "dividing": (split, and_(agree > 0, disagree > 0))}
    ranked = []
    for kind, (score, enough) in wanted.items():
        best = select(votes, literal(kind, String).label("kind"), score.label("score")).where(enough)
        ranked.append(best.order_by(score.desc(), votes.c.id).limit(limit).subquery())
    both = union_all(*(select(r) for r in ranked)).subquery()
    rows = session.execute(
        select(
            Contribution.id,
            Contribution.title,
            Contribution.excerpt,
            Contribution.section_id,
            both.c.kind,
            both.c.agree,
            both.c.mixed,
            both.c.disagree,
        )
        .join(both, both.c.id == Contribution.id)
        .order_by(both.c.kind.desc(), both.c.score.desc(), Contribution.id)
    )
    return [Point(r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7], imported) for r in rows]


def top_points(session: Session, consultation_id: int, n: int) -> list[Point]:
    """What an answer must speak to: the `n` contributions most surely supported, and the strongest minority position.

    Supported: more agree than disagree. The minority position is the contribution outside those `n` where surely the
    most people stand on both sides. Fewer than `n + 1` points when there is not that much. Koz's own votes only.
    """
    standing = _points(session, _votes_here(consultation_id), n + 1, imported=False, surely_so=False)
    top = [p for p in standing if p.kind == "uniting"][:n]
    known = {p.contribution_id for p in top}
    return top + [p for p in standing if p.kind == "dividing" and p.contribution_id not in known][:1]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A kept tally that is not what its rows add up to."""

    table: str
    id: int
    column: str
    kept: int
    counted: int

    def __str__(self) -> str:
        return f"{self.table} {self.id}: {self.column} is {self.kept}, the rows are {self.counted}"


def list_mismatches(session: Session, consultation_id: int | None = None, limit: int = 100) -> Sequence[Mismatch]:
    """Recount every kept tally from its rows (of one consultation, or of all). Empty when all are right."""
    checks: list[tuple[Any, str, Any]] = [
        *((Contribution, c.value, _count(ContributionVote, Contribution, choice=c)) for c in Choice),
        *((Amendment, c.value, _count(AmendmentVote, Amendment, choice=c)) for c in Choice),
        (Argument, "useful", _count(ArgumentVote, Argument)),
        (Argument, "sources", _count(Source, Argument)),
        (Contribution, "amendments", _count(Amendment, Contribution)),
        (Section, "amendments", _count(Amendment, Section)),
    ]
    tables: tuple[Any, ...] = (Contribution, Amendment)
    for table in tables:
        checks += [(table, f"arguments_{s.value}", _count(Argument, table, side=s)) for s in Side]
        sourced = _count(Argument, table).where(Argument.id.in_(select(Source.argument_id)))
        checks.append((table, "sourced_arguments", sourced))
    parts = []
    for table, column, counted in checks:
        kept, number = getattr(table, column), counted.scalar_subquery()
        name = literal(table.__tablename__, String)
        row = select(name, table.id, literal(column, String), kept, cast(number, Integer)).where(kept != number)
        parts.append(row if consultation_id is None else row.where(table.consultation_id == consultation_id))
    return [Mismatch(*row) for row in session.execute(union_all(*parts).limit(limit))]


_REFERENCE: Final = {
    Contribution: "contribution_id",
    Amendment: "amendment_id",
    Argument: "argument_id",
    Section: "section_id",
}


def _count(rows: Any, table: Any, **values: Any) -> Select[Any]:
    """How many rows refer to an object of `table`, correlated with it."""
    statement = select(func.count()).select_from(rows).where(getattr(rows, _REFERENCE[table]) == table.id)
    return statement.where(*(getattr(rows, k) == v for k, v in values.items())).correlate(table)


TALLY_COLUMNS: Final = (
    "section", "contribution", "title", "agree", "mixed", "disagree", "amendments", "arguments_for",
    "arguments_against", "sourced_arguments", "imported_agree", "imported_mixed", "imported_disagree",
    "imported_amendments",
)  # fmt: skip


def list_tallies(session: Session, consultation_id: int, limit: int) -> Sequence[Sequence[Any]]:
    """The figures of every contribution, in the columns of `TALLY_COLUMNS`, by id; at most `limit` rows."""
    names = [getattr(Contribution, name) for name in TALLY_COLUMNS[2:]]
    statement = (
        select(Section.title, Contribution.id, *names)
        .join(Section, Section.id == Contribution.section_id)
        .where(Contribution.consultation_id == consultation_id)
    )
    return [tuple(row) for row in session.execute(statement.order_by(Contribution.id).limit(limit))]
