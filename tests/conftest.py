"""Fixtures for all tests: a real PostgreSQL migrated by Alembic, the app, a session that is rolled back, a page client."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_migrate import upgrade
from playwright.sync_api import Browser, sync_playwright
from playwright.sync_api import Error as PlaywrightError
from sqlalchemy import Connection, create_engine, event, select, text
from sqlalchemy.orm import Session

from koz.accounts import services
from koz.accounts.models import UserSession
from koz.core.clock import now
from koz.core.db import db
from koz.core.jobs import get_job
from koz.core.limits import reset_limits
from koz.core.outbox import relay
from koz.core.settings import Settings
from koz.demo.postgres import Server, forget, start
from koz.factory import create_app
from koz.notifications.mailer import Letter
from tests.factories.accounts import PASSWORD
from tests.fakes.mailer import FakeMailer
from tests.pageclient import PageClient

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
CACHE = tempfile.mkdtemp(prefix="koz-test-cache-")
atexit.register(shutil.rmtree, CACHE, ignore_errors=True)
SHARED = Path(os.environ.get("KOZ_SHARED", Path(__file__).resolve().parents[2] / "shared"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """Public data to try against; it is no part of the project."""
    if not (SHARED / "data").is_dir():
        pytest.skip("needs the public data: set KOZ_SHARED to the folder that holds data/")
    return SHARED


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL of this test process alone, empty at the start, gone at the end."""
    home = Path(tempfile.mkdtemp(prefix="koz-test-"))
    server = start(home, durable=False)
    yield server
    server.stop()
    forget(home)


def make_app(database_url: str, **config: Any) -> Flask:
    """An app for tests on a database, without a queue."""
    settings = Settings.from_env({"KOZ_ENV": "test", "KOZ_DATABASE_URL": database_url, "KOZ_CACHE_DIR": CACHE})
    return create_app(settings, mailer=FakeMailer(), TESTING=True, **config)


@pytest.fixture(scope="session")
def template(postgres: Server) -> str:
    """Name of a migrated database from which others are copied."""
    app = make_app(postgres.create_database("koz_template"))
    with app.app_context():
        upgrade()
        db.engine.dispose()
    return "koz_template"


@pytest.fixture(scope="session")
def fresh_database(postgres: Server, template: str) -> Callable[[], str]:
    """Makes databases that are migrated and empty; returns the URL."""
    numbers = iter(range(1, 10_000))

    def make() -> str:
        name = f"koz_fresh_{next(numbers)}"
        engine = create_engine(postgres.url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
        engine.dispose()
        return postgres.database_url(name)

    return make


@pytest.fixture(scope="session")
def app_of_session(fresh_database: Callable[[], str]) -> Flask:
    """The app most tests share."""
    return make_app(fresh_database())


@pytest.fixture
def app(app_of_session: Flask) -> Iterator[Flask]:
    """The shared app inside a transaction that is rolled back: commits of the code are savepoints."""
    reset_limits(app_of_session)
    with app_of_session.app_context():
        engine = db.engine
        connection = engine.connect()
        transaction = connection.begin()
        engines: Any = db.engines
        original = engines[None]
        engines[None] = connection
        db.session.remove()
        db.session.configure(join_transaction_mode="create_savepoint")
        yield app_of_session
        db.session.remove()
        engines[None] = original
        transaction.rollback()
        connection.close()


@pytest.fixture
def session(app: Flask) -> Session:
    """The session of the test; what it writes is flushed and seen by requests, and rolled back at the end."""
    return db.session()


@pytest.fixture
def client(app: Flask) -> PageClient:
    """A client that checks every page it gets."""
    return PageClient(app)


@pytest.fixture
def committed_app(fresh_database: Callable[[], str]) -> Iterator[Flask]:
    """An app on a database of its own, where commits are real: for races."""
    app = make_app(fresh_database())
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@dataclass
class Statements:
    """SQL statements seen while counting."""

    seen: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many, savepoints aside."""
        return len(self.seen)


@pytest.fixture
def queries(app: Flask) -> Callable[[], Any]:
    """`with queries() as q:` counts the SQL statements sent; savepoint commands do not count."""

    @contextmanager
    def counting() -> Iterator[Statements]:
        statements = Statements()
        connection: Connection = db.engines[None]  # type: ignore[assignment]

        def see(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
            if "SAVEPOINT" not in statement.upper():
                statements.seen.append(statement)

        event.listen(connection, "before_cursor_execute", see)
        try:
            yield statements
        finally:
            event.remove(connection, "before_cursor_execute", see)

    return counting


@pytest.fixture
def login(client: PageClient) -> Callable[[Any], None]:
    """`login(person)`: the client is logged in from now on, through the real page; fresh for 15 minutes."""

    def enter(person: Any) -> None:
        client.post("/login", {"email": person.email, "password": PASSWORD})

    return enter


@pytest.fixture
def enter(client: PageClient, session: Session) -> Callable[..., str]:
    """`enter(person)`: like `login`, without the page and its hashing; returns the session's secret.

    With `second_factor=True` the session has passed it, as the staff's desk asks; with `fresh=False` the password was
    given long ago.
    """

    def open_for(person: Any, *, second_factor: bool = False, fresh: bool = True) -> str:
        token = services.open_session(session, person, "")
        session.flush()
        row = session.scalars(select(UserSession).order_by(UserSession.id.desc()).limit(1)).one()
        row.second_factor_at = now() if second_factor else None
        if not fresh:
            row.password_at = now() - services.FRESH * 2
        session.flush()
        client.client.set_cookie("koz_session", token)
        return token

    return open_for


@pytest.fixture
def letters(app: Flask) -> Callable[[], list[Letter]]:
    """`letters()` delivers all events and mails that are due and returns the letters written since the last call."""
    mailer = app.extensions["koz_mailer"]
    mailer.letters.clear()

    def deliver() -> list[Letter]:
        relay()
        get_job("notifications.send_due")()
        written = list(mailer.letters)
        mailer.letters.clear()
        return written

    return deliver


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real Chromium, without a head: one a process, for playwright cannot be started twice."""
    path = os.environ.get("KOZ_CHROMIUM") or next((p for name in BROWSERS if (p := shutil.which(name))), None)
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as playwright:
        try:
            started = playwright.chromium.launch(executable_path=path, args=flags)
        except PlaywrightError as error:
            pytest.skip(f"no Chromium could be started: install the package chromium or set KOZ_CHROMIUM ({error})")
        yield started
        started.close()
