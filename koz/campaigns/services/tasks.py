"""What an organisation has to do today, over all its campaigns.

Campaigns know their own tasks; the layers above add theirs (answers due, applications waiting) as sources.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from koz.campaigns.models import Campaign
from koz.campaigns.permissions import can_publish, can_write
from koz.campaigns.states import CampaignState
from koz.core.access import Actor
from koz.core.i18n import _


@dataclass(frozen=True, slots=True)
class Task:
    """Something to do: a sentence, where, and the verb on the link."""

    sentence: str
    href: str
    verb: str


Source = Callable[[Session, Actor, Sequence[Campaign]], list[Task]]
_sources: dict[str, Source] = {}


def task_source(source: Source) -> Source:
    """Ask this function for tasks, too. It may read; few statements, whatever the number of campaigns."""
    _sources[f"{source.__module__}.{source.__name__}"] = source
    return source


def list_tasks(session: Session, actor: Actor, campaigns: Sequence[Campaign]) -> list[Task]:
    """Tasks of all sources for this person."""
    return [task for source in _sources.values() for task in source(session, actor, campaigns)]


@task_source
def campaign_tasks(_session: Session, actor: Actor, campaigns: Sequence[Campaign]) -> list[Task]:
    """Changes asked for first, then approved campaigns to publish, then drafts to finish."""
    tasks: list[tuple[int, Task]] = []
    for campaign in campaigns:
        desk = f"/manage/campaigns/{campaign.slug}"
        if campaign.state is CampaignState.CHANGES_REQUESTED and can_write(actor, campaign):
            sentence = _("Changes are requested for “%(title)s”.", title=campaign.title)
            tasks.append((0, Task(sentence, f"{desk}/edit/check", _("Make the changes"))))
        elif can_publish(actor, campaign):
            sentence = _("“%(title)s” is approved and waits to be published.", title=campaign.title)
            tasks.append((1, Task(sentence, desk, _("Publish"))))
        elif campaign.state is CampaignState.DRAFT and can_write(actor, campaign):
            sentence = _("“%(title)s” is a draft.", title=campaign.title)
            tasks.append((2, Task(sentence, f"{desk}/edit/check", _("Finish the draft"))))
    return [task for _rank, task in sorted(tasks, key=lambda pair: pair[0])]
