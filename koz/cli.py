"""The `koz` command: composes, contains no rule. Commands of a feature live in its own `cli.py`."""

import dataclasses
import json
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Final

import click
import structlog
from flask import Flask
from flask.cli import AppGroup, ScriptInfo
from flask_migrate import upgrade
from sqlalchemy.exc import ArgumentError

from koz import server, worker
from koz.admin import doctor
from koz.core import jobs
from koz.core.db import reading
from koz.core.errors import KozError
from koz.core.settings import SettingsError, current_settings
from koz.demo import mailcatcher, seed, supervisor
from koz.demo.supervisor import DemoError
from koz.factory import create_app
from koz.payments import ledger
from koz.sandbox import app as sandbox_app
from koz.schedule import PERIODIC

log = structlog.get_logger(__name__)

#: Modules with a click group or command `cli`.
FEATURE_COMMANDS: Final[tuple[str, ...]] = (
    "koz.accounts.cli",
    "koz.consultations.cli",
    "koz.matching.cli",
    "koz.skills.cli",
)


def _make_app() -> Flask:
    return create_app()  # read when a command needs it, so that --help needs no settings


@click.group(cls=AppGroup, context_settings={"obj": ScriptInfo(create_app=_make_app)})
@click.version_option(package_name="koz")
def koz() -> None:
    """Koz: a public cause from funding to decision."""


@koz.group("db")
def database() -> None:
    """The database."""


@database.command("upgrade")
def database_upgrade() -> None:
    """Bring the tables to the present version."""
    upgrade()


@koz.command("serve")
@click.option("--port", default=8000, show_default=True)
@click.option("--workers", default=2, show_default=True)
@click.option("--threads", default=4, show_default=True)
def serve(port: int, workers: int, threads: int) -> None:
    """Run the web server on loopback; a proxy with TLS stands before it."""
    command = server.command(port, workers=workers, threads=threads)
    os.execv(command[0], command)  # noqa: S606 - our own program and arguments, no shell


@koz.command("worker")
@click.pass_obj
def run_worker(info: ScriptInfo) -> None:
    """Run background jobs: those that the queue wakes, and the periodic ones of `koz/schedule.py`."""
    worker.run(info.load_app())


@koz.command("sweep")
def sweep() -> None:
    """Run every periodic job once."""
    for name, _every in PERIODIC:
        jobs.get_job(name)()


@koz.group("seed")
def data() -> None:
    """Data to begin with."""


@data.command("demo")
def seed_demo() -> None:
    """Make the demo's people, causes, gifts and voices; nothing happens when they are there."""
    if current_settings().is_production:
        raise DemoError("The demo's data are refused in production.")
    click.echo("The demo's data are made." if seed.run() else "The demo's data are there already.")


@koz.group("ledger")
def books() -> None:
    """The books."""


@books.command("check")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def check_ledger(*, as_json: bool) -> None:
    """Compare postings, gifts, refunds and campaigns' totals; exit 1 when anything is off."""
    with reading() as session:
        found = ledger.check(session)
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(found)))
    else:
        click.echo(
            f"{found.postings} postings, {found.lines} lines, {'balanced' if found.balanced else 'NOT balanced'}"
        )
        for problem in found.problems:
            click.echo(problem, err=True)
    sys.exit(0 if found.balanced else 1)


@click.command("demo")
@click.option("--reset", is_flag=True, help="Begin anew: forget all data of the demo.")
def demo(*, reset: bool) -> None:
    """Run a whole Koz on this machine."""
    supervisor.run_from(os.environ, reset=reset)


@click.command("sandbox", context_settings={"ignore_unknown_options": True}, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def sandbox(arguments: tuple[str, ...]) -> None:
    """Run the local stand-in for Stripe (`koz sandbox --help` tells its options)."""
    sandbox_app.main(arguments)


@click.command("mailcatcher")
@click.option("--smtp-port", default=mailcatcher.SMTP_PORT, show_default=True, help="Where mails come in.")
@click.option("--port", default=mailcatcher.PAGE_PORT, envvar="MAIL_PORT", show_default=True, help="Where to read.")
def catch_mails(smtp_port: int, port: int) -> None:
    """Take every mail of the demo and show it on a page; nothing is sent on."""
    try:
        mailcatcher.run(Path(os.environ.get("KOZ_HOME", ".koz")) / "mail", smtp_port, port)
    except OSError as error:
        raise DemoError(f"The mail catcher could not start ({error.strerror}): choose other ports.") from None


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def examine(*, as_json: bool) -> None:
    """Check all that the service needs; exit 1 when something is wrong."""
    checks = _examine()
    well = all(check.ok for check in checks)
    if as_json:
        click.echo(json.dumps({"ok": well, "checks": [dataclasses.asdict(check) for check in checks]}))
    else:
        for check in checks:
            click.echo(f"{'ok   ' if check.ok else 'WRONG'}  {check.name}: {check.sentence}")
    sys.exit(0 if well else 1)


def _examine() -> list[doctor.Check]:
    try:
        app = create_app()
    except SettingsError as error:
        return [doctor.Check("settings", ok=False, sentence=str(error))]
    except ArgumentError:
        sentence = "KOZ_DATABASE_URL is empty or no address: write postgresql://user:password@host/name."
        return [doctor.Check("settings", ok=False, sentence=sentence)]
    with app.app_context():
        return doctor.examine(app)


koz.add_command(demo)
koz.add_command(sandbox)
koz.add_command(catch_mails)
koz.add_command(examine)
for _name in FEATURE_COMMANDS:
    koz.add_command(import_module(_name).cli)


def main() -> None:
    """Run the command; an expected error is one sentence and exit code 1."""
    try:
        koz(prog_name="koz")
    except (KozError, SettingsError, DemoError) as error:
        click.echo(str(error), err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
