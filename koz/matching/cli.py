"""`koz matching`: try invitation plans without a database."""

import json
import sys
from pathlib import Path
from typing import Final

import click
from flask.cli import AppGroup
from tqdm import tqdm

from koz.matching import plots, simulation
from koz.matching.market import MarketError, read_market
from koz.matching.solving import Solution, solve

cli = AppGroup("matching", help="Planning of invitations.")

#: From so many missions on a bar tells how far the work is.
BIG: Final = 1_000


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


@cli.command("solve", with_appcontext=False)
@click.argument("market", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def solve_market(market: Path, *, as_json: bool) -> None:
    """Plan invitations for the market in the file MARKET (- for standard input), and say why.

    docs/matching.md describes the file and the rules.
    """
    read = read_market(_text_of(market))
    with tqdm(total=len(read.asks), desc="Missions", leave=False, disable=len(read.asks) < BIG or None) as bar:
        solution = solve(read, bar.update)
    if as_json:
        click.echo(json.dumps(solution.as_json(read)))
    else:
        _show(solution)


def _text_of(market: Path) -> str:
    """The file's text. Raises MarketError."""
    try:
        raw = sys.stdin.buffer.read() if str(market) == "-" else market.read_bytes()
    except OSError as error:
        raise MarketError(f"{market} cannot be read: {error.strerror}.") from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise MarketError(f"Line {line}: this is not UTF-8. Save the file as UTF-8 and try again.") from None


def _show(solution: Solution) -> None:
    """A table to read: a line an invitation, then what is missing."""
    for number, i in enumerate(solution.invitations):
        if not number:
            click.echo(f"{'mission':<20} {'person':<20} {'score':>7}  needs met")
        click.echo(
            f"{i.mission!s:<20} {i.person!s:<20} {i.score.total:>7.3f}  {i.score.met} of {len(i.score.coverage)}"
        )
    for u in solution.unfilled:
        click.echo(f"{u.mission}: {u.planned} of {u.wanted} invitations for {u.seats} seats: {u.because}.")
    click.echo(
        f"{len(solution.invitations)} invitations, sum of scores {solution.objective:.3f}, {solution.seconds:.2f} s."
    )
