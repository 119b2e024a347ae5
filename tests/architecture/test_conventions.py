"""Rules of the house that no tool knows."""

import ast
from pathlib import Path

from koz.core import jobs
from koz.schedule import PERIODIC

ROOT = Path(__file__).parents[2]


def test_every_route_declares_who_may_use_it(app):
    bare = [
        r.endpoint
        for r in app.url_map.iter_rules()
        if r.endpoint != "static" and not hasattr(app.view_functions[r.endpoint], "__koz_access__")
    ]
    assert not bare


def test_visitors_reach_nothing_that_is_not_public(app, client):
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        if rule.endpoint == "static" or view.__koz_access__ not in {"member", "owner", "moderator", "staff"}:
            continue
        address = rule.build(dict.fromkeys(rule.arguments, "1"), append_unknown=False)[1]
        method = "GET" if "GET" in rule.methods else "POST"
        data = {"csrf_token": client.csrf_token()} if method == "POST" else None
        answer = client.open(address, method=method, data=data)
        assert answer.status_code == 303, (rule.endpoint, answer.status_code)
        assert "/login" in answer.location, rule.endpoint


def test_only_unit_of_work_commits():
    guilty = []
    for path in (ROOT / "koz").rglob("*.py"):
        if path.relative_to(ROOT / "koz").parts[0] in {"sandbox"} or path == ROOT / "koz/core/db.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in {"commit", "rollback"}
            ):
                guilty.append(f"{path}:{node.lineno}")
    assert not guilty


def test_periodic_jobs_exist(app):
    assert {name for name, _ in PERIODIC} <= jobs.registered_jobs()
