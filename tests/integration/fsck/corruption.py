"""What a planted corruption is, and the order most of them are planted on."""

from __future__ import annotations

from typing import NamedTuple


class Corruption(NamedTuple):
    """``sql`` may be several statements."""

    code: str
    name: str
    sql: str
    related: tuple[str, ...] = ()


LIVE = "(SELECT id FROM orders_order WHERE cum_qty = 300 AND is_open ORDER BY id DESC LIMIT 1)"
