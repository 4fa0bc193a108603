"""wapiti (Debian's) against a running demo house, signed in as one person; its findings and what the house logged meanwhile.

    python -m tests.scanning.wapiti http://127.0.0.1:8190 a.khan var var/found.json

The scanner posts every form it finds, so the house has to be one to throw away. It is kept from what would sign it out,
and from the modules that need a listener or lists on the internet. Exit 1: it found something, or the house logged an error.
"""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path

MODULES = (
    "backup,blindsql,cookieflags,crlf,csp,csrf,exec,file,htaccess,http_headers,methods,permanentxss,redirect,"
    "shellshock,sql,xss,xxe"
)
LEFT_ALONE = ("/sign-out", "/account/sessions/end", "/account/password")
STARTS = (
    "/desk", "/o/new", "/search?q=AC4480", "/positions", "/positions/AC4480", "/prices", "/prices/VOD.L", "/venues",
    "/uploads", "/risk", "/risk/limits", "/risk/rules", "/approvals", "/exceptions", "/corporate-actions", "/preferences",
    "/account/sessions", "/account/factors", "/admin/access", "/admin/keys", "/admin/webhooks", "/audit?q=AC4480",
)  # fmt: skip
# Version 3.0.4 translates what to leave out into an expression that Python 3.11 and later refuse.
WAPITI = """
import re
import wapitiCore.net.crawler as crawler
crawler.wildcard_translate = lambda pattern: re.compile("(?s).*".join(map(re.escape, pattern.split("*"))) + r"\\Z")
from wapitiCore.main.wapiti import wapiti_main
wapiti_main()
"""
MODULE_SECONDS, CRAWL_SECONDS, MOST_SECONDS = 20, 60, 540


def sign_in(url: str, username: str, password: str) -> str:
    """The Cookie header of a session."""
    jar = CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    page = browser.open(f"{url}/sign-in").read().decode()
    token = page.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    form = {"csrfmiddlewaretoken": token, "username": username, "password": password, "next": "/preferences"}
    answer = browser.open(f"{url}/sign-in", urllib.parse.urlencode(form).encode())
    assert answer.url == f"{url}/preferences", answer.url
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)


def command(url: str, cookies: str, out: Path) -> list[str]:
    given = [
        "/usr/bin/python3",
        "-c",
        WAPITI,
        "-u",
        f"{url}/",
        "--scope",
        "folder",
        "-m",
        MODULES,
        "-d",
        "3",
        "--max-links-per-page",
        "60",
    ]
    given += ["--max-files-per-dir", "12", "--max-parameters", "30", "-t", "10", "-v", "1", "--flush-session"]
    given += ["--max-scan-time", str(CRAWL_SECONDS), "--max-attack-time", str(MODULE_SECONDS), "--no-bugreport"]
    given += ["-H", f"Cookie: {cookies}", "--endpoint", f"{url}/none/", "--store-session", f"{out}.session"]
    given += [part for path in STARTS for part in ("-s", url + path)]
    given += [part for path in LEFT_ALONE for part in ("-x", url + path)]
    return [*given, "-f", "json", "-o", str(out)]


def errors_in(logs: Path, since: dict[Path, int]) -> list[str]:
    """Lines of the house's logs since the start that are errors or belong to a traceback."""
    found = []
    for path in sorted(logs.glob("*.log")):
        with path.open("rb") as log:
            log.seek(since.get(path, 0))
            lines = log.read().decode(errors="replace").splitlines()
        found += [f"{path.name}: {line[:300]}" for line in lines if '"level": "ERROR"' in line or "Traceback" in line]
    return found


def main(url: str, username: str, var: Path, out: Path) -> int:
    people = json.loads((var / "demo_sign_ins.json").read_text())
    password = next(row["password"] for row in people if row["username"] == username)
    sizes = {path: path.stat().st_size for path in (var / "log").glob("*.log")}
    subprocess.run(command(url, sign_in(url, username, password), out), check=False, timeout=MOST_SECONDS)
    report = json.loads(out.read_text())
    found = {
        kind: rows for part in ("vulnerabilities", "anomalies") for kind, rows in report.get(part, {}).items() if rows
    }
    for kind, rows in found.items():
        for row in rows:
            print(f"{kind}: {row['method']} {row['path']} {row.get('parameter') or ''}: {row['info']}")
    logged = errors_in(var / "log", sizes)
    print(*logged, sep="\n")
    print(f"{sum(map(len, found.values()))} findings, {len(logged)} errors logged")
    return 1 if found or logged else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1].rstrip("/"), sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4])))
