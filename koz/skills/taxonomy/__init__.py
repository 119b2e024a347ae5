"""The taxonomy as pure rules: words of the tables, folding and stemming, search over phrases, paths between concepts.

Nothing here knows the database: `queries.py` fills a `SearchIndex` and a `Graph` from the tables, tests from lists.
"""

from koz.skills.taxonomy.graph import Graph, Reached, ReachMatrix, Step, find_cycle
from koz.skills.taxonomy.kinds import LANGUAGES, ConceptKind, EdgeKind, Origin
from koz.skills.taxonomy.labels import fold, stems, words
from koz.skills.taxonomy.rows import Alias, Concept, Edge, Phrase, Rows
from koz.skills.taxonomy.search import Hit, SearchIndex

__all__ = [
    "LANGUAGES",
    "Alias",
    "Concept",
    "ConceptKind",
    "Edge",
    "EdgeKind",
    "Graph",
    "Hit",
    "Origin",
    "Phrase",
    "ReachMatrix",
    "Reached",
    "Rows",
    "SearchIndex",
    "Step",
    "find_cycle",
    "fold",
    "stems",
    "words",
]
