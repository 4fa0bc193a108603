"""Rights are given by two administrators: asked, looked at, decided; refused where they would do harm; lent until a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import Group, Permission

from authorisation.domain.principal import Principal, process_principal
from authorisation.domain.right_change import ChangeKind, NewUser, RightChange, from_payload, to_payload
from authorisation.models import AuthorisationRequest, RoleTerm, User
from authorisation.selectors import get_principal, list_people_access
from authorisation.selectors.requests import facts_of
from authorisation.services.add_user import add_user
from authorisation.services.decide_request import Decided
from authorisation.services.decide_user_right import decide_user_right
from authorisation.services.grant_access import grant_access
from authorisation.services.join_role import join_role
from authorisation.services.lapse_roles import lapse_roles
from authorisation.services.leave_role import leave_role
from authorisation.services.request_user_right import request_user_right
from authorisation.services.set_role_rights import set_role_rights
from journal.models import Event
from kernel.errors import Conflict, Invalid, NotPermitted, Refused
from operations.selectors.user_rights import describe_user_right
from tests.factories.authorisation import AT, desk, person, principal

pytestmark = pytest.mark.django_db
LATER = AT + timedelta(minutes=5)


@pytest.fixture(autouse=True)
def house() -> None:
    """Two administrators who could be missed, a checker and two dealers' roles."""
    for name in ("root", "toor", "third"):
        person(name, rights=("administer_users",), desks=())
    for name, right in (("dealer", "enter_order"), ("checker", "release_order"), ("kill", "engage_kill_switch")):
        Group.objects.create(name=name).permissions.set(Permission.objects.filter(codename=right))


def who(name: str) -> Principal:
    return get_principal(User.objects.get(username=name))


def join(username: str, role: str = "dealer", **values: Any) -> RightChange:
    user = User.objects.get(username=username)
    return RightChange(ChangeKind.JOIN_ROLE, "new on the desk", user_id=user.pk, role=role, **values)


def ask(change: RightChange, by: str = "root") -> UUID:
    return request_user_right(actor=who(by), at=AT, change=change).authorisation_id


def decide(request_id: UUID, by: str = "toor", verdict: str = "approve") -> Decided:
    row = AuthorisationRequest.objects.get(pk=request_id)
    return decide_user_right(
        actor=who(by), at=LATER, authorisation_id=request_id, verdict=verdict, reason_code="OTHER", reason="no",
        payload_hash=row.payload_hash,
    )  # fmt: skip


def rights(username: str) -> frozenset[str]:
    return who(username).rights


def test_a_role_is_asked_for_and_given_by_two() -> None:
    person("new", rights=(), desks=())
    request_id = ask(join("new"))
    assert rights("new") == frozenset()
    shown = describe_user_right(who("toor"), facts_of(AuthorisationRequest.objects.get()), AT)
    assert shown.headline == "new joins the role dealer."
    assert [(line.label, line.now, line.then) for line in shown.lines] == [
        ("Rights", "none", "enter_order"),
        ("Pages", "none", "Approvals, Exceptions, Uploads"),
    ]
    assert shown.warnings == ("It holds until it is taken back.",)
    assert decide(request_id).outcome == "applied"
    assert rights("new") == {"enter_order"}
    told = Event.objects.get(kind="RoleJoined", stream__startswith="user:")
    assert (told.actor, told.payload["role"], told.payload["decision"]) == (
        who("toor").actor,
        "dealer",
        str(request_id),
    )
    (seen,) = [one for one in list_people_access(at=LATER) if one.user.username == "new"]
    assert [(role.name, role.given_by, role.since is None) for role in seen.roles][:1] == [("dealer", "toor", False)]


@pytest.mark.parametrize(
    ("by", "code"), [("root", "SELF_APPROVAL"), ("new", "AUTHORISATION_UNKNOWN"), ("gains", "OWN_RIGHTS")]
)
def test_who_may_not_decide(by: str, code: str) -> None:
    person("new", rights=(), desks=())
    gains = person("gains", rights=("administer_users",), desks=())
    change = join("gains", "kill") if by == "gains" else join("new")
    request_id = ask(change)
    before = get_principal(gains).rights, rights("new")
    with pytest.raises(Exception, match=code):
        decide(request_id, by)
    assert (get_principal(gains).rights, rights("new")) == before
    assert AuthorisationRequest.objects.get().state == "pending"


def test_one_administrator_alone_gives_nothing_and_only_administrators_ask() -> None:
    new = person("new", rights=(), desks=())
    role, root, before = Group.objects.get(name="dealer"), who("root"), Event.objects.count()
    alone: list[Callable[[], object]] = [
        lambda: join_role(actor=root, at=AT, user=new, roles=[role]),
        lambda: set_role_rights(actor=root, at=AT, role=role, rights=["release_order"]),
        lambda: grant_access(actor=root, at=AT, group=role, right="view_desk", objects=[desk()]),
        lambda: add_user(actor=root, at=AT, person=NewUser("x")),
    ]
    for attempt in alone:
        with pytest.raises(NotPermitted, match="SECOND_PERSON_NEEDED"):
            attempt()
    with pytest.raises(NotPermitted, match="RIGHT_MISSING"):
        request_user_right(actor=who("new"), at=AT, change=join("new"))
    assert Event.objects.count() == before


def test_a_decision_serves_once_and_for_its_own_moment() -> None:
    new = person("new", rights=(), desks=())
    request_id = ask(join("new"))
    decide(request_id)
    kill = Group.objects.get(name="kill")
    with pytest.raises(NotPermitted, match="SECOND_PERSON_NEEDED"):
        join_role(actor=who("toor"), at=LATER + timedelta(seconds=1), user=new, roles=[kill], decision=request_id)


def test_what_does_not_mix_is_refused_when_asked_and_again_when_decided() -> None:
    both = person("both", rights=(), desks=())
    first, actor = ask(join("both", "dealer")), process_principal("test")
    with pytest.raises(Conflict, match="DECISION_PENDING"):
        ask(join("both", "checker"))
    join_role(actor=actor, at=AT, user=both, roles=[Group.objects.get(name="checker")])
    shown = describe_user_right(who("toor"), facts_of(AuthorisationRequest.objects.get()), AT)
    assert "both would hold enter_order and release_order together." in shown.warnings[0]
    decided = decide(first)
    assert (decided.outcome, "would hold" in decided.sentence) == ("not_applied", True)
    assert rights("both") == {"release_order"}
    with pytest.raises(Refused, match="TOXIC_RIGHTS"):
        ask(join("both", "dealer"))


def test_a_role_that_changed_meanwhile_is_not_set() -> None:
    role = Group.objects.get(name="kill")
    request_id = ask(
        RightChange(ChangeKind.SET_ROLE_RIGHTS, "x", role="kill", rights=("engage_kill_switch", "see_access"))
    )
    set_role_rights(actor=process_principal("test"), at=AT, role=role, rights=["engage_kill_switch", "switch_trading"])
    assert decide(request_id).outcome == "not_applied"
    assert set(role.permissions.values_list("codename", flat=True)) == {"engage_kill_switch", "switch_trading"}


def test_the_last_holder_stays() -> None:
    last = person("last", rights=(), desks=())
    process = process_principal("test")
    kill = Group.objects.get(name="kill")
    join_role(actor=process, at=AT, user=last, roles=[kill])
    leave = RightChange(ChangeKind.LEAVE_ROLE, "x", user_id=last.pk, role="kill")
    with pytest.raises(Refused, match="LAST_HOLDER"):
        ask(leave)
    for attempt in (
        lambda: leave_role(actor=process, at=AT, user=last, roles=[kill]),
        lambda: set_role_rights(actor=process, at=AT, role=kill, rights=[]),
    ):
        with pytest.raises(Refused, match="At least 1 person must hold engage_kill_switch"):
            attempt()
    assert rights("last") == {"engage_kill_switch"}
    join_role(actor=process, at=AT, user=person("next", rights=(), desks=()), roles=[kill])
    leave_role(actor=process, at=AT, user=last, roles=[kill])
    assert rights("last") == frozenset()


def test_two_administrators_stay() -> None:
    process = process_principal("test")
    third, toor = (User.objects.get(username=name) for name in ("third", "toor"))
    leave_role(actor=process, at=AT, user=third, roles=list(third.groups.all()))
    with pytest.raises(Refused, match="At least 2 people must hold administer_users"):
        leave_role(actor=process, at=AT, user=toor, roles=list(toor.groups.all()))


def test_a_lent_role_lapses_at_its_time_and_not_before() -> None:
    person("new", rights=(), desks=())
    until = LATER + timedelta(hours=1)
    decide(ask(join("new", until=until)))
    assert lapse_roles(at=until - timedelta(microseconds=1)) == 0
    assert rights("new") == {"enter_order"}
    assert lapse_roles(at=until) == 1
    assert rights("new") == frozenset()
    assert lapse_roles(at=until) == 0
    assert Event.objects.get(kind="RoleLeft").actor == "process:lapse"
    assert RoleTerm.objects.get().ended_at == until


def test_a_lent_role_of_the_last_holder_stays_and_somebody_is_told() -> None:
    person("new", rights=(), desks=())
    decide(ask(join("new", "kill", until=LATER + timedelta(hours=1))))
    assert lapse_roles(at=LATER + timedelta(hours=2)) == 0
    assert rights("new") == {"engage_kill_switch"}
    assert Event.objects.get(kind="AnomalyRaised").payload["kind"] == "ROLE_NOT_LAPSED"


def test_grants_on_desks_go_through_two_people_and_to_roles() -> None:
    one = person("one", rights=(), desks=())
    one.groups.add(Group.objects.get(name="dealer"))
    change = RightChange(ChangeKind.GRANT_ACCESS, "x", role="dealer", right="trade_desk", objects=(desk("D9").pk,))
    request_id = ask(change)
    shown = describe_user_right(who("toor"), facts_of(AuthorisationRequest.objects.get()), AT)
    assert [(line.label, line.now, line.then) for line in shown.lines[2:]] == [("Trades desks", "none", "D9")]
    assert decide(request_id).outcome == "applied"
    assert who("one").granted("trade_desk") == {desk("D9").pk}
    decide(ask(replace(change, kind=ChangeKind.REVOKE_ACCESS)))
    assert who("one").granted("trade_desk") == frozenset()


def test_a_person_is_added_by_two_and_cannot_sign_in_by_it() -> None:
    change = RightChange(ChangeKind.ADD_USER, "joins", person=NewUser("n.new", "Nia", "New", roles=("dealer", "kill")))
    decide(ask(change))
    user = User.objects.get(username="n.new")
    assert rights("n.new") == {"enter_order", "engage_kill_switch"}
    assert not user.has_usable_password()
    with pytest.raises(Refused, match="TOXIC_RIGHTS"):
        ask(replace(change, person=NewUser("m.new", roles=("dealer", "checker"))))
    assert decide(ask(replace(change, person=NewUser("N.NEW")))).outcome == "not_applied"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (RightChange(ChangeKind.JOIN_ROLE, " ", user_id=1, role="dealer"), "reason"),
        (RightChange(ChangeKind.JOIN_ROLE, "x", role="dealer"), "user"),
        (RightChange(ChangeKind.JOIN_ROLE, "x", user_id=0, role="dealer"), "user"),
        (RightChange(ChangeKind.JOIN_ROLE, "x", user_id=1, role="nothing"), "role"),
        (RightChange(ChangeKind.JOIN_ROLE, "x", user_id=1, role="dealer", until=AT), "until"),
        (RightChange(ChangeKind.SET_ROLE_RIGHTS, "x", role="dealer", rights=("fly",)), "rights"),
        (RightChange(ChangeKind.GRANT_ACCESS, "x", role="dealer", right="enter_order", objects=(1,)), "objects"),
        (RightChange(ChangeKind.GRANT_ACCESS, "x", role="dealer", right="view_desk", objects=(0,)), "objects"),
        (RightChange(ChangeKind.ADD_USER, "x", person=NewUser("a b")), "username"),
        (RightChange(ChangeKind.ADD_USER, "x", person=NewUser("a", service=True)), "responsible"),
        (RightChange(ChangeKind.ADD_USER, "x", person=NewUser("a", roles=("nothing",))), "roles"),
    ],
)
def test_what_cannot_be_asked_for(change: RightChange, field: str) -> None:
    with pytest.raises(Invalid, match="CHANGE_INVALID") as caught:
        ask(change)
    assert field in caught.value.fields
    assert not AuthorisationRequest.objects.exists()


def test_a_change_is_the_same_after_it_was_kept() -> None:
    change = RightChange(
        ChangeKind.JOIN_ROLE, "x", user_id=3, username="u", role="dealer", until=AT, person=NewUser("a", roles=("r",))
    )
    assert from_payload(to_payload(change)) == change
    with pytest.raises(Invalid, match="CHANGE_UNKNOWN"):
        from_payload(to_payload(change) | {"change": "fly"})


def test_a_stranger_sees_no_such_request() -> None:
    request_id = ask(join(person("new", rights=(), desks=()).username))
    stranger = principal("stranger", rights=("release_order",))
    row = AuthorisationRequest.objects.get(pk=request_id)
    with pytest.raises(Exception, match="AUTHORISATION_UNKNOWN"):
        decide_user_right(
            actor=stranger, at=LATER, authorisation_id=request_id, verdict="approve", reason_code="", reason="",
            payload_hash=row.payload_hash,
        )  # fmt: skip
