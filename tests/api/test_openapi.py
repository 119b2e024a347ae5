"""The OpenAPI document is valid, and every real answer (full, empty, wrong) is what it says."""

import json

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from koz.api.openapi import ENDPOINTS, SCHEMAS, document
from koz.core.i18n import in_locale
from tests.api.world import SECRETS, build


def fetch(client, path, status=200, **kwargs):
    response = client.open(path, **kwargs)
    assert response.status_code == status, (path, response.status_code, response.text[:400])
    return response


def must_fit(description, response, schema):
    """Raises with the field that does not fit."""
    Draft202012Validator(schema | {"components": description["components"]}).validate(response.get_json())


def schema_of(description, path, status):
    answer = description["paths"][path]["get"]["responses"][str(status)]
    if "$ref" in answer:
        answer = description["components"]["responses"][answer["$ref"].rsplit("/", 1)[1]]
    ((mime, content),) = answer["content"].items()
    return mime, content["schema"]


@pytest.fixture
def description(client):
    return fetch(client, "/api/v1/openapi.json").get_json()


def test_the_document_is_valid_openapi_and_every_object_is_closed(description):
    validate(description)
    assert description["openapi"].startswith("3.1")
    for name, schema in SCHEMAS.items():
        if name != "Problem":
            assert schema.get("additionalProperties") is False, name
            assert set(schema["required"]) == set(schema["properties"]), name


def test_the_document_tells_every_address_of_the_api_and_no_other(app, description):
    served = {
        str(rule.rule).removeprefix("/api/v1").replace("<slug>", "{slug}")
        for rule in app.url_map.iter_rules()
        if str(rule.rule).startswith("/api/v1/") and "openapi" not in rule.rule
    }
    assert set(description["paths"]) == served


def test_the_document_speaks_english_whoever_asks(app, description):
    with in_locale("fr"):
        assert document()["paths"]["/answers"] == description["paths"]["/answers"]
    assert "register" in description["paths"]["/answers"]["get"]["summary"]


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda e: e.path)
def test_full_answers_are_what_the_document_says(client, session, description, endpoint):
    world = build(session)
    slugs = {"campaigns": world.campaign, "consultations": world.consultation, "organisations": world.organisation}
    kind = endpoint.path.split("/")[1]
    path = endpoint.path.replace("{slug}", slugs[kind].slug) if "{slug}" in endpoint.path else endpoint.path
    response = fetch(client, f"/api/v1{path}")
    mime, schema = schema_of(description, endpoint.path, 200)
    assert response.mimetype == mime
    must_fit(description, response, schema)
    if endpoint.paged:
        assert response.get_json()["items"], "nothing was tried"
    for secret in SECRETS:
        assert secret not in response.text
    assert "@" not in response.text


@pytest.mark.parametrize("endpoint", [e for e in ENDPOINTS if "{slug}" not in e.path], ids=lambda e: e.path)
def test_empty_answers_are_what_the_document_says(client, description, endpoint):
    response = fetch(client, f"/api/v1{endpoint.path}")
    must_fit(description, response, schema_of(description, endpoint.path, 200)[1])
    assert response.get_json() == {"items": [], "next": None}


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda e: e.path)
def test_wrong_asking_gets_a_problem_document(client, session, description, endpoint):
    world = build(session)
    if "{slug}" in endpoint.path:
        response = fetch(client, f"/api/v1{endpoint.path.replace('{slug}', 'nowhere')}", 404)
        mime, schema = schema_of(description, endpoint.path, 404)
        assert response.mimetype == mime
        must_fit(description, response, schema)
    if endpoint.paged:
        slug = (world.campaign if "campaigns" in endpoint.path else world.consultation).slug
        for wrong in ("x", "-1", "1.5", "1_2_3", "9" * 30, "1;DROP", ""):
            response = fetch(client, f"/api/v1{endpoint.path.replace('{slug}', slug)}?after={wrong}", 400)
            mime, schema = schema_of(description, endpoint.path, 400)
            assert response.mimetype == mime
            must_fit(description, response, schema)


def test_the_schemas_can_refuse(description):
    """What keeps the tests above honest: a field more, less or of another type is noticed."""
    good = {"agree": 1, "mixed": 0, "disagree": 2}
    schema = {"$ref": "#/components/schemas/Votes", "components": description["components"]}
    check = Draft202012Validator(schema)
    assert check.is_valid(good)
    for bad in ({**good, "more": 1}, {"agree": 1, "mixed": 0}, {**good, "agree": "1"}, {**good, "agree": -1}):
        assert not check.is_valid(json.loads(json.dumps(bad)))
