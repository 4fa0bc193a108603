"""The first thing that runs: makes ``.venv`` hold exactly the locked requirements of a verb, then hands over to it.

Standard library only, because nothing else is there yet. Two ways lead to the environment: ``uv`` (found on PATH, or
fetched by hash into ``var/tools``), else ``venv`` and ``pip --require-hashes``. Whatever index, links or certificate
pip is configured with is passed on to uv, so that the repository names no host. Progress goes to standard error:
standard output belongs to the verb. Every failure is one sentence with a way out, exit code 3.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parent.parent.parent
ENVIRONMENT = ROOT / ".venv"
STAMP = ENVIRONMENT / "oms-stamp.json"
DEVELOPMENT_VERBS = ("test", "check", "bench", "scenarios", "simulate")
NEEDED_MB = 1500
CANNOT_RUN = 3


class CannotRun(Exception):
    """One sentence that says what is wrong and what to do about it."""


def say(text: str) -> None:
    """Progress, on standard error."""
    print(text, file=sys.stderr, flush=True)


def python_problem(version: Sequence[int], implementation: str) -> str | None:
    """Why this interpreter will not do, or None."""
    found = f"{implementation} {version[0]}.{version[1]}"
    if implementation != "CPython":
        return f"CPython 3.11, 3.12 or 3.13 is needed and this is {found}; install python3.11 and start again."
    if tuple(version[:2]) < (3, 11):
        return f"Python 3.11 or later is needed and this is {found}; install python3.11 and start again."
    if tuple(version[:2]) >= (3, 14):
        return f"Python 3.11, 3.12 or 3.13 is needed and this is {found}; install python3.11 and start again."
    return None


def engine_notice(version: Sequence[int], machine: str) -> str | None:
    """What building the FIX engine will cost where it has no ready wheel, or None where it has one."""
    if tuple(version[:2]) == (3, 11) and machine == "x86_64":
        return None
    return (
        f"The FIX engine has no ready wheel for Python {version[0]}.{version[1]} on {machine}: unless an index offers "
        "one it is compiled now, once, which needs a C++ compiler and about twelve minutes of CPU; "
        "with python3.11 on x86_64 it is a download of seconds."
    )


def parse_pip_config(lines: Iterable[str]) -> dict[str, list[str]]:
    """``pip config list`` as option -> values. Environment beats ``install.`` beats ``global.``; lists are split."""
    ranks = {"global": 0, "install": 1, ":env:": 2}
    best: dict[str, tuple[int, list[str]]] = {}
    for line in lines:
        name, separator, literal = line.partition("=")
        section, dot, option = name.strip().partition(".")
        if not (separator and dot) or section not in ranks:
            continue
        try:
            value = str(ast.literal_eval(literal.strip()))
        except (ValueError, SyntaxError):
            value = literal.strip()
        rank = ranks[section]
        if option not in best or rank >= best[option][0]:
            best[option] = (rank, value.split())
    return {option: values for option, (_, values) in best.items() if values}


def is_there(location: str) -> bool:
    """False for a local path or ``file:`` address that does not exist; remote ones get the benefit of the doubt."""
    parts = urlsplit(location)
    if parts.scheme == "file":
        return Path(unquote(parts.path)).exists()
    return parts.scheme in ("http", "https") or Path(location).expanduser().exists()


def uv_environment(config: Mapping[str, list[str]], environment: Mapping[str, str]) -> dict[str, str]:
    """``environment`` plus uv's words for pip's configuration; whatever is already said to uv itself stays."""
    answer = dict(environment)
    answer.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")  # pip's own rule; the hashes decide what is accepted
    answer.setdefault("UV_PYTHON_DOWNLOADS", "never")
    answer.setdefault("UV_HTTP_TIMEOUT", "180")
    answer.pop("VIRTUAL_ENV", None)
    if not os.access(Path.home(), os.W_OK):
        answer.setdefault("UV_CACHE_DIR", str(ROOT / "var" / "tools" / "cache"))
    extra = [entry for entry in config.get("extra-index-url", []) if is_there(entry)]
    links = [entry for entry in config.get("find-links", []) if is_there(entry)]
    certificate = config.get("cert", [])
    translated = {
        "UV_DEFAULT_INDEX": config.get("index-url", [""])[-1],
        "UV_INDEX": " ".join(extra),
        "UV_FIND_LINKS": ",".join(links),
        "UV_INSECURE_HOST": " ".join(config.get("trusted-host", [])),
        "SSL_CERT_FILE": certificate[-1] if certificate and is_there(certificate[-1]) else "",
        "ALL_PROXY": config.get("proxy", [""])[-1],
        "UV_NO_INDEX": "1" if config.get("no-index", ["0"])[-1].lower() in ("1", "true", "yes", "on") else "",
    }
    for name, value in translated.items():
        if value and not answer.get(name):
            answer[name] = value
    return answer


def without_extras(environment: Mapping[str, str]) -> dict[str, str]:
    """The same without additional indexes and links: one that cannot be reached must not stop the rest."""
    return {name: value for name, value in environment.items() if name not in ("UV_INDEX", "UV_FIND_LINKS")}


def failure_sentence(output: str, version: Sequence[int]) -> str:
    """The one sentence for what an installer printed before it gave up."""
    text = output.lower()
    if "no space left" in text or "disk quota exceeded" in text:
        return f"The disk is full; free {NEEDED_MB} MB under {ROOT} (or at the installer's cache) and start again."
    if "quickfix" in text:
        return (
            f"The FIX engine could not be installed for Python {version[0]}.{version[1]} on {platform.machine()}; "
            "install python3.11 (x86_64 has a ready wheel), or a C++ compiler and the Python headers, and start again."
        )
    if "permission denied" in text:
        return f"{ENVIRONMENT} cannot be written; start as the user it belongs to, or in a clone of your own."
    if "hash" in text and "mismatch" in text:
        return "A downloaded package does not match its locked hash; point pip at an index that serves the original."
    return "The locked packages could not be installed; check the network and pip's index configuration."


class Installer:
    """Finds or fetches uv and brings the environment to a requirements file."""

    def __init__(self) -> None:
        self.pip = self._find_pip()
        lines = self._output([*self.pip, "config", "list"]).splitlines() if self.pip else []
        self.environment = uv_environment(parse_pip_config(lines), os.environ)

    def _output(self, command: Sequence[str]) -> str:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.stdout if done.returncode == 0 else ""

    def _find_pip(self) -> list[str]:
        candidates = [[sys.executable, "-m", "pip"], *([path] for path in map(shutil.which, ("pip3", "pip")) if path)]
        return next((candidate for candidate in candidates if self._output([*candidate, "--version"])), [])

    def find_uv(self) -> str | None:
        """A uv that runs: on PATH, in its usual places, or fetched by hash into ``var/tools``."""
        tools = ROOT / "var" / "tools"
        home = Path.home()
        for place in (shutil.which("uv"), tools / "bin" / "uv", home / ".local/bin/uv", home / ".cargo/bin/uv"):
            if place and os.access(place, os.X_OK) and self._output([str(place), "--version"]):
                return str(place)
        say("  fetching uv …")
        locked = str(ROOT / "requirements" / "bootstrap.txt")
        if self._run([sys.executable, "-m", "venv", str(tools)])[0] == 0:
            self._run([str(tools / "bin" / "python"), "-m", "pip", "install", "-q", "--require-hashes", "-r", locked])
        elif self.pip:
            self._run([*self.pip, "install", "-q", "--prefix", str(tools), "--require-hashes", "-r", locked])
        found = tools / "bin" / "uv"
        return str(found) if found.exists() and self._output([str(found), "--version"]) else None

    def _run(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> tuple[int, str]:
        done = subprocess.run(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        return done.returncode, done.stdout

    def install(self, requirements: Path) -> None:
        """Create the environment where missing, then make it hold exactly ``requirements``."""
        uv = self.find_uv()
        self._create(uv)
        python = str(ENVIRONMENT / "bin" / "python")
        tries: list[tuple[list[str], dict[str, str]]] = []
        if uv:
            sync = [uv, "pip", "sync", "--python", python, "--require-hashes", str(requirements)]
            tries += [(sync, self.environment), (sync, without_extras(self.environment))]
        else:
            pip = [python, "-m", "pip", "install", "--require-hashes", "-r", str(requirements)]
            tries += [(pip, dict(os.environ)), (pip, {**os.environ, "PIP_EXTRA_INDEX_URL": "", "PIP_FIND_LINKS": ""})]
        output = ""
        for command, environment in tries:
            code, output = self._run(command, environment)
            if code == 0:
                return
        say(output[-4000:])
        raise CannotRun(failure_sentence(output, sys.version_info[:2]))

    def _create(self, uv: str | None) -> None:
        if environment_works() and (
            uv or self._output([str(ENVIRONMENT / "bin" / "python"), "-m", "pip", "--version"])
        ):
            return
        if uv:
            command = [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(ENVIRONMENT)]
        else:
            command = [sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)]
        code, output = self._run(command, self.environment)
        if code != 0:
            say(output[-2000:])
            if "ensurepip" in output:
                package = f"python3.{sys.version_info[1]}-venv"
                raise CannotRun(
                    f"Neither uv nor Python's venv module is here; install {package} or uv and start again."
                )
            raise CannotRun(failure_sentence(output, sys.version_info[:2]))


def environment_works() -> bool:
    """True when ``.venv`` has an interpreter this user can run and that is recent enough."""
    python = ENVIRONMENT / "bin" / "python"
    check = "import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))"
    try:
        return subprocess.run([python, "-c", check], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def requirements_for(verb: str) -> Path:
    """The locked file that ``verb`` needs."""
    name = "dev.txt" if verb in DEVELOPMENT_VERBS else "embedded.txt"
    return ROOT / "requirements" / name


def digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def is_current(requirements: Path) -> bool:
    """True when the environment was last brought to this very file, or to the development one that contains it."""
    try:
        stamp = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return False
    wide_enough = {requirements.name, "dev.txt"}
    same = stamp.get("file") in wide_enough and stamp.get("digest") == digest(requirements.with_name(stamp["file"]))
    return bool(same) and environment_works()


def check_disk() -> None:
    """Refuse to begin an installation that cannot end."""
    free = shutil.disk_usage(ROOT).free // (1024 * 1024)
    if free < NEEDED_MB:
        raise CannotRun(f"The disk is nearly full ({free} MB left); free {NEEDED_MB} MB under {ROOT} and start again.")


def prepare(verb: str) -> None:
    """Bring the environment to what ``verb`` needs. Does nothing, in milliseconds, when it already is."""
    problem = python_problem(sys.version_info[:2], platform.python_implementation())
    if problem:
        raise CannotRun(problem)
    requirements = requirements_for(verb)
    if is_current(requirements):
        return
    if not os.access(ROOT, os.W_OK):
        raise CannotRun(f"{ROOT} cannot be written by this user; start in a clone of your own.")
    check_disk()
    notice = engine_notice(sys.version_info[:2], platform.machine())
    if notice:
        say(notice)
    started = time.monotonic()
    say(f"Environment: installing requirements/{requirements.name} into .venv …")
    Installer().install(requirements)
    STAMP.write_text(json.dumps({"file": requirements.name, "digest": digest(requirements)}))
    say(f"  done in {time.monotonic() - started:.1f} s")


def with_compiled_kept(environment: Mapping[str, str]) -> dict[str, str]:
    """Who wants no compiled files beside the sources has them in ``.venv``.

    Without any, each process of the house would compile a thousand modules anew: more than half of what its start costs.
    """
    answer = dict(environment)
    if answer.pop("PYTHONDONTWRITEBYTECODE", ""):
        answer.setdefault("PYTHONPYCACHEPREFIX", str(ENVIRONMENT / "compiled"))
    return answer


def hand_over(arguments: Sequence[str]) -> None:
    """Become the house. The working directory stays, so that file names on the command line mean what they say."""
    python = str(ENVIRONMENT / "bin" / "python")
    environment = with_compiled_kept({**os.environ, "PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1"})
    environment.pop("VIRTUAL_ENV", None)
    os.execve(python, [python, "-m", "oms_project.house", *arguments], environment)


def main(arguments: Sequence[str]) -> int:
    """Prepare, then hand over; returns only when it cannot."""
    try:
        verb = next((word for word in arguments if not word.startswith("-")), "")
        prepare(verb)
        hand_over(arguments)
    except CannotRun as problem:
        say(f"oms: cannot run: {problem}")
    except KeyboardInterrupt:
        say("oms: stopped.")
    except OSError as problem:
        full = problem.errno == 28
        say(f"oms: cannot run: {failure_sentence('no space left' if full else str(problem), sys.version_info[:2])}")
    return CANNOT_RUN


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
