"""Breaks as a run would have found them, with both raw records, about orders of a desk that trades over the wire."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from io import BytesIO
from typing import Any
from uuid import UUID

from django.db.models import F

from authorisation.domain.principal import Principal
from authorisation.models import AuthorisationRequest
from authorisation.services.decide_request import Decided
from kernel.ids import new_id
from orders.models import Order
from reconciliation.domain import transitions as moves
from reconciliation.kept_files import keep_stream
from reconciliation.models import Break, BreakPolicy, FeedFile, Run, RunBreak
from reconciliation.services._repairing import Asked
from reconciliation.services.ask_repair import ask_repair
from reconciliation.services.decide_break_repair import decide_break_repair
from tests.factories import AT, make_principal
from tests.factories.trading import Desk

SHA = "ab" * 32


def make_run(kind: str = "executions", *, source: str = "T1", state: str = moves.DONE, at: datetime = AT) -> Run:
    """A run over a file of its own, as far as ``state``."""
    kept = keep_stream(BytesIO(new_id().bytes), limit=64)
    file = FeedFile.objects.create(
        id=new_id(), kind=kind, source=source, name="fills.csv", sha256=kept.sha256, size=kept.size, received_by="user:1",
        received_at=at,
    )  # fmt: skip
    run = Run.objects.create(
        id=new_id(), kind=kind, source=source, file=file, as_of=at.date(), trigger=Run.Trigger.BY_HAND,
        started_by="user:1", created_at=at,
    )  # fmt: skip
    for step in {moves.WAITING: (), moves.RUNNING: ("begin",)}.get(state, ("begin", _ENDS.get(state, "finish"))):
        getattr(run, step)()
        run.save()
    return run


_ENDS = {moves.DONE: "finish", moves.SUSPECT: "doubt", moves.FAILED: "fail", moves.CANCELED: "cancel"}


def make_break(
    order: Order | None = None, *, run: Run | None = None, category: str = "missing_internal", **values: Any
) -> Break:
    """An open break of ``run`` (one of its own when not given), about ``order`` where there is one."""
    run = run or make_run(values.pop("kind", "executions"))
    defaults: dict[str, Any] = {
        "id": new_id(),
        "number": Break.objects.count() + 1,
        "key": f"{run.kind}:{run.source}:{category}:{new_id()}",
        "kind": run.kind,
        "source": run.source,
        "category": category,
        "why": "They report 100 at 72.50 that we do not have.",
        "business_date": AT.date(),
        "event_at": AT,
        "first_run": run,
        "last_run": run,
        "found_at": AT,
        "last_seen_at": AT,
    }
    if order is not None:
        defaults |= {
            "order_id": order.id,
            "account_id": order.account_id,
            "instrument_id": UUID(str(order.instrument_snapshot["instrument_id"])),
        }
    item = Break.objects.create(**(defaults | values))
    RunBreak.objects.create(run=run, item=item, word=RunBreak.Word.NEW)
    Run.objects.filter(id=run.id).update(written=F("written") + 1)
    return item


def their_fill(order: Order, **changes: Any) -> dict[str, Any]:
    """What the file says of an execution of the order, as a break keeps it: the record, raw, where it stands."""
    record = {
        "exec_id": "X900",
        "exec_ref_id": "",
        "exec_type": "trade",
        "cl_ord_id": order.cl_ord_id or "",
        "venue_order_id": order.venue_order_id or "",
        "last_qty": "100",
        "last_px": "72.50",
        "trade_date": AT.date().isoformat(),
        "transact_time": AT.isoformat(),
        "side": order.side,
    }
    record |= {key: value for key, value in changes.items() if key not in ("line", "sha256")}
    line = changes.get("line", 2)
    return record | {
        "raw": ",".join(record.values()),
        "file": "fills.csv",
        "line": line,
        "sha256": changes.get("sha256", SHA),
    }


def set_policy(effect: str, *, kind: str = "executions", category: str = "missing_internal", above: str = "0") -> None:
    """The next version, as an approved request leaves it."""
    version = BreakPolicy.objects.filter(kind=kind, category=category).count() + 1
    BreakPolicy.objects.create(
        kind=kind, category=category, effect=effect, above=Decimal(above), escalate_after_s=900, version=version,
        request_id=new_id(), event_id=new_id(), recorded_at=AT,
    )  # fmt: skip


class Repairing:
    """Operations at work on the breaks of a desk: one asks, another decides."""

    def __init__(self, desk: Desk) -> None:
        world = desk.world

        def person(name: str, *rights: str) -> Principal:
            found = make_principal(name, role=name, rights=(), desks=(world.desk,), groups=(world.group,))
            return replace(found, rights=frozenset(rights))

        self.desk = desk
        self.maker = person("ops.one", "work_break")
        self.checker = person("ops.two", "decide_break")

    def ask(self, item: Break, repair: str, *, key: str = "", at: datetime = AT, **details: Any) -> Asked:
        """Ask for a repair."""
        return ask_repair(
            actor=self.maker, at=at, idempotency_key=key or str(new_id()), route="break", break_id=item.id,
            repair=repair, reason="Confirmed by phone", **details,
        )  # fmt: skip

    def decide(
        self, asked: Asked, verdict: str = "approve", *, actor: Principal | None = None, at: datetime = AT
    ) -> Decided:
        """A second person's word."""
        assert asked.authorisation_id is not None
        row = AuthorisationRequest.objects.get(id=asked.authorisation_id)
        return decide_break_repair(
            actor=actor or self.checker, at=at, authorisation_id=row.id, verdict=verdict, reason_code="OTHER",
            reason="Looked at it", payload_hash=row.payload_hash,
        )  # fmt: skip

    def mend(self, item: Break, repair: str, **details: Any) -> Decided:
        """Ask and approve."""
        return self.decide(self.ask(item, repair, **details))

    def working(self) -> Order:
        """An order that works at the venue."""
        order = self.desk.buy()
        self.desk.send(at=AT)
        self.desk.say(order, "0", "0", t38=1000, t14=0, t151=1000)
        order.refresh_from_db()
        return order
