"""Who may ask for changes of static data (a second person with ``decide_static_data`` decides), and whose word ends
the doubt about a price: no dealer's, because an order may wait for it."""

from __future__ import annotations

ASK_STATIC_DATA = "ask_static_data"
JUDGE_PRICE = "judge_price"
