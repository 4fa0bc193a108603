"""What people do about an exception: each right inside, at the mark, outside; two at once; ways around; what is kept."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from authorisation.domain.principal import Principal
from journal.domain.records import Anomaly, Severity
from journal.selectors import stream_records
from journal.services.raise_anomaly import raise_anomaly
from kernel.errors import Conflict, Invalid, NotFound, NotPermitted, OmsError, Refused
from operations.models import ExceptionItem
from operations.selectors.exceptions import count_exceptions, list_exceptions
from operations.services.act_on_exceptions import act_on_exceptions
from operations.services.assign_exception import assign_exception
from operations.services.await_outside import await_outside
from operations.services.close_exception import close_exception
from operations.services.comment_exception import comment_exception
from operations.services.escalate_exception import escalate_exception
from operations.services.force_close_exception import force_close_exception
from operations.services.hand_back_exception import hand_back_exception
from operations.services.label_exception import label_exception
from operations.services.link_exception import link_exception
from operations.services.on_anomaly_raised import handle
from operations.services.see_exception import see_exception
from operations.services.snooze_exception import snooze_exception
from operations.services.take_exception import take_exception
from operations.services.watch_exceptions import watch_exceptions
from tests.factories import AT, make_desk, make_principal

pytestmark = pytest.mark.django_db
WORK = ("work_exception", "close_exception")


@dataclass(frozen=True)
class People:
    """Two of operations, a head who may force, an auditor who reads."""

    ops: Principal
    other: Principal
    head: Principal
    auditor: Principal


@pytest.fixture
def people() -> People:
    return People(
        make_principal("r.silva", role="operations", rights=WORK, persona="operations"),
        make_principal("b.ferri", role="operations", rights=WORK, persona="operations"),
        make_principal("m.ruiz", role="desk_head", rights=(*WORK, "force_close_exception"), persona="desk_head"),
        make_principal("l.berg", role="auditor", rights=("search_audit",), persona="auditor"),
    )


def matter(kind: str = "FSCK_FAILED", key: str = "k", severity: Severity = Severity.HIGH, **evidence: Any) -> Anomaly:
    return Anomaly(kind, severity, "invariant", "I1", f"{kind} is wrong.", key, evidence)


def raised(kind: str = "FSCK_FAILED", key: str = "k", **more: Any) -> ExceptionItem:
    raise_anomaly(anomaly=matter(kind, key, **more), actor="process:test", at=AT)
    handle(stream_records(f"anomaly:{key}"))
    return ExceptionItem.objects.filter(dedupe_key=key).latest("id")


def kinds_told(item: ExceptionItem) -> list[str]:
    return [event.kind for event in stream_records(f"exception:{item.pk}")]


def fresh(item: ExceptionItem) -> ExceptionItem:
    return ExceptionItem.objects.get(pk=item.pk)


def test_an_item_begins_with_its_deadline_group_and_exposure() -> None:
    item = raised(exposure="46300.00", currency="GBP")
    assert (item.state, item.owner_group, item.clock, str(item.exposure), item.currency) == (
        "unreviewed", "operations", "wall", "46300.00000000", "GBP",
    )  # fmt: skip
    assert item.due_at == AT + timedelta(hours=1)
    assert item.next_at == AT + timedelta(minutes=30)
    assert kinds_told(item) == ["ExceptionOpened"]


def test_one_takes_it_the_other_hands_it_back(people: People) -> None:
    item = raised()
    taken = take_exception(actor=people.ops, at=AT, item_id=item.pk, version=0)
    assign_exception(actor=people.ops, at=AT, item_id=item.pk, version=taken.version, owner="b.ferri", reason="yours")
    item = fresh(item)
    assert (item.state, item.owner_id) == ("unreviewed", people.other.user_id)
    hand_back_exception(actor=people.other, at=AT, item_id=item.pk, version=item.version, reason="I know nothing of it")
    item = fresh(item)
    assert (item.state, item.owner_id) == ("unreviewed", people.ops.user_id)
    assert kinds_told(item) == ["ExceptionOpened", *["ExceptionAssigned"] * 3]


def test_nobody_before_nothing_to_hand_back_to(people: People) -> None:
    item = raised()
    with pytest.raises(Refused, match="do not have it"):
        hand_back_exception(actor=people.ops, at=AT, item_id=item.pk, version=0, reason="not mine")
    assert (fresh(item).version, fresh(item).owner_id) == (0, None)


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"owner": "l.berg"}, "OWNER_UNSUITABLE"),  # reads only
        ({"owner": "nobody"}, "OWNER_UNSUITABLE"),
        ({}, "ASSIGNMENT_INVALID"),
        ({"owner": "b.ferri", "group": "operations"}, "ASSIGNMENT_INVALID"),
        ({"group": "passers-by"}, "ASSIGNMENT_INVALID"),
    ],
)
def test_it_goes_only_to_who_may_see_it_and_work_on_it(people: People, how: dict[str, str], code: str) -> None:
    item = raised()
    with pytest.raises(Invalid) as refused:
        assign_exception(actor=people.ops, at=AT, item_id=item.pk, version=0, **how)
    assert refused.value.code == code
    assert kinds_told(item) == ["ExceptionOpened"]


def test_what_is_for_compliance_alone_goes_to_no_other_group(people: People) -> None:
    item = raised("WATCH_LIST_HIT")
    compliance = make_principal("c.young", role="compliance", rights=(*WORK, "see_restrictions"), persona="compliance")
    with pytest.raises(NotFound):
        take_exception(actor=people.ops, at=AT, item_id=item.pk, version=0)
    for how in ({"group": "operations"}, {"owner": "r.silva"}):
        with pytest.raises(Invalid):
            assign_exception(actor=compliance, at=AT, item_id=item.pk, version=0, **how)
    assert take_exception(actor=compliance, at=AT, item_id=item.pk, version=0).version == 1


def test_two_who_saw_the_same_version_one_is_told(people: People) -> None:
    item = raised()
    take_exception(actor=people.ops, at=AT, item_id=item.pk, version=0)
    with pytest.raises(Conflict) as moved:
        take_exception(actor=people.other, at=AT, item_id=item.pk, version=0)
    assert moved.value.code == "EXCEPTION_MOVED"
    assert fresh(item).owner_id == people.ops.user_id


def test_a_storm_of_raises_holds_up_nobody_who_works(people: People) -> None:
    item = raised()
    raised()
    assert (fresh(item).occurrences, fresh(item).version) == (2, 0)
    assert take_exception(actor=people.ops, at=AT, item_id=item.pk, version=0).version == 1


ACTS: dict[str, Callable[[Principal, ExceptionItem], Any]] = {
    "take": lambda who, item: take_exception(actor=who, at=AT, item_id=item.pk, version=item.version),
    "assign": lambda who, item: assign_exception(
        actor=who, at=AT, item_id=item.pk, version=item.version, owner="b.ferri"
    ),
    "back": lambda who, item: hand_back_exception(
        actor=who, at=AT, item_id=item.pk, version=item.version, reason="no, not"
    ),
    "escalate": lambda who, item: escalate_exception(
        actor=who, at=AT, item_id=item.pk, version=item.version, reason="late"
    ),
    "snooze": lambda who, item: snooze_exception(actor=who, at=AT, item_id=item.pk, version=item.version, until=None),
    "wait": lambda who, item: await_outside(actor=who, at=AT, item_id=item.pk, version=item.version, whom="the broker"),
    "comment": lambda who, item: comment_exception(actor=who, at=AT, item_id=item.pk, text="hm"),
    "label": lambda who, item: label_exception(actor=who, at=AT, item_id=item.pk, version=item.version, add=["x"]),
    "link": lambda who, item: link_exception(
        actor=who, at=AT, item_id=item.pk, version=item.version, kind="break", key="B-1"
    ),
    "close": lambda who, item: close_exception(
        actor=who, at=AT, item_id=item.pk, version=item.version, cause="TEST", text="a test"
    ),
    "force": lambda who, item: force_close_exception(
        actor=who, at=AT, item_id=item.pk, version=item.version, reason="a drill, agreed with risk"
    ),
}


@pytest.mark.parametrize("act", ACTS)
def test_who_only_reads_does_nothing(people: People, act: str) -> None:
    item = raised("EVENT_SET_ASIDE")
    with pytest.raises(NotPermitted):
        ACTS[act](people.auditor, item)
    assert kinds_told(item) == ["ExceptionOpened"]


@pytest.mark.parametrize("act", ACTS)
def test_another_desk_does_not_know_of_it(people: People, act: str) -> None:
    world = make_desk()
    item = raised("EVENT_SET_ASIDE")
    ExceptionItem.objects.filter(pk=item.pk).update(desk=world.desk)
    with pytest.raises((NotFound, NotPermitted)):
        ACTS[act](people.ops, item)
    assert kinds_told(item) == ["ExceptionOpened"]


@pytest.mark.parametrize("act", ACTS)
def test_what_has_ended_stays_ended(people: People, act: str) -> None:
    item = raised("EVENT_SET_ASIDE")
    close_exception(actor=people.ops, at=AT, item_id=item.pk, version=0, cause="OTHER", text="looked at")
    with pytest.raises(Conflict) as ended:
        ACTS[act](people.head, fresh(item))
    assert ended.value.code == "EXCEPTION_ENDED"


def test_a_kind_that_people_settle_is_closed_with_a_cause(people: People) -> None:
    item = raised("EVENT_SET_ASIDE")
    for cause, text in (("", "x" * 9), ("NO_SUCH", "x" * 9), ("OTHER", " a ")):
        with pytest.raises(Invalid):
            close_exception(actor=people.ops, at=AT, item_id=item.pk, version=0, cause=cause, text=text)
    close_exception(actor=people.ops, at=AT, item_id=item.pk, version=0, cause="CORRECTED", text="worked again by hand")
    item = fresh(item)
    assert (item.state, item.cause, item.closing_sentence, item.ended_by_id, item.next_at) == (
        "closed", "CORRECTED", "worked again by hand", people.ops.user_id, None,
    )  # fmt: skip


def test_a_matter_that_stands_is_not_simply_closed(people: People) -> None:
    item = raised("FSCK_FAILED")
    with pytest.raises(Refused) as refused:
        close_exception(actor=people.ops, at=AT, item_id=item.pk, version=0, cause="OTHER", text="looks fine")
    assert refused.value.code == "MATTER_STANDS"
    assert (fresh(item).state, fresh(item).owner_id) == ("unreviewed", None)


def test_what_somebody_else_works_on_is_not_closed_over_their_head(people: People) -> None:
    item = raised("EVENT_SET_ASIDE")
    take_exception(actor=people.ops, at=AT, item_id=item.pk, version=0)
    with pytest.raises(Refused) as refused:
        close_exception(actor=people.other, at=AT, item_id=item.pk, version=1, cause="OTHER", text="looks fine")
    assert refused.value.code == "EXCEPTION_OWNED"


def test_force_needs_another_right_an_owner_and_a_second_person(people: People) -> None:
    item = raised()
    force = ACTS["force"]
    with pytest.raises(NotPermitted):
        force(people.ops, item)
    with pytest.raises(Refused, match="Nobody has worked"):
        force(people.head, item)
    take_exception(actor=people.head, at=AT, item_id=item.pk, version=0)
    with pytest.raises(Refused, match="second person"):
        force(people.head, fresh(item))
    take_exception(actor=people.ops, at=AT, item_id=item.pk, version=1)
    with pytest.raises(Invalid):
        force_close_exception(actor=people.head, at=AT, item_id=item.pk, version=2, reason="too short")
    with pytest.raises(NotPermitted, match="Confirm"):
        force(replace(people.head, must_confirm=True), fresh(item))
    with pytest.raises(NotPermitted, match="program"):
        force(replace(people.head, is_service=True), fresh(item))
    force(people.head, fresh(item))
    assert (fresh(item).state, fresh(item).ended_by_id) == ("force_closed", people.head.user_id)


def test_what_was_ended_by_force_comes_back_with_a_mark(people: People) -> None:
    item = raised()
    take_exception(actor=people.ops, at=AT, item_id=item.pk, version=0)
    ACTS["force"](people.head, fresh(item))
    handle(stream_records("anomaly:k"))
    assert ExceptionItem.objects.count() == 1  # the same event again is nothing new
    again = raised()
    assert (again.pk != item.pk, again.came_back, again.state) == (True, True, "unreviewed")


def test_the_database_knows_the_pairs_and_the_second_person(people: People) -> None:
    item = raised()
    with connection.cursor() as cursor:
        for change in (
            "state = 'snoozed'",  # worked on by nobody
            f"state = 'force_closed', owner_id = {people.ops.user_id}, ended_by_id = {people.ops.user_id}",
            "kind = 'OTHER'",
        ):
            with pytest.raises(IntegrityError), transaction.atomic():
                cursor.execute(f"UPDATE operations_exceptionitem SET {change} WHERE id = %s", [item.pk])
        cursor.execute("UPDATE operations_exceptionitem SET state = 'closed' WHERE id = %s", [item.pk])
        with pytest.raises(IntegrityError), transaction.atomic():
            cursor.execute("UPDATE operations_exceptionitem SET state = 'unreviewed' WHERE id = %s", [item.pk])
        with pytest.raises(IntegrityError), transaction.atomic():
            cursor.execute("DELETE FROM operations_exceptionitem")


@pytest.mark.parametrize(("minutes", "taken"), [(59, True), (60, True), (61, False), (0, False), (-1, False)])
def test_a_snooze_ends_at_the_deadline_at_the_latest(people: People, minutes: int, taken: bool) -> None:
    item = raised()  # due an hour after AT
    until = AT + timedelta(minutes=minutes)
    with nullcontext() if taken else pytest.raises(Invalid):
        snooze_exception(actor=people.ops, at=AT, item_id=item.pk, version=0, until=until)
    assert (fresh(item).state, fresh(item).snoozed_until) == (("snoozed", until) if taken else ("unreviewed", None))


def test_what_is_past_its_deadline_is_not_put_aside(people: People) -> None:
    item = raised()
    with pytest.raises(Refused) as refused:
        snooze_exception(actor=people.ops, at=AT + timedelta(hours=1), item_id=item.pk, version=0, until=None)
    assert refused.value.code == "SNOOZE_PAST_DUE"


def test_a_snooze_ends_by_itself_and_a_worse_severity_wakes(people: People) -> None:
    item, other = raised(), raised(key="other")
    for one in (item, other):
        until = AT + timedelta(minutes=10)
        snooze_exception(actor=people.ops, at=AT, item_id=one.pk, version=0, until=until)
    raised(key="other", severity=Severity.CRITICAL)
    assert (fresh(other).state, fresh(other).severity, fresh(other).due_at) == (
        "under_review", "critical", AT + timedelta(minutes=15),
    )  # fmt: skip
    assert watch_exceptions(at=AT + timedelta(minutes=9, seconds=59)) == 1  # the other one is at half its time
    assert watch_exceptions(at=AT + timedelta(minutes=10)) == 1
    assert (fresh(item).state, fresh(item).snoozed_until) == ("under_review", None)


def test_time_escalates_once_a_level_and_never_again(people: People) -> None:
    item = raised()
    seen = []
    for minutes in (29, 30, 31, 60, 61, 120, 500):
        watch_exceptions(at=AT + timedelta(minutes=minutes))
        seen.append((fresh(item).level, fresh(item).shown))
    assert seen == [(0, "high"), *[(1, "high")] * 2, *[(2, "critical")] * 2, *[(3, "critical")] * 2]
    assert fresh(item).next_at is None
    assert kinds_told(item).count("ExceptionEscalated") == 3


def test_a_person_escalates_to_the_head_at_most(people: People) -> None:
    item = raised()
    for version in (0, 1):
        escalate_exception(actor=people.ops, at=AT, item_id=item.pk, version=version, reason="nobody answers")
    assert fresh(item).level == 3
    with pytest.raises(Refused) as refused:
        escalate_exception(actor=people.ops, at=AT, item_id=item.pk, version=2, reason="nobody answers")
    assert refused.value.code == "ESCALATED_ALREADY"


def test_who_is_named_is_told_unless_they_may_not_see_it(people: People) -> None:
    world = make_desk()
    item = raised()
    ExceptionItem.objects.filter(pk=item.pk).update(desk=world.desk)
    make_principal("far.away", role="operations", rights=WORK)
    said = comment_exception(
        actor=world.dealer, at=AT, item_id=item.pk, text="@checker-EQ1 and @far.away, and me@checker-eq1.example: look."
    )
    assert said.sentence == "Said. Not told, as they may not see it: far.away."
    told = stream_records(f"exception:{item.pk}")[-1].payload
    assert (told["named"], told["not_told"]) == (["checker-eq1"], ["far.away"])
    assert fresh(item).version == 0


def test_labels_and_links(people: People) -> None:
    item, other = raised(), raised(key="other")
    label_exception(actor=people.ops, at=AT, item_id=item.pk, version=0, add=["Broker-A", "night"])
    label_exception(actor=people.ops, at=AT, item_id=item.pk, version=1, add=["month-end"], drop=["night"])
    assert fresh(item).labels == ["broker-a", "month-end"]
    for label in ("two words", "x" * 25, "<b>"):
        with pytest.raises(Invalid):
            label_exception(actor=people.ops, at=AT, item_id=item.pk, version=2, add=[label])
    link_exception(actor=people.ops, at=AT, item_id=item.pk, version=2, kind="exception", key=str(other.pk))
    assert fresh(item).links == [{"kind": "exception", "key": str(other.pk)}]
    for kind, key in (("order", "O-1"), ("exception", "x"), ("approval", str(item.pk)), ("door", "1"), ("break", "")):
        with pytest.raises(Invalid):
            link_exception(actor=people.ops, at=AT, item_id=item.pk, version=3, kind=kind, key=key)


def test_two_people_have_seen_it(people: People) -> None:
    item = raised()
    assert see_exception(actor=people.ops, at=AT, item=item)
    assert not see_exception(actor=people.ops, at=AT, item=fresh(item))
    assert fresh(item).needs_second_look
    assert not see_exception(actor=replace(people.other, is_service=True), at=AT, item=fresh(item))
    assert see_exception(actor=people.auditor, at=AT, item=fresh(item))
    assert not see_exception(actor=people.other, at=AT, item=fresh(item))
    assert (fresh(item).seen_by_id, fresh(item).seen_again_by_id) == (people.ops.user_id, people.auditor.user_id)


def test_several_together_each_with_its_outcome(people: People) -> None:
    items = [raised("EVENT_SET_ASIDE", f"k{n}") for n in range(3)]
    take_exception(actor=people.other, at=AT, item_id=items[1].pk, version=0)
    outcomes = act_on_exceptions(
        actor=people.ops, at=AT, act="close", items=[(item.pk, 0) for item in items], typed=None,
        terms={"cause": "DUPLICATE", "text": "the same cause"},
    )  # fmt: skip
    assert [one.code for one in outcomes] == ["", "EXCEPTION_MOVED", ""]
    assert [fresh(item).state for item in items] == ["closed", "under_review", "closed"]


@pytest.mark.parametrize(
    ("count", "typed", "done"), [(10, None, True), (11, None, False), (11, 10, False), (11, 11, True)]
)
def test_more_than_ten_want_their_count_typed(people: People, count: int, typed: int | None, done: bool) -> None:
    items = [raised(key=f"k{n}") for n in range(count)]
    named = [(item.pk, 0) for item in items]
    with nullcontext() if done else pytest.raises(Invalid, match="Type 11"):
        act_on_exceptions(actor=people.ops, at=AT, act="take", items=named, typed=typed, terms={})
    assert ExceptionItem.objects.filter(owner_id=people.ops.user_id).count() == (count if done else 0)


def test_the_same_item_twice_is_no_several(people: People) -> None:
    item = raised()
    with pytest.raises(Invalid):
        act_on_exceptions(actor=people.ops, at=AT, act="take", items=[(item.pk, 0), (item.pk, 0)], typed=None, terms={})


def test_views_by_harm_in_pages_by_key(people: People) -> None:
    for number, severity in enumerate([Severity.LOW, Severity.CRITICAL, Severity.MEDIUM, Severity.HIGH]):
        raised(key=f"k{number}", severity=severity)
    take_exception(actor=people.ops, at=AT, item_id=ExceptionItem.objects.get(dedupe_key="k0").pk, version=0)
    first = list_exceptions(actor=people.ops, view="all", limit=3)
    rest = list_exceptions(actor=people.ops, view="all", limit=3, after=first.more)
    assert [item.severity for item in first.items + rest.items] == ["critical", "high", "medium", "low"]
    assert (rest.more, [item.dedupe_key for item in list_exceptions(actor=people.ops, view="mine").items]) == (
        "",
        ["k0"],
    )
    counted = count_exceptions(actor=people.ops, view="unassigned")
    assert counted.views == {"all": 4, "mine": 1, "unassigned": 3, "snoozed": 0}
    assert counted.kinds == [("FSCK_FAILED", "An invariant does not hold", 3)]
    for wrong in ("x", "1~x", "NaN~", "~"):
        with pytest.raises(OmsError):
            list_exceptions(actor=people.ops, view="all", after=wrong)


def test_a_kind_nobody_described_is_still_an_item() -> None:
    item = raised("NEVER_HEARD_OF")
    assert (item.about.title, item.owner_group, item.due_at) == (
        "Something nobody described yet", "operations", AT + timedelta(hours=1),
    )  # fmt: skip
