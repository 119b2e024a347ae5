"""Pages of missions, and the three steps of a professional's profile."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from koz.campaigns import queries as campaigns
from koz.campaigns.states import CAUSES, IN_HOURS, PUBLIC
from koz.core.access import access, current_actor, require_member
from koz.core.db import reading, unit_of_work
from koz.core.errors import KozError
from koz.core.i18n import current_locale
from koz.core.limits import limit
from koz.core.paging import after_page, parse_after
from koz.skills import permissions, queries
from koz.skills.forms import AvailabilityForm, MissionForm, NeedForm, PauseForm, WordsForm, read_levels
from koz.skills.models.offers import Mission, Profile
from koz.skills.services import missions, profiles
from koz.skills.services.beside import facts_beside
from koz.skills.states import (
    DEPARTMENTS,
    LANGUAGES,
    LEVEL_ASKED,
    LEVEL_OFFERED,
    LEVEL_WORDS,
    MISSION_BADGES,
    MISSION_WORDS,
)

bp = Blueprint("skills", __name__)
PAGE = 20
MAX_QUERY = 200


def quoted(text: str) -> str:
    """The text between the quotation marks of the reader's language."""
    return f"«\u00a0{text}\u00a0»" if current_locale() == "fr" else f"“{text}”"


@bp.app_context_processor
def words() -> dict[str, object]:
    """Words of the closed lists, for templates of skills and matching."""
    return {
        "CAUSES": CAUSES,
        "DEPARTMENTS": DEPARTMENTS,
        "LANGUAGES": LANGUAGES,
        "LEVEL_ASKED": LEVEL_ASKED,
        "LEVEL_OFFERED": LEVEL_OFFERED,
        "LEVEL_WORDS": LEVEL_WORDS,
        "MISSION_BADGES": MISSION_BADGES,
        "MISSION_WORDS": MISSION_WORDS,
        "quoted": quoted,
    }


@bp.get("/missions")
@access("public")
def missions_list() -> ResponseReturnValue:
    """Open missions, by words, cause and place."""
    text = request.args.get("q", "").strip()[:MAX_QUERY]
    cause = request.args.get("cause", "")
    cause = cause if cause in CAUSES else ""
    campaign = request.args.get("campaign", "")[:MAX_QUERY]
    remote = request.args.get("remote") == "1"
    with reading() as session:
        wanted = queries.Wanted(text=text, cause=cause, campaign=campaign, remote=remote)
        rows = queries.list_open_missions(
            session, wanted, before=parse_after(request.args.get("after")), limit=PAGE + 1
        )
    page = after_page(rows, PAGE, lambda card: card.mission.id)
    chosen: dict[str, Any] = {"q": text or None, "cause": cause or None, "remote": "1" if remote else None}
    chosen["campaign"] = campaign or None
    next_url = url_for("skills.missions_list", after=page.next_after, **chosen) if page.next_after else None
    return render_template("skills/missions_list.html", page=page, next_url=next_url, chosen=chosen)


@bp.get("/missions/<int:mission_id>")
@access("public")
def mission(mission_id: int) -> ResponseReturnValue:
    """One mission: what, for which campaign, what it needs, how to offer oneself."""
    actor = current_actor()
    with reading() as session:
        card = queries.get_mission_card(session, actor, mission_id)
        beside = facts_beside(session, card)
    return render_template(
        "skills/mission.html",
        card=card,
        beside=beside,
        helped=queries.is_helped(card.campaign),
        campaign_public=card.campaign.state in PUBLIC,
        manages=permissions.can_manage_missions(actor, card.campaign),
    )


@bp.route("/professionals/me/words", methods=["GET", "POST"])
@access("member")
def profile_words() -> ResponseReturnValue:
    """Step 1: what one can do, in one's own words."""
    actor, form = require_member(), WordsForm()
    if form.validate_on_submit():
        with unit_of_work() as session:
            profiles.save_words(session, actor.id or 0, form.words.data or "")
        return redirect(url_for("skills.profile_skills"), 303)
    if request.method == "GET":
        with reading() as session:
            profile = queries.find_profile(session, actor.id or 0)
        form.words.data = profile.words if profile else ""
    return render_template("skills/profile_words.html", form=form), 422 if form.errors else 200


@bp.route("/professionals/me/skills", methods=["GET", "POST"])
@access("member")
def profile_skills() -> ResponseReturnValue:
    """Step 2: tick what the words meant. Nothing is ticked that was not confirmed before."""
    actor, error, chosen = require_member(), "", None
    if request.method == "POST":
        chosen = read_levels(request.form)
        more = request.form.get("more", "").strip()[:MAX_QUERY]
        asked = "find" in request.form and more
        try:
            with unit_of_work() as session:
                profiles.confirm_skills(session, actor.id or 0, chosen, looking_on=bool(asked))
        except KozError as refused:
            error = refused.sentence
        else:
            here = url_for("skills.profile_skills", q=more, _anchor="more") if asked else None
            return redirect(here or url_for("skills.profile_availability"), 303)
    text = request.args.get("q", "").strip()[:MAX_QUERY]
    with reading() as session:
        profile = queries.find_profile(session, actor.id or 0)
        if profile is None:
            return redirect(url_for("skills.profile_words"), 303)
        confirmed = queries.list_profile_skills(session, profile.id)
        suggestions = profiles.suggest(session, profile.words, current_locale())
        added = queries.find_concepts(session, text, current_locale()) if text else []
    known = {row.concept_id for row in confirmed}
    shown = profiles.without(suggestions, known)
    proposed = {f.id for s in shown for f in (*s.found, *s.often)}
    return render_template(
        "skills/profile_skills.html",
        confirmed=confirmed,
        suggestions=shown,
        added=[f for f in added if f.id not in known | proposed],
        text=text,
        error=error,
        chosen=chosen,
    ), 422 if error else 200


@bp.route("/professionals/me/availability", methods=["GET", "POST"])
@access("member")
def profile_availability() -> ResponseReturnValue:
    """Step 3: hours, languages, places, causes."""
    actor = require_member()
    with reading() as session:
        profile = queries.find_profile(session, actor.id or 0)
    form = AvailabilityForm(data=_availability(profile))
    if form.validate_on_submit():
        with unit_of_work() as session:
            profiles.save_availability(session, actor.id or 0, form.to_command())
        return redirect(url_for("matching.me"), 303)
    return render_template("skills/profile_availability.html", form=form), 422 if form.errors else 200


def _availability(profile: Profile | None) -> dict[str, object]:
    if profile is None or not profile.hours_per_week:
        return {}
    return {
        "hours_per_week": profile.hours_per_week, "languages": profile.languages, "remote": profile.remote,
        "departments": ", ".join(profile.departments), "causes": profile.causes,
        "causes_shared": profile.causes_shared, "available_from": profile.available_from,
        "available_until": profile.available_until,
    }  # fmt: skip


@bp.route("/professionals/me/pause", methods=["GET", "POST"])
@access("member")
def pause() -> ResponseReturnValue:
    """Stop being proposed, until a day or until one says so; or restart."""
    actor, form = require_member(), PauseForm()
    if form.validate_on_submit():
        wanted = request.form.get("paused") == "1"
        with unit_of_work() as session:
            profiles.set_paused(session, actor.id or 0, paused=wanted, until=form.until.data if wanted else None)
        return redirect(url_for("matching.me", _anchor="pause"), 303)
    with reading() as session:
        profile = queries.find_profile(session, actor.id or 0)
    return render_template("skills/pause.html", form=form, profile=profile), 422 if form.errors else 200


@bp.get("/manage/campaigns/<slug>/missions")
@access("owner")
def manage_missions(slug: str) -> ResponseReturnValue:
    """All missions of a campaign, for its organisation."""
    with reading() as session:
        campaign = campaigns.get_campaign_for(session, require_member(), slug, permissions.can_manage_missions)
        cards = queries.list_missions_of(session, campaign.id, drafts=True)
    return render_template("skills/manage_missions.html", campaign=campaign, cards=cards)


@bp.route("/manage/campaigns/<slug>/missions/new", methods=["GET", "POST"])
@access("owner")
def new_mission(slug: str) -> ResponseReturnValue:
    """Scope a mission; its needs come next."""
    actor = require_member()
    with reading() as session:
        campaign = campaigns.get_campaign_for(session, actor, slug, permissions.can_manage_missions)
        lines = [line for line in campaigns.list_lines(session, campaign.id) if line.kind in IN_HOURS]
    form = MissionForm(lines=lines)
    if form.validate_on_submit():
        limit("mission", str(actor.id), "60/hour")
        with unit_of_work() as session:
            made = missions.create_mission(session, actor, slug, form.to_command()).id
        return redirect(url_for("skills.mission_needs", mission_id=made), 303)
    return render_template("skills/mission_form.html", form=form, campaign=campaign), 422 if form.errors else 200


@bp.route("/manage/missions/<int:mission_id>", methods=["GET", "POST"])
@access("owner")
def edit_mission(mission_id: int) -> ResponseReturnValue:
    """Change what a mission says."""
    actor = require_member()
    with reading() as session:
        mission, campaign = queries.get_mission_for(session, actor, mission_id)
        lines = [line for line in campaigns.list_lines(session, campaign.id) if line.kind in IN_HOURS]
    form = MissionForm(lines=lines, data=_scope(mission))
    if form.validate_on_submit():
        with unit_of_work() as session:
            missions.edit_mission(session, actor, mission_id, form.to_command())
        return redirect(url_for("skills.mission_needs", mission_id=mission_id), 303)
    shown = render_template("skills/mission_form.html", form=form, campaign=campaign, mission=mission)
    return shown, 422 if form.errors else 200


def _scope(mission: Mission) -> dict[str, object]:
    texts, hours = ("title", "deliverable", "done_criteria"), ("hours_total", "hours_per_week")
    names = (*texts, *hours, "language", "remote", "seats", "starts_on", "ends_on")
    line = str(mission.budget_line_id) if mission.budget_line_id else ""
    return {n: getattr(mission, n) for n in names} | {
        "department": mission.department or "", "budget_line_id": line,
    }  # fmt: skip


@bp.route("/manage/missions/<int:mission_id>/needs", methods=["GET", "POST"])
@access("owner")
def mission_needs(mission_id: int) -> ResponseReturnValue:
    """Skills that a mission needs: find them by words, say the level, open the mission."""
    actor, form = require_member(), NeedForm()
    if form.validate_on_submit():
        with unit_of_work() as session:
            missions.set_need(session, actor, mission_id, form.to_command())
        return redirect(url_for("skills.mission_needs", mission_id=mission_id), 303)
    text = request.args.get("q", "").strip()[:MAX_QUERY]
    with reading() as session:
        mission, campaign = queries.get_mission_for(session, actor, mission_id)
        needs = queries.list_needs(session, [mission_id])[mission_id]
        found = queries.find_concepts(session, text, current_locale()) if text else []
    known = {n.concept_id for n in needs}
    shown = render_template(
        "skills/mission_needs.html",
        mission=mission,
        campaign=campaign,
        needs=needs,
        found=[f for f in found if f.id not in known],
        text=text,
        form=form,
    )
    return shown, 422 if form.errors else 200


@bp.post("/manage/missions/<int:mission_id>/needs/<int:concept_id>/drop")
@access("owner")
def drop_need(mission_id: int, concept_id: int) -> ResponseReturnValue:
    """Take a needed skill out."""
    with unit_of_work() as session:
        missions.drop_need(session, require_member(), mission_id, concept_id)
    return redirect(url_for("skills.mission_needs", mission_id=mission_id), 303)


@bp.post("/manage/missions/<int:mission_id>/open")
@access("owner")
def open_mission(mission_id: int) -> ResponseReturnValue:
    """Open a mission."""
    with unit_of_work() as session:
        missions.open_mission(session, require_member(), mission_id)
    return redirect(url_for("matching.matches", mission_id=mission_id), 303)


@bp.post("/manage/missions/<int:mission_id>/close")
@access("owner")
def close_mission(mission_id: int) -> ResponseReturnValue:
    """End a mission."""
    with unit_of_work() as session:
        missions.close_mission(session, require_member(), mission_id)
    return redirect(url_for("skills.mission_needs", mission_id=mission_id), 303)
