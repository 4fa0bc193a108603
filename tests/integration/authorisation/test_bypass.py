"""Self-approval by every other way: the API, an administrator, a service in a shell, and SQL as the role our processes have."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import DatabaseError, connection, transaction

from authorisation.models import AuthorisationRequest, Decision, User
from authorisation.services.raise_request import RaisedRequest
from authorisation.services.record_decision import record_decision
from kernel.errors import NotPermitted
from kernel.ids import new_id
from tests.factories.authorisation import AT, principal
from tests.integration.authorisation.test_requests import CHECKER, ask, state

pytestmark = pytest.mark.django_db
ROLE = "checkers_app"


@contextmanager
def as_application() -> Iterator[None]:
    """A role with the grants of ``oms_app`` on these tables and none of the owner's rights; its work is rolled back."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {ROLE}")
        cursor.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {ROLE}")
        appends = "authorisation_decision, authorisation_requestversion, authorisation_approvalpolicy"
        cursor.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {appends} FROM {ROLE}")
        cursor.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {ROLE}")
        cursor.execute(f"SET LOCAL ROLE {ROLE}")
        try:
            yield
        finally:
            cursor.execute("RESET ROLE")
            cursor.execute(f"DROP OWNED BY {ROLE}; DROP ROLE {ROLE}")


SAY = """INSERT INTO authorisation_decision (id, request_id, version, maker_id, maker_person_id, checker_id, checker_person_id,
    on_behalf_of, verdict, reason_code, reason, payload_hash, decided_at)
    SELECT '{id}', r.id, r.version, {other}, {other}, r.maker_id, {other}, '', 'approve', 'X', '', r.payload_hash, r.created_at
      FROM authorisation_authorisationrequest r"""
STATEMENTS = [
    ("UPDATE authorisation_authorisationrequest SET state = 'approved'", "the word of 1 people"),
    (SAY, "authorisation_checker"),  # whatever people it names, the trigger knows better
    ("UPDATE authorisation_authorisationrequest SET maker_id = {other}", "keeps what was asked"),
    ("UPDATE authorisation_authorisationrequest SET maker_person_id = {other}", "keeps what was asked"),
    ("UPDATE authorisation_authorisationrequest SET checkers = 0", "checker|keeps"),
    ("DELETE FROM authorisation_authorisationrequest", "evidence"),
    ("UPDATE authorisation_decision SET verdict = 'approve'", "permission denied"),
    ("DELETE FROM authorisation_decision", "permission denied"),
    ("ALTER TABLE authorisation_decision DISABLE TRIGGER ALL", "must be owner"),
    ("ALTER TABLE authorisation_decision DROP CONSTRAINT authorisation_checker_is_not_maker", "must be owner"),
    ("SET session_replication_role = 'replica'", "permission denied"),
    ("UPDATE authorisation_approvalpolicy SET checkers = 1", "permission denied"),
    (
        """INSERT INTO authorisation_approvalpolicy (kind, above, currency, version, checkers, "right", patience_s, claim_s,
        stops_clock, ended, effective_from)
        VALUES ('order_request', NULL, '', 99, 1, 'enter_order', 600, 60, false, false, now())""",
        "approved request only",
    ),
]


@pytest.mark.parametrize(("sql", "match"), STATEMENTS)
def test_sql_as_the_application_does_not_approve_alone(sql: str, match: str) -> None:
    other = principal("other", **CHECKER)
    ask(principal("maker", **CHECKER))
    before = state()
    statement = sql.format(id=new_id(), other=other.user_id)
    with (
        as_application(),
        pytest.raises(DatabaseError, match=match),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert state() == before


def test_the_role_may_do_its_work() -> None:
    """So that the refusals above are those of the guards and not of a role that may do nothing."""
    raised, other = ask(principal("maker")), principal("other", **CHECKER)
    with as_application(), transaction.atomic():
        said = record_decision(
            actor=other, at=AT, authorisation_id=raised.id, verdict="approve", reason_code="X", reason="",
            payload_hash=raised.payload_hash,
        )  # fmt: skip
        assert said.state == "approved"
        transaction.set_rollback(True)


def in_a_shell(raised: RaisedRequest, user: User) -> None:
    """What somebody with a prompt would try: the models, past every service."""
    row = AuthorisationRequest.objects.get(pk=raised.id)
    row.approve()
    row.save()


def decide_by_hand(raised: RaisedRequest, user: User) -> None:
    Decision.objects.create(
        id=new_id(), request_id=raised.id, maker=user, checker=user, verdict="approve", payload_hash=raised.payload_hash,
        decided_at=AT,
    )  # fmt: skip


@pytest.mark.parametrize("attempt", [in_a_shell, decide_by_hand])
def test_a_shell_does_not_approve_alone(attempt: object) -> None:
    maker = principal("maker", **CHECKER)
    raised, user = ask(maker), User.objects.get(username="maker")
    before = state()
    with pytest.raises(DatabaseError), transaction.atomic():
        attempt(raised, user)  # type: ignore[operator]
    assert state() == before


def test_neither_a_superuser_nor_an_administrator_is_an_exception() -> None:
    with pytest.raises(DatabaseError, match="no_rights_by_flag"), transaction.atomic():
        principal("mighty", is_superuser=True, is_staff=True)
    maker = principal("maker", rights=("administer_users",))
    raised = ask(maker, kind="user_right")
    before = state()
    with pytest.raises(NotPermitted) as refused:
        record_decision(
            actor=maker, at=AT, authorisation_id=raised.id, verdict="approve", reason_code="X", reason="",
            payload_hash=raised.payload_hash,
        )  # fmt: skip
    assert refused.value.code == "SELF_APPROVAL"
    assert state() == before
