"""Brings a taxonomy into the tables: all or nothing, the same rows when done twice, nothing that people chose deleted.

A concept that its source no longer names is retired: it is not proposed any more, and stays where it was chosen.
Aliases and edges are replaced within what the files read cover (`Batch.concept_scopes`, `Batch.edge_scopes`).
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import CursorResult, insert, select, text
from sqlalchemy.orm import Session

from koz.core.clock import now
from koz.skills.models.concepts import SkillConcept, SkillImport
from koz.skills.services import esco, rome, starter
from koz.skills.services.batch import Batch
from koz.skills.services.bridges import join_same
from koz.skills.services.tables import Progress
from koz.skills.taxonomy import ConceptKind, Origin

#: One import at a time: others wait for its end. Any number that no other lock of ours has.
LOCK: Final = 0x6B6F7A06


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import found and did, in rows. `skipped`: relations to concepts that are in none of the files."""

    origin: Origin
    concepts: int
    aliases: int
    edges: int
    skipped: int
    retired: int
    changed: bool


def _ignore(_read: int) -> None:
    """Progress that nobody watches."""


def import_esco(session: Session, paths: Collection[Path], progress: Progress = _ignore) -> Imported:
    """ESCO's files, or folders that hold them. Bad files raise `Invalid` and leave nothing behind."""
    files = esco.find_files(paths)
    _wait_for_turn(session)
    return _store(session, esco.read(files, _stored(session, (Origin.ESCO,)), progress))


def import_rome(session: Session, paths: Collection[Path], progress: Progress = _ignore) -> Imported:
    """ROME's files, or folders that hold them; import ESCO before, so that both can be joined."""
    files = rome.find_files(paths)
    _wait_for_turn(session)
    return _store(session, rome.read(files, _stored(session, (Origin.ROME, Origin.ESCO)), progress))


def load_starter(session: Session) -> Imported:
    """Koz's own taxonomy of NGO work, which comes with the program. Cheap and safe to call at every start."""
    _wait_for_turn(session)
    return _store(session, starter.read())


def size_of(origin: Origin, paths: Collection[Path]) -> int:
    """Bytes that an import of these paths will read, for a progress bar."""
    files = (esco if origin is Origin.ESCO else rome).find_files(paths)
    return sum(table.path.stat().st_size for table in files.values())


def _wait_for_turn(session: Session) -> None:
    """One import at a time, and as long as it takes; both end with the transaction."""
    session.execute(text("SET LOCAL statement_timeout = 0"))
    session.execute(text("SET LOCAL lock_timeout = 0"))
    session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})


def _stored(session: Session, origins: Iterable[Origin]) -> dict[str, ConceptKind]:
    rows = session.execute(
        select(SkillConcept.code, SkillConcept.kind).where(
            SkillConcept.origin.in_(list(origins)), SkillConcept.retired_at.is_(None)
        )
    )
    return {row.code: row.kind for row in rows}


def _store(session: Session, batch: Batch) -> Imported:
    _copy(session, batch)
    changes = _write_concepts(session, batch)
    retired, lost = _retire(session, batch)
    changes += retired + lost + _write_aliases(session, batch) + _write_edges(session, batch)
    changes += join_same(session)
    session.execute(text("DROP TABLE in_concepts, in_aliases, in_edges"))
    sizes = {"concepts": len(batch.concepts), "aliases": len(batch.aliases), "edges": len(batch.edges)}
    if changes:
        entry = {"origin": batch.origin, "stamp": uuid4().hex, "imported_at": now(), **sizes}
        session.execute(insert(SkillImport).values(entry))
        for table in ("skill_concepts", "skill_aliases", "skill_edges"):
            session.execute(text(f"ANALYZE {table}"))
    session.expire_all()
    return Imported(batch.origin, skipped=batch.skipped, retired=retired, changed=bool(changes), **sizes)


def _copy(session: Session, batch: Batch) -> None:
    """Put the batch into temporary tables by COPY. `says_fr`: a French file was read for this kind of concepts."""
    for table, columns in _TEMPORARY.items():
        session.execute(text(f"CREATE TEMP TABLE {table} ({columns}) ON COMMIT DROP"))
    concepts = (
        (
            code,
            t.kind.value,
            t.label_fr,
            t.label_en,
            t.description_fr,
            t.description_en,
            t.placeholder,
            *_says(batch, code, t.kind),
        )
        for code, t in sorted(batch.concepts.items())
    )
    edges = ((source, target, kind.value, weight) for (source, target, kind), weight in sorted(batch.edges.items()))
    _copy_rows(session, "in_concepts", concepts)
    _copy_rows(session, "in_aliases", sorted(batch.aliases))
    _copy_rows(session, "in_edges", edges)
    for table in _TEMPORARY:
        session.execute(text(f"ANALYZE {table}"))


_TEMPORARY: Final = {
    "in_concepts": "code text PRIMARY KEY, kind text, label_fr text, label_en text, description_fr text,"
    " description_en text, placeholder boolean, says_fr boolean, says_en boolean",
    "in_aliases": "code text, lang text, text text, PRIMARY KEY (code, lang, text)",
    "in_edges": "source text, target text, kind text, weight double precision, PRIMARY KEY (source, target, kind)",
}


def _says(batch: Batch, code: str, kind: ConceptKind) -> tuple[bool, bool]:
    langs = {
        lang for s in batch.concept_scopes if s.kind is kind and code.startswith(s.code_prefix) for lang in s.langs
    }
    return "fr" in langs, "en" in langs


def _copy_rows(session: Session, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
    connection: Any = session.connection().connection.driver_connection
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _run(session: Session, statement: str, **values: object) -> int:
    """Send a statement that changes rows; returns how many."""
    result = session.execute(text(statement), values)
    assert isinstance(result, CursorResult)
    return result.rowcount


def _write_concepts(session: Session, batch: Batch) -> int:
    """Change and insert concepts. A language of which no file was read keeps its label; a placeholder keeps both."""
    changed = _run(
        session,
        """
        WITH wanted AS (
            SELECT c.id, i.kind,
                CASE WHEN i.placeholder OR NOT i.says_fr THEN c.label_fr ELSE i.label_fr END AS label_fr,
                CASE WHEN i.placeholder OR NOT i.says_en THEN c.label_en ELSE i.label_en END AS label_en,
                CASE WHEN i.description_fr IS NULL THEN c.description_fr
                    ELSE nullif(i.description_fr, '') END AS about_fr,
                CASE WHEN i.description_en IS NULL THEN c.description_en
                    ELSE nullif(i.description_en, '') END AS about_en
            FROM in_concepts i JOIN skill_concepts c ON c.code = i.code
        )
        UPDATE skill_concepts c SET kind = w.kind, label_fr = w.label_fr, label_en = w.label_en,
            description_fr = w.about_fr, description_en = w.about_en, retired_at = NULL
        FROM wanted w WHERE w.id = c.id AND (
            c.retired_at IS NOT NULL
            OR ROW(c.kind, c.label_fr, c.label_en, c.description_fr, c.description_en)
                IS DISTINCT FROM ROW(w.kind, w.label_fr, w.label_en, w.about_fr, w.about_en))
        """,
    )
    inserted = _run(
        session,
        """
        INSERT INTO skill_concepts (code, origin, kind, label_fr, label_en, description_fr, description_en)
        SELECT i.code, :origin, i.kind, i.label_fr, i.label_en,
            nullif(i.description_fr, ''), nullif(i.description_en, '')
        FROM in_concepts i
        WHERE NOT EXISTS (SELECT FROM skill_concepts c WHERE c.code = i.code) ORDER BY i.code
        """,
        origin=batch.origin.value,
    )
    return changed + inserted


def _retire(session: Session, batch: Batch) -> tuple[int, int]:
    """Concepts that the files no longer name lose their label in the languages read, and retire when none is left.

    Returns how many retired, and how many only lost a label. A retired concept keeps its labels: it is still shown.
    """
    retired = lost = 0
    for kind, prefix, langs in sorted(batch.concept_scopes):
        values = {"origin": batch.origin.value, "kind": kind.value, "prefix": prefix, "langs": sorted(langs)}
        retired += _run(
            session,
            """
            UPDATE skill_concepts c SET retired_at = :now
            WHERE c.origin = :origin AND c.kind = :kind AND starts_with(c.code, :prefix) AND c.retired_at IS NULL
            AND NOT EXISTS (SELECT FROM in_concepts i WHERE i.code = c.code)
            AND ('fr' = ANY(:langs) OR c.label_fr IS NULL) AND ('en' = ANY(:langs) OR c.label_en IS NULL)
            """,
            now=now(),
            **values,
        )
        lost += _run(
            session,
            """
            UPDATE skill_concepts c SET label_fr = CASE WHEN 'fr' = ANY(:langs) THEN NULL ELSE c.label_fr END,
                label_en = CASE WHEN 'en' = ANY(:langs) THEN NULL ELSE c.label_en END,
                description_fr = CASE WHEN 'fr' = ANY(:langs) THEN NULL ELSE c.description_fr END,
                description_en = CASE WHEN 'en' = ANY(:langs) THEN NULL ELSE c.description_en END
            WHERE c.origin = :origin AND c.kind = :kind AND starts_with(c.code, :prefix) AND c.retired_at IS NULL
            AND NOT EXISTS (SELECT FROM in_concepts i WHERE i.code = c.code)
            AND ('fr' = ANY(:langs) AND c.label_fr IS NOT NULL OR 'en' = ANY(:langs) AND c.label_en IS NOT NULL)
            """,
            **values,
        )
    return retired, lost


def _write_aliases(session: Session, batch: Batch) -> int:
    """Replace the aliases within the scope; those of retired concepts stay."""
    changed = 0
    for kind, prefix, langs in sorted(batch.concept_scopes):
        changed += _run(
            session,
            """
            DELETE FROM skill_aliases a USING skill_concepts c
            WHERE c.id = a.concept_id AND c.origin = :origin AND c.kind = :kind AND starts_with(c.code, :prefix)
            AND c.retired_at IS NULL AND a.lang = ANY(:langs) AND NOT EXISTS (
                SELECT FROM in_aliases i WHERE i.code = c.code AND i.lang = a.lang AND i.text = a.text)
            """,
            origin=batch.origin.value,
            kind=kind.value,
            prefix=prefix,
            langs=sorted(langs),
        )
    changed += _run(
        session,
        """
        INSERT INTO skill_aliases (concept_id, lang, text)
        SELECT c.id, i.lang, i.text FROM in_aliases i JOIN skill_concepts c ON c.code = i.code
        ORDER BY c.id, i.lang, i.text
        ON CONFLICT DO NOTHING
        """,
    )
    return changed


def _write_edges(session: Session, batch: Batch) -> int:
    """Replace the edges within the scope; those of retired concepts stay, so that old choices keep their meaning."""
    changed = 0
    for kind, source_kind, prefix in sorted(batch.edge_scopes):
        changed += _run(
            session,
            """
            DELETE FROM skill_edges e USING skill_concepts s, skill_concepts t
            WHERE s.id = e.source_id AND t.id = e.target_id AND e.origin = :origin AND e.kind = :kind
            AND s.kind = :source_kind AND starts_with(s.code, :prefix)
            AND s.retired_at IS NULL AND t.retired_at IS NULL AND NOT EXISTS (
                SELECT FROM in_edges i WHERE i.source = s.code AND i.target = t.code AND i.kind = e.kind)
            """,
            origin=batch.origin.value,
            kind=kind.value,
            source_kind=source_kind.value,
            prefix=prefix,
        )
    changed += _run(
        session,
        """
        INSERT INTO skill_edges AS e (source_id, target_id, kind, weight, origin)
        SELECT s.id, t.id, i.kind, i.weight, :origin FROM in_edges i
        JOIN skill_concepts s ON s.code = i.source JOIN skill_concepts t ON t.code = i.target
        ORDER BY s.id, t.id, i.kind
        ON CONFLICT (source_id, target_id, kind) DO UPDATE SET weight = excluded.weight, origin = excluded.origin
        WHERE ROW(e.weight, e.origin) IS DISTINCT FROM ROW(excluded.weight, excluded.origin)
        """,
        origin=batch.origin.value,
    )
    return changed
