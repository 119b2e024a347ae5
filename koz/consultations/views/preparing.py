"""The organisation: the consultation it prepares for its campaign."""

from collections.abc import Sequence

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from koz.campaigns.permissions import can_write
from koz.campaigns.queries import get_campaign_for
from koz.consultations import queries, services
from koz.consultations.forms import (
    MOST_SECTIONS,
    DraftForm,
)
from koz.consultations.states import ConsultationState
from koz.consultations.views.blueprint import bp
from koz.core.access import access, require_member
from koz.core.db import reading, unit_of_work
from koz.core.errors import KozError
from koz.core.i18n import _
from koz.core.paging import parse_after


@bp.route("/manage/campaigns/<slug>/consultation", methods=["GET", "POST"])
@access("owner")
def prepare(slug: str) -> ResponseReturnValue:
    """The NGO writes the consultation before it opens: question, introduction, sections, days."""
    actor = require_member()
    with reading() as session:
        campaign = get_campaign_for(session, actor, slug, can_write)
    with unit_of_work() as session:
        consultation = services.prepare(session, campaign.id)
    if consultation.state is not ConsultationState.DRAFT:
        return render_template("consultations/prepared.html", campaign=campaign, consultation=consultation)
    with reading() as session:
        sections = queries.list_sections(session, consultation.id)
    form, refusal, status = DraftForm.of(consultation, sections), None, 200
    if request.method == "POST" and "more" in request.form:
        if len(form.sections) < MOST_SECTIONS:
            form.sections.append_entry()
    elif form.validate_on_submit():
        try:
            with unit_of_work() as session:
                version = parse_after(form.version.data) or 0
                services.save_draft(session, consultation.id, form.to_draft(), version)
            return redirect(url_for("consultations.prepare", slug=slug, saved=1), 303)
        except KozError as error:
            refusal, status = error.sentence, error.status
    elif form.errors:
        status = 422
    return render_template(
        "consultations/prepare.html", form=form, campaign=campaign, consultation=consultation, refusal=refusal,
        saved="saved" in request.args, problems=_problems(form),
    ), status  # fmt: skip


def _problems(form: DraftForm) -> Sequence[tuple[str, str, str]]:
    """Errors of a form with parts: (id of the field, its label, the sentence)."""
    fields = [form.question, form.intro, form.days, form.answer_days]
    fields += [field for entry in form.sections for field in entry.form]
    found = [(f.id, str(f.label.text), str(f.errors[0])) for f in fields if f.errors]
    whole = [str(e) for e in form.sections.errors if isinstance(e, str)]
    return found + [("sections-0-title", _("Sections"), e) for e in whole]
