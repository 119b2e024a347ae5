"""The `koz` command: composes, contains no rule. Commands of a feature live in its own `cli.py`."""

import os
import sys
from importlib import import_module
from typing import Final

import click
from flask import Flask
from flask.cli import FlaskGroup
from flask_migrate import upgrade

from koz.core.errors import KozError
from koz.core.settings import SettingsError
from koz.factory import create_app

#: Modules with a click group or command `cli`.
FEATURE_COMMANDS: Final[tuple[str, ...]] = ()


def _make_app() -> Flask:
    return create_app()


@click.group(cls=FlaskGroup, create_app=_make_app, add_default_commands=False, add_version_option=False)
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
    command = ["gunicorn", "--worker-class=gthread", f"--workers={workers}", f"--threads={threads}", "--preload"]
    command += [f"--bind=127.0.0.1:{port}", "--max-requests=20000", "--max-requests-jitter=2000", "app:app"]
    os.execv(sys.executable, [sys.executable, "-m", *command])  # noqa: S606


for _name in FEATURE_COMMANDS:
    koz.add_command(import_module(_name).cli)


def main() -> None:
    """Run the command; an expected error is one sentence and exit code 1."""
    try:
        koz(prog_name="koz")
    except (KozError, SettingsError) as error:
        click.echo(str(error), err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
