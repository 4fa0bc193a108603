"""Our own state of a request has one table: what the model declares and what the database allows are that table."""

from __future__ import annotations

import re

import pytest
from django.db import connection

from orders.domain.transitions import REQUEST_MOVES
from orders.models import OrderRequest

TABLE = {(move.source, move.target) for move in REQUEST_MOVES}


def test_the_model_declares_the_table() -> None:
    field = OrderRequest._meta.get_field("state")
    declared = {
        (str(transition.source), str(transition.target))
        for transition in field.get_all_transitions(OrderRequest)  # type: ignore[union-attr]
    }
    assert declared == TABLE


@pytest.mark.django_db
def test_the_trigger_allows_the_table() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = 'orders_guard_request_state'")
        source = cursor.fetchone()[0]
    assert set(re.findall(r"'([a-z_]+):([a-z_]+)'", source)) == TABLE
