"""The guided form: five steps that each save, and a sixth that shows what readers will see and submits.

Rows of budget and sources are added and removed by buttons of the same form, so they work without JavaScript; the
buttons save what is typed on the way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from koz.campaigns import queries, services
from koz.campaigns.forms import (
    ROWS_MAX,
    AskForm,
    BudgetForm,
    EndForm,
    LineForm,
    PressForm,
    SourceForm,
    SourcesForm,
    StoryForm,
    VersionedForm,
    renumbered,
    row_errors,
    values_of_campaign,
)
from koz.campaigns.models import BudgetLine, Campaign, CampaignSource
from koz.campaigns.permissions import can_write
from koz.campaigns.services import StaleVersion
from koz.campaigns.states import EDITABLE
from koz.campaigns.views.blueprint import bp
from koz.core.access import Actor, access, require_member
from koz.core.db import reading, unit_of_work
from koz.core.errors import Conflict, NotFound
from koz.core.i18n import _, _l
from koz.core.paging import parse_after

TITLES: Final[Mapping[str, Any]] = {
    "ask": _l("The ask"),
    "story": _l("The story"),
    "budget": _l("The budget"),
    "sources": _l("Sources"),
    "end": _l("The end"),
    "check": _l("Check"),
}
STEPS: Final = tuple(TITLES)
FORMS: Final[Mapping[str, type[VersionedForm]]] = {
    "ask": AskForm,
    "story": StoryForm,
    "budget": BudgetForm,
    "sources": SourcesForm,
    "end": EndForm,
}
SAVES: Final[Mapping[str, Any]] = {
    "ask": services.save_ask,
    "story": services.save_story,
    "budget": services.save_budget,
    "sources": services.save_sources,
    "end": services.save_end,
}
WITH_ROWS: Final = frozenset({"budget", "sources"})
BLANK_ROWS_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class Desk:
    """A campaign as it is stored, with what the steps show."""

    campaign: Campaign
    lines: Sequence[BudgetLine]
    sources: Sequence[CampaignSource]

    @property
    def missing(self) -> list[services.Missing]:
        """What must still be filled in."""
        return services.missing(self.campaign, self.lines, self.sources)


def _load(actor: Actor, slug: str) -> Desk:
    with reading() as session:
        campaign = queries.get_campaign_for(session, actor, slug, can_write)
        lines = queries.list_lines(session, campaign.id)
        return Desk(campaign, lines, queries.list_sources(session, campaign.id))


@bp.route("/manage/campaigns/<slug>/edit/<step>", methods=["GET", "POST"])
@access("owner")
def edit(slug: str, step: str) -> ResponseReturnValue:
    """One step."""
    actor = require_member()
    desk = _load(actor, slug)
    if step not in TITLES:
        raise NotFound(_("There is no such step. Go back to the campaign's desk."))
    if request.method == "GET" and desk.campaign.state not in EDITABLE:
        return redirect(url_for("campaigns.desk", slug=slug), 303)
    if step == "check":
        return _check(actor, desk)
    form = _form(step, desk)
    problem = ""
    if form.validate_on_submit():
        try:
            with unit_of_work() as session:
                SAVES[step](session, actor, slug, form.to_command(), form.version_read)
            return redirect(_next(slug, step, form), 303)
        except StaleVersion as error:
            form.version.data, problem = str(error.version), error.sentence
        except Conflict as error:
            problem = error.sentence
    elif step in WITH_ROWS and request.form.get("go") == "add" and len(form.rows) < ROWS_MAX:
        form.rows.append_entry()
    return _page(step, desk, form, problem)


def _form(step: str, desk: Desk) -> Any:
    """The step's form: as stored, or as typed, with the row taken out whose button was pressed."""
    kind, campaign = FORMS[step], desk.campaign
    if step not in WITH_ROWS:
        return kind(data=values_of_campaign(campaign))
    if request.method == "POST":
        go = request.form.get("go", "")
        out = parse_after(go.removeprefix("remove-")) if go.startswith("remove-") else None
        return kind(formdata=renumbered(request.form, without=out))
    stored: list[dict[str, Any]] = (
        [LineForm.values_of(line) for line in desk.lines]
        if step == "budget"
        else [SourceForm.values_of(source) for source in desk.sources]
    )
    asked = parse_after(request.args.get("blank"))
    blank = min(asked, BLANK_ROWS_MAX) if asked is not None else (0 if stored else 3)
    rows = stored + [{} for _n in range(min(max(blank, 0 if stored else 1), ROWS_MAX - len(stored)))]
    return kind(data={"version": campaign.version, "rows": rows})


def _next(slug: str, step: str, form: Any) -> str:
    """Where to go after saving, by the button that was pressed."""
    go = request.form.get("go", "next")
    if go == "next":
        return url_for("campaigns.edit", slug=slug, step=STEPS[STEPS.index(step) + 1])
    if go == "preview":
        return url_for("campaigns.edit", slug=slug, step=step, preview=1, _anchor="preview")
    if step in WITH_ROWS:
        blank = sum(row.form.is_blank for row in form.rows) + (go == "add")
        anchor = f"row-{min(len(form.rows) + (go == 'add'), ROWS_MAX)}" if go == "add" else None
        return url_for("campaigns.edit", slug=slug, step=step, blank=blank, _anchor=anchor)
    return url_for("campaigns.edit", slug=slug, step=step, saved=1)


def _page(step: str, desk: Desk, form: Any, problem: str) -> ResponseReturnValue:
    errors = row_errors(form.rows) if step in WITH_ROWS else []
    page = render_template(
        f"campaigns/edit_{step}.html",
        form=form,
        campaign=desk.campaign,
        row_errors=errors,
        problem=problem,
        preview="preview" in request.args,
        saved="saved" in request.args or "blank" in request.args,
        **_steps(step, desk),
    )
    return page, 409 if problem else 422 if form.errors else 200


def _steps(step: str, desk: Desk) -> dict[str, Any]:
    """The stepper's values."""
    slug = desk.campaign.slug
    return {
        "titles": [str(title) for title in TITLES.values()],
        "here": STEPS.index(step) + 1,
        "links": [url_for("campaigns.edit", slug=slug, step=name) for name in STEPS],
    }


def _check(actor: Actor, desk: Desk) -> ResponseReturnValue:
    form, refused = PressForm(), False
    if form.validate_on_submit():
        try:
            with unit_of_work() as session:
                services.submit(session, actor, desk.campaign.slug)
            return redirect(url_for("campaigns.desk", slug=desk.campaign.slug), 303)
        except services.Incomplete:
            refused, desk = True, _load(actor, desk.campaign.slug)
    page = render_template(
        "campaigns/edit_check.html",
        form=form,
        campaign=desk.campaign,
        lines=desk.lines,
        sources=desk.sources,
        missing=desk.missing,
        refused=refused,
        **_steps("check", desk),
    )
    return page, 422 if refused else 200
