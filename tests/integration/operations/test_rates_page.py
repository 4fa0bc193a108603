"""The page of rates: what it shows to whom, and its form, from what people type to the question a second person sees."""

from __future__ import annotations

from datetime import timedelta

import pytest

from authorisation.domain.principal import process_principal
from authorisation.models import AuthorisationRequest
from authorisation.selectors.requests import facts_of
from kernel.errors import Invalid, NotFound
from operations.selectors.rates import (
    describe_rate_change,
    list_breakers,
    list_session_rates,
    list_source_rates,
    subject_name,
)
from operations.views.rates import read_mark
from risk.domain.rates import RateKind
from risk.services.request_rate_change import request_rate_change
from risk.services.trip_breaker import trip_breaker
from tests.factories import AT
from tests.factories.rates import slow_mark
from tests.factories.trading import SESSION, Desk
from tests.integration.risk.test_kill_switch import ASK, DECIDE, person
from venues.models import FixSession

pytestmark = pytest.mark.django_db
TYPED = {
    "kind": "session",
    "subject": f"session:{SESSION}",
    "amount": "1,000",
    "seconds": "1",
    "burst": "50",
    "share": "20",
}


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_session_shows_what_it_used_what_waits_and_its_minutes(desk: Desk) -> None:
    slow_mark(RateKind.SESSION, burst=2)
    for _ in range(3):
        desk.buy()
    desk.send(at=AT)
    FixSession.objects.filter(name=SESSION).update(held_until=AT + timedelta(minutes=2))
    line = next(one for one in list_session_rates(at=AT + timedelta(seconds=90)) if one.name == SESSION)
    assert (line.used, line.bucket.mark.words, line.waiting) == (2, "1 in 1,000 s, 2 at once", 1)
    assert line.minutes == (0,) * 13 + (2, 0)
    assert [(bar.x, bar.y, bar.height) for bar in line.bars][-2:] == [(91, 0, 20), (98, 20, 0)]
    assert line.held_until == AT + timedelta(minutes=2)


def test_sources_show_to_risk_those_of_all_and_to_others_their_own(desk: Desk) -> None:
    for _ in range(2):
        desk.buy()
    everybody = list_source_rates(at=AT)
    assert [(line.name, sum(line.minutes)) for line in everybody] == [(desk.world.dealer.username, 2)]
    assert list_source_rates(at=AT, only="user:0") == []
    assert len(list_source_rates(at=AT, only=desk.world.dealer.actor)) == 1


def test_breakers_stand_worst_first_and_those_that_never_opened_are_there_too(desk: Desk) -> None:
    trip_breaker(
        kind="rejects", subject=f"session:{SESSION}", scopes=[("venue", "XLON")], cause="A storm.",
        pause=timedelta(seconds=30), at=AT,
    )  # fmt: skip
    lines = list_breakers(at=AT)
    first = lines[0]
    assert (first.words, first.family, first.next_step) == ("open", "refused", "asks the venue then")
    assert {line.breaker.kind for line in lines} == {"errors", "rejects", "inconsistent", "latency"}
    assert {line.words for line in lines[1:]} == {"closed"}


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"amount": "many"}, "amount"),
        ({"seconds": "-1"}, "seconds"),
        ({"kind": "x"}, "kind"),
        ({"burst": "1.5"}, "burst"),
    ],
)
def test_what_is_no_number_is_named_by_its_field(typed: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        read_mark(process_principal("test"), TYPED | typed)
    assert list(caught.value.fields) == [field]


def test_a_user_or_account_is_named_as_people_name_it(desk: Desk) -> None:
    dealer, account = desk.world.dealer, desk.world.account
    user = read_mark(desk.world.checker, TYPED | {"kind": "user", "subject": dealer.username.upper()})
    assert (user.subject, subject_name(user.subject)) == (dealer.actor, dealer.username)
    owned = read_mark(desk.world.checker, TYPED | {"kind": "account", "subject": account.code})
    assert (owned.subject, subject_name(owned.subject)) == (f"account:{account.pk}", f"account {account.code}")
    assert read_mark(desk.world.checker, TYPED | {"subject": SESSION}).subject == f"session:{SESSION}"
    with pytest.raises(NotFound):
        read_mark(desk.world.checker, TYPED | {"kind": "user", "subject": "nobody"})


def test_the_checker_sees_the_mark_of_now_and_what_is_used_of_it(desk: Desk) -> None:
    slow_mark(RateKind.SESSION, burst=4)
    desk.buy()
    desk.send(at=AT)
    asker, checker = person("asks", desk.world, ASK), person("decides", desk.world, DECIDE)
    asked = request_rate_change(actor=asker, at=AT, mark=read_mark(asker, TYPED), reason="The venue allows more")
    facts = facts_of(AuthorisationRequest.objects.get(pk=asked.authorisation_id))
    effect = describe_rate_change(checker, facts, AT)
    assert effect.button == "1,000 a second, 50 at once"
    assert (effect.lines[0].now, effect.lines[0].then) == ("1 in 1,000 s, 4 at once", "1,000 a second, 50 at once")
    assert (effect.lines[3].now, effect.lines[3].then) == ("1 of 4", "1 of 50")
    assert AuthorisationRequest.objects.get().summary.startswith("Rate of session session:")
