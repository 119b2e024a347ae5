"""The operations that the sandbox implements: a registry from (verb, path of the contract) to functions.

Honest by construction: each operation lists the parameters it acts upon (`uses`) and those it accepts without effect
(`ignores`: together the one table `ignored()`). A parameter that Stripe's contract has and neither list names is
refused with 400, never swallowed. Names are dotted paths, `[]` for members of a list; a name covers all beneath it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from koz.sandbox.errors import Json, not_here
from koz.sandbox.store import Tx

#: Accepted by every operation.
EVERYWHERE: Final = frozenset({"expand", "metadata"})
LISTS: Final = frozenset({"limit", "starting_after", "ending_before", "created"})


@dataclass(slots=True, kw_only=True)
class Call:
    """One request that passed the front door. `account` is '' for the platform's own."""

    tx: Tx
    account: str
    params: Json
    ids: tuple[str, ...] = ()
    base_url: str = ""

    @property
    def now(self) -> int:
        """Seconds of the sandbox's clock."""
        return int(self.tx.now())


Run = Callable[[Call], Json]


@dataclass(frozen=True, slots=True)
class Implemented:
    """An operation that is here."""

    run: Run
    uses: frozenset[str]
    ignores: frozenset[str] = field(default_factory=frozenset)

    def unused(self, params: Json) -> list[str]:
        """Names of the parameters given that have no effect. Raises ApiError on one that is not here at all."""
        found = []
        for name, shown in _leaves(params, "", ""):
            if _covered(name, self.uses):
                continue
            if not _covered(name, self.ignores):
                raise not_here(f"The parameter {shown}, which Stripe has,", shown)
            found.append(name)
        return found


REGISTRY: Final[dict[tuple[str, str], Implemented]] = {}


def operation(
    verb: str, path: str, uses: str = "", ignores: str = "", *, is_list: bool = False
) -> Callable[[Run], Run]:
    """Register a function for an operation of the contract. `uses` and `ignores` are names parted by spaces."""

    def register(run: Run) -> Run:
        assert (verb, path) not in REGISTRY
        used = EVERYWHERE | set(uses.split()) | (LISTS if is_list else set())
        REGISTRY[verb, path] = Implemented(run, frozenset(used), frozenset(ignores.split()))
        return run

    return register


def ignored() -> dict[str, list[str]]:
    """The table: operation -> parameters accepted by the contract and without effect here."""
    return {
        f"{verb} {path}": sorted(found.ignores) for (verb, path), found in sorted(REGISTRY.items()) if found.ignores
    }


def _leaves(value: Any, name: str, shown: str) -> Iterator[tuple[str, str]]:
    """(dotted path, Stripe's bracketed name) of everything given."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(inner, f"{name}.{key}" if name else key, f"{shown}[{key}]" if shown else key)
    elif isinstance(value, list) and value:
        for number, inner in enumerate(value):
            yield from _leaves(inner, f"{name}[]", f"{shown}[{number}]")
    elif name:
        yield name, shown


def _covered(name: str, listed: frozenset[str]) -> bool:
    parts = name.replace("[]", ".[]").split(".")
    return any(".".join(parts[:n]).replace(".[]", "[]") in listed for n in range(1, len(parts) + 1))
