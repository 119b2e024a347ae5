"""`make bench`: what Koz's pages and its webhook cost, as ratios to floors taken in the same run.

Every target is served by gunicorn with 2 workers of 4 threads, one after another, three rounds; medians are shown.
CPU per request is the server's own (user and system time of gunicorn and its workers), so the client on the same
machine does not count. The database is a real one with fsync on.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
from flask_migrate import upgrade
from sqlalchemy import event, insert, text
from stripe import WebhookSignature

from koz.accounts.models import Organisation
from koz.campaigns.models import BudgetLine, Campaign, CampaignSource, CampaignUpdate, TimelineEntry
from koz.core.clock import now, today
from koz.core.db import db, unit_of_work
from koz.core.settings import DEMO_WEBHOOK_SECRET, Settings
from koz.demo import postgres
from koz.factory import create_app
from koz.payments.models import Gift, PaymentAccount

ROUNDS = 3
SECONDS = float(os.environ.get("BENCH_SECONDS", "4"))
CONNECTIONS = 8


@dataclass(frozen=True)
class Target:
    """Something to measure: the app that serves it, the request's path, and whether it posts signed events."""

    name: str
    app: str
    path: str
    body: str | None = None
    signed: bool = False


TARGETS = (
    Target("bare Flask page", "hello", "/"),
    Target("Flask + SQLAlchemy, one row", "rows", "/"),
    Target("campaign page, cold, 10 gifts", "cold", "/campaigns/bench-10"),
    Target("campaign page, cold, 10,000 gifts", "cold", "/campaigns/bench-10000"),
    Target("campaign page, warm", "warm", "/campaigns/bench-10"),
    Target("give page", "cold", "/campaigns/bench-10/give"),
    Target("POST one row and commit", "rows", "/post", body="{}"),
    Target("webhook intake", "cold", "/webhooks/stripe/connect", signed=True),
)


@dataclass
class Result:
    """Medians over the rounds."""

    rps: float
    p50_ms: float
    p99_ms: float
    cpu_ms: float


def main() -> None:
    """Measure everything, print the table, exit 1 when a goal is missed."""
    home = Path(tempfile.mkdtemp(prefix="koz-bench-"))
    server = postgres.start(home)
    try:
        environment = os.environ | {
            "KOZ_ENV": "demo", "KOZ_DATABASE_URL": server.create_database("koz"), "KOZ_REDIS_URL": "",
        }  # fmt: skip
        counts = prepare(environment)
        samples: dict[str, list[Result]] = {t.name: [] for t in TARGETS}
        for round_number in range(ROUNDS):
            for target in TARGETS:
                sys.stderr.write(f"\rround {round_number + 1} of {ROUNDS}: {target.name:<40}")
                samples[target.name].append(measure(target, environment, round_number))
        sys.stderr.write("\r" + " " * 70 + "\r")
        results = {
            name: Result(
                *(statistics.median(getattr(r, f) for r in rows) for f in ("rps", "p50_ms", "p99_ms", "cpu_ms"))
            )
            for name, rows in samples.items()
        }
        sys.exit(report(results, counts))
    finally:
        server.stop()
        postgres.forget(home)


def prepare(environment: dict[str, str]) -> dict[str, int]:
    """Tables, two campaigns with 10 and 10,000 gifts; returns the SQL statements of each Koz page."""
    app = create_app(Settings.from_env(environment), BRIEF_CACHE_S=0)
    counts: dict[str, int] = {}
    with app.app_context():
        upgrade()
        with unit_of_work() as session:
            session.execute(
                text("CREATE TABLE bench_bodies (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text)")
            )
            fill(session)
        seen: list[str] = []
        event.listen(db.engine, "before_cursor_execute", lambda *a: seen.append(a[2]))
        for target in TARGETS:
            if target.app != "cold" or target.signed:
                continue
            seen.clear()
            answer = app.test_client().get(target.path)
            if answer.status_code == 200:
                counts[target.name] = len(seen)
        warm = create_app(Settings.from_env(environment))
        client = warm.test_client()
        client.get("/campaigns/bench-10")
        seen.clear()
        with warm.app_context():
            event.listen(db.engine, "before_cursor_execute", lambda *a: seen.append(a[2]))
            client.get("/campaigns/bench-10")
            db.engine.dispose()
        counts["campaign page, warm"] = len(seen)
        db.engine.dispose()
    return counts


def fill(session: Any) -> None:
    """Organisations and campaigns as rich as a typical one, with many gifts."""
    for gifts in (10, 10_000):
        organisation = Organisation(slug=f"bench-{gifts}", name="Air libre", kind="association")
        session.add(organisation)
        session.flush()
        session.add(PaymentAccount(organisation_id=organisation.id, provider_id=f"acct_{gifts}", can_charge=True))
        campaign = Campaign(
            slug=f"bench-{gifts}", organisation_id=organisation.id, title="Un air respirable devant nos écoles",
            ask="de fermer la rue", addressee_name="Mme la maire", story_html="<p>" + "Un paragraphe. " * 300 + "</p>",
            state="live", minimum_minor=8000_00, optimum_minor=12_000_00, deadline_on=today() + timedelta(days=30),
            collected_minor=gifts * 2000, gifts=gifts, donors=gifts, live_at=now(),
        )  # fmt: skip
        session.add(campaign)
        session.flush()
        for n in range(6):
            session.add(
                BudgetLine(
                    campaign_id=campaign.id, position=n, label=f"Ligne {n}", minimum_minor=100_00, optimum_minor=150_00
                )
            )
            session.add(
                CampaignSource(campaign_id=campaign.id, position=n, title=f"Source {n}", publisher="Un éditeur")
            )
            session.add(CampaignUpdate(campaign_id=campaign.id, title=f"Nouvelle {n}", body_md="", body_html=""))
            session.add(TimelineEntry(campaign_id=campaign.id, kind="update", params={}, key=f"u{n}"))
        start = now() - timedelta(days=1)
        rows = [
            {"campaign_id": campaign.id, "organisation_id": organisation.id, "email": f"d{n}@koz.test", "amount_minor": 2000,
             "state": "collected", "public_name": f"Donneur {n}", "collected_at": start + timedelta(seconds=n)}
            for n in range(gifts)
        ]  # fmt: skip
        session.execute(insert(Gift), rows)


def measure(target: Target, environment: dict[str, str], round_number: int) -> Result:
    """Serve the target's app, warm it up, load it for some seconds."""
    port = postgres.free_port()
    command = [sys.executable, "-m", "gunicorn", "--worker-class=gthread", "--workers=2", "--threads=4", "--preload"]
    command += ["--log-level=warning", f"--bind=127.0.0.1:{port}", "--keep-alive=30", "bench.apps:app"]
    log = subprocess.DEVNULL
    process = subprocess.Popen(command, env=environment | {"BENCH_APP": target.app}, stdout=log, stderr=log)
    try:
        wait(port)
        load(target, port, 1.0, f"w{round_number}")
        before = cpu_s(process.pid)
        told = load(target, port, SECONDS, f"r{round_number}")
        spent = cpu_s(process.pid) - before
    finally:
        process.terminate()
        process.wait(20)
    latencies = sorted(told["latencies_s"])
    assert latencies, target.name
    assert not told["errors"], f"{target.name}: {told['errors']} answers were errors"
    n = len(latencies)
    return Result(n / told["seconds"], latencies[n // 2] * 1000, latencies[int(n * 0.99)] * 1000, spent / n * 1000)


def load(target: Target, port: int, seconds: float, mark: str) -> dict[str, Any]:
    """Run the client for some seconds."""
    requests = signed_requests(mark) if target.signed else [request_text(target.path, target.body)]
    plan = {"port": port, "connections": CONNECTIONS, "seconds": seconds, "requests": requests}
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"], input=json.dumps(plan), capture_output=True, text=True, check=True
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def request_text(path: str, body: str | None, headers: str = "") -> str:
    """A raw HTTP/1.1 request that keeps its connection."""
    if body is None:
        return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Language: fr\r\n\r\n"
    size = len(body.encode())
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n"
    return f"{head}{headers}\r\n{body}"


def signed_requests(mark: str, most: int = 12_000) -> list[str]:
    """Signed events, each with an id of its own, as Stripe would send them."""
    requests = []
    for n in range(most):
        event_body = json.dumps({
            "id": f"evt_{mark}_{n}", "object": "event", "type": "checkout.session.completed", "livemode": False,
            "account": "acct_10", "api_version": "x", "data": {"object": {"id": f"cs_{mark}_{n}", "object": "checkout.session",
            "metadata": {"koz_gift": "1", "koz_attempt": "1"}, "pad": "x" * 900}},
        })  # fmt: skip
        signature = WebhookSignature.generate_signature_header(event_body, DEMO_WEBHOOK_SECRET)
        requests.append(request_text("/webhooks/stripe/connect", event_body, f"Stripe-Signature: {signature}\r\n"))
    return requests


def wait(port: int) -> None:
    """Until the server answers anything."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2)  # any answer will do
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("a benchmark's server did not start")


def cpu_s(pid: int) -> float:
    """User and system time of a process and its children, seconds."""
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    return sum(t.user + t.system for t in (p.cpu_times() for p in family))


def report(results: dict[str, Result], counts: dict[str, int]) -> int:
    """Print the table and the goals; 1 when a goal is missed."""
    print(
        f"{'':<36}{'req/s':>8}{'p50 ms':>9}{'p99 ms':>9}{'CPU ms':>9}{'SQL':>5}{'req/s ÷ bare':>14}{'CPU ÷ one row':>15}"
    )
    bare, row = results["bare Flask page"], results["Flask + SQLAlchemy, one row"]
    for name, r in results.items():
        sql = str(counts.get(name, ""))
        print(
            f"{name:<36}{r.rps:>8.0f}{r.p50_ms:>9.1f}{r.p99_ms:>9.1f}{r.cpu_ms:>9.2f}{sql:>5}"
            f"{r.rps / bare.rps:>14.2f}{r.cpu_ms / row.cpu_ms:>15.2f}"
        )
    cold, many = results["campaign page, cold, 10 gifts"], results["campaign page, cold, 10,000 gifts"]
    post = results["POST one row and commit"]
    goals = [
        ("campaign page cold: CPU ÷ one-row page", cold.cpu_ms / row.cpu_ms, "<=", 3.6),
        ("campaign page cold: SQL statements", counts["campaign page, cold, 10 gifts"], "<=", 6),
        ("… with 10,000 gifts ÷ with 10: CPU", many.cpu_ms / cold.cpu_ms, "<=", 1.15),
        ("campaign page warm: req/s ÷ bare Flask", results["campaign page, warm"].rps / bare.rps, ">=", 0.35),
        ("campaign page warm: SQL statements", counts["campaign page, warm"], "<=", 2),
        ("webhook intake: req/s ÷ POST floor", results["webhook intake"].rps / post.rps, ">=", 0.45),
    ]
    missed = 0
    print()
    for name, value, sign, goal in goals:
        good = value <= goal if sign == "<=" else value >= goal
        missed += not good
        print(f"{'reached' if good else 'MISSED ':<8} {name:<44} {value:>6.2f}  {sign} {goal}")
    return 1 if missed else 0


if __name__ == "__main__":
    main()
