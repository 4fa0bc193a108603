"""``capture_http``: one order a request through the API of two web workers, against an empty authenticated endpoint.

Both are measured in turns against the same server over kept-alive connections, so that the machine's moods hit both.
Data: one dealer's service account, one account with ample cash, limit buys of one listing. The result is verified:
every answer is 201 and the orders are counted in the database.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from typing import Any

from benchmarks.support import BenchDesk, build_desk
from kernel.ids import new_id
from orders.models import Order

CLIENTS = 4
ROUNDS = 6


def main(full: bool) -> dict[str, Any]:
    """Rates per second, their ratio, latencies of the order requests in milliseconds."""
    per_round = 400 if full else 100
    desk = build_desk()
    port = _free_port()
    server = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "gunicorn",
            "oms_project.wsgi:application",
            "--workers",
            "2",
            "--threads",
            "2",
            "--worker-class",
            "gthread",
            "--bind",
            f"127.0.0.1:{port}",
            "--log-level",
            "error",
        ],
        env=os.environ,
    )
    try:
        _wait_for(port, desk)
        orders: list[float] = []
        order_s = empty_s = 0.0
        for _ in range(ROUNDS):
            empty_s += _round(port, desk, per_round, None)
            order_s += _round(port, desk, per_round, orders)
        count = ROUNDS * per_round * CLIENTS
        captured = Order.objects.filter(source="api").count()
        assert captured == count, f"{captured} orders for {count} answers"
        ordered = sorted(orders)
        rate, floor_rate = count / order_s, count / empty_s
        return {
            "rate": round(rate, 1),
            "floor_rate": round(floor_rate, 1),
            "ratio": round(rate / floor_rate, 3),
            "p50_ms": round(statistics.median(ordered) * 1000, 2),
            "p95_ms": round(ordered[int(len(ordered) * 0.95)] * 1000, 2),
            "p99_ms": round(ordered[int(len(ordered) * 0.99)] * 1000, 2),
            "n": count,
            "clients": CLIENTS,
        }
    finally:
        server.terminate()
        server.wait(timeout=20)


def _round(port: int, desk: BenchDesk, per_client: int, latencies: list[float] | None) -> float:
    """Seconds until all clients have their answers; orders when ``latencies`` is given, else the empty endpoint."""
    failures: list[str] = []
    threads = [
        threading.Thread(target=_client, args=(port, desk, per_client, latencies, failures)) for _ in range(CLIENTS)
    ]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures[0]
    return time.perf_counter() - started


def _client(port: int, desk: BenchDesk, count: int, latencies: list[float] | None, failures: list[str]) -> None:
    try:
        _send(port, desk, count, latencies, failures)
    except (OSError, http.client.HTTPException) as error:
        failures.append(repr(error))


def _send(port: int, desk: BenchDesk, count: int, latencies: list[float] | None, failures: list[str]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Authorization": f"Bearer {desk.token}", "Content-Type": "application/json"}
    body = json.dumps(desk.order_body)
    for _ in range(count):
        started = time.perf_counter()
        if latencies is None:
            connection.request("GET", "/api/v1/me", headers=headers)
        else:
            connection.request("POST", "/api/v1/orders", body, {**headers, "Idempotency-Key": str(new_id())})
        response = connection.getresponse()
        answer = response.read()
        if latencies is not None:
            latencies.append(time.perf_counter() - started)
        if response.status != (200 if latencies is None else 201):
            failures.append(f"{response.status} {answer[:300]!r}")
            return


def _wait_for(port: int, desk: BenchDesk) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            _round(port, desk, 1, None)
        except AssertionError:
            time.sleep(0.2)
        else:
            return
    raise RuntimeError("the web server did not answer within 30 s")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
