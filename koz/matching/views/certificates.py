"""Certificates: made and downloaded by the professional, checked by anybody who holds one.

The page that checks shows what is certified, and never the name: whoever holds the paper types the name that stands on
it and learns whether it is that one (adr/0044).
"""

from typing import Any

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from koz.core.access import access, require_member
from koz.core.db import reading, unit_of_work
from koz.core.i18n import LOCALES, _, in_locale
from koz.core.limits import limit
from koz.core.settings import current_settings
from koz.matching.certificate import grouped, make_pdf, read_code, same_name
from koz.matching.forms import CodeForm, NameForm
from koz.matching.queries import keeping
from koz.matching.services import certifying

bp = Blueprint("certificates", __name__)


@bp.post("/engagements/<int:engagement_id>/certificate")
@access("owner")
def make(engagement_id: int) -> ResponseReturnValue:
    """Make the certificate of a closed engagement."""
    with unit_of_work() as session:
        certifying.certify(session, require_member(), engagement_id)
    return redirect(url_for("matching.engagement", engagement_id=engagement_id, _anchor="certificate"), 303)


@bp.get("/engagements/<int:engagement_id>/certificate-<lang>.pdf")
@access("owner")
def download(engagement_id: int, lang: str) -> ResponseReturnValue:
    """The certificate as a PDF in either language."""
    actor = require_member()
    if lang not in LOCALES:
        abort(404)
    limit("certificates.pdf", str(actor.id), "60/hour")
    with reading() as session:
        certificate = certifying.get_own(session, actor, engagement_id)
    url = f"{current_settings().base_url}/certificates/{certificate.fingerprint}"
    with in_locale(lang):
        words = certifying.words_of(certificate, url)
        name = _("certificate")
    content = make_pdf(words, url, lang, int(certificate.issued_at.timestamp()))
    answer = Response(content, content_type="application/pdf")
    answer.headers["Content-Disposition"] = f'attachment; filename="koz-{name}-{certificate.number}.pdf"'
    answer.headers["Content-Language"] = lang
    return answer


@bp.get("/certificates")
@access("public")
def look_up() -> ResponseReturnValue:
    """Where somebody types a fingerprint that they cannot scan."""
    form = CodeForm(request.args, meta={"csrf": False})
    typed = form.code.data or ""
    code = read_code(typed)
    if code:
        return redirect(url_for("certificates.check", code=code), 303)
    return _unlisted(render_template("certificates/look_up.html", form=form, typed=typed), 422 if typed else 200)


@bp.route("/certificates/<code>", methods=["GET", "POST"])
@access("public")
def check(code: str) -> ResponseReturnValue:
    """Whether a certificate is genuine and valid, what it states, and whether a name is the one on it."""
    limit("certificates.check", request.remote_addr or "", "120/hour")
    wanted, form, same = read_code(code), NameForm(), None
    with reading() as session:
        certificate = keeping.find_by_code(session, wanted) if wanted else None
    if certificate is None:
        return _unlisted(render_template("certificates/unknown.html"), 404)
    valid = certificate.revoked_at is None
    if valid and form.validate_on_submit() and form.name.data:
        limit("certificates.name", certificate.fingerprint, "20/hour")
        same = same_name(form.name.data, certificate.facts["name"])
    facts: dict[str, Any] = certificate.facts if valid else {}
    shown = {k: v for k, v in facts.items() if k not in {"name", "mark"}}
    page = render_template(
        "certificates/check.html",
        certificate=certificate,
        fingerprint=grouped(certificate.fingerprint),
        facts=shown,
        form=form,
        same=same,
    )
    return _unlisted(page, 200)


def _unlisted(page: str, status: int) -> Response:
    """In no search engine and in no cache."""
    answer = Response(page, status=status)
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer
