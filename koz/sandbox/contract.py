"""Stripe's contract, derived from the installed SDK: which operations there are and which parameters each accepts.

Source: the SDK's own `*_service.py` (verb, path, name of the parameters' type; read by `ast`, nothing is called) and
the TypedDicts in `stripe.params`. So the contract is always that of the API version the product's SDK sends. It lacks
maximum lengths and rules across fields: those are written by hand where the objects are.

Values are read (form strings become numbers and booleans) and checked in one walk; the words of a refusal are Stripe's.
"""

import ast
import re
import sys
import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Literal, NoReturn, NotRequired, Union, get_args, get_origin

import stripe
from stripe._request_options import RequestOptions
from typing_extensions import get_type_hints, is_typeddict

from koz.sandbox.errors import ApiError, Json, invalid

ROOT: Final = Path(stripe.__file__).parent
OPTIONS: Final = frozenset(RequestOptions.__annotations__)
#: Parameters that Stripe took away and answers with a code of their own (changelog endive, 2026-09-30).
REMOVED: Final[Mapping[str, str]] = {"payment_method_types": "payment_method_types_no_longer_supported"}
INTEGER: Final = re.compile(r"-?\d{1,18}\Z", re.ASCII)
MAX_DEPTH: Final = 12
PLAIN: Final[Mapping[Any, str]] = {
    str: "string", int: "integer", float: "number", Decimal: "number", bool: "boolean", type(None): "null",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Operation:
    """One verb on one path. `types` names the parameters' TypedDicts: (module, class), with the v1 name of the call."""

    verb: str
    path: str
    params: tuple[str, str] | None
    _pattern: "re.Pattern[str]" = field(repr=False)

    def match(self, path: str) -> tuple[str, ...] | None:
        """The ids in a path, or None when it is another path."""
        found = self._pattern.fullmatch(path)
        return found.groups() if found else None

    @property
    def is_v2(self) -> bool:
        """Whether bodies are JSON."""
        return self.path.startswith("/v2/")

    def read(self, raw: Json) -> Json:
        """The parameters, read and checked. Raises ApiError in Stripe's words."""
        if self.params is None:
            schema = Schema("object", fields={"expand": Schema("array", item=Schema("string"))})
        else:
            schema = schema_of(*self.params)
        value = check(schema, raw, "", text=not self.is_v2 or self.verb == "get")
        assert isinstance(value, dict)
        return value


@dataclass(slots=True)
class Schema:
    """A type of parameter. `kind`: object, map, array, union, enum, string, integer, number, boolean, null, any."""

    kind: str
    fields: "dict[str, Schema]" = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    item: "Schema | None" = None
    choices: "tuple[Any, ...]" = ()


# --- the operations ---------------------------------------------------------------------------------------------------


@cache
def operations() -> tuple[Operation, ...]:
    """All operations of the SDK, those with the fewest ids in the path first."""
    found: dict[tuple[str, str], Operation] = {}
    for path in sorted(ROOT.rglob("*_service.py")):
        tree = ast.parse(path.read_text())
        imports = _imports(tree)
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef):
                for operation in _operations_of(function, imports):
                    found.setdefault((operation.verb, operation.path), operation)
    return tuple(sorted(found.values(), key=lambda o: (o.path.count("{"), o.path, o.verb)))


def find(verb: str, path: str) -> tuple[Operation, tuple[str, ...]] | None:
    """The operation of a request and the ids in its path."""
    for operation in _by_shape().get((verb, path.count("/")), ()):
        ids = operation.match(path)
        if ids is not None:
            return operation, ids
    return None


@cache
def _by_shape() -> dict[tuple[str, int], list[Operation]]:
    table: dict[tuple[str, int], list[Operation]] = {}
    for operation in operations():
        table.setdefault((operation.verb, operation.path.count("/")), []).append(operation)
    return table


def _imports(tree: ast.Module) -> dict[str, str]:
    """Name of a class -> module, of all imports in a file."""
    return {
        alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }


def _operations_of(function: ast.FunctionDef, imports: Mapping[str, str]) -> list[Operation]:
    """The requests a method of a service makes (one)."""
    names = re.findall(r"\w+Params\b", " ".join(ast.unparse(a.annotation) for a in function.args.args if a.annotation))
    params = (imports[names[0]], names[0]) if names and names[0] in imports else None
    made = []
    for call in ast.walk(function):
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
            continue
        if call.func.attr not in {"_request", "_request_stream"}:
            continue
        verb, path = call.args[0], _path_of(call.args[1])
        assert isinstance(verb, ast.Constant)
        pattern = re.compile(re.sub(r"\\{\w+\\}", "([^/]+)", re.escape(path)))
        made.append(Operation(str(verb.value), path, params, pattern))
    return made


def _path_of(node: ast.expr) -> str:
    if isinstance(node, ast.Call):  # "/v1/refunds/{refund}".format(...)
        assert isinstance(node.func, ast.Attribute)
        node = node.func.value
    assert isinstance(node, ast.Constant)
    return str(node.value)


# --- types to schemas -------------------------------------------------------------------------------------------------


@cache
def schema_of(module: str, name: str) -> Schema:
    """The schema of a TypedDict of the SDK."""
    return _typed_dict(getattr(import_module(module), name))


@cache
def _typed_dict(cls: Any) -> Schema:
    names = {"StripeContext": str, "Mapping": Mapping, "Decimal": Decimal}
    hints = get_type_hints(cls, vars(sys.modules[cls.__module__]), names, include_extras=True)
    schema = Schema("object")
    required = set()
    for key, hint in hints.items():
        if key in OPTIONS and _inherits_options(cls):
            continue
        if not _is_made_with(hint, NotRequired):
            required.add(key)
        schema.fields[key] = _schema(hint)
    schema.required = frozenset(required)
    return schema


def _inherits_options(cls: Any) -> bool:
    return any(base is RequestOptions for base in getattr(cls, "__orig_bases__", ()))


def _is_made_with(hint: Any, form: Any) -> bool:
    """Whether a type is made with a special form, such as NotRequired."""
    return get_origin(hint) is form


def _schema(hint: Any) -> Schema:
    """One type. Open enums (a Literal or any text) count as closed; texts that can be cleared stay texts."""
    origin, arguments = get_origin(hint), get_args(hint)
    if is_typeddict(hint):
        return _typed_dict(hint)
    if origin is None:
        return Schema(PLAIN.get(hint, "any"))
    if _is_made_with(hint, NotRequired):
        return _schema(arguments[0])
    if _is_made_with(hint, Literal):
        return Schema("enum", choices=arguments)
    if origin in (Union, types.UnionType):
        return _union(arguments)
    return Schema("array" if origin is list else "map", item=_schema(arguments[-1]))


def _union(arguments: tuple[Any, ...]) -> Schema:
    members = [_schema(a) for a in arguments]
    enums = tuple(choice for m in members if m.kind == "enum" for choice in m.choices)
    rest = [m for m in members if m.kind not in {"enum", "map"}]
    maps = [m for m in members if m.kind == "map"][:1]  # Dict and UntypedStripeObject say the same
    if any(m.kind == "string" for m in rest):
        rest = [m for m in rest if m.kind != "string"]
        rest.append(Schema("enum", choices=enums) if set(enums) - {""} else Schema("string", choices=enums))
    elif enums:
        rest.append(Schema("enum", choices=enums))
    rest += maps
    return rest[0] if len(rest) == 1 else Schema("union", choices=tuple(rest))


# --- reading and checking ---------------------------------------------------------------------------------------------


def check(schema: Schema, value: Any, path: str, *, text: bool) -> Any:
    """The value read by the schema. `text`: it came from a form, so numbers and booleans are strings."""
    return _CHECKS[schema.kind](schema, value, path, text)


def _object(schema: Schema, value: Any, path: str, text: bool) -> Json:  # noqa: FBT001
    if not isinstance(value, dict):
        raise invalid("Invalid object", path)
    for key in value:
        if key not in schema.fields:
            _unknown(_join(path, key), key)
    for key in sorted(schema.required):
        if key not in value:
            name = _join(path, key)
            raise invalid(f"Missing required param: {name}.", name, "parameter_missing")
    return {key: check(schema.fields[key], inner, _join(path, key), text=text) for key, inner in value.items()}


def _unknown(name: str, key: str) -> NoReturn:
    if key in REMOVED:
        raise invalid(f"The parameter `{name}` is no longer supported in this API version.", name, REMOVED[key])
    raise invalid(f"Received unknown parameter: {name}", name, "parameter_unknown")


def _map(schema: Schema, value: Any, path: str, text: bool) -> Json:  # noqa: FBT001
    if not isinstance(value, dict):
        raise invalid("Invalid object", path)
    assert schema.item is not None
    inner = Schema("string", choices=("",)) if schema.item.kind == "string" else schema.item  # empty unsets a key
    return {key: check(inner, each, _join(path, key), text=text) for key, each in value.items()}


def _array(schema: Schema, value: Any, path: str, text: bool) -> list[Any]:  # noqa: FBT001
    if text and isinstance(value, dict) and all(key.isdigit() for key in value):
        value = [value[key] for key in sorted(value, key=int)]
    if not isinstance(value, list):
        raise invalid("Invalid array", path)
    assert schema.item is not None
    return [check(schema.item, each, f"{path}[{number}]", text=text) for number, each in enumerate(value)]


def _one_of(schema: Schema, value: Any, path: str, text: bool) -> Any:  # noqa: FBT001
    """The first member that fits; else the refusal of the member that got furthest."""
    best: ApiError | None = None
    for member in schema.choices:
        try:
            return check(member, value, path, text=text)
        except ApiError as error:
            if best is None or len(error.error.get("param", "")) > len(best.error.get("param", "")):
                best = error
    assert best is not None
    raise best


def _enum(schema: Schema, value: Any, path: str, text: bool) -> Any:  # noqa: FBT001
    for choice in schema.choices:
        if value == choice or (text and isinstance(choice, (bool, int)) and value == str(choice).lower()):
            return choice
    listed = [str(c) for c in schema.choices]
    words = listed[0] if len(listed) == 1 else ", ".join(listed[:-1]) + f", or {listed[-1]}"
    raise invalid(f"Invalid {path}: must be one of {words}", path)


def _string(schema: Schema, value: Any, path: str, text: bool) -> str:  # noqa: FBT001, ARG001
    if not isinstance(value, str):
        raise invalid(f"Invalid string: {value}", path)
    if not value and "" not in schema.choices:
        raise invalid(
            f"You passed an empty string for '{path}'. We assume empty values are an attempt to unset a parameter; "
            f"however '{path}' cannot be unset. You should remove '{path}' from your request or supply a non-empty "
            "value.",
            path,
            "parameter_invalid_empty",
        )
    return value


def _integer(_schema: Schema, value: Any, path: str, text: bool) -> int:  # noqa: FBT001
    if text and isinstance(value, str) and INTEGER.match(value):
        return int(value)
    if not text and isinstance(value, int) and not isinstance(value, bool):
        return value
    raise invalid(f"Invalid integer: {value}", path, "parameter_invalid_integer")


def _number(_schema: Schema, value: Any, path: str, text: bool) -> float | str:  # noqa: FBT001, ARG001
    try:
        if not isinstance(value, (dict, list, bool)) and Decimal(value).is_finite():
            return str(value) if isinstance(value, str) else float(value)
    except (ArithmeticError, TypeError, ValueError):
        pass
    raise invalid(f"Invalid decimal: {value}", path)


def _boolean(_schema: Schema, value: Any, path: str, text: bool) -> bool:  # noqa: FBT001
    if not text and isinstance(value, bool):
        return value
    if text and value in {"true", "false", "True", "False"}:  # the SDK writes both
        return str(value).lower() == "true"
    raise invalid(f"Invalid boolean: {value}", path)


def _null(_schema: Schema, value: Any, path: str, text: bool) -> None:  # noqa: FBT001, ARG001
    if value is not None:
        raise invalid(f"Invalid value: {value}", path)


def _any(_schema: Schema, value: Any, path: str, text: bool) -> Any:  # noqa: FBT001, ARG001
    return value


_CHECKS: Final = {
    "object": _object, "map": _map, "array": _array, "union": _one_of, "enum": _enum, "string": _string,
    "integer": _integer, "number": _number, "boolean": _boolean, "null": _null, "any": _any,
}  # fmt: skip


def _join(path: str, key: str) -> str:
    return f"{path}[{key}]" if path else key


# --- forms ------------------------------------------------------------------------------------------------------------


def nested(pairs: list[tuple[str, str]]) -> Json:
    """`a[b][0][c]=1` as nested dictionaries; lists stay dictionaries with numbers for keys. Raises ApiError."""
    root: Json = {}
    for name, value in pairs:
        keys = [part.rstrip("]") for part in name.split("[")]
        if len(keys) > MAX_DEPTH or not keys[0]:
            raise invalid(f"Invalid request: the parameter name {name} cannot be read.", name)
        place = root
        for depth, key in enumerate(keys):
            slot = key if key or not depth else str(len(place))  # a[]=1&a[]=2
            if depth == len(keys) - 1:
                place[slot] = value
                break
            below = place.setdefault(slot, {})
            if not isinstance(below, dict):
                raise invalid(f"Invalid request: {name} is both a value and an object.", name)
            place = below
    return root
