"""`koz doctor`: says what is wrong in one sentence each, as JSON too, and exits accordingly."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from koz import cli
from koz.admin import doctor
from koz.core.clock import now
from koz.core.outbox import OutboxDelivery, OutboxMessage
from tests.conftest import make_app


def found(app, **changes):
    app.config["KOZ"], before = replace(app.config["KOZ"], **changes), app.config["KOZ"]
    try:
        return {check.name: check for check in doctor.examine(app)}
    finally:
        app.config["KOZ"] = before


def test_a_healthy_database_is_called_so(app):
    checks = found(app)
    for name in ("settings", "secrets", "database", "migrations", "clock", "queue", "worker", "files"):
        assert checks[name].ok, checks[name]
    assert "answers" in checks["database"].sentence


def test_what_does_not_answer_is_named(app):
    checks = found(app, mail_url="smtp://127.0.0.1:9", stripe_api_base="http://127.0.0.1:9")
    assert not checks["mail"].ok
    assert "KOZ_MAIL_URL" in checks["mail"].sentence
    assert not checks["stripe"].ok


def test_a_database_that_is_down_spoils_its_own_checks_only():
    app = make_app("postgresql+psycopg://nobody@/nothing?host=/nonexistent")
    with app.app_context():
        checks = found(app)
    assert not any(checks[name].ok for name in ("database", "migrations", "clock", "worker"))
    assert checks["settings"].ok
    assert all(check.sentence.endswith(".") for check in checks.values())


@pytest.mark.parametrize(("name", "changes"), [
    ("settings", {"env": "production", "base_url": "http://koz.example"}),
    ("secrets", {"secret_key": "a" * 40}),
    ("secrets", {"stripe_webhook_secrets": ("hello",)}),
    ("secrets", {"metrics_token": "short"}),
    ("queue", {"env": "production"}),
    ("files", {"files_url": "file:///nonexistent/koz"}),
])  # fmt: skip
def test_weak_settings_are_found(app, name, changes):
    check = found(app, **changes)[name]
    assert not check.ok
    assert "None" not in check.sentence


def test_files_that_can_be_written_are_left_as_they_were(app, tmp_path):
    assert found(app, files_url=f"file://{tmp_path}")["files"].ok
    assert list(Path(tmp_path).iterdir()) == []


def test_late_and_dead_deliveries_are_told(app, session):
    message = OutboxMessage(event="X", payload={})
    session.add(message)
    session.flush()
    delivery = OutboxDelivery(message_id=message.id, subscriber="x", next_attempt_at=now() - timedelta(hours=1))
    session.add(delivery)
    session.commit()
    assert "koz worker" in found(app)["worker"].sentence
    session.get_one(OutboxDelivery, delivery.id).dead_at = now()
    session.commit()
    assert "/admin/outbox" in found(app)["worker"].sentence


def test_the_command_prints_one_document_and_says_how_it_went(monkeypatch):
    monkeypatch.setattr(cli, "create_app", lambda: make_app("postgresql+psycopg://nobody@/nothing?host=/nonexistent"))
    result = CliRunner().invoke(cli.examine, ["--json"])
    document = json.loads(result.stdout)
    assert result.exit_code == 1
    assert document["ok"] is False
    assert {"name", "ok", "sentence"} == set(document["checks"][0])
    assert "WRONG  database" in CliRunner().invoke(cli.examine, []).stdout


@pytest.mark.parametrize("env", ["production", "demo"])
def test_settings_that_cannot_be_used_are_a_finding_too(monkeypatch, env):
    monkeypatch.setenv("KOZ_ENV", env)
    monkeypatch.delenv("KOZ_DATABASE_URL", raising=False)
    result = CliRunner().invoke(cli.examine, ["--json"])
    assert result.exit_code == 1
    (only,) = json.loads(result.stdout)["checks"]
    assert only["name"] == "settings"
    assert "KOZ_DATABASE_URL" in only["sentence"]
