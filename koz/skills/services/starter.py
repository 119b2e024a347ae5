"""Koz's own taxonomy of NGO work, `koz/skills/starter.tsv`: read and checked as strictly as a foreign file.

Columns, separated by tabs: code, kind, French label, English label, broader, related, French and English aliases.
Joined concepts are codes separated by blanks, each with an optional weight (`media-relations=0.6`); aliases are
separated by ` | `, and begin with `~` when another concept has the same one. A line that begins with `#` is a heading.
"""

from collections import defaultdict
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

from koz.skills.services.batch import Batch, ConceptScope, EdgeScope
from koz.skills.taxonomy import LANGUAGES, ConceptKind, EdgeKind, Origin, find_cycle, fold

FIELDS: Final = 8
PREFIX: Final = "koz:"
TO_BROADER: Final = 0.8
TO_GROUP: Final = 0.7
RELATED: Final = 0.5


class Line(NamedTuple):
    """One concept as written in the file."""

    code: str
    kind: ConceptKind
    label_fr: str
    label_en: str
    broader: dict[str, float]
    related: dict[str, float]
    aliases: dict[str, list[str]]


def read() -> Batch:
    """The starter taxonomy as a batch that covers all of ours."""
    batch = Batch(Origin.KOZ)
    lines = load_lines()
    for line in lines:
        batch.label(line.code, line.kind, "fr", line.label_fr)
        batch.label(line.code, line.kind, "en", line.label_en)
        for lang, listed in line.aliases.items():
            for alias in listed:
                batch.alias(line.code, lang, alias.removeprefix("~"))
        for target, weight in line.broader.items():
            batch.edge(line.code, target, EdgeKind.BROADER, weight)
        for target, weight in line.related.items():
            batch.edge(line.code, target, EdgeKind.RELATED, weight)
    for kind in ConceptKind:
        batch.concept_scopes.add(ConceptScope(kind, PREFIX, frozenset(LANGUAGES)))
        batch.edge_scopes |= {EdgeScope(edge, kind, PREFIX) for edge in (EdgeKind.BROADER, EdgeKind.RELATED)}
    return batch


@cache
def load_lines() -> tuple[Line, ...]:
    """The concepts of the file, checked by `problems`: a fault in it is a bug."""
    text = files("koz.skills").joinpath("starter.tsv").read_text(encoding="utf-8")
    lines = parse(text)
    found = problems(lines)
    assert not found, found
    return lines


def parse(text: str) -> tuple[Line, ...]:
    """The lines of a file of this form."""
    raw = [line.split("\t") for line in text.splitlines() if line.strip() and not line.startswith("#")]
    assert all(len(cells) == FIELDS for cells in raw), [c[0] for c in raw if len(c) != FIELDS]
    kinds = {f"{PREFIX}{cells[0]}": ConceptKind(cells[1]) for cells in raw}
    lines = []
    for code, kind, label_fr, label_en, broader, related, aliases_fr, aliases_en in raw:
        above = {
            target: weight or (TO_GROUP if kinds.get(target) is ConceptKind.GROUP else TO_BROADER)
            for target, weight in _joined(broader).items()
        }
        beside = {target: weight or RELATED for target, weight in _joined(related).items()}
        aliases = {"fr": _listed(aliases_fr), "en": _listed(aliases_en)}
        lines.append(Line(f"{PREFIX}{code}", ConceptKind(kind), label_fr, label_en, above, beside, aliases))
    return tuple(lines)


def _joined(cell: str) -> dict[str, float]:
    parts = (part.partition("=") for part in cell.split())
    return {f"{PREFIX}{code}": float(weight or 0) for code, _sep, weight in parts}


def _listed(cell: str) -> list[str]:
    return [alias.strip() for alias in cell.split("|") if alias.strip()]


def problems(lines: tuple[Line, ...]) -> list[str]:
    """What is wrong with a taxonomy of ours, a sentence each; [] when nothing is."""
    codes = [line.code for line in lines]
    known = set(codes)
    found = [f"{code} is there twice" for code in sorted(known) if codes.count(code) > 1]
    for line in lines:
        joined = {**line.broader, **line.related}
        found += [f"{line.code} names the unknown {t}" for t in joined if t not in known]
        found += [f"{line.code} is joined to itself" for t in joined if t == line.code]
        found += [f"{line.code} has a weight outside 0 to 1" for w in joined.values() if not 0 < w <= 1]
        found += [f"{line.code} lacks a label" for label in (line.label_fr, line.label_en) if not fold(label)]
        if not line.broader and line.kind is not ConceptKind.GROUP:
            found.append(f"{line.code} is an orphan: it has nothing broader")
    ring = find_cycle({line.code: list(line.broader) for line in lines})
    if ring:
        found.append(f"broader in a ring: {' → '.join(ring)}")
    return found + _same_names(lines)


def _same_names(lines: tuple[Line, ...]) -> list[str]:
    """Labels are unique; an alias that another label or unmarked alias folds to must be marked on all its lines."""
    found: list[str] = []
    for lang in LANGUAGES:
        labels: dict[str, list[str]] = defaultdict(list)
        aliases: dict[str, list[tuple[str, bool]]] = defaultdict(list)
        for line in lines:
            labels[fold(line.label_fr if lang == "fr" else line.label_en)].append(line.code)
            for alias in line.aliases[lang]:
                aliases[fold(alias.removeprefix("~"))].append((line.code, alias.startswith("~")))
        found += [f"{lang}: « {name} » is the label of {', '.join(c)}" for name, c in labels.items() if len(c) > 1]
        for name, bearers in aliases.items():
            if name in labels:
                found.append(f"{lang}: alias « {name} » of {bearers[0][0]} is the label of {labels[name][0]}")
            if len({code for code, _marked in bearers}) < len(bearers):
                found.append(f"{lang}: alias « {name} » is there twice in {bearers[0][0]}")
            elif (len(bearers) > 1) != all(marked for _code, marked in bearers):
                found.append(f"{lang}: alias « {name} » of {', '.join(c for c, _m in bearers)} is not marked rightly")
    return found
