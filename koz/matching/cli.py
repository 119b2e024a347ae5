"""`koz matching`: try invitation plans without a database."""

import json
from pathlib import Path

import click
from flask.cli import AppGroup

from koz.matching import plots, simulation

cli = AppGroup("matching", help="Planning of invitations.")


@cli.command("simulate", with_appcontext=False)
@click.option("--people", type=click.IntRange(1, 200_000), default=10_000, show_default=True, help="Professionals.")
@click.option("--missions", type=click.IntRange(1, 20_000), default=2_000, show_default=True, help="Missions.")
@click.option("--stars", type=click.FloatRange(0, 1), default=0.15, show_default=True, help="Deviation of the stars.")
@click.option("--rounds", type=click.IntRange(1, 20), default=3, show_default=True, help="Rounds of invitations.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="The same seed, the same figures.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
@click.option(
    "--svg", type=click.Path(path_type=Path, dir_okay=False, writable=True), help="Draw the rounds to a file."
)
def simulate(  # noqa: PLR0913 - one an option
    *, people: int, missions: int, stars: float, rounds: int, seed: int, as_json: bool, svg: Path | None
) -> None:
    """Compare inviting by plan with inviting the top 3, in an invented market.

    The market and how people answer are assumptions, written down in koz/matching/simulation.py.
    """
    market = simulation.make_market(people, missions, stars=stars, seed=seed)
    outcomes = [simulation.simulate(market, policy, rounds=rounds, seed=seed + 1) for policy in ("top", "plan")]
    if svg is not None:
        try:
            svg.write_text(plots.draw_rounds(outcomes), encoding="utf-8")
        except OSError as error:
            raise click.ClickException(f"The plot could not be written to {svg}: {error.strerror}.") from error
    if as_json:
        asked = {"people": people, "missions": missions, "stars": stars, "rounds": rounds, "seed": seed}
        click.echo(json.dumps(asked | {"policies": [o.as_json() for o in outcomes]}))
        return
    click.echo(
        f"{'policy':<8}{'filled':>8}{'per seat':>10}{'most asked':>12}{'in a round':>12}{'Gini':>7}{'ever asked':>12}"
    )
    for o in outcomes:
        click.echo(
            f"{o.policy:<8}{o.filled:>8.1%}{o.per_filled_seat:>10.1f}{o.most_asked:>12}{o.most_asked_in_a_round:>12}"
            f"{o.gini:>7.2f}{o.ever_invited:>12.1%}"
        )
    click.echo(f"The plan fills {outcomes[1].filled / max(outcomes[0].filled, 1e-9):.2f} times the seats.")
