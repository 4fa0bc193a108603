"""The bodies the list sends: each is one the own desk may send, so that a refusal is about the caller."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from kernel.clock import utc_now
from kernel.ids import new_id
from tests.factories.approvals import shown_to
from tests.factories.doors import Doors

HEADER = "account,symbol,side,ord_type,order_qty,price"


def ticket(doors: Doors) -> dict[str, Any]:
    """A filled order ticket."""
    return {
        "key": str(new_id()),
        "side": "1",
        "symbol": doors.own.listing.symbol,
        "qty": "1,000",
        "price": "72.50",
        "account": doors.own.account.code,
        "ord_type": "2",
        "time_in_force": "0",
    }


def order_body(doors: Doors, **more: str) -> dict[str, Any]:
    """An order for the API."""
    return {
        "account": doors.own.account.code,
        "symbol": doors.own.listing.symbol,
        "side": "buy",
        "ord_type": "limit",
        "order_qty": "1000",
        "price": "72.50",
        **more,
    }


def batch_body(doors: Doors) -> dict[str, Any]:
    """As many rows as the desk has orders."""
    return {"orders": [order_body(doors, client_order_id=f"row-{number}") for number in range(len(doors.orders))]}


def order_file(doors: Doors) -> dict[str, Any]:
    """An upload with as many rows as the desk has orders."""
    line = f"{doors.own.account.code},{doors.own.listing.symbol},buy,limit,10,72.50"
    content = "\n".join([HEADER, *[line] * len(doors.orders)]).encode()
    return {"file": SimpleUploadedFile("orders.csv", content)}


def amended(doors: Doors) -> dict[str, Any]:
    return {"key": str(new_id()), "qty": "900", "price": "72.50"}


def new_rate(doors: Doors) -> dict[str, Any]:
    return {"kind": "session", "amount": "50", "seconds": "1", "burst": "50", "share": "20", "reason": "test"}


def new_policy(doors: Doors) -> dict[str, Any]:
    return {
        "kind": "static_data",
        "checkers": "1",
        "right": "release_order",
        "minutes": "9",
        "claim_s": "60",
        "reason": "test",
    }


def new_limit(doors: Doors) -> dict[str, Any]:
    return {"scope": "firm", "kind": "open_orders", "hard": "100", "owner": "risk", "reason": "test"}


def new_rule(doors: Doors) -> dict[str, Any]:
    """A rule as its form sends it."""
    return {
        "about": "rule", "code": "NO_THIS", "title": "Not this", "scope": "firm", "name": "", "verdict": "refuse",
        "sentence": "This is not traded.", "source": "policy", "reason": "test", "owner": "compliance", "why": "test",
        "fact_1": "market", "op_1": "in", "values_1": "XLON",
    }  # fmt: skip


def new_review(doors: Doors) -> dict[str, Any]:
    """Of the auditors, by whoever may."""
    reviewer = doors.people["compliance"].user_id
    return {
        "scope": "role", "role_name": "auditor", "reason": "test",
        "reviewer": [f"{desk}:{reviewer}" for desk in (doors.own.desk.pk, 0)],
        "deadline": f"{utc_now() + timedelta(days=7):%Y-%m-%dT%H:%M}",
    }  # fmt: skip


def canceled(doors: Doors) -> dict[str, Any]:
    """One order: every order of a cancel is a transaction of its own, on purpose."""
    return {"key": str(new_id()), "refs": doors.order.ref, "reason": "OTHER"}


def approved(doors: Doors) -> dict[str, Any]:
    shown = shown_to(doors.people["compliance"], doors.approvals[0])
    return {"verdict": "approve", "payload_hash": doors.payload_hash, "shown": shown}


def together(doors: Doors) -> dict[str, Any]:
    shown = shown_to(doors.people["compliance"], doors.approvals[0])
    item = f"{doors.approvals[0]}:{doors.payload_hash}:{shown}"
    return {"kind": "order_request", "item": item, "count": "1", "request_id": str(new_id())}


def together_by_api(doors: Doors) -> dict[str, Any]:
    shown = shown_to(doors.people["compliance"], doors.approvals[0])
    item = {"id": str(doors.approvals[0]), "payload_hash": doors.payload_hash, "shown": shown}
    return {"kind": "order_request", "items": [item]}


def asked(doors: Doors) -> dict[str, Any]:
    return {"reason": "Which client called?", "payload_hash": doors.payload_hash}


def liked(doors: Doors) -> dict[str, Any]:
    return {"theme": "dark", "density": "dense", "time_zone": "UTC"}


def wrong_password(doors: Doors) -> dict[str, Any]:
    return {"username": doors.own.dealer.username, "password": "not the password"}
