"""The live stream: server-sent events to browsers, fed by the picture process through Redis.

One reader a process, one bounded queue a browser. The session cookie is checked at connect and every 30 seconds; no
database connection is kept in between. Whatever was lost on the way becomes a "resync", never a silent hole: the
heartbeat says each second whether everything behind it is alive.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import redis.asyncio as redis
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db import connections
from django.utils.crypto import constant_time_compare
from redis.exceptions import RedisError

from authorisation.models import User
from authorisation.selectors import get_principal
from authorisation.session_store import SessionStore
from operations.domain.fan_out import RESYNC, Gatherer, Ring, Sequence, frame
from operations.picture import channel
from orders.permissions import visible_desks, visible_groups

logger = logging.getLogger(__name__)

COALESCE_S = 0.05
BEAT_S = 1.0
RECHECK_S = 30.0
STALLED_S = 3.0
QUEUE_FRAMES = 256
RING_BATCHES = 2000
MAX_CLIENTS = 400
GUARDS = (  # on every answer: nothing here is a page, so nothing of it may run, be framed, guessed or kept
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who listens, and which desks and account groups exist for them."""

    user_id: int
    desks: frozenset[int]
    groups: frozenset[int]


@dataclass(eq=False)
class Client:
    """One open connection and the frames that wait for it."""

    viewer: Viewer
    queue: asyncio.Queue[bytes] = field(default_factory=lambda: asyncio.Queue(QUEUE_FRAMES))

    def put(self, data: bytes) -> None:
        """Queue a frame; who cannot keep up loses the queue and is told to fetch a snapshot."""
        if self.queue.full():
            while not self.queue.empty():
                self.queue.get_nowait()
            self.queue.put_nowait(frame(RESYNC, {"why": "slow"}))
        self.queue.put_nowait(data)


def find_viewer(cookie: str) -> Viewer | None:
    """The person behind a session cookie, or None. Reads only; leaves no database connection behind."""
    try:
        morsel = SimpleCookie(cookie).get(settings.SESSION_COOKIE_NAME)
        if morsel is None:
            return None
        session = SessionStore(morsel.value).load()
        if session.get(BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS:
            return None
        user = User.objects.filter(pk=int(session.get(SESSION_KEY) or 0), is_active=True).first()
        if user is None or not constant_time_compare(session.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash()):
            return None
        actor = get_principal(user)
        return Viewer(user.pk, visible_desks(actor), visible_groups(actor))
    except CookieError:
        return None
    finally:
        connections.close_all()


def origin_allowed(origin: str, host: str) -> bool:
    """Pages of our own web server only: same host name, on its port or behind the same proxy."""
    try:
        page, here = urlsplit(origin), urlsplit(f"//{host}")
        return page.hostname is not None and page.hostname == here.hostname and page.port in (None, settings.WEB_PORT)
    except ValueError:
        return False


class Stream:
    """Reader, ring and clients of this process."""

    def __init__(self) -> None:
        self.clients: set[Client] = set()
        self.ring = Ring(RING_BATCHES)
        self.gatherer = Gatherer()
        self.sequence = Sequence()
        self.connected = False
        self.picture_at = 0.0  # when the picture was last heard, monotonic seconds
        self.position = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._subscribed = asyncio.Event()

    def ensure_running(self) -> None:
        """Start the reader and the clocks with the first browser."""
        if not self._tasks:
            self._tasks = [asyncio.create_task(job()) for job in (self._read, self._flush, self._beat)]

    async def ready(self) -> None:
        """Wait a moment for the first connection to Redis, so that no browser starts by being told that it is stale."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._subscribed.wait(), 1.0)

    @property
    def feed(self) -> str:
        """ok, down (no Redis) or stalled (no picture)."""
        if not self.connected:
            return "down"
        return "ok" if time.monotonic() - self.picture_at < STALLED_S else "stalled"

    def tell_all(self, data: bytes) -> None:
        for client in self.clients:
            client.put(data)

    def take(self, message: dict[str, Any]) -> None:
        """One message of the picture process."""
        if not self.sequence.next_is(message["e"], message["n"]):
            self.ring.start(message["position"])
            self.tell_all(frame(RESYNC, {"why": "gap"}))
        elif not self.position:
            self.ring.start(message["position"])
        self.picture_at = time.monotonic()
        self.position = max(self.position, message["position"])
        if message["k"] == "rows":
            self.gatherer.add(message["position"], message["rows"])
        elif message["k"] == "ping":
            self.tell_all(frame("ping", {"topics": message["topics"]}))

    async def _read(self) -> None:
        while True:
            client = redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2)
            try:
                async with client.pubsub() as pubsub:
                    await pubsub.subscribe(channel())
                    self.connected = True
                    self._subscribed.set()
                    self.picture_at = time.monotonic()  # a moment's grace to be heard
                    self.sequence = Sequence()
                    self.ring.start(self.position)
                    self.tell_all(frame(RESYNC, {"why": "reconnected"}))
                    while True:
                        message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=1.0)
                        if message:
                            self.take(orjson.loads(message["data"]))
            except (RedisError, OSError) as error:
                logger.warning("live feed lost: %s", error)
            except (KeyError, ValueError) as error:
                logger.exception("live feed sent something unreadable: %s", error)
            finally:
                self.connected = False
                with contextlib.suppress(RedisError, OSError):
                    await client.aclose()
            await asyncio.sleep(0.5)

    async def _flush(self) -> None:
        while True:
            await asyncio.sleep(COALESCE_S)
            batch = self.gatherer.take()
            if batch is None:
                continue
            self.ring.put(batch)
            made: dict[tuple[frozenset[int], frozenset[int]], bytes | None] = {}
            for client in self.clients:
                sees = (client.viewer.desks, client.viewer.groups)
                if sees not in made:
                    made[sees] = batch.frame_for(*sees)
                data = made[sees]
                if data is not None:
                    client.put(data)

    def beat_frame(self) -> bytes:
        """Server time in ms, state of the feed, journal position."""
        return frame("beat", {"t": int(time.time() * 1000), "feed": self.feed, "position": self.position})

    async def _beat(self) -> None:
        while True:
            self.tell_all(self.beat_frame())
            await asyncio.sleep(BEAT_S)


STREAM = Stream()


async def application(scope: Message, receive: Receive, send: Send) -> None:
    """ASGI: ``GET /stream`` for signed-in browsers, ``GET /healthz`` for the supervisor; everything else is 404."""
    if scope["type"] != "http":
        return
    if scope["path"] == "/healthz":
        await answer(send, 200, b"ok")
    elif scope["path"] != "/stream":
        await answer(send, 404, b"not found")
    elif scope["method"] != "GET":
        await answer(send, 405, b"GET only")
    else:
        await listen(scope, receive, send)


async def answer(send: Send, status: int, body: bytes) -> None:
    """A short plain answer."""
    headers = [(b"content-type", b"text/plain"), *GUARDS]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def listen(scope: Message, receive: Receive, send: Send) -> None:
    """One browser, until it leaves, signs out or the process stops."""
    given = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    origin, host, cookie = given.get("origin", ""), given.get("host", ""), given.get("cookie", "")
    if origin and not origin_allowed(origin, host):
        return await answer(send, 403, b"foreign origin")
    if len(STREAM.clients) >= MAX_CLIENTS:
        return await answer(send, 503, b"too many listeners")
    viewer = await asyncio.to_thread(find_viewer, cookie)
    headers = [(b"content-type", b"text/event-stream"), (b"x-accel-buffering", b"no"), *GUARDS]
    if origin:
        headers += [
            (b"access-control-allow-origin", origin.encode("latin-1")),
            (b"access-control-allow-credentials", b"true"),
            (b"vary", b"origin"),
        ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    if viewer is None:
        await send({"type": "http.response.body", "body": frame("bye", {"why": "signed out"})})
        return None
    STREAM.ensure_running()
    await STREAM.ready()
    client = Client(viewer)
    after = given.get("last-event-id") or parse_qs(scope["query_string"].decode("latin-1")).get("after", [""])[0]
    greet(client, after)
    STREAM.clients.add(client)
    jobs = [
        asyncio.create_task(job) for job in (pump(client, send), until_gone(receive), until_signed_out(client, cookie))
    ]
    try:
        await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
    finally:
        STREAM.clients.discard(client)
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)
    with contextlib.suppress(OSError, RuntimeError):
        await send({"type": "http.response.body", "body": frame("bye", {"why": "closed"}) if jobs[2].done() else b""})
    return None


def greet(client: Client, after: str) -> None:
    """Say where the stream stands, then what a returning browser missed, or that it needs a snapshot."""
    client.put(frame("hello", {"position": STREAM.position}))
    client.put(STREAM.beat_frame())
    if after.isdecimal():
        missed = STREAM.ring.since(int(after))
        if missed is None or len(missed) > QUEUE_FRAMES // 2:
            client.put(frame(RESYNC, {"why": "away"}))
            return
        for batch in missed:
            data = batch.frame_for(client.viewer.desks, client.viewer.groups)
            if data is not None:
                client.put(data)


async def pump(client: Client, send: Send) -> None:
    """Queue to socket."""
    while True:
        data = await client.queue.get()
        await send({"type": "http.response.body", "body": data, "more_body": True})


async def until_gone(receive: Receive) -> None:
    """Return when the browser has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def until_signed_out(client: Client, cookie: str) -> None:
    """Return when the session has ended; take over rights that changed."""
    while True:
        await asyncio.sleep(RECHECK_S)
        viewer = await asyncio.to_thread(find_viewer, cookie)
        if viewer is None:
            return
        client.viewer = viewer
