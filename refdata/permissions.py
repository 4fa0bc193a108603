"""Who may ask for changes of static data; a second person with ``decide_static_data`` decides."""

from __future__ import annotations

ASK_STATIC_DATA = "ask_static_data"
