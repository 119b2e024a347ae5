"""Addresses for machines that run the service: is it alive, is it ready, what does it count."""

import structlog
from flask import Blueprint, Response, jsonify
from flask.typing import ResponseReturnValue
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from redis import RedisError
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from koz.api import queries
from koz.core.access import access
from koz.core.db import reading
from koz.core.jobs import redis_connection
from koz.core.outbox import OutboxDelivery

log = structlog.get_logger(__name__)
bp = Blueprint("machines", __name__)


@bp.get("/healthz")
@access("public")
def healthz() -> ResponseReturnValue:
    """The process answers."""
    return jsonify(status="ok")


@bp.get("/readyz")
@access("public")
def readyz() -> ResponseReturnValue:
    """Database and queue answer; 503 with what does not."""
    state = {"database": _database_answers(), "queue": _queue_answers()}
    ready = all(state.values())
    words = {name: "ok" if ok else "down" for name, ok in state.items()}
    return jsonify(status="ready" if ready else "unready", **words), 200 if ready else 503


@bp.get("/metrics")
@access("machine")
def metrics() -> ResponseReturnValue:
    """Counts in Prometheus' text form; loopback only, or with the token."""
    registry = CollectorRegistry()
    with reading() as session:
        waiting, dead = _outbox_counts(session)
        labelled = (
            ("koz_inbox", "Provider events that wait or were given up", queries.count_inbox(session)),
            ("koz_mails", "Mails that wait, were refused, or may have gone out", queries.count_mails(session)),
            ("koz_gifts", "Gifts by state", queries.count_gifts(session)),
        )
    Gauge("koz_outbox_waiting", "Deliveries not handled yet", registry=registry).set(waiting)
    Gauge("koz_outbox_dead", "Deliveries given up", registry=registry).set(dead)
    for name, what, counts in labelled:
        gauge = Gauge(name, what, ["state"], registry=registry)
        for state, count in counts.items():
            gauge.labels(state).set(count)
    return Response(generate_latest(registry), content_type="text/plain; version=0.0.4; charset=utf-8")


def _database_answers() -> bool:
    try:
        with reading() as session:
            return bool(session.scalar(text("SELECT 1")) == 1)
    except SQLAlchemyError:
        log.warning("ready.database_down")
        return False


def _queue_answers() -> bool:
    connection = redis_connection()
    if connection is None:
        return True
    try:
        return bool(connection.ping())
    except (RedisError, OSError):
        log.warning("ready.queue_down")
        return False


def _outbox_counts(session: Session) -> tuple[int, int]:
    row = session.execute(
        select(
            func.count().filter(OutboxDelivery.handled_at.is_(None), OutboxDelivery.dead_at.is_(None)),
            func.count().filter(OutboxDelivery.dead_at.is_not(None)),
        )
    ).one()
    return row[0], row[1]
