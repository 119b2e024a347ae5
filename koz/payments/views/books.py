"""The public ledger of a campaign: as a page, as CSV, as JSON; the same postings in each."""

import csv
import io
from collections.abc import Sequence
from typing import Any, Final

from flask import Response, jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue

from koz.campaigns import queries as campaigns
from koz.campaigns.models import Campaign
from koz.core.access import access
from koz.core.db import reading
from koz.core.paging import after_page, parse_after
from koz.core.settings import current_settings
from koz.payments import queries
from koz.payments.queries import LedgerLine
from koz.payments.views.blueprint import bp

PER_PAGE: Final = 50
PER_FILE: Final = 20_000
COLUMNS: Final = (
    "id", "at", "kind", "counts", "gift_minor", "fee_minor", "net_minor", "total_gift_minor", "total_fee_minor",
    "total_net_minor", "currency", "donor", "reference",
)  # fmt: skip
#: A cell that begins so is taken for a formula by spreadsheets (OWASP, CSV injection).
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


@bp.get("/campaigns/<slug>/ledger")
@access("public")
def ledger(slug: str) -> ResponseReturnValue:
    """Every posting of a campaign, latest first, with the totals up to it; `?format=csv` or `json` for the file."""
    form = request.args.get("format", "")
    size = PER_FILE if form in {"csv", "json"} else PER_PAGE
    with reading() as session:
        campaign = campaigns.get_public_campaign(session, slug)
        after = parse_after(request.args.get("after"))
        rows = queries.list_public_ledger(session, campaign.id, after, size + 1)
    page = after_page(rows, size, lambda line: line.id)
    more = (
        url_for("payments.ledger", slug=slug, after=page.next_after, format=form or None) if page.next_after else None
    )
    if form == "csv":
        return _csv(campaign, page.items, more)
    if form == "json":
        return _json(campaign, page.items, more)
    return render_template("payments/ledger.html", campaign=campaign, lines=page.items, next_url=more)


def _values(line: LedgerLine) -> dict[str, Any]:
    values = {name: getattr(line, name) for name in COLUMNS}
    return values | {"at": line.at.isoformat().replace("+00:00", "Z")}


def _csv(campaign: Campaign, lines: Sequence[LedgerLine], more: str | None) -> Response:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([_cell(value) for value in _values(line).values()] for line in lines)
    answer = Response("\ufeff" + text.getvalue(), mimetype="text/csv")
    return _file(answer, f"{campaign.slug}-ledger.csv", more)


def _cell(value: object) -> object:
    """A cell as it is; words of people that a spreadsheet would run are put behind an apostrophe."""
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return "" if value is None else value


def _json(campaign: Campaign, lines: Sequence[LedgerLine], more: str | None) -> Response:
    answer = jsonify(campaign=campaign.slug, lines=[_values(line) for line in lines], next=more)
    return _file(answer, f"{campaign.slug}-ledger.json", more)


def _file(answer: Response, name: str, more: str | None) -> Response:
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    if more:
        answer.headers["Link"] = f'<{current_settings().base_url}{more}>; rel="next"'
    return answer
