"""How quantities and prices are kept in this room."""

from __future__ import annotations

from typing import Any

QTY: dict[str, Any] = {"max_digits": 24, "decimal_places": 8}
PRICE: dict[str, Any] = {"max_digits": 20, "decimal_places": 8}
