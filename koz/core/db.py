"""The database: declarative base, the session, and `unit_of_work`, the only place that commits.

Flask-SQLAlchemy gives the session its engine and its scope (the app context) and is used nowhere else.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

import structlog
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import CheckConstraint, DateTime, MetaData, String, event
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.orm import registry as Registry
from sqlalchemy.types import TypeDecorator

log = structlog.get_logger(__name__)


_metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Base(DeclarativeBase):
    """Base of all tables. Names of constraints follow one convention, so that migrations can find them."""

    registry = Registry(
        metadata=_metadata,
        type_annotation_map={datetime: DateTime(timezone=True), dict[str, Any]: JSONB, list[Any]: JSONB},
    )


db = SQLAlchemy(
    model_class=Base,
    disable_autonaming=True,
    session_options={"expire_on_commit": False},
)

Uow = Callable[[], AbstractContextManager[Session]]
"""Type of `unit_of_work`, for use-cases that talk to a provider between two transactions."""

AfterCommit = tuple[str, tuple[Any, ...]]
_open_units: ContextVar[int] = ContextVar("koz_open_units", default=0)
_after_commit_hook: list[Callable[[list[AfterCommit]], None]] = []


def unit_of_work_is_open() -> bool:
    """Whether a transaction of ours is under way: no network call may happen now."""
    return _open_units.get() > 0


def on_after_commit(hook: Callable[[list[AfterCommit]], None]) -> None:
    """Give the function that sends wake-ups once a unit of work has committed (set by `core.jobs`)."""
    _after_commit_hook[:] = [hook]


def wake_after_commit(session: Session, name: str, args: tuple[Any, ...] = ()) -> None:
    """Ask for job `name` to be woken when this session's unit of work has committed; equal wake-ups are one."""
    wakes: list[AfterCommit] = session.info.setdefault("koz_wakes", [])
    if (name, args) not in wakes:
        wakes.append((name, args))


@contextmanager
def unit_of_work() -> Iterator[Session]:
    """One transaction: commit at the end, roll back on any error, then send the wake-ups.

    Not to be nested: the inner one would commit half of the outer's work.
    """
    assert not unit_of_work_is_open(), "unit_of_work is already open"
    session = db.session()
    mark = _open_units.set(1)
    try:
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        session.info.pop("koz_wakes", None)
        raise
    finally:
        _open_units.reset(mark)
    wakes = session.info.pop("koz_wakes", [])
    if wakes and _after_commit_hook:
        _after_commit_hook[0](wakes)


@contextmanager
def reading() -> Iterator[Session]:
    """A session to read with. Changes are refused at flush, and the connection goes back to the pool at the end.

    Inside another `reading` or a unit of work it is the same session, and the outer one ends it.
    """
    session = db.session()
    if unit_of_work_is_open() or session.info.get("koz_reading"):
        yield session
        return
    session.info["koz_reading"] = True
    try:
        yield session
    finally:
        session.info.pop("koz_reading", None)
        session.expunge_all()  # what was read stays usable after the transaction
        session.rollback()


@event.listens_for(Session, "before_flush")
def _refuse_writes(session: Session, _context: object, _instances: object) -> None:
    if session.info.get("koz_reading"):
        changed = bool(session.new or session.deleted or any(session.is_modified(o) for o in session.dirty))
        assert not changed, "a change inside reading(): use unit_of_work()"


E = TypeVar("E", bound=StrEnum)


class EnumText(TypeDecorator[E]):
    """A StrEnum stored as text."""

    impl = String
    cache_ok = True

    def __init__(self, enum: type[E]) -> None:
        super().__init__(40)
        self.enum = enum

    def process_bind_param(self, value: E | str | None, _dialect: object) -> str | None:
        """Enum to text; a word that is not a member is a bug."""
        return None if value is None else self.enum(value).value

    def process_result_value(self, value: str | None, _dialect: object) -> E | None:
        """Text to enum."""
        return None if value is None else self.enum(value)


def state_column(
    enum: type[E], default: E | None = None, *, name: str = "state", nullable: bool = False, index: bool = False
) -> Mapped[Any]:
    """A text column that holds a member of `enum`, guarded by a CHECK made of the same enum.

    `name` is the column's name: it is needed for the CHECK, whose constraint is called `<name>_known`.
    """
    words = ", ".join(f"'{m.value}'" for m in enum)
    check = CheckConstraint(f"{name} IN ({words})", name=f"{name}_known")
    column: Mapped[Any] = mapped_column(name, EnumText(enum), check, default=default, nullable=nullable, index=index)
    return column


def money_check(column: str, *, at_least: int = 0) -> CheckConstraint:
    """CHECK that an amount column is not below `at_least` minor units."""
    return CheckConstraint(f"{column} >= {at_least}", name=f"{column}_at_least")
