"""From rows to the objects of the API. What a schema of `openapi.py` says, these functions make.

Amounts are whole minor units, moments RFC 3339 in UTC, days those of Paris. No address of a person, and no name that
its owner did not choose to show, is in any of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from koz.accounts.models import Organisation
from koz.answers.models import AnswerPoint
from koz.answers.queries import CommitmentView, Summary
from koz.answers.states import Standing
from koz.api.documents import Json, absolute, day, instant
from koz.campaigns.models import BudgetLine, Campaign, TimelineEntry
from koz.campaigns.services import describe
from koz.consultations.models import Consultation
from koz.consultations.queries import Card, Voice
from koz.consultations.queries.results import Point, Results, SectionResult
from koz.core.clock import end_of_day
from koz.payments.queries import LedgerLine
from koz.skills.models.concepts import SkillConcept
from koz.skills.models.offers import Mission, MissionNeed


@dataclass(frozen=True, slots=True)
class Around:
    """What belongs to the campaigns of a page, by campaign id (organisations by their own)."""

    organisations: Mapping[int, Organisation]
    lines: Mapping[int, Sequence[BudgetLine]]
    missions: Mapping[int, Sequence[Mission]]
    consultations: Mapping[int, str]
    answers: Mapping[int, Summary]


def campaign(row: Campaign, around: Around) -> Json:
    """A campaign, as the contract names its fields."""
    path = f"/campaigns/{row.slug}"
    found = around.answers.get(row.id)
    return {
        "slug": row.slug,
        "title": row.title,
        "summary": row.summary,
        "state": row.state.value,
        "organisation": organisation_name(around.organisations[row.organisation_id]),
        "ask": row.ask,
        "addressee": addressee(row.addressee_name, row.addressee_body),
        "model": row.model,
        "currency": row.currency,
        "minimum_minor": row.minimum_minor,
        "optimum_minor": row.optimum_minor,
        "promised_minor": row.promised_minor,
        "collected_minor": row.collected_minor,
        "refunded_minor": row.refunded_minor,
        "lost_minor": row.lost_minor,
        "gifts": row.gifts,
        "donors": row.donors,
        "deadline_at": instant(end_of_day(row.deadline_on)) if row.deadline_on else None,
        "budget": [
            {
                "label": line.label,
                "kind": line.kind.value,
                "minimum_minor": line.minimum_minor,
                "optimum_minor": line.optimum_minor,
                "hours": line.hours,
                "hours_given": line.hours_given,
                "skills_minor": line.skills_minor,
            }
            for line in around.lines.get(row.id, ())
        ],
        "missions": [mission_brief(one) for one in around.missions.get(row.id, ())],
        "consultation": around.consultations.get(row.id),
        "answer": None if found is None else answer_brief(found),
        "links": {
            "self": absolute(f"/api/v1{path}"),
            "page": absolute(path),
            "give": absolute(f"{path}/give"),
            "ledger": absolute(f"/api/v1{path}/ledger"),
            "timeline": absolute(f"/api/v1{path}/timeline"),
            "updates": absolute(f"{path}/updates.atom"),
            "hours": absolute(f"{path}/hours"),
        },
        "skills_minor": row.skills_minor,
        "to_raise_minor": row.to_raise_minor,
    }


def addressee(name: str, body: str) -> Json:
    """Whom a campaign asks."""
    return {"name": name, "body": body}


def organisation_name(row: Organisation) -> Json:
    """An organisation where it is only named."""
    return {"slug": row.slug, "name": row.name}


def organisation(row: Organisation, campaigns: Sequence[Campaign]) -> Json:
    """An organisation with its public campaigns, latest first."""
    return organisation_name(row) | {
        "kind": row.kind.value,
        "siren": row.siren,
        "rna": row.rna,
        "verified": row.verified_at is not None,
        "campaigns": [{"slug": c.slug, "title": c.title, "state": c.state.value} for c in campaigns],
        "links": {
            "self": absolute(f"/api/v1/organisations/{row.slug}"),
            "page": absolute(f"/organisations/{row.slug}"),
        },
    }


def mission_brief(row: Mission) -> Json:
    """A mission in its campaign."""
    return {
        "id": row.id,
        "title": row.title,
        "state": row.state.value,
        "hours_total": row.hours_total,
        "seats": row.seats,
    }


def mission(row: Mission, campaign_slug: str, needs: Sequence[tuple[MissionNeed, SkillConcept]]) -> Json:
    """An open mission with what it needs."""
    return mission_brief(row) | {
        "campaign": campaign_slug,
        "deliverable": row.deliverable,
        "done_criteria": row.done_criteria,
        "hours_per_week": row.hours_per_week,
        "language": row.language,
        "department": row.department,
        "remote": row.remote,
        "starts_on": row.starts_on.isoformat() if row.starts_on else None,
        "ends_on": row.ends_on.isoformat() if row.ends_on else None,
        "needs": [
            {
                "skill": concept.code,
                "label_fr": concept.label_fr,
                "label_en": concept.label_en,
                "level": need.level,
                "must": need.must,
            }
            for need, concept in needs
        ],
        "links": {"page": absolute(f"/missions/{row.id}")},
    }


def ledger_line(row: LedgerLine) -> Json:
    """One posting of a campaign's books; `donor` is a name only where the donor chose to show it."""
    return {
        "id": row.id,
        "at": instant(row.at),
        "kind": row.kind,
        "counts": row.counts,
        "gift_minor": row.gift_minor,
        "fee_minor": row.fee_minor,
        "net_minor": row.net_minor,
        "total_gift_minor": row.total_gift_minor,
        "total_fee_minor": row.total_fee_minor,
        "total_net_minor": row.total_net_minor,
        "currency": row.currency,
        "donor": row.donor or None,
    }


def timeline_entry(row: TimelineEntry) -> Json:
    """A dated fact of a campaign's story, in the reader's language."""
    return {"at": instant(row.at), "kind": row.kind, "text": describe(row.kind, row.params), "href": absolute(row.href)}


def consultation(card: Card, campaign_slug: str | None) -> Json:
    """A consultation in a list."""
    return _consultation(card.consultation, card.organisation, campaign_slug) | {
        "contributions": card.contributions,
        "votes": int(card.votes),
        "imported_votes": int(card.imported_votes),
    }


def _consultation(row: Consultation, organisation: str | None, campaign_slug: str | None) -> Json:
    return {
        "slug": row.slug,
        "title": row.title,
        "question": row.question,
        "state": "open" if row.is_open else "closed",
        "organisation": organisation,
        "campaign": campaign_slug,
        "addressee": row.addressee,
        "opens_at": instant(row.opens_at),
        "closes_at": instant(row.closes_at),
        "answer_due_on": day(row.answer_due_on),
        "imported_from": row.origin or None,
        "links": {
            "self": absolute(f"/api/v1/consultations/{row.slug}"),
            "page": absolute(f"/consultations/{row.slug}"),
            "contributions": absolute(f"/api/v1/consultations/{row.slug}/contributions"),
            "results": absolute(f"/api/v1/consultations/{row.slug}/results"),
        },
    }


def votes(agree: int, mixed: int, disagree: int) -> Json:
    """Three counts."""
    return {"agree": agree, "mixed": mixed, "disagree": disagree}


def contribution(voice: Voice, consultation_slug: str) -> Json:
    """A contribution. Who wrote it is told by kind only: names stay on the page, where their owners see them."""
    row = voice.contribution
    imported = votes(row.imported_agree, row.imported_mixed, row.imported_disagree)
    return {
        "id": row.id,
        "section": {"id": row.section_id, "title": voice.section_title},
        "title": row.title,
        "html": row.body_html,
        "by_organiser": row.by_organiser,
        "author_kind": None if voice.kind is None else voice.kind.value,
        "votes": votes(row.agree, row.mixed, row.disagree),
        "imported_votes": imported if any(imported.values()) else None,
        "arguments": {"for": row.arguments_for, "against": row.arguments_against, "sourced": row.sourced_arguments},
        "amendments": row.amendments,
        "created_at": instant(row.created_at),
        "links": {"page": absolute(f"/consultations/{consultation_slug}/contributions/{row.id}")},
    }


def results(row: Results) -> Json:
    """Every figure of a consultation, counted from its rows now."""
    return {
        "participants": row.participants,
        "total": _figures(row.total),
        "sections": [{"id": s.id, "title": s.title} | _figures(s) for s in row.sections],
        "uniting": [_point(p) for p in row.uniting],
        "dividing": [_point(p) for p in row.dividing],
    }


def _figures(row: SectionResult) -> Json:
    imported = votes(row.imported_agree, row.imported_mixed, row.imported_disagree)
    return {
        "contributions": row.contributions,
        "amendments": row.amendments,
        "arguments": row.arguments,
        "sourced_arguments": row.sourced,
        "sources": row.sources,
        "votes": votes(row.agree, row.mixed, row.disagree),
        "imported_votes": imported if any(imported.values()) else None,
    }


def _point(row: Point) -> Json:
    return {
        "contribution": row.contribution_id,
        "title": row.title,
        "imported": row.imported,
        "votes": votes(row.agree, row.mixed, row.disagree),
    }


def answer_brief(row: Summary) -> Json:
    """Where an answer stands."""
    return {
        "standing": row.standing.value,
        "asked_on": day(row.asked_on),
        "accepted_on": day(row.accepted_on),
        "closed_on": day(row.closed_on),
        "due_on": day(row.due_on),
        "answer_days": None if row.due_on is None else row.answer_days,
        "published_at": instant(row.published_at),
        "days": row.days,
        "links": {"page": absolute(f"/campaigns/{row.campaign_slug}/answer")},
    }


def answer(row: Summary, points: Sequence[AnswerPoint], commitments: Sequence[CommitmentView]) -> Json:
    """A line of the register with its points; what is said to them is there once the answer is published."""
    published = row.standing is Standing.ANSWERED
    return answer_brief(row) | {
        "campaign": row.campaign_slug,
        "ask": row.ask,
        "addressee": addressee(row.addressee_name, row.addressee_body),
        "organisation": {"slug": row.organisation_slug, "name": row.organisation_name},
        "points": [
            {
                "kind": point.kind.value,
                "title": point.title,
                "href": absolute(point.href),
                "votes": votes(point.agree, point.mixed, point.disagree),
                "stance": point.stance.value if published and point.stance else None,
                "reasons_html": point.reasons_html if published else None,
            }
            for point in points
        ],
        "commitments": [_commitment(one) for one in commitments] if published else [],
    }


def _commitment(row: CommitmentView) -> Json:
    changes: list[Any] = [
        {
            "at": instant(change.at),
            "party": change.party.value,
            "state": None if change.state is None else change.state.value,
            "note": change.note,
            "proof_url": change.proof_url or None,
        }
        for change in row.changes
    ]
    return {
        "text": row.text,
        "owner": row.owner,
        "due_on": day(row.due_on),
        "state": row.progress.value,
        "proof_url": row.proof_url or None,
        "changes": changes,
    }
