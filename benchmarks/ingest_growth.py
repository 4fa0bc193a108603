"""``ingest_growth``: what one report costs with 2,000, 20,000 and 200,000 orders open; it should be the same.

The orders stay open from stage to stage and more are captured. At each stage reports on orders picked at random from all of
them go through the inbox, in turns with a floor: COPY of the very rows they wrote. The machine's mood is in both, so the
stages are compared by cost over floor; plain microseconds a report are given too. One order that has had 2,000 fills is
compared with one that has had ten the same way (``fills``). Verified: every picked order has exactly its reports' executions.
"""

from __future__ import annotations

import random
from typing import Any

from django.db import connection

from benchmarks.ingest import Crew, Floor
from benchmarks.support import build_desk
from kernel.clock import utc_now
from orders.models import Execution
from tests.factories import DeskWorld
from tests.factories.inbound import Book, Said, make_book, messages, store
from venues import inbox

STAGES = {False: (1_000, 4_000, 16_000), True: (2_000, 20_000, 200_000)}
TURNS = 6
TURN = 700
ACCOUNTS = 100


def main(full: bool) -> dict[str, Any]:
    """Microseconds a report at each number of open orders, and the cost over the floor relative to the first stage."""
    world = build_desk().world
    books = [make_book(world, "G0", accounts=ACCOUNTS, orders=STAGES[full][0], session="G")]
    crew = Crew("G", 1)
    told: dict[tuple[int, int], int] = {}
    results = []
    for stage, total in enumerate(STAGES[full]):
        have = sum(len(book.order_ids) for book in books)
        if total > have:
            books.append(make_book(world, f"G{stage}", accounts=ACCOUNTS, orders=total - have, session="G"))
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
        results.append(_stage(books, stage, crew, told))
    crew.dismiss()
    base = results[0]["cost"]
    last = results[-1]
    many, few = _fills(world)
    return {
        "rate": round(1e6 / last["us"], 1),
        "floor_rate": round(1e6 / last["floor_us"], 1),
        "ratio": round(last["floor_us"] / last["us"], 3),
        "orders": list(STAGES[full]),
        "us_a_report": [round(result["us"], 1) for result in results],
        "floor_us_a_report": [round(result["floor_us"], 1) for result in results],
        "growth": [round(result["cost"] / base, 3) for result in results],
        "goal_growth": 1.15,
        "fills_growth": round(many / few, 3),
        "n": TURNS * TURN * len(results),
        "consumers": 1,
    }


def _stage(books: list[Book], stage: int, crew: Crew, told: dict[tuple[int, int], int]) -> dict[str, float]:
    """Acknowledgements and fills on orders picked from all books, each order at most eight reports in all stages."""
    chance = random.Random(stage)
    took = floor_s = 0.0
    floor = Floor()
    for turn in range(TURNS + 1):  # the first one warms caches and plans
        rows: list[tuple[Any, ...]] = []
        while len(rows) < TURN:
            which, order = _pick(chance, books)
            step = told.get((which, order), -1) + 1
            if step < 8:
                told[which, order] = step
                rows += messages(books[which], [Said(order, step, len(rows) + 1)], epoch=f"e{stage}{turn}")
        store(rows)
        since = utc_now()
        seconds, slices = crew.work()
        if turn:
            took += seconds
            floor_s += floor.run(since, slices)
    _verify(books, told)
    count = TURNS * TURN
    return {"us": took / count * 1e6, "floor_us": floor_s / count * 1e6, "cost": took / floor_s}


def _pick(chance: random.Random, books: list[Book]) -> tuple[int, int]:
    place = chance.randrange(sum(len(book.order_ids) for book in books))
    for which, book in enumerate(books):
        if place < len(book.order_ids):
            return which, place
        place -= len(book.order_ids)
    raise AssertionError("unreachable")


def _verify(books: list[Book], told: dict[tuple[int, int], int]) -> None:
    wanted = sum(told.values())  # a report each after the acknowledgement is a fill
    found = sum(Execution.objects.filter(order_id__in=book.order_ids).count() for book in books)
    assert found == wanted, f"{found} executions for {wanted} fills"


def _fills(world: DeskWorld) -> tuple[float, float]:
    """Seconds of 500 further fills on an order with 2,000 behind it, and on fifty orders with ten each."""
    book = make_book(world, "FILLS", accounts=1, orders=51)
    crew = Crew(book.session, 1, limit=inbox.SLICE)
    number = 0

    def say(order: int, count: int) -> None:
        nonlocal number
        rows = []
        for _ in range(count):
            number += 1
            rows.append(Said(order, 1, number))
        store([_small(book, item) for item in rows])

    say(0, 2_000)
    for order in range(1, 51):
        say(order, 10)
    crew.work()
    say(0, 500)
    many = crew.work()[0]
    for order in range(1, 51):
        say(order, 10)
    few = crew.work()[0]
    crew.dismiss()
    return many, few


def _small(book: Book, item: Said) -> tuple[Any, ...]:
    """A fill of a hundredth of a share, so that thousands fit into one order; each with an ExecID of its own."""
    row = list(next(iter(messages(book, [item]))))
    row[9] = str(row[9]).replace("\x0117=", f"\x0117={item.number}-").replace("\x0132=100\x01", "\x0132=0.01\x01")
    return tuple(row)
