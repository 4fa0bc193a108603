"""How quantities, prices and money are kept in this room."""

from __future__ import annotations

from typing import Any

QTY: dict[str, Any] = {"max_digits": 24, "decimal_places": 8}
MONEY: dict[str, Any] = {"max_digits": 24, "decimal_places": 8}
AVG_PX: dict[str, Any] = {"max_digits": 28, "decimal_places": 12}
NOTIONAL: dict[str, Any] = {"max_digits": 44, "decimal_places": 16}
