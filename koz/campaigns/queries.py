"""Reads of campaigns. `get_` raises NotFound, `find_` may return None, `list_` is bounded."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import bindparam, func, literal_column, select, tuple_
from sqlalchemy.orm import Session, selectinload

from koz.accounts.models import Organisation
from koz.campaigns.models import (
    BudgetLine,
    Campaign,
    CampaignFollower,
    CampaignReview,
    CampaignSource,
    CampaignUpdate,
    HoursGiven,
    TimelineEntry,
)
from koz.campaigns.states import GIVING, PUBLIC, CampaignState
from koz.core.access import Actor
from koz.core.clock import PARIS
from koz.core.errors import NotAllowed, NotFound
from koz.core.i18n import _

#: Columns of a campaign that its public page shows.
SHOWN: Final = (
    Campaign.id,
    Campaign.slug,
    Campaign.title,
    Campaign.summary,
    Campaign.ask,
    Campaign.cause,
    Campaign.addressee_name,
    Campaign.addressee_body,
    Campaign.story_html,
    Campaign.expected_result,
    Campaign.calendar,
    Campaign.on_success,
    Campaign.on_failure,
    Campaign.consultation_question,
    Campaign.consultation_template,
    Campaign.currency,
    Campaign.minimum_minor,
    Campaign.optimum_minor,
    Campaign.skills_minor,
    (Campaign.minimum_minor - Campaign.skills_minor).label("to_raise_minor"),
    (Campaign.optimum_minor - Campaign.skills_minor).label("optimum_to_raise_minor"),
    Campaign.promised_minor,
    Campaign.collected_minor,
    Campaign.refunded_minor,
    Campaign.lost_minor,
    Campaign.gifts,
    Campaign.deadline_on,
    Campaign.state,
)


def _missing() -> NotFound:
    return NotFound(_("This campaign does not exist or is not public. See the campaigns that are open."))


def find_campaign(session: Session, slug: str) -> Campaign | None:
    """The campaign of a slug, whatever its state."""
    return session.scalar(select(Campaign).where(Campaign.slug == slug))


def get_campaign(session: Session, slug: str) -> Campaign:
    """The campaign of a slug, whatever its state. Raises NotFound."""
    campaign = find_campaign(session, slug)
    if campaign is None:
        raise _missing()
    return campaign


def get_public_campaign(session: Session, slug: str) -> Campaign:
    """The campaign of a slug if everyone may see it. Raises NotFound."""
    campaign = get_campaign(session, slug)
    if campaign.state not in PUBLIC:
        raise _missing()
    return campaign


def get_campaign_by_id(session: Session, campaign_id: int) -> Campaign:
    """The campaign of an id, whatever its state. Raises NotFound."""
    campaign = session.get(Campaign, campaign_id)
    if campaign is None:
        raise _missing()
    return campaign


def get_campaign_for(session: Session, actor: Actor, slug: str, predicate: Any) -> Campaign:
    """The campaign, if the actor may see it (else NotFound) and `predicate` holds (else NotAllowed)."""
    campaign = get_campaign(session, slug)
    seen = campaign.state in PUBLIC or actor.is_staff or actor.has_role(campaign.organisation_id)
    if not seen:
        raise _missing()
    if not predicate(actor, campaign):
        raise NotAllowed(
            _("Your role in this organisation does not allow this, or the campaign is no longer at this stage.")
        )
    return campaign


def lock(session: Session, campaign_id: int) -> Campaign:
    """The campaign's row, locked until the end of the transaction and freshly read. Raises NotFound.

    FOR NO KEY UPDATE: rows that refer to the campaign can be written meanwhile. With FOR UPDATE, two payments that
    had each written such a row waited for each other for ever.
    """
    campaign = session.scalar(
        select(Campaign)
        .where(Campaign.id == campaign_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if campaign is None:
        raise _missing()
    return campaign


def accepts_gifts(campaign: Campaign, at: datetime) -> bool:
    """Whether a gift may be made now: an open state, and the last day not over in Paris."""
    return (
        campaign.state in GIVING
        and campaign.deadline_on is not None
        and at.astimezone(PARIS).date() <= campaign.deadline_on
    )


def list_lines(session: Session, campaign_id: int) -> Sequence[BudgetLine]:
    """Budget lines in their order."""
    query = select(BudgetLine).where(BudgetLine.campaign_id == campaign_id).order_by(BudgetLine.position, BudgetLine.id)
    return session.scalars(query).all()


def list_hours(
    session: Session, campaign_id: int, limit: int = 100, before: int | None = None
) -> Sequence[tuple[HoursGiven, str]]:
    """Hours given to a campaign with the label of their line, latest first; `before`: last id of the page before."""
    query = (
        select(HoursGiven, BudgetLine.label)
        .join(BudgetLine, BudgetLine.id == HoursGiven.budget_line_id)
        .where(HoursGiven.campaign_id == campaign_id)
    )
    if before is not None:
        query = query.where(HoursGiven.id < before)
    return [(row[0], row[1]) for row in session.execute(query.order_by(HoursGiven.id.desc()).limit(limit))]


def find_line_of_hours(session: Session, key: str) -> int | None:
    """The budget line for which hours of a key were counted, active or not; None when they never were."""
    return session.scalar(select(HoursGiven.budget_line_id).where(HoursGiven.key == key))


@dataclass(frozen=True, slots=True)
class WrongSkills:
    """A campaign whose cached sums of hours given are not those of their rows: cached and counted, minor units."""

    slug: str
    cached_minor: int
    counted_minor: int


def list_wrong_skills(session: Session, limit: int = 100) -> list[WrongSkills]:
    """Campaigns whose totals, or whose lines' totals, differ from the rows of `budget_hours`."""
    rows = (
        select(
            BudgetLine.id,
            func.coalesce(func.sum(HoursGiven.hours), 0).label("hours"),
            func.coalesce(func.sum(HoursGiven.minor), 0).label("minor"),
        )
        .outerjoin(HoursGiven, (HoursGiven.budget_line_id == BudgetLine.id) & HoursGiven.active)
        .group_by(BudgetLine.id)
        .subquery()
    )
    counted, by_lines = func.coalesce(func.sum(rows.c.minor), 0), func.coalesce(func.sum(BudgetLine.skills_minor), 0)
    off = func.coalesce(
        func.bool_or((rows.c.hours != BudgetLine.hours_given) | (rows.c.minor != BudgetLine.skills_minor)), False
    )
    query = (
        select(Campaign.slug, Campaign.skills_minor, counted)
        .outerjoin(BudgetLine, BudgetLine.campaign_id == Campaign.id)
        .outerjoin(rows, rows.c.id == BudgetLine.id)
        .group_by(Campaign.id)
        .having(off | (counted != Campaign.skills_minor) | (by_lines != Campaign.skills_minor))
    )
    return [WrongSkills(s, int(c), int(n)) for s, c, n in session.execute(query.order_by(Campaign.id).limit(limit))]


def list_sources(session: Session, campaign_id: int) -> Sequence[CampaignSource]:
    """Sources in their order."""
    query = select(CampaignSource).where(CampaignSource.campaign_id == campaign_id)
    return session.scalars(query.order_by(CampaignSource.position, CampaignSource.id)).all()


def list_updates(
    session: Session, campaign_id: int, limit: int = 20, before: int | None = None
) -> Sequence[CampaignUpdate]:
    """News, latest first; `before` is the last id of the page before."""
    query = select(CampaignUpdate).where(CampaignUpdate.campaign_id == campaign_id)
    if before is not None:
        query = query.where(CampaignUpdate.id < before)
    return session.scalars(query.order_by(CampaignUpdate.id.desc()).limit(limit)).all()


def get_update(session: Session, update_id: int) -> CampaignUpdate:
    """One piece of news. Raises NotFound."""
    update = session.get(CampaignUpdate, update_id)
    if update is None:
        raise NotFound(_("This piece of news does not exist."))
    return update


def list_timeline(
    session: Session, campaign_id: int, limit: int = 200, before: int | None = None
) -> Sequence[TimelineEntry]:
    """The public story, latest first; `before` is the last id of the page before."""
    query = select(TimelineEntry).where(TimelineEntry.campaign_id == campaign_id)
    if before is not None:
        last = select(TimelineEntry.at, TimelineEntry.id).where(
            TimelineEntry.id == before, TimelineEntry.campaign_id == campaign_id
        )
        query = query.where(tuple_(TimelineEntry.at, TimelineEntry.id) < last.scalar_subquery())
    return session.scalars(query.order_by(TimelineEntry.at.desc(), TimelineEntry.id.desc()).limit(limit)).all()


def find_timeline_params(session: Session, campaign_id: int, key: str) -> dict[str, Any]:
    """Values of one entry of the public story, by its key; empty when there is none."""
    query = select(TimelineEntry.params).where(TimelineEntry.campaign_id == campaign_id, TimelineEntry.key == key)
    return session.scalar(query) or {}


def list_reviews(session: Session, campaign_id: int) -> Sequence[CampaignReview]:
    """Decisions of staff, latest first."""
    query = select(CampaignReview).where(CampaignReview.campaign_id == campaign_id)
    return session.scalars(query.order_by(CampaignReview.id.desc()).limit(50)).all()


def get_review(session: Session, review_id: int) -> CampaignReview:
    """One decision. Raises NotFound."""
    review = session.get(CampaignReview, review_id)
    if review is None:
        raise NotFound(_("This review does not exist."))
    return review


def list_submitted(session: Session, limit: int = 100) -> Sequence[Campaign]:
    """Campaigns that wait for a review, oldest first."""
    query = select(Campaign).where(Campaign.state == CampaignState.SUBMITTED)
    return session.scalars(query.order_by(Campaign.submitted_at, Campaign.id).limit(limit)).all()


def list_of_organisations(session: Session, organisation_ids: Sequence[int], limit: int = 100) -> Sequence[Campaign]:
    """All campaigns of some organisations, latest first, drafts included."""
    query = select(Campaign).where(Campaign.organisation_id.in_(organisation_ids))
    return session.scalars(query.order_by(Campaign.id.desc()).limit(limit)).all()


def list_public(
    session: Session,
    *,
    states: Sequence[CampaignState] = tuple(PUBLIC),
    text: str = "",
    before: int | None = None,
    organisation_id: int | None = None,
    limit: int = 13,
) -> Sequence[Campaign]:
    """Public campaigns, latest first; `text` in the words of a person; `before` is the last id of the page before."""
    query = select(Campaign).where(Campaign.state.in_([s for s in states if s in PUBLIC]))
    if text:
        query = query.where(Campaign.search.op("@@")(func.websearch_to_tsquery("french", func.koz_fold(text))))
    if before is not None:
        query = query.where(Campaign.id < before)
    if organisation_id is not None:
        query = query.where(Campaign.organisation_id == organisation_id)
    return session.scalars(query.order_by(Campaign.id.desc()).limit(limit)).all()


@dataclass(frozen=True, slots=True)
class Figures:
    """Sums over all public campaigns: minor units collected, gifts, campaigns."""

    collected_minor: int
    gifts: int
    campaigns: int


def figures(session: Session) -> Figures:
    """What all public campaigns collected together."""
    row = session.execute(
        select(
            func.coalesce(func.sum(Campaign.collected_minor), 0),
            func.coalesce(func.sum(Campaign.gifts), 0),
            func.count(),
        ).where(Campaign.state.in_(PUBLIC))
    ).one()
    return Figures(int(row[0]), int(row[1]), int(row[2]))


def list_due(session: Session, day: date, limit: int = 200) -> Sequence[int]:
    """Ids of live campaigns whose last day lies before `day`."""
    query = select(Campaign.id).where(Campaign.state == CampaignState.LIVE, Campaign.deadline_on < day)
    return session.scalars(query.order_by(Campaign.id).limit(limit)).all()


def find_version(session: Session, slug: str) -> int | None:
    """The campaign's stamp: it grows with each change that its page shows."""
    return session.scalar(select(Campaign.version).where(Campaign.slug == slug))


def get_with_details(session: Session, slug: str) -> Campaign:
    """The campaign with its lines and sources. Raises NotFound."""
    query = select(Campaign).where(Campaign.slug == slug)
    campaign = session.scalar(query.options(selectinload(Campaign.lines), selectinload(Campaign.sources)))
    if campaign is None:
        raise _missing()
    return campaign


@dataclass(frozen=True, slots=True)
class FollowerRow:
    """What is needed to write to one follower."""

    id: int
    email: str
    locale: str


def list_followers(session: Session, campaign_id: int, after: int | None, limit: int) -> Sequence[FollowerRow]:
    """Confirmed followers by id, those after id `after`."""
    query = select(CampaignFollower.id, CampaignFollower.email, CampaignFollower.locale).where(
        CampaignFollower.campaign_id == campaign_id,
        CampaignFollower.confirmed_at.is_not(None),
        CampaignFollower.id > (after or 0),
    )
    rows = session.execute(query.order_by(CampaignFollower.id).limit(limit)).all()
    return [FollowerRow(row.id, row.email, row.locale) for row in rows]


def find_follower(session: Session, follower_id: int) -> CampaignFollower | None:
    """The follower, confirmed or not; None once unfollowed."""
    return session.get(CampaignFollower, follower_id)


def is_following(session: Session, campaign_id: int, email: str) -> bool:
    """Whether an address (folded) follows the campaign, confirmed."""
    query = select(CampaignFollower.id).where(
        CampaignFollower.campaign_id == campaign_id,
        CampaignFollower.email == email,
        CampaignFollower.confirmed_at.is_not(None),
    )
    return session.scalar(query) is not None


def count_followers(session: Session, campaign_id: int) -> int:
    """How many confirmed followers a campaign has."""
    query = select(func.count()).where(
        CampaignFollower.campaign_id == campaign_id, CampaignFollower.confirmed_at.is_not(None)
    )
    return session.scalar(query) or 0


def list_latest_reviews(session: Session, campaign_ids: Sequence[int]) -> Sequence[CampaignReview]:
    """The latest decision on each of some campaigns."""
    query = (
        select(CampaignReview)
        .where(CampaignReview.campaign_id.in_(campaign_ids))
        .distinct(CampaignReview.campaign_id)
        .order_by(CampaignReview.campaign_id, CampaignReview.id.desc())
    )
    return session.scalars(query).all()


def list_followed(session: Session, email: str, limit: int = 50) -> Sequence[Campaign]:
    """Campaigns that an address follows, the last followed first."""
    query = (
        select(Campaign)
        .join(CampaignFollower, CampaignFollower.campaign_id == Campaign.id)
        .where(CampaignFollower.email == email, CampaignFollower.confirmed_at.is_not(None), Campaign.state.in_(PUBLIC))
    )
    return session.scalars(query.order_by(CampaignFollower.id.desc()).limit(limit)).all()


def get_public_page(session: Session, slug: str, statement: Any) -> Any:
    """The row of a public campaign, read by a statement that `public_page` made. Raises NotFound."""
    row = session.execute(statement, {"slug": slug}).first()
    if row is None:
        raise _missing()
    return row


def public_page(*columns: Any) -> Any:
    """One statement for all that the page of a public campaign shows, whatever it holds; to be made once.

    Its row has the campaign's columns by their names; `organisation_name`, `organisation_slug`,
    `organisation_verified`; and lists of objects: `lines` (label, kind, minimum_minor, optimum_minor, hours,
    hours_given, skills_minor),
    `sources` (title, url, publisher, published_on as text), `updates` (id, title), `timeline` (at as text, kind,
    params, href), the last two with the latest first. `columns` are other features': entities, or lists by `rows_of`.
    """
    lines = ("label", "kind", "minimum_minor", "optimum_minor", "hours", "hours_given", "skills_minor")
    sources = ("title", "url", "publisher", "published_on")
    return (
        select(
            *SHOWN,
            Organisation.name.label("organisation_name"),
            Organisation.slug.label("organisation_slug"),
            Organisation.verified_at.is_not(None).label("organisation_verified"),
            rows_of(BudgetLine, lines, BudgetLine.position).label("lines"),
            rows_of(CampaignSource, sources, CampaignSource.position).label("sources"),
            rows_of(CampaignUpdate, ("id", "title"), CampaignUpdate.id.desc(), limit=1).label("updates"),
            rows_of(TimelineEntry, ("at", "kind", "params", "href"), TimelineEntry.at.desc(), limit=6).label(
                "timeline"
            ),
            *columns,
        )
        .select_from(Campaign)
        .join(Organisation, Organisation.id == Campaign.organisation_id)
        .where(Campaign.slug == bindparam("slug"), Campaign.state.in_(PUBLIC))
    )


def rows_of(table: Any, names: tuple[str, ...], *order: Any, where: tuple[Any, ...] = (), limit: int = 60) -> Any:
    """A column that holds a campaign's rows of a table (by its `campaign_id`) as a JSON list of objects."""
    some = (
        select(*(getattr(table, name) for name in names))
        .where(table.campaign_id == Campaign.id, *where)
        .order_by(*order, table.id)
        .limit(limit)
        .correlate(Campaign)
        .subquery()
    )
    rows = func.jsonb_agg(func.to_jsonb(some.table_valued()))
    return select(func.coalesce(rows, literal_column("'[]'::jsonb"))).select_from(some).scalar_subquery()
