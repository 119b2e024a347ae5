"""The simulator: the same seed gives the same figures, the plan keeps its limit and fills more with fewer letters."""

import json
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from click.testing import CliRunner

from koz.matching import simulation
from koz.matching.cli import cli
from koz.matching.plots import draw_rounds


@pytest.fixture(scope="module")
def market():
    return simulation.make_market(3000, 600, stars=0.15, seed=1)


def test_the_plan_fills_more_seats_with_fewer_letters(market):
    top, plan = (simulation.simulate(market, policy, seed=2) for policy in ("top", "plan"))
    assert plan.filled > 2.0 * top.filled
    assert plan.per_filled_seat <= 8 < top.per_filled_seat
    assert plan.most_asked_in_a_round <= simulation.PER_PERSON < top.most_asked_in_a_round
    assert plan.gini < top.gini
    assert plan.ever_invited > top.ever_invited


def test_the_same_seed_gives_the_same_figures(market):
    again = simulation.make_market(3000, 600, stars=0.15, seed=1)
    assert all((a == b).all() for a, b in zip(market.edges, again.edges, strict=True))
    assert simulation.simulate(market, "plan", seed=2) == simulation.simulate(again, "plan", seed=2)
    assert simulation.simulate(market, "plan", seed=2) != simulation.simulate(market, "plan", seed=3)


@pytest.mark.parametrize(("numbers", "gini"), [([], 0), ([0, 0], 0), ([2, 2, 2], 0), ([0, 0, 0, 4], 0.75)])
def test_gini(numbers, gini):
    assert simulation.gini(np.array(numbers)) == pytest.approx(gini)


def test_the_command_prints_one_document_and_draws_a_plot_with_words(tmp_path):
    svg = tmp_path / "rounds.svg"
    arguments = ["simulate", "--people", "300", "--missions", "60", "--json", "--svg", str(svg)]
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 0, done.output
    found = json.loads(done.output)
    assert [p["policy"] for p in found["policies"]] == ["top", "plan"]
    words = ET.parse(svg).getroot().find("{http://www.w3.org/2000/svg}desc").text
    assert f"{found['policies'][1]['filled']:.0%} of seats filled" in words


def test_a_plot_that_cannot_be_written_is_one_sentence(tmp_path):
    done = CliRunner().invoke(
        cli, ["simulate", "--people", "50", "--missions", "9", "--svg", str(tmp_path / "no" / "x.svg")]
    )
    assert done.exit_code == 1
    assert "could not be written" in done.output


def test_a_plot_needs_no_policy_beside_it():
    market = simulation.make_market(60, 10, stars=0, seed=4)
    assert draw_rounds([simulation.simulate(market, "plan", rounds=1)]).startswith("<svg")
