"""Campaigns → mail to those who run them and to those who follow them; and what payments know before going live."""

from sqlalchemy.orm import Session

from koz.accounts import queries as accounts
from koz.accounts.events import PersonErased
from koz.accounts.models import Person
from koz.campaigns import queries, services
from koz.campaigns.events import CampaignCancelled, CampaignFailed, CampaignReviewed, FollowRequested, UpdatePublished
from koz.campaigns.models import Campaign
from koz.campaigns.services import publish_guard
from koz.core.clock import now
from koz.core.i18n import _
from koz.core.outbox import subscribe
from koz.notifications.services import queue_mail
from koz.payments import queries as payments
from koz.workflows.following import tell_followers


def _team(session: Session, campaign: Campaign) -> list[Person]:
    """Owners and editors who can be written to."""
    ids = accounts.list_member_ids(session, campaign.organisation_id, ("owner", "editor"))
    people = [session.get(Person, person_id) for person_id in ids]
    return [person for person in people if person is not None and person.email]


@publish_guard
def can_take_gifts(session: Session, campaign: Campaign) -> str | None:
    """A campaign goes live once its organisation's account can be paid to."""
    account = payments.find_account(session, campaign.organisation_id)
    if account is None or not account.can_charge:
        return _("Your organisation cannot receive gifts yet. Finish its payment account first.")
    return None


@subscribe(CampaignReviewed)
def mail_review(session: Session, event: CampaignReviewed) -> None:
    """The decision and its reasons, to owners and editors."""
    campaign, review = (
        queries.get_campaign_by_id(session, event.campaign_id),
        queries.get_review(session, event.review_id),
    )
    desk = f"/manage/campaigns/{campaign.slug}"
    params = {
        "title": campaign.title,
        "decision": event.decision,
        "reasons": review.reasons,
        "path": f"{desk}/edit/check" if event.decision == "changes" else desk,
    }
    for person in _team(session, campaign):
        key = f"review-{event.review_id}-{person.id}"
        queue_mail(session, "campaign_reviewed", person.email, person.locale, params, key)


@subscribe(CampaignFailed)
def mail_failure(session: Session, event: CampaignFailed) -> None:
    """The collection ended below its minimum: to owners and editors, and to followers."""
    campaign = queries.get_campaign_by_id(session, event.campaign_id)
    params: dict[str, str | int] = {
        "title": campaign.title,
        "collected_minor": campaign.collected_minor,
        "minimum_minor": campaign.to_raise_minor,
        "on_failure": campaign.on_failure,
    }
    for person in _team(session, campaign):
        values = params | {"path": f"/manage/campaigns/{campaign.slug}"}
        queue_mail(session, "campaign_failed", person.email, person.locale, values, f"failed-{campaign.id}-{person.id}")
    values = params | {"path": f"/campaigns/{campaign.slug}"}
    tell_followers(session, campaign.id, "campaign_failed", values, f"failed-{campaign.id}")


@subscribe(CampaignCancelled)
def mail_cancellation(session: Session, event: CampaignCancelled) -> None:
    """The organisation gave the campaign up: to followers, with its reason."""
    if event.was_public:
        reason = queries.find_timeline_params(session, event.campaign_id, "cancelled").get("reason", "")
        tell_followers(
            session, event.campaign_id, "campaign_cancelled", {"reason": reason}, f"cancelled-{event.campaign_id}"
        )


@subscribe(UpdatePublished)
def mail_update(session: Session, event: UpdatePublished) -> None:
    """News, to followers."""
    campaign, update = (
        queries.get_campaign_by_id(session, event.campaign_id),
        queries.get_update(session, event.update_id),
    )
    params = {"news": update.title, "path": f"/campaigns/{campaign.slug}/updates/{update.id}"}
    tell_followers(session, campaign.id, "campaign_update", params, f"update-{update.id}")


@subscribe(PersonErased)
def forget_follows(session: Session, event: PersonErased) -> None:
    """An erased member follows nothing any more."""
    services.forget_person(session, event.person_id)


@subscribe(FollowRequested)
def mail_follow(session: Session, event: FollowRequested) -> None:
    """The link that confirms, or that it follows already. One an hour for a follower, however often they press."""
    follower = queries.find_follower(session, event.follower_id)
    if follower is None:
        return
    campaign = queries.get_campaign_by_id(session, follower.campaign_id)
    known = follower.confirmed_at is not None
    params = {
        "title": campaign.title,
        "path": f"/campaigns/{campaign.slug}" if known else f"/follow/{services.confirm_token(follower.id)}",
        "unfollow_path": services.unfollow_path(follower.id),
    }
    template = "campaign_known" if known else "campaign_follow"
    key = f"{template}-{follower.id}-{now():%Y%m%d%H}"
    queue_mail(session, template, follower.email, follower.locale, params, key)
