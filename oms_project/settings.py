"""All settings. Whatever differs between installations comes from ``OMS_*`` variables; unknown ones are refused.

Production is the default: no DEBUG, no built-in secret, trading off. ``OMS_MODE=demo`` is what ``./oms up`` uses.
"""

from __future__ import annotations

import os
from datetime import time, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from authorisation.domain.sessions import Times
from oms_project.secret_store import Secret, SecretUnavailable, read_secret

BASE_DIR = Path(__file__).resolve().parent.parent

KNOWN_VARIABLES = {
    "OMS_INBOX_CONSUMERS": "how many processes work the inbox, 2 when absent",
    "OMS_MODE": "live, demo or test; live when absent",
    "OMS_DATABASE_URL": "postgresql://user@host:port/name of a real server, PostgreSQL 15 or later",
    "OMS_REDIS_URL": "redis://host:port/0 or unix:///path of a real Redis-compatible server",
    "OMS_SECRET_KEY_FILE": "file that holds the secret key; needed in live mode",
    "OMS_SECRETS_DIR": "directory with a file for each secret (secret_key, database_password, redis_password)",
    "OMS_SECRETS_COMMAND": "command of a secrets manager; run with the name of a secret, prints it",
    "OMS_DATABASE_PASSWORD_FILE": "file with the password of the user in OMS_DATABASE_URL",
    "OMS_REDIS_PASSWORD_FILE": "file with the password of the server at OMS_REDIS_URL",
    "OMS_SEAL_KEY_FILE": "file of the Ed25519 key that signs seals; needed in live mode, made by ./oms seal-key new FILE",
    "OMS_SEALING_KEY_FILE": "file of keys that hide kept secrets, a long random text a line, newest first; the secret key when absent",
    "OMS_ANCHOR_DIR": "directory outside the database that seals are anchored in; var/anchors when absent",
    "OMS_ANCHOR_DIR_2": "a second one, best on another machine; none when absent",
    "OMS_TRUSTED_PROXIES": "networks of proxies whose X-Forwarded-For is believed, comma-separated; none when absent",
    "OMS_ARCHIVE_DIR": "directory that sealed days are archived in, best on another machine; var/archive when absent",
    "OMS_ALLOWED_HOSTS": "comma-separated host names the web server answers to",
    "OMS_VAR_DIR": "where state lives; var/ in the project when absent",
    "OMS_WEB_PORT": "port of the web server, 8000 when absent",
    "OMS_STREAM_PORT": "port of the stream server, 8001 when absent",
    "OMS_STREAM_URL": "address browsers reach the stream server at; same host, OMS_STREAM_PORT when absent",
    "OMS_FIX_PORT": "first port of the simulator, 9878 when absent",
    "OMS_PRICE_FEEDS": "price feeds as SOURCE=unix:PATH, SOURCE=tcp:HOST:PORT or SOURCE=file:PATH, comma-separated",
    "OMS_PRICE_QUIET_S": "seconds in which a price that moves less than 0.2 % is not taken anew; 0 when absent, 15 in demo",
    "OMS_WEBHOOK_LOOPBACK": "demo and test only: allow lets webhooks go to this machine; nowhere inside when absent",
    "OMS_PG_PORT": "unused port number that names the embedded server's socket, 5432 when absent",
    "OMS_CRASH_POINT": "test only: name of a crash point",
    "OMS_FLOW_RATE": "demo only: orders a second of the living flow, 2 when absent",
    "OMS_BUILD": "build name shown by status",
    "OMS_IDLE_MINUTES": "a session ends so long after its last real use; 30 when absent, 720 in demo",
    "OMS_SESSION_HOURS": "a session ends so long after it began, whatever its use; 12 when absent",
    "OMS_SECOND_FACTOR": "required or optional for people; always required in live mode, optional in demo when absent",
    "OMS_STEP_UP": "who confirms again before deciding: always, or enrolled (whoever has a second factor); always in live mode",
    "OMS_STEP_UP_MINUTES": "for how long a confirmation lets somebody decide; 15 when absent",
    "OMS_MAIL_HOST": "host:port of the mail server that notices go to; no mail when absent",
    "OMS_MAIL_FROM": "sender of the mails; oms@localhost when absent",
    "OMS_WORKING_HOURS": "business hours as HH:MM-HH:MM, or GROUP=HH:MM-HH:MM, comma-separated; 07:00-19:00 when absent",
    "OMS_FIRM_NAME": "name of the firm on contract notes; needed in live mode, Demo House when absent elsewhere",
    "OMS_FIRM_LINES": "lines below it, separated by |: address, who authorises the firm; none when absent",
    "OMS_HOUSE_ZONE": "time zone of the business hours; Europe/London when absent",
    "OMS_REFERENCE_MARKET": "market whose holidays are the house's and whose hours stand in where an item names none; XLON when absent",
    "OMS_FROZEN_AT": "test only: fixed time for screenshots",
}
_unknown = sorted(name for name in os.environ if name.startswith("OMS_") and name not in KNOWN_VARIABLES)
if _unknown:
    raise ImproperlyConfigured(f"Unknown settings {', '.join(_unknown)}. Known: {', '.join(sorted(KNOWN_VARIABLES))}.")

MODE = os.environ.get("OMS_MODE", "live")
if MODE not in ("live", "demo", "test"):
    raise ImproperlyConfigured(f"OMS_MODE is {MODE!r}; it must be live, demo or test.")
VAR_DIR = Path(os.environ.get("OMS_VAR_DIR") or BASE_DIR / "var")
DEBUG = False


def _secret(name: str) -> str | None:
    try:
        return read_secret(name)
    except SecretUnavailable as problem:
        raise ImproperlyConfigured(str(problem)) from None


def _secret_key() -> str:
    found = _secret("secret_key")
    if found is not None:
        return found
    if MODE == "test":
        return "test-only-key-that-protects-nothing-beyond-a-throw-away-database"
    raise ImproperlyConfigured("OMS_SECRET_KEY_FILE must name a file that holds the secret key.")


def networks(text: str) -> list[IPv4Network | IPv6Network]:
    """Comma-separated networks; one that is none is refused."""
    try:
        return [ip_network(part.strip()) for part in text.split(",") if part.strip()]
    except ValueError as wrong:
        raise ImproperlyConfigured(f"OMS_TRUSTED_PROXIES: {wrong}.") from wrong


def choice(name: str, words: tuple[str, str], *, live: str) -> str:
    """One of two words, the first when absent. In live mode only ``live`` will do, and it is what absent means there."""
    given = os.environ.get(name) or (live if MODE == "live" else words[0])
    if given not in words:
        raise ImproperlyConfigured(f"{name} is {given!r}; it must be {' or '.join(words)}.")
    if MODE == "live" and given != live:
        raise ImproperlyConfigured(f"{name} is {given!r}; in live mode it must be {live}.")
    return given


def whole(name: str, otherwise: int) -> int:
    """A variable that is a whole number from 1 on, or ``otherwise`` when absent."""
    text = os.environ.get(name, "")
    if text and not (text.isdecimal() and int(text)):
        raise ImproperlyConfigured(f"{name} is {text!r}; it must be a whole number from 1 on.")
    return int(text or otherwise)


def working_hours(text: str) -> dict[str, tuple[time, time]]:
    """Begin and end of business by group; under the empty name those of every other group."""
    hours = {"": (time(7), time(19))}
    for part in filter(None, (part.strip() for part in text.split(","))):
        group, _, span = part.rpartition("=")
        try:
            begin, end = (time.fromisoformat(word) for word in span.split("-"))
        except ValueError as wrong:
            raise ImproperlyConfigured(
                f"OMS_WORKING_HOURS: {part!r} is not HH:MM-HH:MM or GROUP=HH:MM-HH:MM."
            ) from wrong
        if begin >= end:
            raise ImproperlyConfigured(f"OMS_WORKING_HOURS: {part!r} ends before it begins.")
        hours[group] = (begin, end)
    return hours


SECRET_KEY = _secret_key()


def sealing_keys() -> list[str]:
    """Texts that keys of ``authorisation.sealing`` are made of, the one that seals first."""
    path = os.environ.get("OMS_SEALING_KEY_FILE")
    if not path:
        return [SECRET_KEY]
    lines = [line.strip() for line in Path(path).read_text().splitlines() if line.strip()]
    if not lines or min(map(len, lines)) < 32:
        raise ImproperlyConfigured("OMS_SEALING_KEY_FILE must hold texts of at least 32 characters, one a line.")
    return lines


SEALING_KEYS = sealing_keys()

SEAL_KEY_MADE_WHEN_MISSING = MODE != "live"
SEAL_KEY_FILE = os.environ.get("OMS_SEAL_KEY_FILE") or (None if MODE == "live" else str(VAR_DIR / "keys" / "seal.pem"))
ANCHOR_DIRS = [
    place
    for place in (os.environ.get("OMS_ANCHOR_DIR") or str(VAR_DIR / "anchors"), os.environ.get("OMS_ANCHOR_DIR_2"))
    if place
]
TRUSTED_PROXIES = networks(os.environ.get("OMS_TRUSTED_PROXIES", ""))
ARCHIVE_DIR = Path(os.environ.get("OMS_ARCHIVE_DIR") or VAR_DIR / "archive")
ALLOWED_HOSTS = os.environ.get("OMS_ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(",")


def database_from_url(url: str) -> dict[str, Any]:
    """Django's DATABASES entry for a ``postgresql://`` address; ``?host=/dir`` selects a Unix socket."""
    parts = urlsplit(url)
    if parts.scheme not in ("postgresql", "postgres"):
        raise ImproperlyConfigured("OMS_DATABASE_URL must start with postgresql://.")
    query = dict(pair.split("=", 1) for pair in parts.query.split("&") if "=" in pair)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "oms",
        "USER": unquote(parts.username or ""),
        "PASSWORD": Secret(unquote(parts.password)) if parts.password else _secret("database_password") or "",
        "HOST": unquote(query.get("host", parts.hostname or "")),
        "PORT": str(parts.port or query.get("port", "")),
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": False,
        "OPTIONS": {"server_side_binding": True, "prepare_threshold": 3},
        "ATOMIC_REQUESTS": False,
        "TEST": {"NAME": f"test_{unquote(parts.path.lstrip('/')) or 'oms'}"},
    }


def price_feeds(text: str) -> dict[str, str]:
    """Addresses by source, as ``OMS_PRICE_FEEDS`` names them."""
    feeds: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        source, _, address = pair.partition("=")
        if not source or not address.startswith(("unix:", "tcp:", "file:")) or source in feeds or len(source) > 24:
            raise ImproperlyConfigured(f"OMS_PRICE_FEEDS holds {pair!r}; write SOURCE=unix:PATH, each source once.")
        feeds[source] = address
    return feeds


WEBHOOK_LOOPBACK = os.environ.get("OMS_WEBHOOK_LOOPBACK", "") == "allow"
if os.environ.get("OMS_WEBHOOK_LOOPBACK", "") not in ("", "allow") or (WEBHOOK_LOOPBACK and MODE == "live"):
    raise ImproperlyConfigured("OMS_WEBHOOK_LOOPBACK may be allow, and only outside live.")
PRICE_FEEDS = price_feeds(os.environ.get("OMS_PRICE_FEEDS", ""))
PRICE_QUIET = timedelta(seconds=float(os.environ.get("OMS_PRICE_QUIET_S") or (15 if MODE == "demo" else 0)))
TICKS_KEPT_DAYS = 2 if MODE == "demo" else 14
DATABASES = {"default": database_from_url(os.environ.get("OMS_DATABASE_URL", "postgresql:///oms"))}


def redis_url(url: str) -> str:
    """``url`` with the password of its server, where it has one and does not say it itself."""
    parts, password = urlsplit(url), _secret("redis_password")
    if password is None or parts.password or parts.scheme == "unix":
        return url
    return parts._replace(netloc=f"{parts.username or ''}:{quote(password, safe='')}@{parts.netloc}").geturl()


REDIS_URL = Secret(redis_url(os.environ.get("OMS_REDIS_URL", "redis://127.0.0.1:6379/0")))

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_fsm",
    "guardian",
    "simple_history",
    "rest_framework",
    "drf_spectacular",
    "journal",
    "authorisation",
    "refdata",
    "accounts",
    "risk",
    "orders",
    "venues",
    "allocations",
    "outbound",
    "reconciliation",
    "operations",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "oms_project.middleware.ContentSecurityPolicyMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "oms_project.middleware.ApiOverTlsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",  # below the headers, so that files carry them too
    "authorisation.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "oms_project.uses.AccessUseMiddleware",
]

ROOT_URLCONF = "oms_project.urls"
ASGI_APPLICATION = "oms_project.asgi.application"
WSGI_APPLICATION = "oms_project.wsgi.application"
AUTH_USER_MODEL = "authorisation.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "guardian.backends.ObjectPermissionBackend",
]
GUARDIAN_MONKEY_PATCH_USER = False
ANONYMOUS_USER_NAME = None
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "authorisation.password_rules.NotUsedLatelyValidator"},
]
LOGIN_URL = "/sign-in"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/sign-in"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "operations.context.frame",
            ],
            "libraries": {"oms": "operations.templatetags.oms"},
        },
    }
]

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if MODE == "test"
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = MODE == "test"
MEDIA_ROOT = VAR_DIR / "files"

SECURE = MODE == "live"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = SECURE
COOKIE_PREFIX = "__Host-" if SECURE else ""  # browsers then refuse them from any other host and without TLS
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}oms", f"{COOKIE_PREFIX}oms_csrf"
SESSION_ENGINE = "authorisation.session_store"
SESSION_TIMES = Times(
    idle=timedelta(minutes=whole("OMS_IDLE_MINUTES", 30 if SECURE else 720)),
    absolute=timedelta(hours=whole("OMS_SESSION_HOURS", 12)),
    unfinished=timedelta(minutes=10),
)
SECOND_FACTOR_REQUIRED = choice("OMS_SECOND_FACTOR", ("optional", "required"), live="required") == "required"
MAIL_HOST = os.environ.get("OMS_MAIL_HOST", "")
DEFAULT_FROM_EMAIL = os.environ.get("OMS_MAIL_FROM") or "oms@localhost"
EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend" if MAIL_HOST else "django.core.mail.backends.dummy.EmailBackend"
)
EMAIL_HOST, _, _mail_port = MAIL_HOST.partition(":")
if _mail_port and not _mail_port.isdecimal():
    raise ImproperlyConfigured(f"OMS_MAIL_HOST is {MAIL_HOST!r}; write it as host:port.")
EMAIL_PORT = int(_mail_port or 25)
EMAIL_TIMEOUT = 10
WORKING_HOURS = working_hours(os.environ.get("OMS_WORKING_HOURS", ""))
HOUSE_ZONE = os.environ.get("OMS_HOUSE_ZONE") or "Europe/London"
FIRM_NAME = os.environ.get("OMS_FIRM_NAME") or ("" if MODE == "live" else "Demo House")
FIRM_LINES = tuple(line.strip() for line in os.environ.get("OMS_FIRM_LINES", "").split("|") if line.strip())
REFERENCE_MARKET = os.environ.get("OMS_REFERENCE_MARKET") or "XLON"
STEP_UP = choice("OMS_STEP_UP", ("enrolled", "always"), live="always")
STEP_UP_FOR = timedelta(minutes=whole("OMS_STEP_UP_MINUTES", 15))
SESSION_COOKIE_AGE = int(SESSION_TIMES.absolute.total_seconds())
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Strict"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SECURE_REDIRECT_EXEMPT = ["^api/"]  # refused, not led away: ApiOverTlsMiddleware
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 20 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024

BEARER_TOKENS = MODE != "live"  # who sees one may use it for anything; partners sign

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "authorisation.api.authentication.ApiKeyAuthentication",
        "authorisation.api.authentication.SignedRequestAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticated",
        "authorisation.api.permissions.HasScope",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "oms_project.api_errors.exception_handler",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "OMS API",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "COMPONENT_SPLIT_REQUEST": True,
    "SORT_OPERATION_PARAMETERS": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "oms_project.api_document.complete",
    ],
}

CELERY_BROKER_URL = Secret(REDIS_URL.replace("unix://", "redis+socket://"))
CELERY_TASK_DEFAULT_QUEUE = "routing"
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_TIME_LIMIT = 300
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TIMEZONE = "UTC"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True

WEB_PORT = int(os.environ.get("OMS_WEB_PORT", "8000"))
STREAM_PORT = int(os.environ.get("OMS_STREAM_PORT", "8001"))
STREAM_URL = os.environ.get("OMS_STREAM_URL", "")
FIX_PORT = int(os.environ.get("OMS_FIX_PORT", "9878"))
BUILD = os.environ.get("OMS_BUILD", "dev")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "oms_project.logs.JsonFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {"django.server": {"level": "WARNING"}},
}
