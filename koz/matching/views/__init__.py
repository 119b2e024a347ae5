"""Pages of matching: the professional's own page, the organisation's list for a mission, the engagement of both."""

from collections.abc import Sequence
from email.utils import parseaddr
from typing import Final

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from koz.core.access import access, current_actor, require_member
from koz.core.clock import today
from koz.core.db import reading, unit_of_work
from koz.core.errors import NotFound
from koz.core.i18n import _, current_locale
from koz.core.limits import limit
from koz.core.settings import current_settings
from koz.matching import queries
from koz.matching.forms import HoursForm, ReasonForm, TimeForm
from koz.matching.queries import ProposalRow, answer_times, keeping
from koz.matching.queries import planning as plans
from koz.matching.services import diary, engaging, planning, proposing, ranking, rounds
from koz.matching.services.answering import answer_words
from koz.matching.services.certifying import duration
from koz.matching.services.letters import answer_due
from koz.matching.services.ranking import Explanation
from koz.matching.states import (
    ENGAGEMENT_BADGES,
    ENGAGEMENT_WORDS,
    GATE_WORDS,
    PROPOSAL_WORDS,
    REASON_WORDS,
    UNDER_WAY,
    EngagementState,
    ProposalState,
    Side,
)
from koz.skills import queries as skills

bp = Blueprint("matching", __name__)
SUGGESTED: Final = 5


@bp.app_context_processor
def words() -> dict[str, object]:
    """Words of states, of times and of how soon somebody answers, for templates."""
    return {
        "answer_due": answer_due,
        "answer_words": answer_words,
        "contact": parseaddr(current_settings().mail_from)[1],
        "duration": duration,
        "ENGAGEMENT_BADGES": ENGAGEMENT_BADGES,
        "ENGAGEMENT_WORDS": ENGAGEMENT_WORDS,
        "GATE_WORDS": GATE_WORDS,
        "PROPOSAL_WORDS": PROPOSAL_WORDS,
        "REASON_WORDS": REASON_WORDS,
    }


def _explained(session: Session, rows: Sequence[ProposalRow]) -> list[tuple[ProposalRow, Explanation]]:
    """Proposals with what both sides were shown when they were made."""
    read = ranking.read_explanations(session, [r.proposal.explanation for r in rows], current_locale())
    return list(zip(rows, read, strict=True))


@bp.get("/professionals/me")
@access("member")
def me() -> ResponseReturnValue:
    """The professional's page: letters to answer, engagements, missions that fit, the profile."""
    actor = require_member()
    with reading() as session:
        profile = skills.find_profile(session, actor.id or 0)
        own = skills.list_profile_skills(session, profile.id) if profile else []
        rows = queries.list_proposals_of_person(session, actor.id or 0)
        needs = skills.list_needs(session, [r.mission.id for r in rows])
        asleep = profile is None or profile.paused or bool(profile.quiet_until and profile.quiet_until > today())
        best = [] if asleep else ranking.best_missions(session, actor.id or 0, SUGGESTED)
        engagements = queries.list_engagements_of_person(session, actor.id or 0)
        tuning = queries.list_tuning(session, actor.id or 0)
        mails = _explained(session, rows)
        reasons = ranking.read_explanations(session, [b.score.as_json() for b in best], current_locale())
        askers = {r.campaign.organisation_id for r in rows} | {b.card.campaign.organisation_id for b in best}
        times = answer_times.of_organisations(session, askers)
        own_times = answer_times.of_person(session, actor.id or 0)
        this_week = queries.count_invitations(session, actor.id or 0)
        history = keeping.count_history(session, actor.id or 0)
    return render_template(
        "matching/me.html",
        profile=profile,
        asleep=asleep,
        skills=own,
        letters=[x for x in mails if x[0].proposal.made_by is Side.ORGANISATION],
        offers=[x for x in mails if x[0].proposal.made_by is Side.PROFESSIONAL],
        needs=needs,
        best=list(zip(best, reasons, strict=True)),
        engagements=[r for r in engagements if r.engagement.state in UNDER_WAY],
        history=history,
        times=times,
        own_times=own_times,
        this_week=this_week,
        per_week=queries.PER_WEEK,
        tuning=tuning,
        later=ProposalState.LATER,
    )


@bp.post("/professionals/me/proposals/<int:proposal_id>/<answer>")
@access("member")
def answer(proposal_id: int, answer: str) -> ResponseReturnValue:
    """The professional's yes, later, no (with a reason or none), or taking back an offer."""
    actor, form = require_member(), ReasonForm()
    with unit_of_work() as session:
        if answer == "yes":
            engagement_id = proposing.accept(session, actor, proposal_id)
        elif answer == "no":
            proposing.decline(session, actor, proposal_id, form.to_reason())
        elif answer == "later":
            proposing.put_off(session, actor, proposal_id)
        elif answer == "withdraw":
            proposing.withdraw(session, actor, proposal_id)
        else:
            abort(404)
    if answer == "yes":
        return redirect(url_for("matching.engagement", engagement_id=engagement_id), 303)
    return redirect(url_for("matching.me"), 303)


@bp.post("/professionals/me/tuning/stop")
@access("member")
def stop_tuning() -> ResponseReturnValue:
    """Take back what one's refusals keep away."""
    with unit_of_work() as session:
        proposing.stop_tuning(session, require_member().id or 0)
    return redirect(url_for("matching.me"), 303)


@bp.post("/missions/<int:mission_id>/offer")
@access("member")
def offer(mission_id: int) -> ResponseReturnValue:
    """Offer oneself for a mission; without a profile, make one first."""
    actor = require_member()
    with reading() as session:
        profile = skills.find_profile(session, actor.id or 0)
        ready = profile is not None and bool(skills.list_profile_skills(session, profile.id))
    if not ready:
        return redirect(url_for("skills.profile_words"), 303)
    limit("offer", str(actor.id), "30/day")
    with unit_of_work() as session:
        proposing.offer(session, actor, mission_id)
    return redirect(url_for("matching.me"), 303)


@bp.get("/manage/missions/<int:mission_id>/matches")
@access("owner")
def matches(mission_id: int) -> ResponseReturnValue:
    """Who fits a mission, explained, without identities; offers to answer; what was asked; who is engaged."""
    actor = require_member()
    with reading() as session:
        mission, campaign = skills.get_mission_for(session, actor, mission_id)
        needs = skills.list_needs(session, [mission_id])[mission_id]
        best = ranking.best_professionals(session, mission_id)
        rows = queries.list_proposals_of_mission(session, mission_id)
        engagements = queries.list_engagements_of_mission(session, mission_id)
        reasons = ranking.read_explanations(session, [b.score.as_json() for b in best], current_locale())
        proposals = _explained(session, rows)
        plan, planned = plans.find_mission_plan(session, mission_id), plans.list_planned(session, mission_id)
        suggested = ranking.read_explanations(session, [p.explanation for p in planned], current_locale())
    waiting = {ProposalState.PROPOSED, ProposalState.LATER}
    asked = [x for x in proposals if x[0].proposal.made_by is Side.ORGANISATION]
    return render_template(
        "matching/matches.html",
        mission=mission,
        campaign=campaign,
        needs=needs,
        best=list(zip(best, reasons, strict=True)),
        offers=[x for x in proposals if x[0].proposal.made_by is Side.PROFESSIONAL and x[0].proposal.state in waiting],
        asked=asked,
        waiting=sum(x[0].proposal.state is ProposalState.PROPOSED for x in asked),
        most=planning.PER_SEAT * mission.seats,
        engagements=engagements,
        plan=plan,
        suggested=suggested,
        suggested_ids={p.profile_id for p in planned},
        days=rounds.ROUND.days,
        sent=_number("sent"),
        left=_number("left"),
    )


def _number(name: str) -> int | None:
    """A small number of the address, told by the page before."""
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else None


@bp.post("/manage/missions/<int:mission_id>/invite-planned")
@access("owner")
def invite_planned(mission_id: int) -> ResponseReturnValue:
    """Invite everybody whom the plan suggests for this round, as far as it is still possible."""
    actor = require_member()
    limit("invite_planned", str(actor.id), "60/hour")
    done = rounds.send_planned(unit_of_work, actor, mission_id)
    return redirect(url_for("matching.matches", mission_id=mission_id, sent=done.sent, left=done.left), 303)


@bp.post("/manage/missions/<int:mission_id>/auto")
@access("owner")
def set_auto(mission_id: int) -> ResponseReturnValue:
    """Let the suggestions of each round go out by themselves, or not any more."""
    actor = require_member()
    with unit_of_work() as session:
        skills.get_mission_for(session, actor, mission_id)
        planning.set_auto(session, mission_id, actor.id if request.form.get("auto") == "on" else None)
    return redirect(url_for("matching.matches", mission_id=mission_id, _anchor="round"), 303)


@bp.post("/manage/missions/<int:mission_id>/invite")
@access("owner")
def invite(mission_id: int) -> ResponseReturnValue:
    """Invite somebody of the list."""
    actor, text = require_member(), request.form.get("profile", "")
    if not (text.isascii() and text.isdigit() and len(text) < 18):
        raise NotFound(_("This person cannot be invited any more. Reload the list and choose somebody else."))
    limit("invite", str(actor.id), "120/hour")
    with unit_of_work() as session:
        proposal = proposing.invite(session, actor, mission_id, int(text))
        planning.after_answer(session, mission_id, proposal.person_id)
    return redirect(url_for("matching.matches", mission_id=mission_id), 303)


@bp.post("/manage/proposals/<int:proposal_id>/<answer>")
@access("owner")
def organisation_answer(proposal_id: int, answer: str) -> ResponseReturnValue:
    """The organisation's yes or no to an offer, or taking back an invitation."""
    actor = require_member()
    with unit_of_work() as session:
        if answer == "yes":
            engagement_id = proposing.accept(session, actor, proposal_id)
        elif answer == "no":
            proposing.decline(session, actor, proposal_id)
        elif answer == "withdraw":
            proposing.withdraw(session, actor, proposal_id)
        else:
            abort(404)
        mission_id = queries.get_proposal(session, proposal_id).mission.id
    if answer == "yes":
        return redirect(url_for("matching.engagement", engagement_id=engagement_id), 303)
    return redirect(url_for("matching.matches", mission_id=mission_id), 303)


@bp.get("/engagements/<int:engagement_id>")
@access("owner")
def engagement(engagement_id: int) -> ResponseReturnValue:
    """What both agreed to, who is who, where it stands, the next step."""
    return engagement_page(engagement_id)


def engagement_page(
    engagement_id: int, form: HoursForm | None = None, entry: TimeForm | None = None
) -> ResponseReturnValue:
    """The page of an engagement, with a form that was filled in wrongly, if any."""
    form, entry = form or HoursForm(formdata=None), entry or TimeForm(formdata=None)
    with reading() as session:
        row, side = queries.get_engagement_for(session, require_member(), engagement_id)
        needs = skills.list_needs(session, [row.mission.id])[row.mission.id]
        log = keeping.list_log(session, engagement_id)
        certificate = keeping.find_certificate(session, engagement_id) if side is Side.PROFESSIONAL else None
    shown = render_template(
        "matching/engagement.html",
        row=row,
        side=side,
        needs=needs,
        log=log,
        minutes=sum(e.minutes for e in log),
        period=diary.period_of(row),
        certificate=certificate,
        steps=engaging.steps_now(row.engagement, side),
        form=form,
        entry=entry,
        State=EngagementState,
    )
    return shown, 422 if form.errors or entry.errors else 200


@bp.post("/engagements/<int:engagement_id>/<step>")
@access("owner")
def advance(engagement_id: int, step: str) -> ResponseReturnValue:
    """Make a step of an engagement."""
    if step not in set(EngagementState):
        abort(404)
    form, new = HoursForm(), EngagementState(step)
    if new is EngagementState.DELIVERED and "hours" in request.form and not form.validate_on_submit():
        return engagement_page(engagement_id, form)
    with unit_of_work() as session:
        engaging.advance(session, current_actor(), engagement_id, new, form.hours.data)
    return redirect(url_for("matching.engagement", engagement_id=engagement_id), 303)
