"""Route × role: every address, asked by everybody, answers as its declared access says.

Roles: a visitor; a member of nothing; the owner of another organisation; an editor, treasurer and owner of the
organisation whose things are asked for; a moderator and staff, each before and after the second factor.
"""

from dataclasses import dataclass
from http import HTTPStatus

import pytest

from koz.accounts import services
from koz.accounts.models import UserSession
from koz.core.clock import now
from koz.core.limits import reset_limits
from koz.payments.models import Gift
from tests.factories.accounts import make_member, make_organisation, make_person
from tests.factories.campaigns import make_campaign
from tests.factories.matching import make_mission
from tests.pageclient import PageClient

#: Roles in the order of the docstring.
ROLES = (
    "visitor", "member", "other owner", "editor", "treasurer", "owner",
    "moderator before", "moderator", "staff before", "staff",
)  # fmt: skip
INSIDE = {"editor", "treasurer", "owner"}
OUTSIDE = {"member", "other owner", "moderator", "staff"}
NOT_HERE = {HTTPStatus.NOT_FOUND, HTTPStatus.FORBIDDEN, HTTPStatus.GONE}
#: Routes with the access "owner" whose arguments lead to things the test has made: outsiders get nothing of them.
REAL = (
    "/manage/organisations/<slug>",
    "/manage/campaigns/<slug>",
    "/manage/gifts/<int:gift_id>",
    "/manage/missions/<int:mission_id>",
)
#: Addresses that end the session of whoever asks: asked last.
LAST = ("accounts.logout", "accounts.end_other_sessions", "accounts.erase")


@dataclass
class World:
    """Clients by role, and what stands in the places of addresses."""

    clients: dict[str, PageClient]
    organisation_slug: str
    campaign_slug: str
    ids: dict[str, int]


def make_client(app, session, person, *, second_factor=False):
    client = PageClient(app)
    client.csrf_token()
    if person is not None:
        token = services.open_session(session, person)
        session.flush()
        row = session.query(UserSession).order_by(UserSession.id.desc()).first()
        row.second_factor_at = now() if second_factor else None
        client.client.set_cookie("koz_session", token)
    session.flush()
    return client


@pytest.fixture
def world(app, session):
    organisation = make_organisation(session)
    campaign = make_campaign(session, organisation_id=organisation.id)
    owner = make_member(session, organisation, "owner")
    moderator = make_person(session, is_moderator=True, totp_secret="A" * 32)
    staff = make_person(session, is_staff=True, totp_secret="A" * 32)
    stranger = make_person(session)
    make_organisation(session, owner=stranger)
    people = {
        "visitor": None, "member": make_person(session), "other owner": stranger,
        "editor": make_member(session, organisation, "editor"),
        "treasurer": make_member(session, organisation, "treasurer"), "owner": owner,
        "moderator before": moderator, "moderator": moderator, "staff before": staff, "staff": staff,
    }  # fmt: skip
    clients = {
        role: make_client(app, session, people[role], second_factor=role in {"moderator", "staff"}) for role in ROLES
    }
    gift = Gift(campaign_id=campaign.id, organisation_id=organisation.id, email="g@koz.test", amount_minor=1200)
    session.add(gift)
    session.flush()
    ids = {"person_id": owner.id, "gift_id": gift.id, "mission_id": make_mission(session, {}, campaign=campaign).id}
    return World(clients, organisation.slug, campaign.slug, ids)


def a_value(rule, name):
    """Something that the argument's converter takes: one of its words, or a number."""
    words = getattr(rule._converters[name], "items", None)
    return min(words) if words else "1"


def address_of(rule, world):
    values = {name: a_value(rule, name) for name in rule.arguments}
    if "slug" in values:
        in_organisations = rule.rule.startswith(("/manage/organisations", "/organisations"))
        values["slug"] = world.organisation_slug if in_organisations else world.campaign_slug
    values |= {name: str(n) for name, n in world.ids.items() if name in values}
    if "filename" in values:
        values["filename"] = "favicon.svg"
    return rule.build(values, append_unknown=False)[1]


def ask(client, method, address):
    data = {"csrf_token": client.csrf_token()} if method == "POST" else None
    answer = client.open(address, method=method, data=data)
    return answer.status_code, answer.location or ""


def login_asked(answer):
    return answer[0] == HTTPStatus.SEE_OTHER and answer[1].startswith("/login")


def second_factor_asked(answer):
    return answer[0] == HTTPStatus.SEE_OTHER and answer[1].startswith("/second-factor")


def refused_alike(answer):
    return answer[0] == HTTPStatus.NOT_FOUND


def wrong(level, rule, role, answer, method="GET"):
    """Why an answer is not what the access promises to a role; None when it is.

    A public page may hold acts that need an account: those, and only those, lead to the log-in.
    """
    if answer[0] >= HTTPStatus.INTERNAL_SERVER_ERROR and answer[0] != HTTPStatus.SERVICE_UNAVAILABLE:
        return "breaks"
    if level in {"public", "webhook", "machine"}:
        asks = login_asked(answer) and rule.endpoint not in LAST and (method == "GET" or role != "visitor")
        return "asks for a log-in" if asks else None
    if role == "visitor":
        return None if login_asked(answer) else "lets a visitor in"
    if login_asked(answer) and rule.endpoint not in LAST:
        return "does not know who is logged in"
    if level in {"moderator", "staff"}:
        return wrong_for_desk(level, role, answer)
    real = level == "owner" and rule.rule.startswith(REAL) and role in OUTSIDE
    return "lets an outsider in" if real and answer[0] not in NOT_HERE else None


def wrong_for_desk(level, role, answer):
    may = {"staff", "staff before"} | ({"moderator", "moderator before"} if level == "moderator" else set())
    if role not in may:
        return None if refused_alike(answer) else "lets in who has not the role"
    if role.endswith("before"):
        return None if second_factor_asked(answer) else "opens without a second factor"
    return "asks for a second factor again" if second_factor_asked(answer) else None


def test_every_route_answers_each_role_as_declared(app, session, world):
    rules = sorted(app.url_map.iter_rules(), key=lambda r: (r.endpoint in LAST, r.rule, r.endpoint))
    faults, asked = [], 0
    for rule in rules:
        level = "public" if rule.endpoint == "static" else app.view_functions[rule.endpoint].__koz_access__
        address = address_of(rule, world)
        for method in sorted(rule.methods & {"GET", "POST", "PUT", "PATCH", "DELETE"}):
            reset_limits(app)
            for role in ROLES:
                answer = ask(world.clients[role], method, address)
                asked += 1
                why = wrong(level, rule, role, answer, method)
                if why:
                    faults.append(f"{method} {rule.rule} ({level}) {role}: {why} {answer}")
    assert not faults, "\n".join(faults)
    assert asked >= 10 * len(rules)


def test_the_matrix_can_fail(app, session, world):
    (rule,) = [r for r in app.url_map.iter_rules() if r.endpoint == "accounts.organisation"]
    (desk,) = [r for r in app.url_map.iter_rules() if r.endpoint == "admin.desk"]
    assert wrong("member", rule, "visitor", (200, ""))
    assert wrong("owner", rule, "other owner", (200, ""))
    assert wrong("owner", rule, "other owner", (422, ""))
    assert wrong("staff", desk, "moderator", (200, ""))
    assert wrong("staff", desk, "staff before", (200, ""))
    assert wrong("public", desk, "visitor", (500, ""))
    assert not wrong("staff", desk, "staff", (200, ""))


def test_members_of_the_organisation_do_get_in(world):
    for role in INSIDE:
        assert ask(world.clients[role], "GET", f"/manage/organisations/{world.organisation_slug}")[0] == HTTPStatus.OK
    assert ask(world.clients["staff"], "GET", "/admin/")[0] == HTTPStatus.OK


def test_what_only_owners_may_do_is_refused_to_other_members(world):
    base = f"/manage/organisations/{world.organisation_slug}"
    for rest in ("/edit", f"/members/{world.ids['person_id']}"):
        for role in ("editor", "treasurer"):
            assert ask(world.clients[role], "GET", base + rest)[0] == HTTPStatus.FORBIDDEN
        assert ask(world.clients["owner"], "GET", base + rest)[0] == HTTPStatus.OK
    for rest in ("/invitations", "/invitations/1/revoke", f"/members/{world.ids['person_id']}/remove"):
        for role in ("editor", "treasurer"):
            assert ask(world.clients[role], "POST", base + rest)[0] == HTTPStatus.FORBIDDEN


def test_machines_answer_this_machine_only(app, client):
    elsewhere = {"REMOTE_ADDR": "203.0.113.9"}
    for rule in app.url_map.iter_rules():
        if rule.endpoint != "static" and app.view_functions[rule.endpoint].__koz_access__ == "machine":
            assert client.open(rule.rule, environ_base=elsewhere).status_code == HTTPStatus.FORBIDDEN


def test_webhooks_want_a_signature_and_no_cookie(app, client):
    for rule in app.url_map.iter_rules():
        if rule.endpoint != "static" and app.view_functions[rule.endpoint].__koz_access__ == "webhook":
            address = address_of(rule, World({}, "x", "x", {}))
            answer = client.open(address, method="POST", data=b"{}", content_type="application/json")
            assert answer.status_code == HTTPStatus.BAD_REQUEST, rule.rule
