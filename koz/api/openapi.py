"""The OpenAPI 3.1 document of the API: what `shapes.py` makes, said field by field.

Every object is closed (`additionalProperties: false`) and every field required, so that the test which validates real
answers against these schemas notices a field that was added, dropped or changed its type.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from koz import __version__
from koz.accounts.models import OrganisationKind
from koz.answers.states import CommitmentState, Party, PointKind, Progress, Stance, Standing
from koz.campaigns.states import PUBLIC, LineKind
from koz.consultations.states import ActorKind
from koz.core.i18n import _l, in_locale
from koz.core.settings import current_settings
from koz.skills.states import PUBLIC_MISSIONS

Schema = dict[str, Any]

TEXT: Final[Schema] = {"type": "string"}
COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
ID: Final[Schema] = {"type": "integer", "minimum": 1}
MINOR: Final[Schema] = {"type": "integer", "description": "Whole minor units of the currency (cents)."}
SOME_MINOR: Final[Schema] = MINOR | {"minimum": 0}
YES_NO: Final[Schema] = {"type": "boolean"}
INSTANT: Final[Schema] = {
    "type": "string", "format": "date-time", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$",
    "description": "RFC 3339, in UTC.",
}  # fmt: skip
DAY: Final[Schema] = {
    "type": "string", "format": "date", "pattern": r"^\d{4}-\d\d-\d\d$", "description": "A day in Paris.",
}  # fmt: skip
URL: Final[Schema] = {"type": "string", "format": "uri", "pattern": "^https?://"}
SLUG: Final[Schema] = {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]*$"}
CURRENCY: Final[Schema] = {"type": "string", "pattern": "^[A-Z]{3}$"}


def words(values: Any) -> Schema:
    """One of some fixed words."""
    return {"type": "string", "enum": sorted(str(v.value) for v in values)}


def maybe(schema: Schema) -> Schema:
    """The thing, or null."""
    if "$ref" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    if "enum" in schema:
        return schema | {"type": ["string", "null"], "enum": [*schema["enum"], None]}
    return schema | {"type": [schema["type"], "null"]}


def ref(name: str) -> Schema:
    """A schema by name."""
    return {"$ref": f"#/components/schemas/{name}"}


def many(schema: Schema) -> Schema:
    """A list."""
    return {"type": "array", "items": schema}


def thing(fields: Mapping[str, Schema], description: str = "") -> Schema:
    """A closed object all of whose fields are there."""
    told = {"description": description} if description else {}
    return {
        "type": "object", "properties": dict(fields), "required": list(fields), "additionalProperties": False,
    } | told  # fmt: skip


ANSWER_BRIEF: Final[dict[str, Schema]] = {
    "standing": words(Standing),
    "asked_on": DAY,
    "accepted_on": maybe(DAY),
    "closed_on": maybe(DAY | {"description": "The consultation's last day, from which the time runs."}),
    "due_on": maybe(DAY),
    "answer_days": maybe(
        ID | {"description": "The published rule, once the consultation is open: days after its end."}
    ),
    "published_at": maybe(INSTANT),
    "days": maybe(COUNT | {"description": "Answered in, or silent for, so many days."}),
    "links": thing({"page": URL}),
}
MISSION_BRIEF: Final[dict[str, Schema]] = {
    "id": ID,
    "title": TEXT,
    "state": words(PUBLIC_MISSIONS),
    "hours_total": COUNT,
    "seats": ID,
}
FIGURES: Final[dict[str, Schema]] = {
    "contributions": COUNT,
    "amendments": COUNT,
    "arguments": COUNT,
    "sourced_arguments": COUNT,
    "sources": COUNT,
    "votes": ref("Votes"),
    "imported_votes": maybe(ref("Votes")),
}
NAMED: Final[dict[str, Schema]] = {"slug": SLUG, "name": TEXT}

SCHEMAS: Final[Mapping[str, Schema]] = {
    "Problem": {
        "type": "object",
        "description": "An error (RFC 9457).",
        "properties": {"type": TEXT, "status": {"type": "integer"}, "title": TEXT},
        "required": ["type", "status", "title"],
    },
    "OrganisationName": thing(NAMED),
    "Addressee": thing({"name": TEXT, "body": TEXT}, "Whom the campaign asks: a public role, never an address."),
    "Votes": thing({"agree": COUNT, "mixed": COUNT, "disagree": COUNT}),
    "BudgetLine": thing(
        {
            "label": TEXT,
            "kind": words(LineKind),
            "minimum_minor": SOME_MINOR,
            "optimum_minor": SOME_MINOR,
            "hours": COUNT | {"description": "Hours needed; of a line that is either, they replace the minimum."},
            "hours_given": COUNT | {"description": "Hours agreed by both sides and not taken back."},
            "skills_minor": SOME_MINOR | {"description": "The part of the minimum that the hours given replace."},
        },
        "What is paid in money, given in hours of a skill, or either.",
    ),
    "MissionBrief": thing(MISSION_BRIEF),
    "AnswerBrief": thing(ANSWER_BRIEF, "Where an answer stands. Overdue follows from the day alone."),
    "Campaign": thing(
        {
            "slug": SLUG,
            "title": TEXT,
            "summary": TEXT,
            "state": words(PUBLIC),
            "organisation": ref("OrganisationName"),
            "ask": TEXT,
            "addressee": ref("Addressee"),
            "model": TEXT,
            "currency": CURRENCY,
            "minimum_minor": SOME_MINOR,
            "optimum_minor": SOME_MINOR,
            "promised_minor": SOME_MINOR,
            "collected_minor": SOME_MINOR,
            "refunded_minor": SOME_MINOR,
            "lost_minor": SOME_MINOR,
            "gifts": COUNT,
            "donors": COUNT,
            "deadline_at": maybe(INSTANT),
            "budget": many(ref("BudgetLine")),
            "missions": many(ref("MissionBrief")),
            "consultation": maybe(SLUG),
            "answer": maybe(ref("AnswerBrief")),
            "links": thing(dict.fromkeys(("self", "page", "give", "ledger", "timeline", "updates", "hours"), URL)),
            "skills_minor": SOME_MINOR | {"description": "The part of minimum_minor that hours given replace."},
            "to_raise_minor": SOME_MINOR | {"description": "minimum_minor − skills_minor: what must be collected."},
        }
    ),
    "LedgerLine": thing(
        {
            "id": ID,
            "at": INSTANT,
            "kind": TEXT,
            "counts": YES_NO | {"description": "Whether the totals count it."},
            "gift_minor": MINOR,
            "fee_minor": MINOR,
            "net_minor": MINOR,
            "total_gift_minor": MINOR,
            "total_fee_minor": MINOR,
            "total_net_minor": MINOR,
            "currency": CURRENCY,
            "donor": maybe(TEXT | {"description": "A name only where the donor chose to show it."}),
        },
        "One posting of a campaign's books, signed as the campaign sees it.",
    ),
    "TimelineEntry": thing(
        {"at": INSTANT, "kind": TEXT, "text": TEXT, "href": maybe(URL)},
        "A dated fact; `text` is in the language of Accept-Language (fr or en).",
    ),
    "Need": thing({"skill": TEXT, "label_fr": maybe(TEXT), "label_en": maybe(TEXT), "level": ID, "must": YES_NO}),
    "Mission": thing(
        MISSION_BRIEF
        | {
            "campaign": SLUG,
            "deliverable": TEXT,
            "done_criteria": TEXT,
            "hours_per_week": COUNT,
            "language": TEXT,
            "department": maybe(TEXT),
            "remote": YES_NO,
            "starts_on": maybe(DAY),
            "ends_on": maybe(DAY),
            "needs": many(ref("Need")),
            "links": thing({"page": URL}),
        }
    ),
    "Consultation": thing(
        {
            "slug": SLUG,
            "title": TEXT,
            "question": TEXT,
            "state": {"type": "string", "enum": ["open", "closed"]},
            "organisation": maybe(TEXT),
            "campaign": maybe(SLUG),
            "addressee": TEXT,
            "opens_at": maybe(INSTANT),
            "closes_at": maybe(INSTANT),
            "answer_due_on": maybe(DAY),
            "imported_from": maybe(TEXT),
            "links": thing(dict.fromkeys(("self", "page", "contributions", "results"), URL)),
            "contributions": COUNT,
            "votes": COUNT,
            "imported_votes": COUNT | {"description": "Counted where the consultation came from; in no other total."},
        }
    ),
    "Contribution": thing(
        {
            "id": ID,
            "section": thing({"id": ID, "title": TEXT}),
            "title": TEXT,
            "html": TEXT,
            "by_organiser": YES_NO,
            "author_kind": maybe(words(ActorKind)),
            "votes": ref("Votes"),
            "imported_votes": maybe(ref("Votes")),
            "arguments": thing({"for": COUNT, "against": COUNT, "sourced": COUNT}),
            "amendments": COUNT,
            "created_at": INSTANT,
            "links": thing({"page": URL}),
        },
        "A contribution. Its author is told by kind only.",
    ),
    "StandingOut": thing({"contribution": ID, "title": TEXT, "imported": YES_NO, "votes": ref("Votes")}),
    "Results": thing(
        {
            "participants": COUNT,
            "total": thing(FIGURES),
            "sections": many(thing({"id": ID, "title": TEXT} | FIGURES)),
            "uniting": many(ref("StandingOut")),
            "dividing": many(ref("StandingOut")),
        }
    ),
    "AnswerPoint": thing(
        {
            "kind": words(PointKind),
            "title": TEXT,
            "href": maybe(URL),
            "votes": ref("Votes"),
            "stance": maybe(words(Stance)),
            "reasons_html": maybe(TEXT),
        },
        "A point put to the addressee; `stance` is null until the answer is published.",
    ),
    "CommitmentChange": thing(
        {
            "at": INSTANT,
            "party": words(Party),
            "state": maybe(words(CommitmentState)),
            "note": TEXT,
            "proof_url": maybe(URL),
        },
        "The official moves a commitment; the organisation only reports what it saw.",
    ),
    "Commitment": thing(
        {
            "text": TEXT,
            "owner": TEXT,
            "due_on": DAY,
            "state": words(Progress),
            "proof_url": maybe(URL),
            "changes": many(ref("CommitmentChange")),
        }
    ),
    "Answer": thing(
        ANSWER_BRIEF
        | {
            "campaign": SLUG,
            "ask": TEXT,
            "addressee": ref("Addressee"),
            "organisation": ref("OrganisationName"),
            "points": many(ref("AnswerPoint")),
            "commitments": many(ref("Commitment")),
        }
    ),
    "Organisation": thing(
        NAMED
        | {
            "kind": words(OrganisationKind),
            "siren": maybe(TEXT),
            "rna": maybe(TEXT),
            "verified": YES_NO,
            "campaigns": many(thing({"slug": SLUG, "title": TEXT, "state": words(PUBLIC)})),
            "links": thing({"self": URL, "page": URL}),
        }
    ),
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address: what it gives, by the name of its schema; a page of such things when `paged`."""

    path: str
    summary: Any
    schema: str
    paged: bool = False

    @property
    def operation_id(self) -> str:
        """A name for programs: `getCampaigns`, `getCampaignsSlugLedger`."""
        parts = self.path.replace("{", "").replace("}", "").split("/")
        return "get" + "".join(part.capitalize() for part in parts)


ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    Endpoint("/campaigns", _l("Public campaigns, latest first"), "Campaign", paged=True),
    Endpoint("/campaigns/{slug}", _l("One campaign: totals, budget, missions, consultation, answer"), "Campaign"),
    Endpoint("/campaigns/{slug}/ledger", _l("Every posting of its books, latest first"), "LedgerLine", paged=True),
    Endpoint("/campaigns/{slug}/timeline", _l("Its dated story, latest first"), "TimelineEntry", paged=True),
    Endpoint("/missions", _l("Open missions with what they need, latest first"), "Mission", paged=True),
    Endpoint("/consultations", _l("Public consultations, open ones first"), "Consultation", paged=True),
    Endpoint("/consultations/{slug}", _l("One consultation"), "Consultation"),
    Endpoint(
        "/consultations/{slug}/contributions", _l("Its contributions with votes and counts"), "Contribution", paged=True
    ),
    Endpoint("/consultations/{slug}/results", _l("Every figure of it, counted now"), "Results"),
    Endpoint("/answers", _l("The register of answers, point by point, with commitments"), "Answer", paged=True),
    Endpoint("/organisations/{slug}", _l("One organisation and its public campaigns"), "Organisation"),
)
FEEDS: Final = (
    ("/campaigns.atom", _l("New campaigns (Atom)")),
    ("/campaigns/{slug}/updates.atom", _l("News of one campaign (Atom)")),
)
PARAMETERS: Final[Mapping[str, Schema]] = {
    "slug": {"name": "slug", "in": "path", "required": True, "schema": {"type": "string"}},
    "after": {
        "name": "after", "in": "query", "required": False, "schema": {"type": "string"},
        "description": "Key of the page before, as its `next` gives it.",
    },
    "ifNoneMatch": {"name": "If-None-Match", "in": "header", "required": False, "schema": {"type": "string"}},
}  # fmt: skip
HEADERS: Final[Mapping[str, Schema]] = {
    "ETag": {"description": "Strong; send it back as If-None-Match.", "schema": {"type": "string"}},
    "Link": {"description": "`rel=next` while there is a next page.", "schema": {"type": "string"}},
}


def document() -> Schema:
    """The document, with this service's address. Texts are in English whatever the request's language."""
    return _document(current_settings().base_url)


@lru_cache(maxsize=4)
def _document(base_url: str) -> Schema:
    with in_locale("en"):
        return {
            "openapi": "3.1.0",
            "info": {
                "title": "Koz",
                "version": __version__,
                "summary": "Campaigns, consultations and answers, open to read.",
                "description": (
                    "Read without a key. Lists are paged by key: follow `next`. Every answer has a strong ETag. "
                    "Amounts are whole minor units; times are RFC 3339 in UTC. Errors are problem documents (RFC 9457)."
                ),
                "license": {"name": "EUPL-1.2", "identifier": "EUPL-1.2"},
            },
            "servers": [{"url": f"{base_url}/api/v1"}],
            "paths": {e.path: {"get": _operation(e)} for e in ENDPOINTS},
            "components": {
                "schemas": dict(SCHEMAS) | {f"{e.schema}Page": _page(e.schema) for e in ENDPOINTS if e.paged},
                "parameters": dict(PARAMETERS),
                "headers": dict(HEADERS),
                "responses": {
                    "Problem": {
                        "description": "What went wrong, in one sentence.",
                        "content": {"application/problem+json": {"schema": ref("Problem")}},
                    }
                },
            },
        }


def _page(name: str) -> Schema:
    return thing({"items": many(ref(name)), "next": maybe(URL)})


def _operation(endpoint: Endpoint) -> Schema:
    names = ["slug"] if "{slug}" in endpoint.path else []
    names += ["after"] if endpoint.paged else []
    headers = {"ETag": {"$ref": "#/components/headers/ETag"}}
    if endpoint.paged:
        headers["Link"] = {"$ref": "#/components/headers/Link"}
    problem = {"$ref": "#/components/responses/Problem"}
    errors = ({"400": problem} if endpoint.paged else {}) | ({"404": problem} if "{slug}" in endpoint.path else {})
    return {
        "operationId": endpoint.operation_id,
        "summary": str(endpoint.summary),
        "security": [],
        "parameters": [{"$ref": f"#/components/parameters/{name}"} for name in [*names, "ifNoneMatch"]],
        "responses": {
            "200": {
                "description": str(endpoint.summary),
                "headers": headers,
                "content": {
                    "application/json": {"schema": ref(f"{endpoint.schema}Page" if endpoint.paged else endpoint.schema)}
                },
            },
            "304": {"description": "The same as before.", "headers": {"ETag": headers["ETag"]}},
            **errors,
        },
    }
