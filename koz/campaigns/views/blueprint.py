"""The blueprint of campaigns, and the words its templates (and those of other features) use."""

from typing import Any

from flask import Blueprint

from koz.campaigns.models import TimelineEntry
from koz.campaigns.services import describe
from koz.campaigns.states import (
    CAUSES,
    CONSULTATION_TEMPLATES,
    DECISION_WORDS,
    STAGES,
    STATE_BADGES,
    STATE_WORDS,
    CampaignState,
    Decision,
)

bp = Blueprint("campaigns", __name__)


@bp.app_template_filter("campaign_state")
def campaign_state(state: CampaignState) -> str:
    """The state in a word or two."""
    return str(STATE_WORDS[state])


@bp.app_template_filter("campaign_badge")
def campaign_badge(state: CampaignState) -> str:
    """Kind of badge for the state."""
    return STATE_BADGES.get(state, "plain")


@bp.app_template_filter("campaign_stage")
def campaign_stage(state: CampaignState) -> int:
    """Station on the path of five stages, for `ui.path`."""
    return STAGES[state]


@bp.app_template_filter("cause")
def cause(name: str) -> str:
    """The cause in words."""
    return str(CAUSES.get(name, CAUSES["other"]))


@bp.app_template_filter("consultation_kind")
def consultation_kind(template: str) -> str:
    """The consultation's template in words."""
    return str(CONSULTATION_TEMPLATES.get(template, template))


@bp.app_template_filter("decision")
def decision(value: Decision) -> str:
    """Staff's decision in a word."""
    return str(DECISION_WORDS[value])


@bp.app_template_filter("timeline_text")
def timeline_text(entry: TimelineEntry) -> str:
    """What a timeline entry says."""
    return describe(entry.kind, entry.params)


@bp.app_template_filter("timeline_rows")
def timeline_rows(entries: list[TimelineEntry]) -> list[tuple[Any, str, str | None]]:
    """Entries as rows for `ui.timeline`."""
    return [(entry.at, timeline_text(entry), entry.href) for entry in entries]
