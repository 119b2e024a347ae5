"""Following a campaign with an e-mail address: double opt-in, one row per campaign and address, one press to stop.

The links are signed and name a row's id only. Opening one does nothing (mail scanners open links); pressing does.
"""

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from koz.accounts.queries import find_person_by_email, get_person
from koz.accounts.services.privacy import exporter
from koz.campaigns import queries
from koz.campaigns.events import FollowRequested
from koz.campaigns.models import Campaign, CampaignFollower
from koz.core.access import Actor
from koz.core.clock import now
from koz.core.errors import Gone, NotAllowed
from koz.core.i18n import _
from koz.core.outbox import record
from koz.core.tokens import sign, unsign

CONFIRM_AGE_S: Final = 7 * 24 * 3600


def request_follow(session: Session, slug: str, email: str, locale: str) -> None:
    """Somebody gave an address: its owner is asked by mail. Looks the same whether it follows already or not."""
    campaign = queries.get_public_campaign(session, slug)
    follower_id = _ensure(session, campaign.id, email, locale)
    record(session, FollowRequested(follower_id))


def follow(session: Session, actor: Actor, slug: str) -> Campaign:
    """A logged-in person with a proved address follows at once. Raises NotAllowed when the address is not proved."""
    campaign = queries.get_public_campaign(session, slug)
    if actor.email is None or not actor.email_verified:
        raise NotAllowed(_("Confirm your e-mail address first: we sent you a link when you joined."))
    _ensure(session, campaign.id, actor.email, actor.locale, person_id=actor.id)
    return campaign


def _ensure(session: Session, campaign_id: int, email: str, locale: str, *, person_id: int | None = None) -> int:
    """The row's id, confirmed for a member; the unique key decides between two requests at one moment."""
    values = {
        "campaign_id": campaign_id, "email": email.strip().lower(), "locale": locale, "created_at": now(),
        "confirmed_at": None if person_id is None else now(), "person_id": person_id,
    }  # fmt: skip
    statement = insert(CampaignFollower).values(values)
    first = func.coalesce(CampaignFollower.confirmed_at, statement.excluded.confirmed_at)
    # created_at anew: a second request gives the mailed link its full seven days before the row is forgotten
    person = func.coalesce(statement.excluded.person_id, CampaignFollower.person_id)
    change = {"confirmed_at": first, "person_id": person, "created_at": statement.excluded.created_at}
    statement = statement.on_conflict_do_update(index_elements=["campaign_id", "email"], set_=change)
    return session.scalars(statement.returning(CampaignFollower.id)).one()


def confirm_token(follower_id: int) -> str:
    """Token of the mailed link that confirms; good for seven days."""
    return sign("follow", {"id": follower_id})


def confirm(session: Session, token: str) -> Campaign:
    """Start to follow, by the mailed link. Raises Gone when expired, used or unfollowed since, NotFound when forged."""
    payload = unsign("follow", token, max_age_s=CONFIRM_AGE_S)
    follower = session.get(CampaignFollower, payload["id"], with_for_update=True)
    if follower is None:
        raise Gone(_("This link has expired. Ask for a new one."))
    if follower.confirmed_at is not None:
        raise Gone(_("You follow this campaign already: there is nothing more to do."))
    follower.confirmed_at = now()
    member = find_person_by_email(session, follower.email)
    if member is not None and member.email_verified_at is not None:
        follower.person_id = member.id
    return queries.get_campaign_by_id(session, follower.campaign_id)


def unfollow_path(follower_id: int) -> str:
    """Address of the page on which the follower stops following; it stands in each mail and never expires."""
    return f"/unfollow/{sign('unfollow', {'id': follower_id})}"


def campaign_of_unfollow(session: Session, token: str) -> Campaign | None:
    """The campaign that a link would stop following; None when it was used already. Raises NotFound when forged."""
    follower = queries.find_follower(session, unsign("unfollow", token)["id"])
    return None if follower is None else queries.get_campaign_by_id(session, follower.campaign_id)


def unfollow(session: Session, token: str) -> None:
    """Stop following: the row is deleted. Twice is once. Raises NotFound when the link is forged."""
    payload = unsign("unfollow", token)
    session.execute(delete(CampaignFollower).where(CampaignFollower.id == payload["id"]))


def forget_person(session: Session, person_id: int) -> None:
    """Delete everything that a member follows (for their erasure)."""
    session.execute(delete(CampaignFollower).where(CampaignFollower.person_id == person_id))


@exporter("followed_campaigns")
def _followed(session: Session, person_id: int) -> list[dict[str, Any]]:
    person = get_person(session, person_id)
    email = person.email if person.email_verified_at is not None else None  # unproved, it may be somebody else's
    rows = session.execute(
        select(Campaign.slug, Campaign.title, CampaignFollower.email, CampaignFollower.confirmed_at)
        .join(Campaign, Campaign.id == CampaignFollower.campaign_id)
        .where((CampaignFollower.person_id == person_id) | (CampaignFollower.email == email))
        .order_by(CampaignFollower.id)
    )
    return [
        {"campaign": slug, "title": title, "email": address, "since": at and at.isoformat()}
        for slug, title, address, at in rows
    ]


def forget_address(session: Session, email: str) -> None:
    """Delete everything that an address follows (for the erasure of a person)."""
    session.execute(delete(CampaignFollower).where(CampaignFollower.email == email.strip().lower()))


def forget_unconfirmed(session: Session) -> int:
    """Delete addresses that nobody confirmed in time. Returns how many."""
    old = now() - timedelta(seconds=CONFIRM_AGE_S)
    statement = delete(CampaignFollower).where(
        CampaignFollower.confirmed_at.is_(None), CampaignFollower.created_at < old
    )
    return len(session.scalars(statement.returning(CampaignFollower.id)).all())
