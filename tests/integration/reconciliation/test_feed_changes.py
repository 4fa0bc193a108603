"""What a feed owes is changed by two people, whole and versioned, with what its last files would have been said before."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from authorisation.domain.principal import Principal
from authorisation.models import AuthorisationRequest
from authorisation.selectors import get_principal
from authorisation.selectors.requests import facts_of
from authorisation.services.decide_request import Decided
from journal.models import Event
from kernel.errors import Conflict, Invalid, NotPermitted
from operations.selectors.break_effects import describe_recon_rules
from reconciliation.models import Feed, FeedFile, FeedVersion
from reconciliation.selectors.rule_changes import feed_of, standing_feed
from reconciliation.services._repairing import Asked
from reconciliation.services.ask_rule_change import ask_rule_change
from reconciliation.services.decide_recon_rules import decide_recon_rules
from tests.factories.authorisation import person
from tests.factories.feeds import FRIDAY, MONDAY, THURSDAY, bring, cash_file, make_calendar, make_feed

pytestmark = pytest.mark.django_db
NOW = datetime.combine(MONDAY, time(12), UTC)


@pytest.fixture
def feed() -> Feed:
    make_calendar()
    return make_feed(watched_from=THURSDAY - timedelta(days=7))


@pytest.fixture
def people() -> tuple[Principal, Principal]:
    one, other = (get_principal(person(name, rights=("work_break", "decide_break"))) for name in ("keeper", "second"))
    return one, other


def ask(who: Principal, *, key: str = "k", code: str = "BANK-CASH", **changes: str) -> Asked:
    terms = standing_feed("BANK-CASH")[1]
    return ask_rule_change(
        actor=who, at=NOW, idempotency_key=key, route="t", rule="feed", said={"code": code, **terms, **changes},
        reason="Agreed with the bank.",
    )  # fmt: skip


def decide(who: Principal, asked: Asked) -> Decided:
    row = AuthorisationRequest.objects.get(pk=str(asked.authorisation_id))
    return decide_recon_rules(
        actor=who,
        at=NOW,
        authorisation_id=row.id,
        verdict="approve",
        reason_code="",
        reason="",
        payload_hash=row.payload_hash,
    )


def effect_of(who: Principal, asked: Asked) -> dict[str, tuple[str, str]]:
    row = AuthorisationRequest.objects.get(pk=str(asked.authorisation_id))
    effect = describe_recon_rules(who, facts_of(row), NOW)
    assert effect.obstacle == ""
    return {line.label: (line.now, line.then) for line in effect.lines}


def on(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), UTC)


def test_terms_are_the_next_version_and_whoever_takes_files_in_reads_them(
    feed: Feed, people: tuple[Principal, Principal]
) -> None:
    one, other = people
    before = standing_feed("BANK-CASH")
    assert (before[0], feed_of("BANK-CASH", before[1]).due) == (0, feed.due)
    asked = ask(one, due="07:15", signature_key="bank.pem", gates="yes")
    row = AuthorisationRequest.objects.get()
    assert (
        "due 07:15, gates yes, signature_key bank.pem instead of due 06:30, gates no, signature_key none" in row.summary
    )
    with pytest.raises(Conflict) as twice:
        ask(one, key="k2", due="08:00")
    assert twice.value.code == "CHANGE_PENDING"
    with pytest.raises(NotPermitted):
        decide(one, asked)
    assert Feed.objects.get().due == time(6, 30), "asked is not agreed"
    assert decide(other, asked).outcome == "applied"
    feed.refresh_from_db()
    assert (feed.due, feed.signature_key, feed.gates, feed.market_id) == (time(7, 15), "bank.pem", True, "XLON")
    version = FeedVersion.objects.get()
    told = Event.objects.get(kind="ReconciliationRuleChanged")
    assert (version.version, version.terms["due"], version.event_id, version.request_id) == (
        1, "07:15", told.id, asked.authorisation_id,
    )  # fmt: skip
    assert (told.payload["before"]["due"], told.payload["value"]["due"]) == ("06:30", "07:15")
    assert bring(feed, cash_file(FRIDAY), at=on(MONDAY, 7)).faults[0].code == "FILE_SIGNATURE"
    with pytest.raises(Conflict) as same:
        ask(one, key="k3")
    assert same.value.code == "RULE_UNCHANGED"
    with pytest.raises(IntegrityError), transaction.atomic():
        FeedVersion.objects.update(version=2)

    stale = ask(one, key="k4", due="09:00")
    Feed.objects.update(due=time(5))  # by whoever has the database
    assert decide(other, stale).outcome == "not_applied", "it was asked on other terms"
    new = ask(one, key="k5", code="BANK-TWO", pattern="*two*", folder="two")
    assert effect_of(other, new)["Refused"] == ("0", "0")
    assert decide(other, new).outcome == "applied"
    assert Feed.objects.get(pk="BANK-TWO").pattern == "*two*"


def test_the_last_files_say_what_other_terms_would_have_done(feed: Feed, people: tuple[Principal, Principal]) -> None:
    one, other = people
    days = [FRIDAY - timedelta(days=n) for n in (4, 3, 2, 1, 0)]
    for number, (about, day) in enumerate(zip(days, [*days[1:], MONDAY], strict=True)):
        sequence = number + 1 if number < 4 else 9
        bring(feed, cash_file(about, sequence=sequence), name=f"cash{number}.csv", at=on(day, 6, 40 if number else 55))
    bring(feed, cash_file(FRIDAY, sequence=9, rows=("A1,GBP,1,2",)), name="cash5.csv", at=on(MONDAY, 7))
    assert FeedFile.objects.exclude(state="refused").count() == 6

    def trial(key: str, **changes: str) -> dict[str, tuple[str, str]]:
        asked = ask(one, key=key, **changes)
        found = effect_of(other, asked)
        AuthorisationRequest.objects.filter(pk=str(asked.authorisation_id)).update(state="withdrawn")
        return found

    assert trial("1", title="Other")["Refused"] == ("0", "0")
    assert trial("2", sequence="refused")["Refused"] == ("0", "2"), "number 9 behind 4, twice"
    assert trial("3", resend="refuse")["Refused"] == ("0", "1")
    assert trial("4", signature_key="bank.pem")["Refused"] == ("0", "6")
    assert trial("5", largest="10")["Refused"] == ("0", "6")
    assert trial("6", pattern="*money*")["Not this feed's"] == ("0", "6")
    assert trial("7", grace_s="60")["Late"] == ("1", "5"), "06:55 is late by both"
    assert trial("8", due="07:30")["Late"] == ("1", "0")
    assert trial("9", lag="0")["Refused"] == ("0", "6"), "another day is owed"
    assert trial("10", watched_from="")["Days without a file"][1] == "0"
    Feed.objects.create(
        code="RIVAL", title="R", kind="positions", source="X", pattern="cash0*", folder="bank", market_id="XLON",
        due=time(6), zone="UTC",
    )  # fmt: skip
    assert trial("11", title="Another")["Not this feed's"] == ("1", "1"), "a name that two feeds have is nobody's"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", "money"), ("source", ""), ("pattern", ""), ("folder", "../x"), ("folder", "Bank"), ("zone", "Mars"),
        ("market", "XXXX"), ("market", ""), ("settlement_calendar", "UK"), ("settlement_calendar", "MARS"),
        ("due", "25:00"), ("due", ""), ("lag", "-1"), ("lag", "11"), ("grace_s", "x"), ("missing_after_s", "10"),
        ("mandatory", "perhaps"), ("signature_key", "../key"), ("sequence", "some"), ("largest", "1.5"),
        ("watched_from", "tomorrow"), ("title", "x" * 81), ("code", "bank cash"),
    ],
)  # fmt: skip
def test_terms_that_cannot_be_agreed_are_named(
    feed: Feed, people: tuple[Principal, Principal], field: str, value: str
) -> None:
    said: dict[str, Any] = {"code": "BANK-CASH", field: value}
    with pytest.raises(Invalid) as told:
        ask(people[0], **said)
    named = {"settlement_calendar": "market"}.get(field, field) if value != "MARS" else field
    assert (told.value.code, named in told.value.fields) == ("RULE_INVALID", True)
    assert AuthorisationRequest.objects.count() == 0
