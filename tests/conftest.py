"""What holds for every test: only this computer is spoken to, nothing of the person who runs them is touched,
and what was left out is said aloud.
"""

from __future__ import annotations

import gc
import importlib
import ipaddress
import itertools
import os
import signal
import socket
import ssl
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

TESTS = Path(__file__).parent
CI = os.environ.get("CI") == "true"
REAL = CI or os.environ.get("REAL") == "1"
"""Whether the tests marked `real` run: they need system packages, and root."""

UNSET = (
    "CI",
    "COLORFGBG",
    "COLORTERM",
    "COLUMNS",
    "CREDENTIALS_DIRECTORY",
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "FORCE_COLOR",
    "LC_ALL",
    "LC_CTYPE",
    "LINES",
    "NO_COLOR",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONUNBUFFERED",
    "PYTHON_KEYRING_BACKEND",
    "SSH_CLIENT",
    "SSH_CONNECTION",
    "SSH_TTY",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TERM_PROGRAM",
    "TMUX",
    "WAYLAND_DISPLAY",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
    "XDG_STATE_HOME",
)
"""What would make a test depend on whose terminal, desktop or keyring it happens to run in.

And what would have each of a thousand processes of the program compile all of it anew.
"""

MANY_OBJECTS = (20_000, 10, 10)
"""How many new objects there are before the garbage of each generation is collected."""

_left_out = pytest.StashKey[dict[str, int]]()


class SpokeToTheWorld(Exception):
    """A test was about to talk to something that is not this computer."""


MARKERS = (
    "begins_early: takes ten seconds or more by itself, so that it must not be the last one",
    "system_trust: looks at the certificates that the system believes",
)
"""Marks of our own; that of the tests with system packages stands in pyproject.toml."""


def pytest_configure(config: pytest.Config) -> None:
    """Nothing depends on how busy the computer is, or on whether the tests were started in the background."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    if not CI:  # where the library has such a profile itself, which tries the same examples each time
        settings.register_profile("busy", deadline=None)
        settings.load_profile("busy")
    sys.dont_write_bytecode = False
    if hasattr(config, "workerinput") or not config.getoption("numprocesses", None):
        gc.disable()  # until all tests are known: what is made until then stays
    # What a shell's '&' and 'nohup' have ignored would be by every process that a test starts.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Two processes more than there are processors: much of their time tests wait for what others do."""
    return (os.cpu_count() or 1) + 2


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config) -> None:
    """Compile the tests once, where all are run: each process would compile all of them, and at the same time."""
    if config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        return
    for file in sorted(TESTS.rglob("test_*.py")):
        if not compiled(file):
            with suppress(Exception):  # the processes say what is wrong with it
                importlib.import_module(".".join(file.relative_to(TESTS.parent).with_suffix("").parts))


def compiled(file: Path) -> bool:
    """Whether a test file was compiled, with what its asserts tell, since it was changed."""
    name = f"{file.stem}.{sys.implementation.cache_tag}-pytest-{pytest.__version__}.pyc"
    try:
        return (file.parent / "__pycache__" / name).stat().st_mtime >= file.stat().st_mtime
    except FileNotFoundError:
        return False


def pytest_itemcollected(item: pytest.Item) -> None:
    """Keep the tests of a file together that share real servers: each process would start its own."""
    if item.get_closest_marker("real") is not None:
        item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with what takes longest; leave the real servers out where nobody asked for them, and remember that."""
    items[:] = in_order(items)
    left_out: dict[str, int] = {}
    config.stash[_left_out] = left_out
    real = [item for item in items if item.get_closest_marker("real") is not None]
    if REAL:
        return
    for item in real:
        where = item.nodeid.partition("::")[0]
        left_out[where] = left_out.get(where, 0) + 1
    if real:
        config.hook.pytest_deselected(items=real)
        items[:] = [item for item in items if item not in real]


GROUPS_BEGIN_WITHIN = 0.6
"""The part of the tests among which the groups begin, so that none of them is the last to end."""


def in_order(items: list[pytest.Item]) -> list[pytest.Item]:
    """Return the tests that take long first, and each group somewhere among the others.

    Most groups wait for servers. If as many ran at once as there are processes, the processors would wait too.
    """
    single: list[pytest.Item] = []
    groups: dict[str, list[pytest.Item]] = {}
    for item in sorted(items, key=lambda item: item.get_closest_marker("begins_early") is None):
        group = item.get_closest_marker("xdist_group")
        (single if group is None else groups.setdefault(group.args[0], [])).append(item)
    places: dict[int, list[pytest.Item]] = {}
    for number, group_items in enumerate(groups.values()):
        place = int(number * GROUPS_BEGIN_WITHIN * len(single) / len(groups))
        places.setdefault(place, []).extend(group_items)
    return [each for at, item in enumerate([*single, None]) for each in (*places.get(at, ()), item) if each is not None]


def pytest_collection_finish() -> None:
    """Have the collector of garbage never again look through what all tests share: it cost a fifth of their time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*MANY_OBJECTS)
    gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Take over what a process that ran a part of the tests has left out; each of them has seen all tests."""
    left_out = getattr(node, "workeroutput", {}).get("left_out")
    if left_out:
        node.config.stash[_left_out] = left_out


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Where everything must run, a test that was skipped is a failure."""
    told = getattr(session.config, "workeroutput", None)
    if told is not None:
        told["left_out"] = session.config.stash.get(_left_out, {})
    reporter: Any = session.config.pluginmanager.get_plugin("terminalreporter")
    if CI and exitstatus == 0 and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Name in the last lines what did not run, and how to run it."""
    if CI and terminalreporter.stats.get("skipped"):
        terminalreporter.write_line("CI=true: a test that is left out is a failure.", red=True)
    left_out = config.stash.get(_left_out, {})
    if left_out:
        terminalreporter.section("left out: what needs real mail servers, a keyring or a terminal", yellow=True)
        for where, count in left_out.items():
            terminalreporter.write_line(f"{where}: {count} {'test' if count == 1 else 'tests'}")
        terminalreporter.write_line("To run them too, as root on Debian or Ubuntu: REAL=1 make test")


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give homes for all tests, each of them new, in one folder; `mktemp` would look through all that are there."""
    folder = tmp_path_factory.mktemp("homes")
    return (folder / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def own_home(monkeypatch: pytest.MonkeyPatch, homes: Iterator[Path]) -> Path:
    """Give every test a home of its own: no account, keyring, colour or language of the person who runs it."""
    home = next(homes)
    home.mkdir(mode=0o700)
    for name in UNSET:
        monkeypatch.delenv(name, raising=False)
    for name, value in surroundings(home).items():
        monkeypatch.setenv(name, value)
    return home


def surroundings(home: Path) -> dict[str, str]:
    """Return the variables of a person whose home this is."""
    return {
        "HOME": str(home),
        "SMTP_WIZARD_CONFIG": str(home / "config"),
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "PAGER": "cat",
    }


@pytest.fixture(autouse=True)
def no_system_trust(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no test read the hundred and more authorities of the system, which takes longer than most tests.

    None of them has signed for a server on this computer. What looks at them says so by the mark `system_trust`.
    """
    if request.node.get_closest_marker("system_trust") is None:
        monkeypatch.setattr(ssl.SSLContext, "load_default_certs", lambda self, purpose=ssl.Purpose.SERVER_AUTH: None)


@pytest.fixture
def any_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the practice server of this process take whatever password a test signs in with.

    For tests in which a password must be one that stands nowhere else: the practice password is told to everybody.
    """
    from smtp_wizard.engine.base.stages import Stage
    from smtp_wizard.engine.sandbox.scenarios import Scenario, SignInRule
    from smtp_wizard.engine.sandbox.server import lets_in

    def lets_any_in(scenario: Scenario, login: bytes, password: bytes) -> bool:
        if scenario.auth is SignInRule.PRACTICE and Stage.AUTH not in scenario.replies:
            return bool(login and password)
        return lets_in(scenario, login, password)

    monkeypatch.setattr("smtp_wizard.engine.sandbox.server.lets_in", lets_any_in)


@pytest.fixture(autouse=True)
def no_power_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have nothing wait until the disk has really written it: that takes longer than most tests, and shows nothing."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Refuse to speak to anything but this computer. A test that tried fails, even if its code shrugged it off."""
    attempts: list[str] = []

    def refuse(what: str) -> None:
        attempts.append(what)
        raise SpokeToTheWorld(what)

    for method in ("connect", "connect_ex", "sendto"):
        _guard_method(monkeypatch, method, refuse)
    _guard_lookups(monkeypatch, refuse)
    yield
    assert not attempts, f"spoke to the world: {', '.join(attempts)}"


def _guard_method(monkeypatch: pytest.MonkeyPatch, name: str, refuse: Any) -> None:
    """Let a method of sockets pass only addresses of this computer. The address is its last argument."""
    original = getattr(socket.socket, name)

    def guarded(self: socket.socket, *arguments: Any) -> Any:
        address = arguments[-1]
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_here(address[0]):
            refuse(f"{name} {address}")
        return original(self, *arguments)

    monkeypatch.setattr(socket.socket, name, guarded)


def _guard_lookups(monkeypatch: pytest.MonkeyPatch, refuse: Any) -> None:
    """Answer for names that exist nowhere (RFC 6761, RFC 2606) as the resolver would; let no other name out."""
    original = socket.getaddrinfo

    def guarded(host: Any, *arguments: Any, **options: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name is None or name in ("", socket.gethostname()) or _is_address(name) or _is_here(name):
            return original(host, *arguments, **options)
        if name.rstrip(".").rpartition(".")[2] not in ("invalid", "test", "example"):
            refuse(f"look up {name}")
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", guarded)


def _is_here(host: str) -> bool:
    """Return whether a host is this computer: a loopback address, the unspecified one, or localhost."""
    if host in ("", "localhost"):
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True
