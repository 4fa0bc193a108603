"""Put short labels on an exception, or take them off: what people sort and find by."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from authorisation.domain.principal import Principal
from kernel.errors import Invalid
from operations.services._exception_acts import Acted, acting, told
from operations.services._exception_events import LABELLED

LABEL = re.compile(r"[a-z0-9][a-z0-9-]{0,23}")
MOST = 8


def label_exception(
    *,
    actor: Principal,
    at: datetime,
    item_id: UUID,
    version: int | None,
    add: Sequence[str] = (),
    drop: Sequence[str] = (),
) -> Acted:
    """Raises as ``acting``, Invalid LABEL_INVALID."""
    with acting(actor=actor, at=at, item_id=item_id, version=version) as item:
        wanted = [label.strip().lower() for label in add if label.strip()]
        labels = sorted({*item.labels, *wanted} - set(drop))
        if len(labels) > MOST or not all(LABEL.fullmatch(label) for label in wanted):
            sentence = f"Labels are short: letters, digits and hyphens, at most 24 of them, {MOST} labels an item."
            raise Invalid("LABEL_INVALID", sentence, {"label": [sentence]})
        payload = {"added": sorted(set(labels) - set(item.labels)), "dropped": sorted(set(item.labels) - set(labels))}
        item.labels = labels
        return told(item, LABELLED, payload, actor=actor, at=at, sentence=f"Labels: {', '.join(labels) or 'none'}.")
