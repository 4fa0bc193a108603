"""A live server over the connection of the test, and partners who call it: real HTTP, and yet every test is undone.

Only one side may be at work at a time, which is how a client that waits for its answer works. What must be seen by two at
once belongs to ``tests/concurrency``.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from threading import Thread
from types import ModuleType
from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import ThreadedWSGIServer
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connections
from django.test.testcases import QuietWSGIRequestHandler
from django.urls import get_resolver

from authorisation.domain.api_keys import key_terms
from authorisation.domain.principal import Principal, process_principal
from authorisation.domain.scopes import SCOPES
from authorisation.services.issue_signed_key import IssuedSignedKey, issue_signed_key
from kernel.clock import utc_now
from risk.models import Limit
from tests.architecture.house import ROOT
from tests.factories import DeskWorld, make_desk, make_principal, set_price

ADMIN = process_principal("test")


class _Server(ThreadedWSGIServer):
    """One that leaves the test's connection open."""

    def _close_connections(self) -> None:
        """Not ours to close."""


@contextmanager
def connection_kept() -> Iterator[None]:
    """Requests begin and end on the test's connection, which is not theirs to close."""
    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    try:
        yield
    finally:
        request_started.connect(close_old_connections)
        request_finished.connect(close_old_connections)


@contextmanager
def serving() -> Iterator[str]:
    """The address of a server that works inside the transaction of the test."""
    assert get_resolver().url_patterns  # imported now, which takes seconds, and not by the first call
    shared = connections["default"]
    shared.inc_thread_sharing()
    server = _Server(("127.0.0.1", 0), QuietWSGIRequestHandler, connections_override={"default": shared})
    server.set_app(WSGIHandler())
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        with connection_kept():
            yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        shared.dec_thread_sharing()


def load_client(name: str = "oms_client") -> ModuleType:
    """A file of ``clients/python`` as a partner would have it: alone, outside of any package of ours."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "clients" / "python" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def issue(user_id: int, **changes: Any) -> IssuedSignedKey:
    """A key with every scope and room to spare, unless told otherwise."""
    given: dict[str, Any] = {"name": "pms", "scopes": SCOPES, "rate": 200, "burst": 400}
    return issue_signed_key(actor=ADMIN, at=utc_now(), user_id=user_id, terms=key_terms(**given | changes))


@dataclass
class Partner:
    """A service account of a desk, its key, and clients of it."""

    url: str
    world: DeskWorld
    service: Principal
    key: IssuedSignedKey
    module: Any

    def client(self, key: IssuedSignedKey | None = None, **options: Any) -> Any:
        """An ``OmsClient`` with little patience."""
        used = key or self.key
        settings = {"key_id": str(used.id), "secret": used.secret, "patience_s": 2, "timeout_s": 60} | options
        return self.module.OmsClient(self.url, **settings)

    def order(self, **changes: Any) -> dict[str, Any]:
        """An order for the desk's account."""
        return {
            "account": self.world.account.code,
            "symbol": self.world.listing.symbol,
            "side": "buy",
            "ord_type": "limit",
            "order_qty": Decimal("1000"),
            "price": Decimal("72.50"),
            **changes,
        }


def make_partner(url: str, module: Any) -> Partner:
    """Desk EQ1, and a portfolio system that may trade on it."""
    world = make_desk()
    set_price(world.listing, "72.50", at=utc_now())
    Limit.objects.filter(kind="price_age").update(warn=600)
    service = make_principal(
        "pms", role="service", rights=("enter_order",), desks=(world.desk,), groups=(world.group,), kind="service"
    )
    return Partner(url, world, service, issue(service.user_id), module)
