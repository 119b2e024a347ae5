"""Market files: people, missions and edges between skills, as one JSON document, for planning without a database.

**Shape** (`?`: may be left out; what then holds):
- `people`: list of `id` (text or whole number), `skills`? {concept: level 1 to 5; none}, `hours_per_week`? (168: no
  limit), `languages`? (none), `places`? (none), `remote`? (true), `causes`? (none), `invited_this_week`? (0),
  `available_from`?, `available_until`? (days, YYYY-MM-DD), `asked`?, `answered`? (invitations that counted, 0);
- `missions`: list of `id`, `seats` (1 or more), `needs`? (none: nobody is invited) of `skill`, `level`? (1), `must`?
  (false), `weight`? (above 0, beside the mission's other needs; 2 for a must, 1 otherwise), `hours_per_week`? (0),
  `language`? (any), `place`?, `remote_ok`? (true), `cause`?, `starts_on`?, `ends_on`? (days), `waiting`?
  (invitations that wait for an answer already, 0);
- `edges`?: list of [concept, concept, weight above 0 to 1], good both ways; of several between two the strongest
  counts; paths as in `koz.skills.taxonomy.Graph`: at most three edges, and not weaker than 0.2;
- `limits`?: `per_person_per_week`? (3), `invitations_per_seat`? (3);
- `concepts`?: list of all concepts there are.

**Unknown concepts.** With `concepts`, every concept named elsewhere must be among them. Without it a need's concept
must be named by an edge or by some person's skills, for otherwise nobody could ever meet it, which is a slip of the pen
far more often than a wish; whoever means it lists it in `concepts`. People may have skills that nobody needs, and edges
may lead anywhere.

Other keys are ignored. A fault is one sentence with the place and its line (`MarketError`); nothing is used of a file
with a fault. The order of people, missions, needs and edges plays no part: rows are those of the sorted ids.
"""

import json
import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import chain
from json.decoder import WHITESPACE, scanstring  # type: ignore[attr-defined] # not in its stubs
from typing import Any, Final

from koz.core.errors import Invalid
from koz.matching.scoring import Answers, Ask, Bid, Need, Path, Paths
from koz.skills.taxonomy import Edge, EdgeKind, Graph

WEEK_HOURS: Final = 168
PER_WEEK: Final = 3
PER_SEAT: Final = 3
#: Whole numbers above this are slips.
MOST: Final = 1_000_000
#: Halves of characters, which JSON can name and no file can hold.
LONE: Final = re.compile("[\ud800-\udfff]")

Id = str | int
Place = tuple[str | int, ...]


class MarketError(Invalid):
    """The file cannot be used: one sentence with the place."""


@dataclass(frozen=True, slots=True)
class Market:
    """A market as read: rows of people and missions in the order of their ids, concepts as rows of `concepts`."""

    people: tuple[Id, ...]
    bids: tuple[Bid, ...]
    invited: tuple[int, ...]
    missions: tuple[Id, ...]
    asks: tuple[Ask, ...]
    seats: tuple[int, ...]
    waiting: tuple[int, ...]
    concepts: tuple[str, ...]
    graph: Graph
    per_week: int = PER_WEEK
    per_seat: int = PER_SEAT
    ways: dict[int, Mapping[int, Path]] = field(default_factory=dict, compare=False, repr=False)

    def reached_by(self, concept: int) -> Mapping[int, float]:
        """The concepts that speak for one, with the weight of the best path."""
        return {c: path.weight for c, path in self._ways_to(concept).items()}

    def paths_to(self, ask: Ask) -> Paths:
        """The paths that lead to a mission's needs."""
        return {n.concept_id: self._ways_to(n.concept_id) for n in ask.needs}

    def _ways_to(self, concept: int) -> Mapping[int, Path]:
        """Kept, since missions of a trade ask for the same things."""
        known = self.ways.get(concept)
        if known is None:
            reached = self.graph.reached_by(concept)
            known = self.ways[concept] = {c: Path(r.weight, r.via) for c, r in reached.items()}
        return known


class _Fault(Exception):
    """A fault and its place in the document."""

    def __init__(self, place: Place, sentence: str) -> None:
        super().__init__(sentence)
        self.place, self.sentence = place, sentence


def read_market(text: str) -> Market:
    """The market of a file's text. Raises MarketError."""
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise MarketError(f"Line {error.lineno}, column {error.colno}: this is not JSON ({error.msg}).") from None
    except ValueError:
        raise MarketError("This is not a market: a number in it has thousands of digits.") from None
    except RecursionError:
        raise MarketError("This is not a market: its lists lie too deep in each other.") from None
    try:
        return _read(document)
    except _Fault as fault:
        line = f"Line {line_of(text, fault.place)}"
        raise MarketError(f"{line}: {_named(fault.place)}: {fault.sentence}") from None


def _named(place: Place) -> str:
    """`("people", 3, "skills")` as people[3].skills."""
    out = ""
    for step in place:
        if isinstance(step, int):
            out += f"[{step}]"
        else:
            out += ("." if out else "") + (step if step.isidentifier() else json.dumps(step, ensure_ascii=False))
    return out or "the document"


#: Id, object and place of a row; concept, level, must and weight of a need.
Row = tuple[Id, dict[str, Any], Place]
RawNeed = tuple[str, int, bool, float | None]


def _read(document: Any) -> Market:
    """Check a document and make a market of it. Concepts are known by text until all of them have been seen."""
    root = _an_object(document, ())
    people, missions = sorted(_rows(root, "people"), key=_by_id), sorted(_rows(root, "missions"), key=_by_id)
    edges = [_edge(edge, ("edges", n)) for n, edge in enumerate(_optional(root, (), "edges", _a_list, []))]
    skills = [_optional(p, place, "skills", _skills, {}) for _id, p, place in people]
    needs = [_needs(m, place) for _id, m, place in missions]
    held, joined = {c for s in skills for c in s}, {c for a, b, _w in edges for c in (a, b)}
    named = (((*place, "needs", n, "skill"), need[0]) for (_i, _m, place), x in _zip(missions, needs) for n, need in x)
    listed = _optional(root, (), "concepts", _texts, None)
    if listed is not None:
        also = (((*place, "skills", c), c) for (_i, _p, place), s in zip(people, skills, strict=True) for c in s)
        ends = ((("edges", n, side), c) for n, (a, b, _w) in enumerate(edges) for side, c in enumerate((a, b)))
        _check_known(set(listed), chain(named, also, ends), 'it is not among "concepts".')
    elif held or joined:
        _check_known(
            held | joined, named, "no person has it and no edge names it; if it is meant, list it in concepts."
        )
    concepts = tuple(sorted(held | joined | {need[0] for x in needs for need in x}))
    row = {c: n for n, c in enumerate(concepts)}
    limits = _optional(root, (), "limits", _an_object, {})
    return Market(
        people=tuple(i for i, _p, _place in people),
        bids=tuple(
            _bid(p, place, {row[c]: s[c] for c in sorted(s)}) for (_i, p, place), s in zip(people, skills, strict=True)
        ),
        invited=tuple(_optional(p, place, "invited_this_week", _count, 0) for _id, p, place in people),
        missions=tuple(i for i, _m, _place in missions),
        asks=tuple(
            _ask(m, place, tuple(Need(row[c], level, must, weight) for c, level, must, weight in sorted(x)))
            for (_i, m, place), x in zip(missions, needs, strict=True)
        ),
        seats=tuple(_required(m, place, "seats", _seats) for _id, m, place in missions),
        waiting=tuple(_optional(m, place, "waiting", _count, 0) for _id, m, place in missions),
        concepts=concepts,
        graph=Graph(Edge(row[a], row[b], EdgeKind.RELATED, w) for a, b, w in edges),
        per_week=_optional(limits, ("limits",), "per_person_per_week", _count, PER_WEEK),
        per_seat=_optional(limits, ("limits",), "invitations_per_seat", _count, PER_SEAT),
    )


def _zip(missions: list[Row], needs: list[list[RawNeed]]) -> Iterable[tuple[Row, Iterable[tuple[int, RawNeed]]]]:
    return ((mission, enumerate(x)) for mission, x in zip(missions, needs, strict=True))


def _rows(root: dict[str, Any], name: str) -> Iterable[Row]:
    """The objects of a list with their ids and places. No id may stand twice."""
    seen: dict[Id, int] = {}
    for n, value in enumerate(_required(root, (), name, _a_list)):
        row = _an_object(value, (name, n))
        found = _required(row, (name, n), "id", _an_id)
        if found in seen:
            raise _Fault((name, n, "id"), f"{_shown(found)} is the id of {name}[{seen[found]}] already.")
        seen[found] = n
        yield found, row, (name, n)


def _check_known(known: Collection[str], named: Iterable[tuple[Place, str]], why: str) -> None:
    """Refuse unknown concepts, by the rule in the module's docstring."""
    for place, concept in named:
        if concept not in known:
            raise _Fault(place, f"unknown concept {_shown(concept)}: {why}")


def _by_id(row: Row) -> tuple[bool, Id]:
    return isinstance(row[0], str), row[0]


def _bid(p: dict[str, Any], place: Place, skills: dict[int, int]) -> Bid:
    first, last = _days(p, place, "available_from", "available_until")
    asked, answered = (_optional(p, place, key, _count, 0) for key in ("asked", "answered"))
    if answered > asked:
        raise _Fault((*place, "answered"), f"{answered} answers to {asked} invitations.")
    return Bid(
        skills=skills,
        languages=frozenset(_optional(p, place, "languages", _texts, ())),
        hours_per_week=_optional(p, place, "hours_per_week", _hours, WEEK_HOURS),
        remote=_optional(p, place, "remote", _truth, True),
        departments=frozenset(_optional(p, place, "places", _texts, ())),
        causes=frozenset(_optional(p, place, "causes", _texts, ())),
        available_from=first,
        available_until=last,
        answers=Answers(asked, answered),
    )


def _ask(m: dict[str, Any], place: Place, needs: tuple[Need, ...]) -> Ask:
    first, last = _days(m, place, "starts_on", "ends_on")
    remote, where = _optional(m, place, "remote_ok", _truth, True), _optional(m, place, "place", _text, None)
    if not remote and where is None:
        raise _Fault(place, "there is neither a place nor remote work: name a place, or set remote_ok to true.")
    return Ask(
        needs=needs,
        language=_optional(m, place, "language", _text, None),
        hours_per_week=_optional(m, place, "hours_per_week", _hours, 0),
        remote=remote,
        department=where,
        cause=_optional(m, place, "cause", _a_cause, None) or "",
        starts_on=first,
        ends_on=last,
    )


def _days(row: dict[str, Any], place: Place, first: str, last: str) -> tuple[date | None, date | None]:
    a, b = (_optional(row, place, key, _day, None) for key in (first, last))
    if a and b and b < a:
        raise _Fault((*place, last), f"{b} is before {first}, {a}.")
    return a, b


def _needs(m: dict[str, Any], place: Place) -> list[RawNeed]:
    out: dict[str, RawNeed] = {}
    for n, value in enumerate(_optional(m, place, "needs", _a_list, [])):
        here: Place = (*place, "needs", n)
        need = _an_object(value, here)
        skill = _required(need, here, "skill", _text)
        if skill in out:
            raise _Fault((*here, "skill"), f"{_shown(skill)} is needed twice.")
        level, must = _optional(need, here, "level", _level, 1), _optional(need, here, "must", _truth, False)
        out[skill] = (skill, level, must, _optional(need, here, "weight", _pull, None))
    return list(out.values())


def _skills(value: Any, place: Place) -> dict[str, int]:
    found = _an_object(value, place)
    for concept, level in found.items():
        if type(level) is not int or not 1 <= level <= 5:
            _level(level, (*place, concept))
    return found


def _edge(value: Any, place: Place) -> tuple[str, str, float]:
    if not isinstance(value, list) or len(value) != 3:
        raise _Fault(place, "an edge is [concept, concept, weight].")
    weight = _number(value[2], (*place, 2), "a weight above 0 to 1")
    if not 0 < weight <= 1:
        raise _Fault((*place, 2), f"a weight above 0 to 1 is needed, not {_shown(value[2])}.")
    return _text(value[0], (*place, 0)), _text(value[1], (*place, 1)), weight


def _required(row: dict[str, Any], place: Place, key: str, check: Callable[[Any, Place], Any]) -> Any:
    if key not in row:
        raise _Fault(place, f'"{key}" is missing.')
    return check(row[key], (*place, key))


def _optional(row: dict[str, Any], place: Place, key: str, check: Callable[[Any, Place], Any], default: Any) -> Any:
    """The value, checked. A null stands for a value left out."""
    value = row.get(key)
    return default if value is None else check(value, (*place, key))


def _an_object(value: Any, place: Place) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _Fault(place, f"an object is needed, not {_shown(value)}.")
    return value


def _a_list(value: Any, place: Place) -> list[Any]:
    if not isinstance(value, list):
        raise _Fault(place, f"a list is needed, not {_shown(value)}.")
    return value


def _an_id(value: Any, place: Place) -> Id:
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise _Fault(place, f"text or a whole number is needed, not {_shown(value)}.")
    return _text(value, place) if isinstance(value, str) else value


def _text(value: Any, place: Place) -> str:
    if not isinstance(value, str) or not value:
        raise _Fault(place, f"text is needed, not {_shown(value)}.")
    if not value.isascii() and LONE.search(value):
        raise _Fault(place, "half a character stands in this text.")
    return value


def _a_cause(value: Any, place: Place) -> str:
    return "" if value == "" else _text(value, place)


def _texts(value: Any, place: Place) -> list[str]:
    return [_text(v, (*place, n)) for n, v in enumerate(_a_list(value, place))]


def _truth(value: Any, place: Place) -> bool:
    if not isinstance(value, bool):
        raise _Fault(place, f"true or false is needed, not {_shown(value)}.")
    return value


def _whole(value: Any, place: Place, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise _Fault(place, f"a whole number from {least} to {most} is needed, not {_shown(value)}.")
    return value


def _level(value: Any, place: Place) -> int:
    return _whole(value, place, 1, 5)


def _count(value: Any, place: Place) -> int:
    return _whole(value, place, 0, MOST)


def _seats(value: Any, place: Place) -> int:
    return _whole(value, place, 1, MOST)


def _number(value: Any, place: Place, wanted: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _Fault(place, f"{wanted} is needed, not {_shown(value)}.")
    return float(value)


def _hours(value: Any, place: Place) -> float:
    hours = _number(value, place, wanted := f"a number of hours from 0 to {WEEK_HOURS}")
    if not 0 <= hours <= WEEK_HOURS:
        raise _Fault(place, f"{wanted} is needed, not {_shown(value)}.")
    return hours


def _pull(value: Any, place: Place) -> float:
    weight = _number(value, place, wanted := f"a weight above 0 to {MOST}")
    if not 0 < weight <= MOST:
        raise _Fault(place, f"{wanted} is needed, not {_shown(value)}.")
    return weight


def _day(value: Any, place: Place) -> date:
    try:
        return date.fromisoformat(_text(value, place))
    except ValueError:
        raise _Fault(place, f"a day as YYYY-MM-DD is needed, not {_shown(value)}.") from None


def _shown(value: Any) -> str:
    """A value as it stands in the file, cut short."""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    shown = LONE.sub("?", json.dumps(value, ensure_ascii=False))
    return shown if len(shown) <= 60 else shown[:59] + "…"


def line_of(text: str, place: Place) -> int:
    """The line on which a value begins; where it is not there, that of what should hold it. Slow: for faults only."""
    at = _skip(text, 0)
    for step in place:
        found = _member(text, at, step) if isinstance(step, str) else _item(text, at, step)
        if found is None:
            break
        at = found
    return text.count("\n", 0, at) + 1


_DECODE: Final = json.JSONDecoder().raw_decode


def _skip(text: str, at: int) -> int:
    return int(WHITESPACE.match(text, at).end())


def _member(text: str, at: int, key: str) -> int | None:
    """Where the value of a key begins, of equal keys the last one's, as the decoder takes it."""
    found = None
    at = _skip(text, at + 1)
    while text[at] != "}":
        name, at = scanstring(text, at + 1, True)
        at = _skip(text, _skip(text, at) + 1)
        if name == key:
            found = at
        _value, at = _DECODE(text, at)
        at = _skip(text, at)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return found


def _item(text: str, at: int, number: int) -> int | None:
    at = _skip(text, at + 1)
    for _n in range(number):
        _value, at = _DECODE(text, at)
        at = _skip(text, _skip(text, at) + 1)
    return at
