"""Files of counterparties for tests: rows by column name, kept as the house keeps a file that came."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from kernel.ids import new_id
from orders.models import Execution, UnmatchedReport
from reconciliation.domain.records import names_of
from reconciliation.kept_files import keep_stream
from reconciliation.models import FeedFile
from tests.factories import AT


def csv_text(rows: Iterable[Mapping[str, Any]]) -> str:
    """With the columns that the rows have."""
    rows = list(rows)
    names = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def kept_csv(
    kind: str, rows: Iterable[Mapping[str, Any]], *, source: str = "BROKER", at: datetime = AT, cut: datetime | None = None,
    **more: Any,
) -> FeedFile:  # fmt: skip
    """A file of these rows, as it came; with the moment that its figures are of, where given."""
    rows = list(rows)
    text = csv_text(rows) if rows else ",".join(names_of(kind)) + "\n"  # type: ignore[arg-type]
    if cut is not None:
        text = f"#STATEMENT cut={cut.isoformat()}\n{text}#TRAILER rows={len(rows)}\n"
    kept = keep_stream(io.BytesIO(text.encode()), limit=1 << 30)
    again = FeedFile.objects.filter(kind=kind, source=source, sha256=kept.sha256, **more).first()
    return again or FeedFile.objects.create(
        id=new_id(), kind=kind, source=source, format="csv", name=f"{kind}.csv", sha256=kept.sha256, size=kept.size,
        received_by="process:test", received_at=at, **more,
    )  # fmt: skip


def execution_rows() -> list[dict[str, Any]]:
    """Every execution of the books as a broker would list it: as it stands now, oldest first, those of unknown orders last."""
    rows = []
    for one in Execution.objects.select_related("order__listing__instrument", "order__account").order_by("id"):
        listing = one.order.listing
        rows.append(
            {
                "exec_id": one.exec_id, "exec_type": "trade", "exec_ref_id": "", "cl_ord_id": one.cl_ord_id or "",
                "venue_order_id": one.order.venue_order_id or "", "isin": listing.instrument.isin, "mic": listing.market_id,
                "side": one.side, "last_qty": one.effective_qty.normalize(), "last_px": one.effective_px.normalize(),
                "currency": listing.currency, "trade_date": one.trade_date,
                "transact_time": one.event_at.isoformat(), "settlement_date": one.settlement_date,
            }
        )  # fmt: skip
    for report in UnmatchedReport.objects.filter(order=None).order_by("id"):
        said = report.report
        rows.append(
            {
                "exec_id": said["exec_id"], "exec_type": "trade", "cl_ord_id": report.cl_ord_id,
                "venue_order_id": report.venue_order_id, "last_qty": Decimal(said["last_qty"]),
                "last_px": Decimal(said["last_px"]), "transact_time": said["event_at"],
            }
        )  # fmt: skip
    return [{name: f"{value:f}" if name.startswith("last") else value for name, value in row.items()} for row in rows]
