"""Controls: clock, faults that can be repeated, what does not exist yet; the process ends cleanly."""

import subprocess
import sys
import time

import pytest
import requests
import stripe

from koz.sandbox import faults
from koz.sandbox.store import Store
from tests.factories.stripe import checkout_params
from tests.sandbox_server import ROOT, running_sandbox


def test_the_clock_goes_on_stops_and_runs(own_sandbox):
    sandbox = own_sandbox()
    before = time.time()
    assert abs(sandbox.state()["now"] - before) < 60
    assert sandbox.control("clock", {"advance_s": 3600})["now"] >= before + 3600
    frozen = sandbox.control("clock", {"frozen": True})["now"]
    assert sandbox.state()["now"] == frozen
    assert sandbox.control("clock", {"advance_s": 10})["now"] == frozen + 10
    assert sandbox.control("clock", {"frozen": False})["now"] >= frozen + 10
    for wrong in ({"advance_s": -1}, {"advance_s": "1"}, {"advance": 1}, {"frozen": 1}):
        assert sandbox.raw("POST", "/_control/clock", json=wrong).status_code == 400


def calls_under(sandbox, account, number, kinds):
    """Outcomes of calls with faults, each tried once."""
    sandbox.control("faults", {"rate": 0.5, "kinds": kinds, "seed": 7, "hold_s": 0})
    client, found = sandbox.client(), []
    for n in range(number):
        options = {"stripe_account": account, "idempotency_key": f"{kinds}-{n}-{account}"}
        try:
            client.v1.checkout.sessions.create(checkout_params(), options)
            found.append("done")
        except stripe.StripeError as error:
            found.append(type(error).__name__)
    sandbox.control("faults", {})
    return found


@pytest.mark.parametrize(
    ("kind", "error", "with_effect"),
    [
        ("429", "RateLimitError", False),
        ("500", "APIError", False),
        ("500_kept", "APIError", False),
        ("reset", "APIConnectionError", False),
        ("timeout", "APIConnectionError", True),
    ],
)
def test_faults(own_sandbox, kind, error, with_effect):
    sandbox = own_sandbox()
    runs = []
    for _ in range(2):
        account = sandbox.ready_account()
        outcomes = calls_under(sandbox, account, 12, [kind])
        runs.append(outcomes)
        assert set(outcomes) == {"done", error}
        made = len(sandbox.state(account)["objects"]["checkout.session"])
        assert made == (12 if with_effect else outcomes.count("done"))
        client = sandbox.client()
        for n in range(12):  # the same keys again, in calm: what was unknown is found, nothing is made twice
            options = {"stripe_account": account, "idempotency_key": f"{[kind]}-{n}-{account}"}
            if kind == "500_kept" and outcomes[n] != "done":
                with pytest.raises(stripe.APIError):
                    client.v1.checkout.sessions.create(checkout_params(), options)
            else:
                client.v1.checkout.sessions.create(checkout_params(), options)
        made = len(sandbox.state(account)["objects"]["checkout.session"])
        assert made == (outcomes.count("done") if kind == "500_kept" else 12)
    assert runs[0] == runs[1], "the same seed, the same faults"


def test_faults_are_spread_over_the_kinds():
    store = Store()
    with store.transaction() as tx:
        assert faults.draw(tx) is None
        tx.set_setting("faults", {"rate": 0.5, "kinds": list(faults.KINDS), "seed": 1})
        drawn = [faults.draw(tx) for _ in range(200)]
    store.close()
    assert set(drawn) == {None, *faults.KINDS}
    assert 70 < drawn.count(None) < 130


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("webhooks", {"drop": 2}), ("webhooks", {"nonsense": 1}), ("faults", {"rate": 0.1, "kinds": ["nonsense"]}),
        ("faults", {"rate": True}), ("checkout/pay", {"session": "cs_none"}),
        ("checkout/pay", {"card": "4111111111111111"}), ("checkout/expire", {"session": "cs_none"}),
        ("accounts", {"state": "nonsense"}), ("accounts/state", {"account": "acct_none", "state": "active"}),
        ("refunds", {"refund": "re_none", "status": "failed"}), ("refunds", {"status": "nonsense"}),
        ("deliveries/replay", {"id": 9999}),
    ],
)  # fmt: skip
def test_wrong_controls_are_refused_with_a_sentence(sandbox, path, body):
    answer = sandbox.raw("POST", f"/_control/{path}", json=body)
    assert answer.status_code in {400, 404}
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize("path", ["disputes", "payouts"])
def test_what_does_not_exist_yet_says_so(sandbox, path):
    answer = sandbox.raw("POST", f"/_control/{path}", json={})
    assert answer.status_code == 400
    assert "do not exist yet" in answer.json()["error"]["message"]


def test_it_ends_cleanly_and_leaves_nothing_behind():
    with running_sandbox() as sandbox:
        assert sandbox.raw("GET", "/_desk").status_code == 200
        assert sandbox.stop() == 0
        with pytest.raises(requests.ConnectionError):
            sandbox.raw("GET", "/_desk")


@pytest.mark.parametrize(
    ("command", "options"),
    [
        (["koz.sandbox"], ["--webhook", "nonsense"]),
        (["koz.sandbox"], ["--webhook", "connect=https://example.org/"]),
        (["koz.cli", "sandbox"], ["--port", "x"]),
    ],
)
def test_wrong_options_end_it_with_a_sentence(command, options):
    command = [sys.executable, "-m", *command, *options]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert ended.stderr.strip().splitlines()[-1].startswith("koz sandbox: error:")
