"""What a gateway claims: what removes risk first, in order, and a batch costs the same however much waits behind it."""

from __future__ import annotations

import re

import pytest
from django.db import connection

from kernel.ids import new_id
from venues.locks import _CLAIM, _WAITING_NEWS, claim_intents
from venues.models import WireIntent

pytestmark = pytest.mark.django_db
SENT, WAITING = 8_000, 1_000
_FILL = """
INSERT INTO venues_wireintent (session_group, kind, order_id, request_id, account_id, cl_ord_id, orig_cl_ord_id, payload,
       adds_risk, state, reason, not_after, correlation_id, created_at)
SELECT g.name, CASE WHEN n %% 2 = 0 THEN 'new' ELSE 'cancel' END, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(),
       g.name || n, '', '{}', n %% 2 = 0, %s, '', now(), gen_random_uuid(), now()
  FROM generate_series(%s::int, %s::int) AS n CROSS JOIN (VALUES ('G1'), ('G2')) AS g(name)
"""


@pytest.fixture
def waiting() -> None:
    with connection.cursor() as cursor:
        cursor.execute(_FILL, ["handed_over", -SENT, -1])
        cursor.execute(_FILL, ["waiting", 1, WAITING])
        cursor.execute("ANALYZE venues_wireintent")


def names(*, limit: int, risk_limit: int) -> list[str]:
    return [one.cl_ord_id for one in claim_intents(group="G2", limit=limit, risk_limit=risk_limit)]


def test_what_removes_risk_goes_first_and_each_kind_in_its_order(waiting: None) -> None:
    WireIntent.objects.filter(session_group="G2", adds_risk=False).exclude(cl_ord_id__in=["G21", "G25"]).delete()
    assert names(limit=4, risk_limit=4) == ["G21", "G25", "G22", "G24"]
    assert names(limit=4, risk_limit=1) == ["G21", "G25", "G22"]
    assert names(limit=4, risk_limit=0) == ["G21", "G25"]
    assert names(limit=1, risk_limit=1) == ["G21"]
    assert names(limit=0, risk_limit=0) == []


@pytest.mark.parametrize(
    ("sql", "values", "index"),
    [
        (_CLAIM, ["G2", False, 64], "venues_intent_next"),
        (_CLAIM, ["G2", True, 64], "venues_intent_next"),
        (_WAITING_NEWS, ["{" + ",".join(str(new_id()) for _ in range(64)) + "}"], "venues_intent_unsent"),
    ],
)
def test_what_waits_behind_a_batch_is_neither_sorted_nor_read(
    waiting: None, sql: str, values: list[str | int], index: str
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) " + sql, values)
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert index in plan, plan
    assert "Seq Scan" not in plan, plan
    read = max(float(rows) for rows in re.findall(r"rows=([0-9.]+)", plan))
    assert read <= 64, plan
