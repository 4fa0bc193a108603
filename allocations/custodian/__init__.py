"""A custodian of our own, for the demo and for tests: it reads what we instruct and says what becomes of it, with seeded fails.

It stands outside the house: it knows our files and nothing else, and what it says comes in by its folder, as a real one's would.
``course`` is pure: the same seed, instruction and moment of receipt give the same words.
"""

from __future__ import annotations

import threading
from typing import Any


def run(stop: threading.Event, **options: Any) -> None:
    """Answer what lies in the outgoing folders until ``stop`` is set; imported here, because ``course`` is used without Django."""
    from allocations.custodian.desk import serve

    serve(stop, **options)
