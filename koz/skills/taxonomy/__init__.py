"""The taxonomy as pure rules: words of the tables, folding and stemming, search over phrases, paths between concepts.

Nothing here knows the database: `queries.py` fills a `SearchIndex` and a `Graph` from the tables, tests from lists.
"""

from koz.skills.taxonomy.crosslingual import Pair, pairs_of
from koz.skills.taxonomy.embedding import Embedder
from koz.skills.taxonomy.graph import Graph, Reached, ReachMatrix, Step, find_cycle
from koz.skills.taxonomy.kinds import LANGUAGES, ConceptKind, EdgeKind, Origin
from koz.skills.taxonomy.labels import fold, stems, words
from koz.skills.taxonomy.rows import Alias, Concept, Edge, Phrase, Rows
from koz.skills.taxonomy.search import CONFIDENT, Hit, SearchIndex

__all__ = [
    "CONFIDENT",
    "LANGUAGES",
    "Alias",
    "Concept",
    "ConceptKind",
    "Edge",
    "EdgeKind",
    "Embedder",
    "Graph",
    "Hit",
    "Origin",
    "Pair",
    "Phrase",
    "ReachMatrix",
    "Reached",
    "Rows",
    "SearchIndex",
    "Step",
    "find_cycle",
    "fold",
    "pairs_of",
    "stems",
    "words",
]
