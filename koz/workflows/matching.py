"""Matching → mail and the campaign's public timeline. Nobody gets a mail who was not asked or did not ask."""

from sqlalchemy.orm import Session

from koz.accounts.events import PersonErased
from koz.accounts.models import Person
from koz.accounts.queries import find_person, list_member_ids
from koz.campaigns.events import CampaignCancelled, CampaignFailed
from koz.campaigns.services import add_timeline
from koz.core.outbox import subscribe
from koz.matching import queries
from koz.matching.events import (
    EngagementMoved,
    InvitationRecalled,
    MissionOffered,
    ProfessionalInvited,
    ProposalAccepted,
    ProposalDeclined,
)
from koz.matching.services import certifying, diary, letters, planning, proposing, timekeeping
from koz.matching.states import EngagementState, ProposalState, Side
from koz.notifications.services import queue_mail
from koz.skills.events import MissionClosed, MissionOpened
from koz.skills.queries import get_mission
from koz.skills.services import missions, profiles
from koz.skills.states import MissionState


def _person(session: Session, person_id: int | None) -> Person | None:
    """The person, if there still is one."""
    return None if person_id is None else find_person(session, person_id)


def _write(session: Session, template: str, to: Person | None, params: dict[str, str | int], key: str) -> None:
    if to is not None:
        queue_mail(session, template, to.email, to.locale, {"name": to.name} | params, f"{template}-{key}-{to.id}")


@subscribe(ProfessionalInvited)
def mail_invitation(session: Session, event: ProfessionalInvited) -> None:
    """An association would like your help: the letter stands on Koz, behind a link that needs no log-in."""
    _write_invitation(session, "mission_invitation", event.proposal_id, event.round)


@subscribe(InvitationRecalled)
def mail_reminder(session: Session, event: InvitationRecalled) -> None:
    """An association still hopes for an answer: once."""
    _write_invitation(session, "mission_invitation_reminder", event.proposal_id, event.round)


def _write_invitation(session: Session, template: str, proposal_id: int, round_: int) -> None:
    row = queries.get_proposal(session, proposal_id)
    proposal, to = row.proposal, _person(session, row.proposal.person_id)
    due = letters.answer_due(proposal.invited_at)
    if proposal.state is not ProposalState.PROPOSED or proposal.round != round_ or to is None or due is None:
        return
    params: dict[str, str | int] = {
        "mission": row.mission.title, "organisation": row.organisation, "hours": row.mission.hours_total,
        "due_on": due.isoformat(), "path": f"/letters/{letters.link_token(proposal)}?lang={to.locale}",
    }  # fmt: skip
    _write(session, template, to, params, f"{proposal.id}-{round_}")


@subscribe(MissionOffered)
def mail_offer(session: Session, event: MissionOffered) -> None:
    """Somebody offers themselves: to those who manage the mission, without saying who it is."""
    row = queries.get_proposal(session, event.proposal_id)
    if row.proposal.state is not ProposalState.PROPOSED:
        return
    params: dict[str, str | int] = {
        "mission": row.mission.title, "path": f"/manage/missions/{row.mission.id}/matches",
    }  # fmt: skip
    for person_id in list_member_ids(session, row.campaign.organisation_id, ("owner", "editor")):
        _write(session, "offer", _person(session, person_id), params, f"{row.proposal.id}-{event.round}")


@subscribe(ProposalAccepted)
def mail_engagement(session: Session, event: ProposalAccepted) -> None:
    """Both said yes: each learns who the other is."""
    row = queries.get_engagement(session, event.engagement_id)
    path = f"/engagements/{row.engagement.id}"
    params: dict[str, str | int] = {"mission": row.mission.title, "path": path}
    member, professional = row.member, row.professional
    them: dict[str, str | int] = {
        "other": f"{member.name}, {row.organisation}" if member else row.organisation,
        "other_email": (member.email or "") if member else "",
    }
    them["calendar"] = diary.path(row.engagement.id, professional.locale)
    _write(session, "engaged", _person(session, professional.id), params | them, str(row.engagement.id))
    if member is not None:
        other: dict[str, str | int] = {"other": professional.name, "other_email": professional.email or ""}
        other["calendar"] = diary.path(row.engagement.id, member.locale)
        _write(session, "engaged", _person(session, member.id), params | other, str(row.engagement.id))


@subscribe(ProposalAccepted)
def tell_timeline(session: Session, event: ProposalAccepted) -> None:
    """The public page says that a mission has somebody, not whom."""
    row = queries.get_engagement(session, event.engagement_id)
    params = {"title": row.mission.title}
    key, href = f"engagement-{row.engagement.id}", f"/missions/{row.mission.id}"
    add_timeline(session, row.campaign.id, "mission_filled", params, key=key, href=href)


@subscribe(ProposalAccepted)
def end_waiting_when_filled(session: Session, event: ProposalAccepted) -> None:
    """With the last seat taken, whoever waits gets an answer."""
    row = queries.get_engagement(session, event.engagement_id)
    if row.mission.state is MissionState.FILLED:
        proposing.end_waiting(session, row.mission.id)


@subscribe(CampaignFailed)
@subscribe(CampaignCancelled)
def close_missions(session: Session, event: CampaignFailed | CampaignCancelled) -> None:
    """A campaign that is over needs nobody any more; engagements under way are between the two sides."""
    missions.close_with_campaign(session, event.campaign_id)


@subscribe(PersonErased)
def forget_person(session: Session, event: PersonErased) -> None:
    """The profile goes, what waits is taken back; engagements stay without a name, certificates without a fact."""
    profiles.forget_profile(session, event.person_id)
    proposing.forget_person(session, event.person_id)
    certifying.forget_person(session, event.person_id)
    timekeeping.forget_words(session, event.person_id)


@subscribe(MissionOpened)
def plan_first_round(session: Session, event: MissionOpened) -> None:
    """Suggestions for a mission that has just opened; the hourly plan weighs it with all others."""
    planning.replan(session, [event.mission_id])


@subscribe(MissionClosed)
def end_waiting_when_closed(session: Session, event: MissionClosed) -> None:
    """A mission ended: whoever waits gets an answer."""
    if get_mission(session, event.mission_id).state is MissionState.CLOSED:
        proposing.end_waiting(session, event.mission_id)


@subscribe(ProposalDeclined)
def mail_decline(session: Session, event: ProposalDeclined) -> None:
    """Who offered themselves gets an answer; who declined an invitation owes nobody an explanation."""
    if event.by != Side.ORGANISATION:
        return
    row = queries.get_proposal(session, event.proposal_id)
    params: dict[str, str | int] = {"mission": row.mission.title, "organisation": row.organisation, "path": "/missions"}
    to = _person(session, row.proposal.person_id)
    _write(session, "offer_declined", to, params, f"{row.proposal.id}-{event.round}")


@subscribe(EngagementMoved)
def mail_step(session: Session, event: EngagementMoved) -> None:
    """Delivered: the organisation confirms. Sent back, closed and cancelled: the other side hears of it."""
    row = queries.get_engagement(session, event.engagement_id)
    engagement, state = row.engagement, EngagementState(event.state)
    template = {
        EngagementState.DELIVERED: "delivered",
        EngagementState.CLOSED: "engagement_closed",
        EngagementState.CANCELLED: "engagement_cancelled",
    }.get(state)
    if state is EngagementState.RUNNING and engagement.delivered_at is not None:
        template = "engagement_sent_back"
    if template is None:
        return
    params: dict[str, str | int] = {
        "mission": row.mission.title, "hours": engagement.hours_given, "path": f"/engagements/{engagement.id}",
    }  # fmt: skip
    to = engagement.member_id if event.by == Side.PROFESSIONAL else engagement.person_id
    _write(session, template, _person(session, to), params, f"{engagement.id}-{event.revision}")


@subscribe(EngagementMoved)
def tell_delivery(session: Session, event: EngagementMoved) -> None:
    """The public page says that a mission is done, once the organisation has confirmed it."""
    if event.state != EngagementState.CLOSED:
        return
    row = queries.get_engagement(session, event.engagement_id)
    params = {"title": row.mission.title}
    key, href = f"engagement-{row.engagement.id}-done", f"/missions/{row.mission.id}"
    add_timeline(session, row.campaign.id, "mission_done", params, key=key, href=href)
