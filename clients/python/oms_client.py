"""Reference client of the order API, for Python 3.11 and later: one file, the standard library alone.

    client = OmsClient("https://oms.example", key_id="…", secret="oms_…")
    placed = client.place({"account": "A-1", "symbol": "VOD.L", "side": "buy", "ord_type": "limit",
                           "order_qty": "1000", "price": "72.50"})
    client.replace(placed["order_id"], {"order_qty": "800"})
    for order in client.orders(open=True): ...
    client.cancel(placed["order_id"], reason="client called")

What it does for you: it signs every request (``docs/formats/partner_api.md``), gives every POST an Idempotency-Key and
repeats it under the same key until there is an answer, waits as long as the house asks it to, and follows pages.

What it leaves to you: when no answer comes in ``patience_s``, :class:`OutcomeUnknown` names the key. Ask again later with
that key (``place(..., key=error.key)``): the order is entered once, however often you ask. Never send it under a new key.
Numbers are text both ways; give ``Decimal`` or text, never ``float``.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import secrets
import ssl
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import quote, unquote, urlsplit

SCHEME = "OMS-HMAC-SHA256"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
TRY_AGAIN = (429, 502, 503, 504)
MAX_ANSWER = 20 * 1024 * 1024


class OmsError(Exception):
    """The house said no: ``status`` of HTTP, a stable ``code``, a sentence, and, where given, facts and a sentence a field."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        self.status = status
        self.code = str(body.get("code", "ERROR"))
        self.sentence = str(body.get("sentence", "The answer cannot be read."))
        self.context: dict[str, Any] = dict(body.get("context") or {})
        self.fields: dict[str, Any] = dict(body.get("fields") or {})
        self.body: dict[str, Any] = dict(body)
        super().__init__(f"{status} {self.code}: {self.sentence}")


class ClockError(OmsError):
    """Your clock and the house's differ by more than it takes; ``seconds_off`` is how far yours is ahead. Set yours."""

    @property
    def seconds_off(self) -> int:
        return int(self.context.get("seconds_off", 0))


class OutcomeUnknown(Exception):
    """No answer came in time: it may or may not have been done. Ask again with the same ``key``."""

    def __init__(self, path: str, key: str, last: str) -> None:
        super().__init__(f"no answer to {path} under the key {key}: {last}")
        self.path = path
        self.key = key


@dataclass(frozen=True)
class Answer:
    """``replayed``: the house had done this before and gave the same answer again."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def replayed(self) -> bool:
        return self.headers.get("idempotency-replayed") == "true"


def canonical_query(pairs: Mapping[str, str]) -> str:
    """A query as it is signed, and sent."""
    encoded = sorted((quote(name, safe="-._~"), quote(value, safe="-._~")) for name, value in pairs.items())
    return "&".join(f"{name}={value}" for name, value in encoded)


def signature(
    secret: str,
    *,
    method: str,
    path: str,
    query: str,
    body: bytes,
    at: int,
    nonce: str,
    key_id: str,
    idempotency_key: str = "",
) -> str:
    """Hex HMAC-SHA256 over the nine lines of the format; ``query`` is canonical already."""
    lines = (
        SCHEME,
        method.upper(),
        quote(unquote(path), safe="/-._~"),
        query,
        hashlib.sha256(body).hexdigest(),
        str(at),
        nonce,
        key_id,
        idempotency_key,
    )
    return hmac.new(secret.encode(), "\n".join(lines).encode(), hashlib.sha256).hexdigest()


class OmsClient:
    """One partner's key at one house. Not for several threads at once: give each its own.

    ``http`` is taken for this machine alone: elsewhere a request could be read, if not changed, on its way.
    """

    def __init__(
        self,
        base_url: str,
        *,
        key_id: str,
        secret: str,
        timeout_s: float = 10,
        patience_s: float = 60,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        parts = urlsplit(base_url)
        host = parts.hostname or ""
        if parts.scheme != "https" and not (parts.scheme == "http" and host in LOOPBACK):
            raise ValueError(f"{base_url} is not https://")
        self._secure = parts.scheme == "https"
        self._host, self._port = host, parts.port
        self._root = f"{parts.path.rstrip('/')}/api/v1"
        self._key_id, self._secret = str(key_id), secret
        self._timeout_s, self._patience_s = timeout_s, patience_s
        self._clock, self._sleep = clock, sleep
        self._tls = tls or (ssl.create_default_context() if self._secure else None)
        self._connection: http.client.HTTPConnection | None = None

    def __repr__(self) -> str:
        return f"OmsClient({self._host}, key {self._key_id})"

    # What partners do

    def me(self) -> dict[str, Any]:
        """Whose key this is, and what it opens."""
        return self.call("GET", "/me").body

    def place(self, order: Mapping[str, Any], *, key: str | None = None) -> dict[str, Any]:
        """Enter an order: released, waiting for a second person, or :class:`OmsError` ORDER_REFUSED with its checks."""
        return self.call("POST", "/orders", body=order, key=key).body

    def preview(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """What would become of an order if it were sent now: every check, its value and charges; nothing is kept."""
        return self.call("POST", "/orders", query={"dry_run": "true"}, body=order).body

    def place_many(self, orders: list[Mapping[str, Any]], *, key: str | None = None) -> list[dict[str, Any]]:
        """Up to 500 orders, each judged on its own; each needs a ``client_order_id``."""
        rows: list[dict[str, Any]] = self.call("POST", "/orders/batch", body={"orders": orders}, key=key).body["orders"]
        return rows

    def replace(self, order_id: str, terms: Mapping[str, Any], *, key: str | None = None) -> dict[str, Any]:
        """Ask for other terms; ``order_qty`` is the total, executed included."""
        return self.call("POST", f"/orders/{order_id}/replace", body=terms, key=key).body

    def cancel(self, order_id: str, *, reason: str, key: str | None = None) -> dict[str, Any]:
        """Ask for the order's end."""
        return self.call("POST", f"/orders/{order_id}/cancel", body={"reason": reason}, key=key).body

    def order(self, order_id: str) -> dict[str, Any]:
        """One order."""
        return self.call("GET", f"/orders/{order_id}").body

    def orders(self, *, page: int = 200, **filters: object) -> Iterator[dict[str, Any]]:
        """All orders you may see, the newest first, page by page; filters: open, account, symbol, client_order_id."""
        query = {name: _word(value) for name, value in filters.items()} | {"limit": str(page)}
        while True:
            found = self.call("GET", "/orders", query=query).body
            yield from found["orders"]
            if not found["next_cursor"]:
                return
            query["cursor"] = found["next_cursor"]

    def cash(self, account: str) -> dict[str, Any]:
        """Cash of an account by currency: settled, pending, reserved, to trade, withdrawable."""
        return self.call("GET", f"/accounts/{quote(account, safe='')}/cash").body

    def positions(self, account: str) -> dict[str, Any]:
        """Positions of an account."""
        return self.call("GET", f"/accounts/{quote(account, safe='')}/positions").body

    def prices(self, *symbols: str) -> dict[str, Any]:
        """Bid, ask, last, age and state of up to 100 listings."""
        return self.call("GET", "/prices", query={"symbols": ",".join(symbols)}).body

    # How

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        key: str | None = None,
    ) -> Answer:
        """One request, repeated under its key until there is an answer. Raises OmsError, ClockError, OutcomeUnknown."""
        content = json.dumps(body, default=_number).encode() if body is not None else b""
        key = (key or str(uuid.uuid4())) if method == "POST" else ""
        deadline, pause, last = time.monotonic() + self._patience_s, 0.2, "no try was made"
        while True:
            wait = pause
            try:
                answer = self._once(method, self._root + path, canonical_query(query or {}), content, key)
            except (OSError, http.client.HTTPException) as problem:
                self.close()
                last = f"{type(problem).__name__}: {problem}"
            else:
                refusal = answer.status >= 400
                later = answer.status in TRY_AGAIN and "checks" not in answer.body
                if refusal and not later and answer.body.get("code") != "REQUEST_IN_FLIGHT":
                    raise _error(answer)
                if not refusal:
                    return answer
                last = f"{answer.status} {answer.body.get('code', '')}"
                wait = max(pause, float(answer.headers.get("retry-after", 0)))
            if time.monotonic() + wait > deadline:
                raise OutcomeUnknown(path, key, last)
            self._sleep(wait * (0.75 + secrets.randbelow(50) / 100))
            pause = min(pause * 2, 5)

    def close(self) -> None:
        """Let go of the connection; the next call makes a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def sign(self, method: str, path: str, query: str, body: bytes, key: str) -> dict[str, str]:
        """The headers of one request, with a nonce of its own: never sent twice."""
        at, nonce = int(self._clock()), secrets.token_urlsafe(18)
        signed = signature(
            self._secret,
            method=method,
            path=path,
            query=query,
            body=body,
            at=at,
            nonce=nonce,
            key_id=self._key_id,
            idempotency_key=key,
        )
        headers = {"Authorization": f"{SCHEME} key={self._key_id},time={at},nonce={nonce},signature={signed}"}
        if body:
            headers["Content-Type"] = "application/json"
        if key:
            headers["Idempotency-Key"] = key
        return headers

    def _once(self, method: str, path: str, query: str, body: bytes, key: str) -> Answer:
        if self._connection is None:
            self._connection = (
                http.client.HTTPSConnection(self._host, self._port, timeout=self._timeout_s, context=self._tls)
                if self._secure
                else http.client.HTTPConnection(self._host, self._port, timeout=self._timeout_s)
            )
        target = f"{path}?{query}" if query else path
        self._connection.request(method, target, body or None, self.sign(method, path, query, body, key))
        response = self._connection.getresponse()
        raw = response.read(MAX_ANSWER)
        headers = {name.lower(): value for name, value in response.getheaders()}
        try:
            read = json.loads(raw) if raw else {}
        except ValueError:
            read = {"code": "ANSWER_UNREADABLE", "sentence": f"The answer is no JSON: {raw[:200]!r}"}
        return Answer(response.status, read if isinstance(read, dict) else {"value": read}, headers)


def _error(answer: Answer) -> OmsError:
    kind = ClockError if answer.body.get("code") == "SIGNATURE_TIME" else OmsError
    return kind(answer.status, answer.body)


def _number(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    raise TypeError(f"{type(value).__name__} cannot be sent; give text or Decimal")


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


__all__ = ["Answer", "ClockError", "OmsClient", "OmsError", "OutcomeUnknown", "canonical_query", "signature"]
