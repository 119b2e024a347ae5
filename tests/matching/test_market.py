"""Market files: read whole, planned and explained, or refused with one sentence that names the place and its line."""

import json
import math
import random
from copy import deepcopy
from dataclasses import replace

import pytest
from click.testing import CliRunner

from koz.cli import koz, main
from koz.matching import solving
from koz.matching.market import MarketError, line_of, read_market
from koz.matching.scoring import score
from koz.matching.solving import solve
from koz.matching.synthetic import make_market

MARKET = {
    "people": [
        {"id": "ana", "skills": {"press": 4, "web": 2}, "hours_per_week": 5, "languages": ["fr"], "places": ["75"],
         "remote": True, "causes": ["climate"], "invited_this_week": 0},
        {"id": "bob", "skills": {"comm": 5}, "languages": ["fr"], "invited_this_week": 2},
    ],
    "missions": [
        {"id": "m1", "seats": 1, "hours_per_week": 3, "language": "fr", "place": None, "remote_ok": True,
         "cause": "climate", "needs": [{"skill": "press", "level": 4, "must": True, "weight": 0.7},
                                       {"skill": "web", "level": 4, "must": False, "weight": 0.3}]},
    ],
    "edges": [["press", "comm", 0.8]],
    "limits": {"per_person_per_week": 3, "invitations_per_seat": 3},
}  # fmt: skip


def planned(document):
    market = read_market(json.dumps(document))
    return solve(market).as_json(market)


def test_invitations_are_explained_and_the_rest_is_told():
    found = planned(MARKET)
    ana, bob = found["invitations"]
    assert (ana["mission"], ana["person"], bob["person"]) == ("m1", "ana", "bob")
    assert ana["score"] == pytest.approx(0.7 + 0.3 / 2 + 0.05)
    assert [(t["kind"], t["need"], t["met_by"], t["via"]) for t in ana["terms"]] == [
        ("skill", "press", "press", []), ("skill", "web", "web", []), ("cause", None, None, []),
    ]  # fmt: skip
    assert bob["score"] == pytest.approx(0.7 * 0.8)
    assert bob["missing"] == ["web"]
    (short,) = found["unfilled"]
    assert (short["mission"], short["seats"], short["wanted"], short["planned"], short["short"]) == ("m1", 1, 3, 2, 1)
    assert short["because"] == "too few fit"
    assert found["objective"] == pytest.approx(ana["score"] + bob["score"])


def test_empty_markets_and_left_out_keys_are_fine():
    assert planned({"people": [], "missions": []})["invitations"] == []
    people_only = planned({"people": MARKET["people"], "missions": []})
    assert (people_only["invitations"], people_only["unfilled"]) == ([], [])
    nobody = planned({"people": [], "missions": MARKET["missions"]})
    assert [u["because"] for u in nobody["unfilled"]] == ["nobody fits"]
    least = planned({"people": [{"id": 1, "skills": {"a": 1}}], "missions": [{"id": 1, "seats": 1}]})
    assert [u["because"] for u in least["unfilled"]] == ["no needs"]


def changed(path, value):
    document = deepcopy(MARKET)
    *way, last = path
    spot = document
    for step in way:
        spot = spot[step]
    if value is KeyError:
        del spot[last]
    else:
        spot[last] = value
    return document


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (["people", 0, "skills", "web"], 6, "people[0].skills.web: a whole number from 1 to 5 is needed, not 6."),
        (["people", 0, "skills", "web"], True, "people[0].skills.web"),
        (["people", 0, "skills"], ["web"], "people[0].skills: an object is needed, not a list."),
        (["people", 1, "id"], "ana", 'people[1].id: "ana" is the id of people[0] already.'),
        (["people", 1, "id"], KeyError, 'people[1]: "id" is missing.'),
        (["people", 0, "hours_per_week"], -1, "people[0].hours_per_week"),
        (["people", 0, "languages"], "fr", "people[0].languages: a list is needed"),
        (["people", 0, "answered"], 3, "people[0].answered: 3 answers to 0 invitations."),
        (["people", 0, "available_from"], "soon", "people[0].available_from: a day as YYYY-MM-DD is needed"),
        (["missions", 0, "seats"], 0, "missions[0].seats: a whole number from 1"),
        (["missions", 0, "seats"], KeyError, 'missions[0]: "seats" is missing.'),
        (["missions", 0, "needs", 1, "skill"], "weeb", 'missions[0].needs[1].skill: unknown concept "weeb"'),
        (["missions", 0, "needs", 1, "skill"], "press", 'missions[0].needs[1].skill: "press" is needed twice.'),
        (["missions", 0, "needs", 0, "level"], 0, "missions[0].needs[0].level"),
        (["missions", 0, "needs", 0, "weight"], math.nan, "missions[0].needs[0].weight: a weight above 0"),
        (["missions", 0, "needs", 0, "weight"], 0, "missions[0].needs[0].weight"),
        (["missions", 0, "remote_ok"], False, "missions[0]: there is neither a place nor remote work"),
        (["edges", 0, 2], math.nan, "edges[0][2]: a weight above 0 to 1 is needed, not NaN."),
        (["edges", 0, 2], math.inf, "edges[0][2]"),
        (["edges", 0, 2], 1.5, "edges[0][2]: a weight above 0 to 1 is needed, not 1.5."),
        (["edges", 0, 2], -0.2, "edges[0][2]"),
        (["edges", 0], ["press", "comm"], "edges[0]: an edge is [concept, concept, weight]."),
        (["limits", "per_person_per_week"], -1, "limits.per_person_per_week"),
        (["people"], KeyError, 'the document: "people" is missing.'),
        (["concepts"], ["press", "web"], 'people[1].skills.comm: unknown concept "comm": it is not among "concepts".'),
    ],
)
def test_a_fault_is_one_sentence_with_its_place(path, value, said):
    with pytest.raises(MarketError) as caught:
        read_market(json.dumps(changed(path, value), indent=1))
    text = str(caught.value)
    assert said in text
    assert text.startswith("Line ")
    assert "\n" not in text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"people": [],\n "missions": [}', "Line 2, column 15: this is not JSON"),
        ("", "Line 1, column 1"),
        ("[]", "an object is needed"),
        ("[" * 100_000, "too deep"),
        ('{"people": ' + "1" * 5000 + "}", "thousands of digits"),
        ('{"people": [{"id": "\\ud800"}], "missions": []}', "half a character"),
    ],
)
def test_what_is_no_market_at_all(text, said):
    with pytest.raises(MarketError, match=said):
        read_market(text)


def test_the_line_is_that_of_the_value():
    text = json.dumps(MARKET, indent=1)
    lines = text.splitlines()
    assert '"invited_this_week": 2' in lines[line_of(text, ("people", 1, "invited_this_week")) - 1]
    assert "0.8" in lines[line_of(text, ("edges", 0, 2)) - 1]
    assert '"id": "bob"' in lines[line_of(text, ("people", 1, "id")) - 1]


def test_a_need_that_nobody_has_is_taken_when_it_is_listed():
    document = changed(["missions", 0, "needs", 0, "skill"], "law")
    document["concepts"] = ["law", "press", "web", "comm"]
    assert [u["because"] for u in planned(document)["unfilled"]] == ["nobody fits"]


def test_the_order_of_the_file_plays_no_part():
    document = make_market(60, 20, seed=3, clusters=3).as_json()
    dice = random.Random(1)
    mixed = deepcopy(document)
    for name in ("people", "missions", "edges"):
        dice.shuffle(mixed[name])
    for mission in mixed["missions"]:
        dice.shuffle(mission["needs"])
    one, other = planned(document), planned(mixed)
    assert [(i["mission"], i["person"]) for i in one["invitations"]] == [
        (i["mission"], i["person"]) for i in other["invitations"]
    ]
    assert one["objective"] == pytest.approx(other["objective"], abs=1e-9)


def test_limits_hold_and_what_is_shown_is_what_a_skill_is_worth():
    document = make_market(80, 25, seed=4, clusters=3).as_json()
    for n, person in enumerate(document["people"]):
        person |= {"invited_this_week": n % 5, "asked": n % 7, "answered": n % 3 if n % 7 > 2 else 0}
    found = planned(document)
    people = {p["id"]: p for p in document["people"]}
    asked = [i["person"] for i in found["invitations"]]
    assert asked
    for person in set(asked):
        assert asked.count(person) <= 3 - people[person]["invited_this_week"]
    for mission in document["missions"]:
        sent = sum(i["mission"] == mission["id"] for i in found["invitations"])
        short = sum(u["short"] for u in found["unfilled"] if u["mission"] == mission["id"])
        assert sent + short == 3 * mission["seats"]
    market = read_market(json.dumps(document))
    row, ask_of = (
        dict(zip(market.people, market.bids, strict=True)),
        dict(zip(market.missions, market.asks, strict=True)),
    )
    for i in found["invitations"]:
        assert sum(t["value"] for t in i["terms"]) == pytest.approx(i["score"], abs=1e-6)
        assert set(i["loss"]) <= set(people[i["person"]]["skills"])
        ask, bid = ask_of[i["mission"]], row[i["person"]]
        for concept, loss in i["loss"].items():
            gone = market.concepts.index(concept)
            left = {c: x for c, x in bid.skills.items() if c != gone}
            less = score(ask, replace(bid, skills=left), market.paths_to(ask))
            assert i["score"] - less.total == pytest.approx(loss, abs=1e-6)
            alone = [t for t in i["terms"] if t["met_by"] == concept and not t["also_met_by"]]
            assert sum(t["value"] for t in alone) == pytest.approx(loss, abs=1e-6)


def test_lists_of_both_sides_give_nearly_the_plan_over_all_pairs(monkeypatch):
    document = make_market(300, 60, seed=9, clusters=4).as_json()
    whole = planned(document)["objective"]
    monkeypatch.setattr(solving, "ALL_PAIRS", 0)
    lists = planned(document)["objective"]
    assert 0.97 * whole <= lists <= whole + 1e-6


def test_the_command_prints_one_document_or_a_table(tmp_path):
    file = tmp_path / "market.json"
    file.write_text(json.dumps(MARKET), encoding="utf-8-sig")
    runner = CliRunner()
    shown = runner.invoke(koz, ["matching", "solve", str(file), "--json"])
    assert shown.exit_code == 0
    assert set(json.loads(shown.stdout)) == {"invitations", "unfilled", "objective", "seconds"}
    table = runner.invoke(koz, ["matching", "solve", "-"], input=json.dumps(MARKET))
    assert table.exit_code == 0
    assert "m1: 2 of 3 invitations for 1 seats: too few fit." in table.stdout


def test_the_command_refuses_with_one_sentence(tmp_path, monkeypatch, capsys):
    bad = tmp_path / "bad.json"
    for raw, said in [(b'{"people": [}', "Line 1, column 13"), (b'{"a":\n"\xff"}', "Line 2: this is not UTF-8")]:
        bad.write_bytes(raw)
        monkeypatch.setattr("sys.argv", ["koz", "matching", "solve", str(bad), "--json"])
        with pytest.raises(SystemExit) as caught:
            main()
        out, err = capsys.readouterr()
        assert (caught.value.code, out) == (1, "")
        assert said in err
        assert err.count("\n") == 1
    assert CliRunner().invoke(koz, ["matching", "solve", str(tmp_path / "none.json")]).exit_code == 2
