"""Invented professionals and missions for the demonstration, made through the same services as real ones.

Needs Koz's own taxonomy (`load_starter`). The same `seed` gives the same examples. Never called in production.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from koz.campaigns.states import CAUSES
from koz.core.access import Actor
from koz.skills import queries
from koz.skills.models.offers import MissionNeed
from koz.skills.services import missions, profiles
from koz.skills.services.missions import Scope
from koz.skills.services.profiles import Availability

PLACES: Final = ("75", "93", "69", "13", "31", "33", "44", "59", "67", "35")


@dataclass(frozen=True, slots=True)
class _Trade:
    """Own words, and codes of concepts (without `koz:`) with the level they are known at."""

    words: str
    skills: dict[str, int]


@dataclass(frozen=True, slots=True)
class _Work:
    """A mission: title, deliverable, criteria, hours in all and a week, code → (level, must)."""

    title: str
    deliverable: str
    criteria: str
    hours: int
    weekly: int
    needs: dict[str, tuple[int, bool]]


TRADES: Final = (
    _Trade("Je rédige des communiqués et je connais les journalistes.",
           {"media-relations": 4, "press-release": 5, "writing": 4, "media-training": 3}),
    _Trade("Tenue de comptes et comptabilité d’associations.",
           {"nonprofit-accounting": 4, "bookkeeping": 5, "spreadsheets": 4, "treasury": 3}),
    _Trade("Droit de l’environnement, contentieux devant le tribunal administratif.",
           {"environmental-law": 5, "environmental-litigation": 4, "public-law": 4, "administrative-law": 4}),
    _Trade("Statistiques, analyse de données et cartes.",
           {"data-analysis": 4, "statistics": 4, "data-visualisation": 3, "spreadsheets": 5}),
    _Trade("Affiches, tracts, identité visuelle.",
           {"graphic-design": 4, "print-design": 4, "infographics": 3, "illustration": 3}),
    _Trade("Sites en WordPress, un peu d’accessibilité.",
           {"wordpress": 4, "web-development": 3, "web-publishing": 4, "web-analytics": 2}),
    _Trade("J’écris des notes pour les parlementaires.",
           {"policy-writing": 4, "parliamentary-relations": 4, "amendment-writing": 3, "advocacy": 4}),
    _Trade("Réponse aux appels à projets et dossiers de subvention.",
           {"grant-writing": 4, "subsidies": 4, "budgeting": 3, "project-design": 3}),
    _Trade("J’anime des réunions et des ateliers.",
           {"facilitation": 4, "event-organisation": 3, "volunteer-management": 3, "public-speaking": 3}),
    _Trade("Traduction du français vers l’anglais, relecture.",
           {"translation": 4, "english-translation": 5, "proofreading": 4}),
    _Trade("Je filme et je monte de petites vidéos.",
           {"filming": 4, "video-editing": 4, "photography": 3}),
    _Trade("RGPD, droit du numérique.", {"data-protection": 4, "public-law": 2, "information-security": 3}),
    _Trade("Urbanisme, mobilité, qualité de l’air.",
           {"town-planning": 4, "air-quality": 3, "climate-change": 3, "survey": 2}),
    _Trade("Collecte de fonds et mécénat d’entreprise.",
           {"fundraising": 4, "corporate-philanthropy": 4, "donor-relations": 3, "crowdfunding": 3}),
    _Trade("Réseaux sociaux et animation de communauté.",
           {"social-media": 4, "community-management": 4, "writing": 2, "photography": 2}),
    _Trade("Santé publique, entretiens avec les habitants.",
           {"public-health": 4, "interviews": 4, "survey": 3, "qualitative-research": 3}),
)  # fmt: skip

WORKS: Final = (
    _Work("Rédiger le dossier de presse", "Un dossier de presse de six pages et un communiqué.",
          "Les deux textes sont relus par l’équipe et envoyés à trente rédactions.", 14, 4,
          {"press-release": (4, True), "media-relations": (3, False), "writing": (3, False)}),
    _Work("Tenir les comptes de la campagne", "Un tableau des recettes et dépenses, à jour chaque mois.",
          "Le trésorier retrouve chaque pièce ; le bilan est publié.", 30, 3,
          {"nonprofit-accounting": (3, True), "spreadsheets": (3, False)}),
    _Work("Vérifier l’argumentaire en droit de l’environnement", "Une note de quatre pages avec les textes cités.",
          "Chaque argument de la campagne a sa base légale ou est signalé comme fragile.", 16, 4,
          {"environmental-law": (4, True), "administrative-law": (3, False)}),
    _Work("Cartographier les mesures de bruit", "Une carte et le jeu de données ouvert.",
          "Les données sont publiées avec leur méthode ; la carte se lit sur téléphone.", 24, 5,
          {"data-analysis": (3, True), "data-visualisation": (3, False), "statistics": (2, False)}),
    _Work("Dessiner l’affiche et le tract", "Une affiche A3 et un tract A5, prêts à imprimer.",
          "Les fichiers passent chez l’imprimeur ; les textes sont lisibles à deux mètres.", 10, 4,
          {"print-design": (3, True), "graphic-design": (3, False)}),
    _Work("Écrire la note aux parlementaires", "Une note de deux pages et trois amendements.",
          "La note est envoyée à la commission saisie, avec ses sources.", 18, 4,
          {"policy-writing": (4, True), "amendment-writing": (3, False), "parliamentary-relations": (2, False)}),
    _Work("Monter le dossier de subvention", "Un dossier complet pour la fondation choisie, budget compris.",
          "Le dossier est déposé avant la date limite.", 20, 5,
          {"grant-writing": (3, True), "budgeting": (2, False)}),
    _Work("Animer trois réunions publiques", "Trois soirées préparées, animées et résumées.",
          "Chaque compte rendu est en ligne sous une semaine.", 24, 6,
          {"facilitation": (3, True), "public-speaking": (3, False)}),
    _Work("Traduire l’appel en anglais", "La page de campagne et le communiqué en anglais.",
          "Une relecture par une personne de langue anglaise est faite.", 8, 3,
          {"english-translation": (4, True), "proofreading": (3, False)}),
    _Work("Réaliser une vidéo d’une minute", "Une vidéo sous-titrée d’une minute.",
          "La vidéo est comprise sans le son.", 15, 5, {"video-editing": (3, True), "filming": (3, False)}),
)  # fmt: skip


def seed_professionals(session: Session, person_ids: Sequence[int], *, seed: int = 2026) -> int:
    """Give each person an invented profile. Returns how many."""
    dice = random.Random(seed)  # noqa: S311 - examples
    ids = _ids(session, {code for trade in TRADES for code in trade.skills})
    for n, person_id in enumerate(person_ids):
        trade = TRADES[n % len(TRADES)]
        extra = TRADES[dice.randrange(len(TRADES))].skills
        levels = {code: max(1, min(5, level + dice.randint(-1, 1))) for code, level in trade.skills.items()}
        code = dice.choice(sorted(extra))
        levels.setdefault(code, dice.randint(1, 3))
        given = Availability(
            hours_per_week=dice.choice((2, 3, 4, 4, 5, 6, 8)),
            languages=("fr", "en") if dice.random() < 0.4 else ("fr",),
            departments=(dice.choice(PLACES),),
            remote=dice.random() < 0.8,
            causes=dice.sample(sorted(CAUSES), dice.randint(0, 3)),
            causes_shared=dice.random() < 0.3,
        )
        profiles.save_profile(session, person_id, trade.words, {ids[c]: level for c, level in levels.items()}, given)
    return len(person_ids)


def seed_missions(
    session: Session, actor: Actor, slugs: Sequence[str], *, each: int = 3, seed: int = 2026
) -> list[int]:
    """Open `each` invented missions in each campaign; `actor` must be an owner or editor there. Returns their ids."""
    dice = random.Random(seed)  # noqa: S311 - examples
    ids = _ids(session, {code for work in WORKS for code in work.needs})
    made = []
    for n, slug in enumerate(slug for slug in slugs for _ in range(each)):
        work = WORKS[n % len(WORKS)]
        somewhere = dice.random() < 0.3
        scope = Scope(
            title=work.title,
            deliverable=work.deliverable,
            done_criteria=work.criteria,
            hours_total=work.hours,
            hours_per_week=min(work.weekly, dice.choice((2, 3, 4, 6))),
            department=dice.choice(PLACES) if somewhere else None,
            remote=not somewhere or dice.random() < 0.5,
        )
        mission = missions.create_mission(session, actor, slug, scope)
        for code, (level, must) in work.needs.items():
            need = MissionNeed(concept_id=ids[code], level=level, must=must)
            missions.set_need(session, actor, mission.id, need)
        missions.open_mission(session, actor, mission.id)
        made.append(mission.id)
    return made


def _ids(session: Session, codes: set[str]) -> dict[str, int]:
    """Ids of our own concepts; every one of them must exist."""
    found = queries.find_by_codes(session, [f"koz:{code}" for code in codes])
    assert len(found) == len(codes), sorted(codes - {c.removeprefix("koz:") for c in found})
    return {code.removeprefix("koz:"): concept.id for code, concept in found.items()}
