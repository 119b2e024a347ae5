"""One mail to each follower of a campaign, however many there are.

`tell_followers` records one event. Handling it queues the mails of the first `BATCH` followers and records the event
again for those after them, in the same transaction: a crash between two batches loses and doubles nothing, other
events are handled in between, and each mail has a key of its own, so that handling a batch twice writes nothing new.

    tell_followers → FollowersToTell(after=0) → 500 mails + FollowersToTell(after=id) → … → fewer than 500: the end
"""

from collections.abc import Mapping
from typing import Final

from sqlalchemy.orm import Session

from koz.campaigns import queries
from koz.campaigns.events import FollowersToTell
from koz.campaigns.services import unfollow_path
from koz.core.outbox import record, subscribe
from koz.notifications.services import Addressed, queue_mails

BATCH: Final = 500


def tell_followers(
    session: Session, campaign_id: int, template: str, params: Mapping[str, str | int], key: str
) -> None:
    """Have one mail of `template` written to each follower; the same `key` writes to nobody twice.

    The template gets `params` and `title`, `slug`, `unfollow_path`; values are good in every language. Those who start
    to follow while the batches run may be among the told.
    """
    record(session, FollowersToTell(campaign_id, template, dict(params), key))


@subscribe(FollowersToTell)
def tell_batch(session: Session, event: FollowersToTell) -> None:
    """Queue the mails of one batch, and record the next one if there may be more."""
    campaign = queries.get_campaign_by_id(session, event.campaign_id)
    followers = queries.list_followers(session, campaign.id, event.after, BATCH)
    shared = dict(event.params) | {"title": campaign.title, "slug": campaign.slug}
    mails = [
        Addressed(f.email, f.locale, shared | {"unfollow_path": unfollow_path(f.id)}, f"{event.key}-f{f.id}")
        for f in followers
    ]
    queue_mails(session, event.template, mails)
    if len(followers) == BATCH:
        after = followers[-1].id
        record(session, FollowersToTell(event.campaign_id, event.template, dict(event.params), event.key, after))
