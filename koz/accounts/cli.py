"""Commands on accounts, for whoever runs the server."""

import click
from flask.cli import AppGroup

from koz.accounts import services
from koz.core.db import unit_of_work
from koz.core.settings import current_settings

cli = AppGroup("accounts", help="Accounts: who belongs to staff.")


@cli.command("make-staff")
@click.argument("email")
@click.option("--moderator", is_flag=True, help="Only the role of a third-party moderator.")
def make_staff(email: str, *, moderator: bool) -> None:
    """Give EMAIL the role of staff; the account and its proved address must be there."""
    with unit_of_work() as session:
        person = services.make_staff(session, email, moderator_only=moderator)
    base = current_settings().base_url
    role = "a moderator" if moderator else "staff"
    click.echo(f"{person.email} is {role} now. All their sessions have ended.")
    if person.totp_secret is None:
        click.echo(f"They log in at {base}/login and set up a second factor at {base}/security/second-factor;")
        click.echo(f"without it {base}/admin/ stays closed.")
    else:
        click.echo(f"They log in at {base}/login; their second factor opens {base}/admin/.")


@cli.command("unmake-staff")
@click.argument("email")
def unmake_staff(email: str) -> None:
    """Take the roles of staff and moderator from EMAIL."""
    with unit_of_work() as session:
        person = services.unmake_staff(session, email)
    click.echo(f"{person.email} has no role in running Koz any more. All their sessions have ended.")
