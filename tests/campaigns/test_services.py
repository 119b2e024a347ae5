"""From a draft to its end, through the services."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from koz.accounts.models import AuditEntry
from koz.campaigns import queries, services
from koz.campaigns.models import BudgetLine, Campaign, CampaignUpdate, TimelineEntry
from koz.campaigns.services import Ask, Incomplete, Line, NewCampaign, News, StaleVersion, Story
from koz.campaigns.states import CampaignState, Decision, LineKind
from koz.core.clock import today
from koz.core.errors import Conflict, Invalid, NotAllowed, NotFound
from koz.core.money import Money
from koz.core.outbox import OutboxMessage
from tests.factories.campaigns import actor_of, make_campaign, make_draft


def events(session):
    return list(session.scalars(select(OutboxMessage.event).order_by(OutboxMessage.id)))


def campaign_of(session, slug) -> Campaign:
    return queries.get_campaign(session, slug)


def test_a_campaign_goes_from_draft_to_live(session, people, owner, draft, payable):
    services.submit(session, owner, draft)
    staff = people.actor(session, "staff")
    review = services.review(session, staff, draft, Decision.APPROVE)
    services.publish(session, owner, draft)
    campaign = campaign_of(session, draft)
    assert campaign.state is CampaignState.LIVE
    assert campaign.live_at is not None
    assert (campaign.minimum_minor, campaign.optimum_minor) == (1_200_00, 1_700_00)
    assert review.decision is Decision.APPROVE
    assert session.scalar(select(AuditEntry.act)) == "campaign.review"
    assert [e for e in events(session) if e.startswith("Campaign")] == [
        "CampaignSubmitted", "CampaignReviewed", "CampaignWentLive",
    ]  # fmt: skip
    assert [e.kind for e in queries.list_timeline(session, campaign.id)] == ["live"]


def test_each_act_twice_is_once(session, people, owner, draft, payable):
    services.submit(session, owner, draft)
    services.submit(session, owner, draft)
    services.review(session, people.actor(session, "staff"), draft, Decision.APPROVE)
    services.publish(session, owner, draft)
    services.publish(session, owner, draft)
    assert events(session).count("CampaignSubmitted") == 1
    assert events(session).count("CampaignWentLive") == 1


def test_one_title_gives_two_addresses_and_no_reserved_one(session, people, owner):
    new = NewCampaign(organisation_id=people.organisation.id, title="Été à l’école !")
    slugs = [services.create_draft(session, owner, new).slug for _ in range(3)]
    assert slugs == ["ete-a-lecole", "ete-a-lecole-2", "ete-a-lecole-3"]
    titles = ["New", "🙂🙂", "a" * 140]
    made = [services.create_draft(session, owner, NewCampaign(organisation_id=people.organisation.id, title=t)).slug for t in titles]  # fmt: skip
    assert made == ["new-2", "x", "a" * 80]


def test_the_address_stays_when_the_title_changes(session, owner, draft):
    services.save_ask(session, owner, draft, Ask(title="Un tout autre titre"))
    assert campaign_of(session, draft).title == "Un tout autre titre"


def test_saving_over_somebody_elses_version_is_refused(session, owner, draft):
    read = campaign_of(session, draft).version
    services.save_story(session, owner, draft, Story(story_md="De moi."), read)
    with pytest.raises(StaleVersion) as stale:
        services.save_story(session, owner, draft, Story(story_md="De l’autre."), read)
    campaign = campaign_of(session, draft)
    assert campaign.story_md == "De moi."
    assert stale.value.version == campaign.version
    services.save_story(session, owner, draft, Story(story_md="De l’autre."), stale.value.version)


def test_lines_keep_their_id_and_the_sums_follow(session, owner, draft):
    campaign = campaign_of(session, draft)
    study, posters, translation = queries.list_lines(session, campaign.id)
    services.save_budget(
        session, owner, draft,
        [
            Line(id=translation.id, label="Traduction", kind=LineKind.SKILL, hours=20),
            Line(id=study.id, label="Grande étude", minimum_minor=5_00, optimum_minor=9_00),
            Line(id=study.id, label="Copie", minimum_minor=1_00, optimum_minor=1_00),
            Line(id=10**15, label="Autre", minimum_minor=0, optimum_minor=3_00),
        ],
    )  # fmt: skip
    lines = queries.list_lines(session, campaign.id)
    assert [line.label for line in lines] == ["Traduction", "Grande étude", "Copie", "Autre"]
    assert [line.id for line in lines[:2]] == [translation.id, study.id]
    assert posters.id not in {line.id for line in lines}
    assert (campaign.minimum_minor, campaign.optimum_minor) == (6_00, 13_00)


def test_lines_of_another_campaign_are_not_touched(session, people, owner, draft):
    other = make_draft(session, owner, people.organisation.id, "Autre campagne")
    theirs = queries.list_lines(session, campaign_of(session, other).id)[0]
    services.save_budget(session, owner, draft, [Line(id=theirs.id, label="À moi", minimum_minor=1, optimum_minor=1)])
    session.refresh(theirs)
    assert theirs.label == "Étude"
    assert session.scalar(select(func.count()).where(BudgetLine.campaign_id == theirs.campaign_id)) == 3


def test_an_empty_draft_says_all_that_is_missing(session, people, owner):
    new = NewCampaign(organisation_id=people.organisation.id, title="Vide")
    slug = services.create_draft(session, owner, new).slug
    with pytest.raises(Incomplete) as refused:
        services.submit(session, owner, slug)
    assert {m.step for m in refused.value.missing} == {"ask", "story", "budget", "sources", "end"}
    assert all(m.sentence for m in refused.value.missing)
    assert events(session) == []


@pytest.mark.parametrize("days", [-1, 0, 6, 366])
def test_a_deadline_that_came_too_near_is_missing(session, owner, draft, days):
    campaign_of(session, draft).deadline_on = today() + timedelta(days=days)
    session.flush()
    with pytest.raises(Incomplete) as refused:
        services.submit(session, owner, draft)
    assert [m.step for m in refused.value.missing] == ["end"]


def test_only_skills_is_not_enough(session, owner, draft):
    services.save_budget(session, owner, draft, [Line(label="Traduire", kind=LineKind.SKILL, hours=3)])
    with pytest.raises(Incomplete) as refused:
        services.submit(session, owner, draft)
    assert [m.step for m in refused.value.missing] == ["budget"]


@pytest.mark.parametrize("decision", [Decision.CHANGES, Decision.REFUSE])
def test_a_refusal_has_reasons(session, people, owner, draft, decision):
    services.submit(session, owner, draft)
    staff = people.actor(session, "staff")
    with pytest.raises(Invalid):
        services.review(session, staff, draft, decision, "  \n ")
    services.review(session, staff, draft, decision, "La source 2 manque.")
    assert queries.list_reviews(session, campaign_of(session, draft).id)[0].reasons == "La source 2 manque."
    with pytest.raises(Conflict):
        services.review(session, staff, draft, Decision.APPROVE)


def test_staff_of_the_organisation_does_not_review_it(session, people, owner, draft):
    services.submit(session, owner, draft)
    with pytest.raises(NotAllowed):
        services.review(session, people.actor(session, "insider"), draft, Decision.APPROVE)


def test_staff_decides_on_the_version_that_was_read(session, people, owner, draft):
    services.submit(session, owner, draft)
    read = campaign_of(session, draft).version
    services.reopen(session, owner, draft)
    services.save_story(
        session, owner, draft, Story(story_md="Tout autre chose. " * 20, expected_result="R", calendar="C")
    )
    services.submit(session, owner, draft)
    with pytest.raises(StaleVersion):
        services.review(session, people.actor(session, "staff"), draft, Decision.APPROVE, version=read)
    assert campaign_of(session, draft).state is CampaignState.SUBMITTED


def test_without_an_account_to_be_paid_to_nothing_goes_live(session, people, owner, draft):
    services.submit(session, owner, draft)
    services.review(session, people.actor(session, "staff"), draft, Decision.APPROVE)
    with pytest.raises(Conflict, match="paiement"):
        services.publish(session, owner, draft)
    assert campaign_of(session, draft).state is CampaignState.APPROVED


def test_an_approved_campaign_whose_deadline_passed_is_taken_back(session, people, owner, draft, payable):
    services.submit(session, owner, draft)
    services.review(session, people.actor(session, "staff"), draft, Decision.APPROVE)
    campaign = campaign_of(session, draft)
    campaign.deadline_on = today()
    session.flush()
    with pytest.raises(Conflict):
        services.publish(session, owner, draft)
    services.reopen(session, owner, draft)
    assert campaign.state is CampaignState.CHANGES_REQUESTED


EDITS = {
    "ask": lambda s, a, slug: services.save_ask(s, a, slug, Ask(title="T")),
    "story": lambda s, a, slug: services.save_story(s, a, slug, Story(story_md="S")),
    "budget": lambda s, a, slug: services.save_budget(s, a, slug, []),
    "sources": lambda s, a, slug: services.save_sources(s, a, slug, []),
    "end": lambda s, a, slug: services.save_end(s, a, slug, services.End(deadline_on=None)),
}


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("state", CampaignState)
def test_texts_rest_outside_drafting(session, people, owner, state, edit):
    campaign = make_campaign(session, state=state, organisation_id=people.organisation.id)
    if state in {CampaignState.DRAFT, CampaignState.CHANGES_REQUESTED}:
        EDITS[edit](session, owner, campaign.slug)
    else:
        with pytest.raises(Conflict):
            EDITS[edit](session, owner, campaign.slug)


ACTS = {
    "create": lambda s, a, slug, org: services.create_draft(s, a, NewCampaign(organisation_id=org, title="N")),
    "edit": lambda s, a, slug, org: services.save_ask(s, a, slug, Ask(title="T")),
    "submit": lambda s, a, slug, org: services.submit(s, a, slug),
    "cancel": lambda s, a, slug, org: services.cancel(s, a, slug, "Parce que."),
}
MAY = {
    "create": {"owner", "editor", "insider"},
    "edit": {"owner", "editor", "insider"},
    "submit": {"owner", "editor", "insider"},
    "cancel": {"owner"},
}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("name", ["owner", "editor", "treasurer", "moderator", "stranger", "staff", "insider"])
def test_who_may_do_what(session, people, draft, name, act):
    actor = people.actor(session, name)
    if name in MAY[act]:
        ACTS[act](session, actor, draft, people.organisation.id)
    else:
        with pytest.raises((NotFound, NotAllowed)):
            ACTS[act](session, actor, draft, people.organisation.id)


@pytest.mark.parametrize("name", ["owner", "editor", "treasurer", "stranger", "staff", "insider"])
def test_only_owners_publish(session, people, owner, draft, payable, name):
    services.submit(session, owner, draft)
    services.review(session, people.actor(session, "staff"), draft, Decision.APPROVE)
    if name == "owner":
        services.publish(session, people.actor(session, name), draft)
    else:
        with pytest.raises((NotFound, NotAllowed)):
            services.publish(session, people.actor(session, name), draft)


@pytest.mark.parametrize(("past", "collected", "state"), [
    (2, 0, CampaignState.FAILED), (2, 99_99, CampaignState.FAILED),
    (0, 0, CampaignState.LIVE), (-5, 0, CampaignState.LIVE),
])  # fmt: skip
def test_the_end_comes_after_the_last_day_only(session, past, collected, state):
    campaign = make_campaign(session, deadline_on=today() - timedelta(days=past), collected_minor=collected)
    assert services.close_due(session, campaign.id) is (state is CampaignState.FAILED)
    assert campaign.state is state
    assert services.close_due(session, campaign.id) is False
    assert events(session).count("CampaignFailed") == (state is CampaignState.FAILED)


def test_gifts_under_way_at_midnight_have_two_hours(session, time_machine_at):
    campaign = make_campaign(session, deadline_on=today())
    time_machine_at(today() + timedelta(days=1), hour=1)
    assert services.close_due(session, campaign.id) is False
    services.add_contribution(session, campaign.id, Money(100_00))
    time_machine_at(today(), hour=5)
    assert services.close_due(session, campaign.id) is False
    assert campaign.state is CampaignState.FUNDED


def test_giving_up_needs_a_reason_and_an_empty_till(session, people, owner):
    campaign = make_campaign(session, organisation_id=people.organisation.id, collected_minor=1)
    with pytest.raises(Invalid):
        services.cancel(session, owner, campaign.slug, " ")
    with pytest.raises(Conflict):
        services.cancel(session, owner, campaign.slug, "Parce que.")
    campaign.collected_minor = 0
    services.cancel(session, owner, campaign.slug, "Parce que.")
    assert campaign.state is CampaignState.CANCELLED
    with pytest.raises(NotFound):
        queries.get_public_campaign(session, campaign.slug)


def test_funded_campaigns_are_not_given_up(session, people, owner):
    campaign = make_campaign(session, organisation_id=people.organisation.id, state=CampaignState.FUNDED)
    with pytest.raises(Conflict):
        services.cancel(session, owner, campaign.slug, "Parce que.")


def test_news_once_and_only_in_public(session, people, owner, draft):
    with pytest.raises(Conflict):
        services.publish_update(session, owner, draft, News(title="T", body_md="B"))
    campaign = make_campaign(session, organisation_id=people.organisation.id)
    news = News(title="Déjà dix dons", body_md="Merci **beaucoup** <script>alert(1)</script>", nonce="abc")
    first = services.publish_update(session, owner, campaign.slug, news)
    second = services.publish_update(session, owner, campaign.slug, news)
    assert first.id == second.id
    assert "<strong>beaucoup</strong>" in first.body_html
    assert "<script" not in first.body_html
    assert session.scalar(select(func.count()).select_from(CampaignUpdate)) == 1
    assert events(session) == ["UpdatePublished"]
    entry = session.scalars(select(TimelineEntry)).one()
    assert entry.href == f"/campaigns/{campaign.slug}/updates/{first.id}"


@pytest.mark.parametrize(
    "text", ["école ouverte", "ecole", "ÉCOLES", "l’école", "week-end rue", "jardins", '"cours d’école"']
)
def test_the_search_finds_words_of_people(session, owner, draft, text):
    campaign_of(session, draft).state = CampaignState.LIVE
    session.flush()
    assert [c.slug for c in queries.list_public(session, text=text)] == [draft]


@pytest.mark.parametrize("text", ["girafe", "-école", "'", '"', "\\", ":*&|!", "%", "😀"])
def test_the_search_takes_any_text(session, owner, draft, text):
    campaign_of(session, draft).state = CampaignState.LIVE
    session.flush()
    assert queries.list_public(session, text=text) == []


def test_tasks_come_in_order_and_to_those_who_can(session, people, owner):
    states = [CampaignState.DRAFT, CampaignState.APPROVED, CampaignState.CHANGES_REQUESTED, CampaignState.LIVE]
    for state in states:
        make_campaign(session, state=state, organisation_id=people.organisation.id)
    campaigns = queries.list_of_organisations(session, [people.organisation.id])
    sentences = [t.href for t in services.list_tasks(session, owner, campaigns)]
    assert sentences[0].endswith("/edit/check")
    assert len(sentences) == 3
    assert len(services.list_tasks(session, people.actor(session, "editor"), campaigns)) == 2
    assert services.list_tasks(session, people.actor(session, "treasurer"), campaigns) == []
    assert services.list_tasks(session, actor_of(session, people.stranger), campaigns) == []
