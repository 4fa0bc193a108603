"""What people are told about exceptions: whom it reaches, how a storm becomes a line, what mail does when servers or we fail."""

from __future__ import annotations

from datetime import timedelta
from smtplib import SMTPServerDisconnected
from typing import Any

import pytest
from django.core import mail

from authorisation.domain.principal import Principal
from authorisation.models import User
from journal.domain.records import ANOMALY_RAISED, Anomaly, EventRecord, Severity
from journal.selectors import list_events_after
from journal.services.append_to_stream import append_to_stream
from journal.services.raise_anomaly import anomaly_draft
from kernel.errors import Invalid
from operations.models import ExceptionItem, Notice
from operations.selectors.frame import count_unseen
from operations.selectors.notices import list_notices
from operations.services import on_anomaly_raised, on_exception_told, send_notice_mail
from operations.services.comment_exception import comment_exception
from operations.services.purge_notices import purge_notices
from operations.services.save_notice_choice import save_notice_choice
from operations.services.see_notices import see_notices
from operations.services.take_exception import take_exception
from operations.services.watch_exceptions import watch_exceptions
from tests.factories import AT, make_desk, make_principal

pytestmark = pytest.mark.django_db
WORK = ("work_exception", "close_exception")
LATER = AT + timedelta(minutes=2)


@pytest.fixture
def ops() -> Principal:
    return make_principal("r.silva", role="operations", rights=WORK, persona="operations")


@pytest.fixture
def other() -> Principal:
    return make_principal("b.ferri", role="operations", rights=WORK, persona="operations")


def told(kind: str) -> list[EventRecord]:
    return [event for event in list_events_after(0, limit=20_000) if event.kind.startswith(kind)]


def listen() -> None:
    """What the relay does with both listeners."""
    on_anomaly_raised.handle(told(ANOMALY_RAISED))
    on_exception_told.handle(told("Exception"))


def raise_many(count: int, kind: str = "FSCK_FAILED", severity: Severity = Severity.HIGH) -> None:
    matters = [Anomaly(kind, severity, "invariant", str(n), "Wrong.", f"{kind}:{n}") for n in range(count)]
    append_to_stream(drafts=[anomaly_draft(anomaly=one, actor="process:test", at=AT) for one in matters], at=AT)


def lines(who: Principal) -> list[tuple[str, int]]:
    return sorted(Notice.objects.filter(user_id=who.user_id).values_list("about", "count"))


def test_a_storm_is_one_line_a_kind_and_minute(ops: Principal, other: Principal) -> None:
    raise_many(300)
    raise_many(5, "SWEEPER_FAILING")
    listen()
    for who in (ops, other):
        assert lines(who) == [("raised", 5), ("raised", 300)]
    said = {one.sentence for one in list_notices(ops)}
    assert "An invariant does not hold: 300 raised for your group" in said
    assert (count_unseen(ops, AT).count, count_unseen(ops, AT).since) == (2, AT)


def test_told_again_it_counts_once(ops: Principal) -> None:
    raise_many(3)
    listen()
    listen()
    assert lines(ops) == [("raised", 3)]


def test_whoever_did_it_and_whoever_may_not_see_it_is_not_told(ops: Principal, other: Principal) -> None:
    world = make_desk()
    raise_many(1)
    listen()
    item = ExceptionItem.objects.get()
    ExceptionItem.objects.filter(pk=item.pk).update(desk=world.desk)
    Notice.objects.all().delete()
    near = make_principal("near", role="operations", rights=WORK, desks=(world.desk,))
    comment_exception(actor=near, at=AT, item_id=item.pk, text=f"@near @b.ferri @{world.dealer.username} look")
    listen()
    assert lines(world.dealer) == [("named", 1)]
    assert (lines(near), lines(other)) == ([("raised", 1)], [("raised", 1)])  # of the raise, before it had a desk


def test_what_is_for_compliance_alone_is_told_to_compliance_alone(ops: Principal) -> None:
    sees = make_principal("c.young", role="compliance", rights=(*WORK, "see_restrictions"), persona="compliance")
    raise_many(1, "WATCH_LIST_HIT")
    listen()
    assert (lines(ops), lines(sees)) == ([], [("raised", 1)])


def test_escalation_reaches_owner_then_group_then_head(ops: Principal, other: Principal) -> None:
    head = make_principal("m.ruiz", role="desk_head", rights=WORK, persona="desk_head")
    raise_many(1)
    listen()
    take_exception(actor=ops, at=AT, item_id=ExceptionItem.objects.get().pk, version=0)
    for minutes, reached in ((30, [1, 0, 0]), (60, [2, 1, 0]), (120, [2, 1, 1])):
        watch_exceptions(at=AT + timedelta(minutes=minutes))
        listen()
        assert [
            Notice.objects.filter(user_id=one.user_id, about="escalated").count() for one in (ops, other, head)
        ] == reached


@pytest.mark.parametrize(
    ("choice", "reached"),
    [
        ({"least": "high"}, True),
        ({"least": "critical"}, False),
        ({"least": "low", "muted": ["FSCK_FAILED"]}, False),
        ({"least": "low", "muted": ["SWEEPER_FAILING"]}, True),
    ],
)
def test_a_person_chooses(ops: Principal, choice: dict[str, Any], reached: bool) -> None:
    save_notice_choice(actor=ops, **{"muted": [], "mail": False, **choice})
    raise_many(1)
    listen()
    assert bool(lines(ops)) is reached


def test_what_is_meant_for_a_person_always_reaches_them(ops: Principal, other: Principal) -> None:
    save_notice_choice(actor=ops, least="critical", muted=["FSCK_FAILED"], mail=False)
    raise_many(1)
    listen()
    comment_exception(actor=other, at=AT, item_id=ExceptionItem.objects.get().pk, text="@r.silva?")
    listen()
    assert lines(ops) == [("named", 1)]


def test_a_choice_is_one_of_those_offered(ops: Principal) -> None:
    for least, muted in (("none", []), ("low", ["NO_SUCH_KIND"])):
        with pytest.raises(Invalid):
            save_notice_choice(actor=ops, mail=False, least=least, muted=muted)


def test_seen_is_what_was_drawn(ops: Principal) -> None:
    raise_many(1)
    listen()
    assert see_notices(actor=ops, at=LATER, drawn_at=AT - timedelta(seconds=1)) == 0
    assert see_notices(actor=ops, at=LATER, drawn_at=AT) == 1
    assert count_unseen(ops, LATER).count == 0
    raise_many(1, "SEALER_BEHIND")
    listen()
    assert count_unseen(ops, LATER).count == 1


def test_old_notices_are_forgotten(ops: Principal) -> None:
    raise_many(1)
    listen()
    assert purge_notices(at=AT + timedelta(days=30)) == 0
    assert purge_notices(at=AT + timedelta(days=30, seconds=1)) == 1


@pytest.fixture
def mailed(ops: Principal, settings: Any) -> Principal:
    """Somebody who wants mail, in a house that has a mail server."""
    settings.MAIL_HOST = "mail.example:25"
    User.objects.filter(pk=ops.user_id).update(email="r.silva@desk.example")
    save_notice_choice(actor=ops, least="low", muted=[], mail=True)
    return ops


def due() -> Any:
    """When the mail about the newest notice may go."""
    return Notice.objects.exclude(mail_due_at=None).latest("mail_due_at").mail_due_at


def test_mail_gathers_and_says_kinds_and_counts_alone(mailed: Principal, other: Principal) -> None:
    raise_many(40)
    raise_many(2, "SWEEPER_FAILING")
    listen()
    at = due()
    assert send_notice_mail.send_notice_mail(at=at - timedelta(seconds=30)) == 0
    send_notice_mail.send_notice_mail(at=at)
    assert {message.to[0] for message in mail.outbox} == {"r.silva@desk.example"}
    text = "".join(str(message.body) for message in mail.outbox)
    assert "An invariant does not hold: 40 raised for your group" in text
    assert "Wrong." not in text
    sent = len(mail.outbox)
    assert send_notice_mail.send_notice_mail(at=at + timedelta(days=1)) == 0
    assert (len(mail.outbox), Notice.objects.exclude(mail_due_at=None).count()) == (sent, 0)


def test_without_a_mail_server_nothing_is_due(ops: Principal, settings: Any) -> None:
    settings.MAIL_HOST = ""
    User.objects.filter(pk=ops.user_id).update(email="r.silva@desk.example")
    save_notice_choice(actor=ops, least="low", muted=[], mail=True)
    raise_many(1)
    listen()
    assert Notice.objects.get().mail_due_at is None
    assert send_notice_mail.send_notice_mail(at=LATER) == 0


def test_who_dies_after_claiming_sends_again_after_the_lease(
    mailed: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    raise_many(1)
    listen()
    at = due()

    def die(*_: Any) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(send_notice_mail, "_send", die)
        with pytest.raises(KeyboardInterrupt):
            send_notice_mail.send_notice_mail(at=at)
    assert send_notice_mail.send_notice_mail(at=at + timedelta(minutes=4)) == 0  # still in the other's hand
    assert send_notice_mail.send_notice_mail(at=at + timedelta(minutes=5)) == 1


def test_a_server_that_is_down_is_tried_six_times_and_an_exception_says_so(
    mailed: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    raise_many(1)
    listen()

    def refuse(*_: Any, **__: Any) -> int:
        raise SMTPServerDisconnected("gone")

    monkeypatch.setattr(mail.EmailMessage, "send", refuse)
    at, tries = due(), 0
    while Notice.objects.get(kind="FSCK_FAILED").mail_due_at is not None:
        send_notice_mail.send_notice_mail(at=at)
        at, tries = at + timedelta(hours=2), tries + 1
    assert tries == 6
    assert [event.payload["kind"] for event in told(ANOMALY_RAISED)] == ["FSCK_FAILED", "MAIL_FAILING"]
