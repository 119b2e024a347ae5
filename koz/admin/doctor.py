"""`koz doctor`: one sentence for each thing the service needs, and whether it is there."""

import smtplib
import ssl
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from alembic.config import Config
from alembic.script import ScriptDirectory
from flask import Flask
from redis import RedisError
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from koz.admin.queries import DELIVERIES
from koz.core.clock import now
from koz.core.db import reading
from koz.core.jobs import redis_connection
from koz.core.outbox import OutboxDelivery
from koz.core.settings import DEMO_SECRET_KEY, Settings
from koz.core.templating import ROOT

TIMEOUT_S: Final = 5
MAX_DRIFT_S: Final = 30
LATE: Final = timedelta(minutes=5)
DISTINCT: Final = 16


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, whether it is well, and one sentence: what was found, or what to do."""

    name: str
    ok: bool
    sentence: str


Answer = tuple[bool, str]


def examine(app: Flask) -> list[Check]:
    """All checks, in the order in which to mend. Needs an app context; changes nothing."""
    settings: Settings = app.config["KOZ"]
    checks: list[tuple[str, Callable[[Settings], Answer]]] = [
        ("settings", _settings), ("secrets", _secrets), ("database", _database), ("migrations", _migrations),
        ("clock", _clock), ("queue", _queue), ("worker", _worker), ("mail", _mail), ("files", _files),
        ("stripe", _stripe),
    ]  # fmt: skip
    return [Check(name, *look(settings)) for name, look in checks]


def _settings(settings: Settings) -> Answer:
    if settings.is_production and not settings.base_url.startswith("https://"):
        return False, "KOZ_BASE_URL must begin with https:// in production: cookies are safe only over TLS."
    money = "real money" if settings.live else "no real money"
    return True, f"KOZ_ENV={settings.env}, {settings.base_url}, {money}."


def _secrets(settings: Settings) -> Answer:
    if settings.is_production and settings.secret_key == DEMO_SECRET_KEY:
        return False, "KOZ_SECRET_KEY is the demo's; make one of your own with 32 bytes or more."
    if len(set(settings.secret_key)) < DISTINCT:
        return False, "KOZ_SECRET_KEY repeats few characters: make a random one, as .env.example shows."
    odd = [s for s in settings.stripe_webhook_secrets if not s.startswith("whsec_")]
    if odd:
        return False, "STRIPE_WEBHOOK_SECRETS must be a comma list of secrets that begin with whsec_."
    if settings.metrics_token and len(settings.metrics_token) < DISTINCT:
        return False, f"KOZ_METRICS_TOKEN is short: use {DISTINCT} characters or more."
    return True, f"Long enough; {len(settings.stripe_webhook_secrets)} webhook secret(s)."


def _database(_settings: Settings) -> Answer:
    try:
        with reading() as session:
            version = session.scalar(text("SHOW server_version"))
    except SQLAlchemyError as error:
        return False, f"PostgreSQL does not answer ({type(error).__name__}): check KOZ_DATABASE_URL and the server."
    return True, f"PostgreSQL {version} answers."


def _migrations(_settings: Settings) -> Answer:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    wanted = ScriptDirectory.from_config(config).get_current_head()
    try:
        with reading() as session:
            found = session.scalar(text("SELECT version_num FROM alembic_version"))
    except SQLAlchemyError:
        found = None
    if found != wanted:
        return False, f"The tables are at {found or 'nothing'}, the code needs {wanted}: run koz db upgrade."
    return True, f"The tables are at {found}, as the code needs."


def _clock(_settings: Settings) -> Answer:
    try:
        with reading() as session:
            theirs = session.scalar(text("SELECT clock_timestamp()"))
    except SQLAlchemyError:
        return False, "Cannot be compared: the database does not answer."
    assert isinstance(theirs, datetime)
    drift = abs((now() - theirs).total_seconds())
    if drift > MAX_DRIFT_S:
        return False, f"This clock and the database's differ by {drift:.0f} s: switch time synchronisation on."
    return True, "Agrees with the database's."


def _queue(settings: Settings) -> Answer:
    connection = redis_connection()
    if connection is None:
        if settings.is_production:
            return False, "KOZ_REDIS_URL is not set: limits would count in each process apart."
        return True, "None; the worker asks the database every second."
    try:
        connection.ping()
    except (RedisError, OSError) as error:
        return False, f"Redis does not answer ({type(error).__name__}): check KOZ_REDIS_URL and the server."
    return True, "Redis answers."


def _worker(_settings: Settings) -> Answer:
    waiting = DELIVERIES["waiting"] & (OutboxDelivery.next_attempt_at < now() - LATE)
    try:
        with reading() as session:
            late, dead = session.execute(
                select(func.count().filter(waiting), func.count().filter(DELIVERIES["dead"])).select_from(
                    OutboxDelivery
                )
            ).one()
    except SQLAlchemyError:
        return False, "Cannot be told: the database does not answer."
    if late:
        return False, f"{late} deliveries are due for more than five minutes: start koz worker."
    if dead:
        return False, f"{dead} deliveries were given up: look at /admin/outbox."
    return True, "Nothing is late."


def _mail(settings: Settings) -> Answer:
    parts = urlsplit(settings.mail_url)
    host, port = parts.hostname or "127.0.0.1", parts.port or (465 if parts.scheme == "smtps" else 25)
    try:
        if parts.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_S, context=ssl.create_default_context())
        else:
            server = smtplib.SMTP(host, port, timeout=TIMEOUT_S)
        with server:
            server.ehlo()
            safe = parts.scheme == "smtps" or server.has_extn("starttls")
    except (smtplib.SMTPException, OSError) as error:
        return False, f"The mail server {host}:{port} does not answer ({type(error).__name__}): check KOZ_MAIL_URL."
    if settings.is_production and not safe and host not in {"127.0.0.1", "localhost", "::1"}:
        return False, f"The mail server {host}:{port} offers no TLS: use one that does."
    return True, f"The mail server {host}:{port} answers."


def _files(settings: Settings) -> Answer:
    parts = urlsplit(settings.files_url)
    if not settings.files_url:
        return True, "KOZ_FILES_URL is not set; production needs it."
    if parts.scheme != "file":
        return True, f"Files go to {parts.scheme}://{parts.netloc}, which is not tried from here."
    folder = Path(parts.path)
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".koz-doctor-"):
            pass
    except OSError as error:
        return False, f"{folder} cannot be written to ({error.strerror}): make the folder and give it to Koz."
    return True, f"{folder} can be written to."


def _stripe(settings: Settings) -> Answer:
    base = settings.stripe_api_base
    try:
        with urllib.request.urlopen(base, timeout=TIMEOUT_S) as answer:  # noqa: S310 - checked by the settings
            date = answer.headers.get("Date")
    except urllib.error.HTTPError as error:  # an answer all the same: nobody asks for the root
        date = error.headers.get("Date")
        error.close()
    except (urllib.error.URLError, OSError) as error:
        why = getattr(error, "reason", error)
        return False, f"{base} does not answer ({type(why).__name__}): check the network, or start koz sandbox."
    for drift in _drift(date):
        if abs(drift) > MAX_DRIFT_S:
            return False, f"This clock and that of {base} differ by {drift:.0f} s: webhooks would be refused."
    return True, f"{base} answers."


def _drift(date: str | None) -> Iterator[float]:
    """Seconds by which our clock is ahead of a server's, where it says its time."""
    if date:
        yield (now() - parsedate_to_datetime(date)).total_seconds()
