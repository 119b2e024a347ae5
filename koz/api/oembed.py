"""oEmbed: by it an editor that meets a campaign's address finds the small page that may be framed."""

import re
from html import escape
from typing import Final

from flask import Blueprint, Response, request

from koz.api.documents import BadRequest, absolute, answer
from koz.campaigns import queries
from koz.core.access import access
from koz.core.db import reading
from koz.core.errors import KozError, NotFound
from koz.core.i18n import _
from koz.core.settings import current_settings

bp = Blueprint("oembed", __name__)
WIDTH: Final = 400
HEIGHT: Final = 320
_CAMPAIGN: Final = re.compile(r"/campaigns/([a-z0-9-]{1,100})/?(?:[?#]|$)")


class NotImplementedFormat(KozError):
    """oEmbed in a format that is not offered."""

    status = 501


@bp.get("/oembed")
@access("public")
def oembed() -> Response:
    """What an editor shows for the address of a campaign (oEmbed 1.0, JSON)."""
    if request.args.get("format", "json") != "json":
        raise NotImplementedFormat(_("Only format=json is offered."))
    slug = _slug_of(request.args.get("url", ""))
    with reading() as session:
        row = queries.get_public_campaign(session, slug)
    width, height = _fit("maxwidth", WIDTH), _fit("maxheight", HEIGHT)
    frame = absolute(f"/embed/campaigns/{slug}")
    html = (
        f'<iframe src="{frame}" width="{width}" height="{height}" title="{escape(row.title)}" loading="lazy"></iframe>'
    )
    return answer(
        {
            "version": "1.0",
            "type": "rich",
            "provider_name": "Koz",
            "provider_url": current_settings().base_url,
            "title": row.title,
            "width": width,
            "height": height,
            "html": html,
        }
    )


def _slug_of(url: str) -> str:
    """The campaign that an address of ours names. Raises NotFound."""
    own = current_settings().base_url
    found = _CAMPAIGN.match(url.removeprefix(own)) if url.startswith(own) else None
    if found is None:
        raise NotFound(_("Give the address of a campaign on this service as “url”."))
    return found[1]


def _fit(name: str, wanted: int) -> int:
    """The wanted size, or less when the page that embeds has less room. Raises BadRequest."""
    given = request.args.get(name)
    if given is None:
        return wanted
    if not given.isascii() or not given.isdigit() or len(given) > 6 or int(given) < 1:
        raise BadRequest(_("“%(name)s” must be a number of pixels.", name=name))
    return min(wanted, int(given))
