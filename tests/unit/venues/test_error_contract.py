"""Every code a venue can refuse with has its rule, and complaints hold new orders back by a stated policy."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from venues.domain.error_contract import CONTRACT, BackOff, Class, Deed, Source, refusal_in, rule_for
from venues.domain.fix_dictionary import CODE_MEANINGS

AT = datetime(2026, 11, 20, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("tag", "source"),
    [(103, Source.ORDER), (102, Source.REQUEST), (373, Source.SESSION), (380, Source.BUSINESS)],
)
def test_every_code_of_the_dictionary_has_a_rule_and_others_a_grave_one(tag: int, source: Source) -> None:
    codes = {rule.code for rule in CONTRACT if rule.source is source}
    assert set(CODE_MEANINGS[tag]) - codes == set()
    unheard_of = next(rule for rule in CONTRACT if (rule.source, rule.code) == (source, "*"))
    assert (unheard_of.deed, unheard_of.repeatable) == (Deed.TELL, False)
    assert unheard_of.severity is not None


def test_no_code_has_two_rules_and_each_says_a_sentence() -> None:
    assert len({(rule.source, rule.code) for rule in CONTRACT}) == len(CONTRACT)
    assert [rule for rule in CONTRACT if not rule.sentence.endswith(".")] == []


def test_what_a_person_must_act_on_is_told_and_a_defect_of_ours_is_never_repeated() -> None:
    assert [r.code for r in CONTRACT if r.deed in (Deed.TELL, Deed.STOP_SESSION) and r.severity is None] == []
    assert [r.code for r in CONTRACT if r.kind is Class.OUR_DEFECT and r.repeatable] == []
    assert [r.code for r in CONTRACT if r.kind is Class.THROTTLED and r.deed is not Deed.BACK_OFF] == []


@pytest.mark.parametrize(
    ("msg_type", "code", "text", "kind"),
    [
        ("8", "6", "", Class.DUPLICATE),
        ("9", "0", "", Class.TOO_LATE),
        ("3", "1", "", Class.OUR_DEFECT),
        ("j", "8", "", Class.THROTTLED),
        ("8", "99", "Too many messages in this second", Class.THROTTLED),
        ("j", "0", "Message rate exceeded", Class.THROTTLED),
        ("9", "", "", Class.VENUE_STATE),
        ("8", "4711", "", Class.VENUE_STATE),
    ],
)
def test_the_rule_of_a_refusal(msg_type: str, code: str, text: str, kind: Class) -> None:
    assert rule_for(msg_type, code, text).kind is kind


def test_what_refuses_nothing_has_no_rule() -> None:
    assert refusal_in("8", {150: "0", 39: "0"}) is None
    assert refusal_in("8", {150: "I", 39: "8", 103: "5"}) is None
    assert refusal_in("0", {}) is None
    with pytest.raises(KeyError):
        rule_for("0", "1")


def test_complaints_double_the_pause_up_to_a_cap_and_a_calm_minute_forgets_them() -> None:
    policy, at, pauses = BackOff(), AT, []
    for _ in range(7):
        policy = policy.after_complaint(at)
        pauses.append(policy.pause.total_seconds())
        assert policy.until is not None
        assert policy.holds(policy.until - timedelta(microseconds=1))
        assert not policy.holds(policy.until)
        at = policy.until
    assert pauses == [1, 2, 4, 8, 16, 30, 30]
    assert policy.after_complaint(at + timedelta(seconds=59)).pause == timedelta(seconds=30)
    assert policy.after_complaint(at + timedelta(seconds=60)).pause == timedelta(seconds=1)


def test_complaints_about_what_was_sent_before_the_pause_change_nothing() -> None:
    policy = BackOff().after_complaint(AT)
    assert policy.after_complaint(AT + timedelta(milliseconds=900)) == policy
