"""News of a public campaign."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from koz.campaigns.events import UpdatePublished
from koz.campaigns.models import CampaignUpdate
from koz.campaigns.permissions import can_write
from koz.campaigns.services.drafting import claim
from koz.campaigns.services.totals import add_timeline
from koz.campaigns.states import PUBLIC
from koz.core.access import Actor
from koz.core.clock import now
from koz.core.errors import Conflict
from koz.core.i18n import _
from koz.core.ids import new_token
from koz.core.markdown import render_markdown
from koz.core.outbox import record


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What is to be told. `nonce` comes from the form: the same one twice is published once."""

    title: str
    body_md: str
    nonce: str = ""


def publish_update(session: Session, actor: Actor, slug: str, news: News) -> CampaignUpdate:
    """Publish news and tell the followers. Raises NotAllowed, Conflict when the campaign is not public."""
    campaign = claim(session, actor, slug, can_write)
    if campaign.state not in PUBLIC:
        raise Conflict(_("News can be published once the campaign is public."))
    nonce = f"{campaign.id}-{news.nonce or new_token(9)}"[:40]
    values = {
        "campaign_id": campaign.id, "author_id": actor.id, "title": news.title, "body_md": news.body_md,
        "body_html": render_markdown(news.body_md), "published_at": now(), "nonce": nonce,
    }  # fmt: skip
    made = session.scalar(
        insert(CampaignUpdate)
        .values(values)
        .on_conflict_do_nothing(index_elements=["nonce"])
        .returning(CampaignUpdate.id)
    )
    if made is None:
        return session.scalars(select(CampaignUpdate).where(CampaignUpdate.nonce == nonce)).one()
    campaign.version += 1
    href = f"/campaigns/{campaign.slug}/updates/{made}"
    add_timeline(session, campaign.id, "update", {"title": news.title}, key=f"update-{made}", href=href)
    record(session, UpdatePublished(campaign.id, made))
    return session.get_one(CampaignUpdate, made)
