"""States of a mission, as data, and the small closed lists that profiles and missions share."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from koz.core.i18n import _l


class MissionState(StrEnum):
    """Where a mission stands: draft (only its organisation sees it), open, filled (all seats taken), closed."""

    DRAFT = "draft"
    OPEN = "open"
    FILLED = "filled"
    CLOSED = "closed"


M = MissionState
MISSION_STEPS: Final[Mapping[MissionState, frozenset[MissionState]]] = {
    M.DRAFT: frozenset({M.OPEN, M.CLOSED}),
    M.OPEN: frozenset({M.FILLED, M.CLOSED}),
    M.FILLED: frozenset({M.OPEN, M.CLOSED}),
    M.CLOSED: frozenset({M.OPEN}),
}
PUBLIC_MISSIONS: Final = frozenset({M.OPEN, M.FILLED, M.CLOSED})

LEVELS: Final = range(1, 6)

#: How well one can do something, from 1 to 5.
LEVEL_WORDS: Final[Mapping[int, Any]] = {
    1: _l("I am beginning"),
    2: _l("I manage with some help"),
    3: _l("I do it on my own"),
    4: _l("It is my trade"),
    5: _l("I train others"),
}
#: The same levels, as an organisation asks for them.
LEVEL_ASKED: Final[Mapping[int, Any]] = {
    1: _l("beginning is enough"),
    2: _l("some practice"),
    3: _l("on one’s own"),
    4: _l("professional"),
    5: _l("expert"),
}
#: The same levels, as somebody else reads them.
LEVEL_OFFERED: Final[Mapping[int, Any]] = {
    1: _l("level 1 of 5: beginning"),
    2: _l("level 2 of 5: with some help"),
    3: _l("level 3 of 5: on one’s own"),
    4: _l("level 4 of 5: a trade"),
    5: _l("level 5 of 5: trains others"),
}
#: Languages one can work in: ISO 639-1 codes, and ISO 639-3 for French sign language.
LANGUAGES: Final[Mapping[str, Any]] = {
    "fr": _l("French"),
    "en": _l("English"),
    "es": _l("Spanish"),
    "de": _l("German"),
    "it": _l("Italian"),
    "pt": _l("Portuguese"),
    "ar": _l("Arabic"),
    "fsl": _l("French sign language"),
}
MISSION_WORDS: Final[Mapping[MissionState, Any]] = {
    M.DRAFT: _l("Draft"),
    M.OPEN: _l("Open"),
    M.FILLED: _l("Filled"),
    M.CLOSED: _l("Closed"),
}
#: Kind of badge for a state; the word beside it says the same.
MISSION_BADGES: Final[Mapping[MissionState, str]] = {M.OPEN: "action", M.FILLED: "ok"}
_DEPARTMENTS: Final = """
01 Ain|02 Aisne|03 Allier|04 Alpes-de-Haute-Provence|05 Hautes-Alpes|06 Alpes-Maritimes|07 Ardèche|08 Ardennes
09 Ariège|10 Aube|11 Aude|12 Aveyron|13 Bouches-du-Rhône|14 Calvados|15 Cantal|16 Charente|17 Charente-Maritime
18 Cher|19 Corrèze|2A Corse-du-Sud|2B Haute-Corse|21 Côte-d’Or|22 Côtes-d’Armor|23 Creuse|24 Dordogne|25 Doubs
26 Drôme|27 Eure|28 Eure-et-Loir|29 Finistère|30 Gard|31 Haute-Garonne|32 Gers|33 Gironde|34 Hérault
35 Ille-et-Vilaine|36 Indre|37 Indre-et-Loire|38 Isère|39 Jura|40 Landes|41 Loir-et-Cher|42 Loire|43 Haute-Loire
44 Loire-Atlantique|45 Loiret|46 Lot|47 Lot-et-Garonne|48 Lozère|49 Maine-et-Loire|50 Manche|51 Marne
52 Haute-Marne|53 Mayenne|54 Meurthe-et-Moselle|55 Meuse|56 Morbihan|57 Moselle|58 Nièvre|59 Nord|60 Oise|61 Orne
62 Pas-de-Calais|63 Puy-de-Dôme|64 Pyrénées-Atlantiques|65 Hautes-Pyrénées|66 Pyrénées-Orientales|67 Bas-Rhin
68 Haut-Rhin|69 Rhône|70 Haute-Saône|71 Saône-et-Loire|72 Sarthe|73 Savoie|74 Haute-Savoie|75 Paris
76 Seine-Maritime|77 Seine-et-Marne|78 Yvelines|79 Deux-Sèvres|80 Somme|81 Tarn|82 Tarn-et-Garonne|83 Var
84 Vaucluse|85 Vendée|86 Vienne|87 Haute-Vienne|88 Vosges|89 Yonne|90 Territoire de Belfort|91 Essonne
92 Hauts-de-Seine|93 Seine-Saint-Denis|94 Val-de-Marne|95 Val-d’Oise|971 Guadeloupe|972 Martinique|973 Guyane
974 La Réunion|976 Mayotte
"""
#: The 101 départements of France by their official code (INSEE).
DEPARTMENTS: Final[Mapping[str, str]] = {
    code: name for code, _blank, name in (d.partition(" ") for d in _DEPARTMENTS.strip().replace("\n", "|").split("|"))
}


def may_step(old: MissionState, new: MissionState) -> bool:
    """Whether the step exists in the table."""
    return new in MISSION_STEPS[old]
