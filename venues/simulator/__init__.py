"""A venue of our own: order books, matching, auctions and scripted misbehaviour behind a real FIX session.

It is a separate process that knows nothing of our orders, and keeps its own truth to be compared with ours.
"""

from __future__ import annotations

import threading
from typing import Any


def run(stop: threading.Event, **options: Any) -> None:
    """Serve both venues until ``stop`` is set; options as in ``main.serve``.

    Imported here and not above, because books and exchange are used without Django and without the FIX engine.
    """
    from venues.simulator.main import serve

    serve(stop, **options)
