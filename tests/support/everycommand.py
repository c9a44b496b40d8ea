"""Every command of the program, each as it can be run on loopback; and a process that runs them under a condition."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from smtp_wizard.cli import program
from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from tests.commands.test_send import RELAY

PRACTICE = ("setup", "ana@sandbox.test", "--path", "accept", "--password-env", "PW")
COMMANDS: tuple[tuple[str, ...], ...] = (
    (),
    ("--help",),
    ("--version",),
    ("--plain",),
    ("no-such-command",),
    ("setup",),
    (*PRACTICE, "--json"),
    (*PRACTICE, "--store", "session", "--save", "New"),
    (*PRACTICE[:4], "--password-stdin"),
    ("check", "127.0.0.1:1", "-v"),
    ("check", "127.0.0.1:1", "--json"),
    ("check", "--help"),
    ("test",),
    ("test", "Office", "--depth", "server"),
    ("test", "--all", "--json"),
    ("test", "--all", "--format", "nagios"),
    ("test", "--all", "--format", "jsonl"),
    ("history", "Office"),
    ("calendar",),
    ("calendar", "--catalogue", "--ics", "-"),
    ("history", "Nobody", "--json"),
    ("send", "Office", "--to", "me@elsewhere.example"),
    ("accounts",),
    ("accounts", "list", "--json"),
    ("accounts", "show", "Office"),
    ("accounts", "show", "Nobody", "--json"),
    ("accounts", "rename", "Office", "New"),
    ("accounts", "password", "Office"),
    ("accounts", "edit", "Office", "--store", "session"),
    ("accounts", "duplicate", "Office", "--as", "New"),
    ("accounts", "remove", "Office"),
    ("accounts", "tag", "Office", "--add", "paid"),
    ("vault",),
    ("vault", "list", "--json"),
    ("vault", "passphrase"),
    ("discover", "ana@gmail.com"),
    ("domain", "nobody.invalid", "--timeout", "1"),
    ("providers",),
    ("providers", "list", "gmail", "--json"),
    ("providers", "show", "gmail"),
    ("providers", "verify", "nobody"),
    ("provider",),
    ("provider", "show", "gmail"),
    ("provider", "new", "--json"),
    ("provider", "export", "gmail"),
    ("provider", "export", "gmail", "--format", "json"),
    ("limits",),
    ("limits", "list", "gmail", "--json"),
    ("limits", "plan", "--provider", "gmail", "--recipients", "100"),
    ("guide",),
    ("guide", "basic"),
    ("explain",),
    ("explain", "-", "--json"),
    ("explain", "--jsonl"),
    ("bounces", "Office"),
    ("senders", "Office", "--try", "sales@example.com"),
    ("senders", "Nobody", "--json"),
    ("readiness", "Nobody", "--recipients", "100", "--json"),
    ("bounces", "Nobody", "--json"),
    ("unsubscribe", "list@example.com"),
    ("unsubscribe", "--check", "-"),
    ("sandbox", "--scenario", "nothing"),
    ("sandbox", "run", "--scenario", "nothing", "--json"),
    ("sandbox", "mailbox"),
    ("sandbox", "mailbox", "list", "--json"),
    ("sandbox", "mailbox", "show", "nothing"),
    ("doctor",),
    ("doctor", "--json"),
    ("completion", "bash"),
    ("manual",),
    ("schema",),
    ("schema", "test"),
)


def leaves() -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every command that does something, with the words that call it."""
    yield from _below((), program, click.Context(program, **program.context_settings))


def _below(
    words: tuple[str, ...], command: click.Command, context: click.Context
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if not isinstance(command, click.Group):
        yield words, command
        return
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found is not None
        yield from _below((*words, name), found, click.Context(found, parent=context, info_name=name))


def make_config(folder: Path) -> None:
    """Save two accounts, whose server is not there."""
    saved_accounts = SavedAccounts(folder)
    nowhere = Endpoint("127.0.0.1", 1, Security.STARTTLS)
    office = replace(RELAY, connection=replace(RELAY.connection, endpoint=nowhere, auth=Auth.PASSWORD, username="ana"))
    saved_accounts.put(replace(office, name=phrase("Office"), store=StoreRef(StoreKind.SESSION, "Office/password")))
    saved_accounts.put(replace(office, name=phrase("Shop"), store=StoreRef(StoreKind.ENV, "PW")))


@dataclass(frozen=True)
class Ended:
    """How one command ended in its process."""

    code: int
    """As a shell tells it: 128 + n where a signal ended it."""
    out: str
    err: str


class LoadedProgram:
    """A process that has loaded the whole program, and runs commands in children: to load it takes a second."""

    def __init__(self) -> None:
        command = [sys.executable, "-P", "-c", _SCRIPT]  # as for the program's own script: nothing is loaded from here
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def run_each(
        self, condition: str, commands: Sequence[tuple[str, ...]], folder: Path
    ) -> dict[tuple[str, ...], Ended]:
        """Run commands one by one, each in a process of its own that ends as the real one does, under a condition.

        `condition` is one of the script below.
        """
        folder.mkdir()
        make_config(folder / "config")
        env = {**os.environ, "SMTP_WIZARD_CONFIG": str(folder / "now"), "PW": "abcdefgh ijklmnop"}
        told = self._asked({"condition": condition, "commands": commands, "folder": str(folder), "env": env})
        shutil.rmtree(folder)
        return {tuple(words): Ended(*ended) for words, ended in zip(commands, told, strict=True)}

    def _asked(self, given: Mapping[str, object]) -> list[tuple[int, str, str]]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._process.stdin.write(json.dumps(given) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, self._process.stderr.read()
        told: list[tuple[int, str, str]] = json.loads(answer)
        return told

    def close(self) -> None:
        """End it."""
        self._process.communicate()


def load_under(conditions: Sequence[str], folder: Path) -> None:
    """Load the whole program under conditions, all at once. Raises `AssertionError` where that cannot be done."""
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-P", "-c", _SCRIPT, str(folder), *conditions],
        input="",
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


_SCRIPT = r"""
import gc, importlib, json, os, pathlib, pkgutil, shutil, sys, traceback

folder = None
kept = [os.dup(number) for number in range(3)]


def to(number, path, flags):
    handle = os.open(path, flags | os.O_CREAT, 0o600)
    os.dup2(handle, number)
    os.close(handle)


def streams():
    to(0, os.devnull, os.O_RDONLY)
    to(1, folder / "out", os.O_WRONLY | os.O_TRUNC)
    to(2, folder / "err", os.O_WRONLY | os.O_TRUNC)


def close(*numbers):
    for number in numbers:
        os.close(number)
        setattr(sys, ("stdin", "stdout", "stderr")[number], None)
        setattr(sys, ("__stdin__", "__stdout__", "__stderr__")[number], None)


def broken(number):
    reading, writing = os.pipe()
    os.close(reading)
    os.dup2(writing, number)
    os.close(writing)


def gone():
    (folder / "gone").mkdir(exist_ok=True)
    os.chdir(folder / "gone")
    (folder / "gone").rmdir()


def nobody():
    import pwd

    def unknown(_):
        raise KeyError(_)

    pwd.getpwuid = pwd.getpwnam = unknown
    os.environ.pop("HOME", None)
    os.environ.pop("SMTP_WIZARD_CONFIG", None)


def relative():
    gone()
    os.environ["SMTP_WIZARD_CONFIG"] = "config"


def bytes_everywhere():
    looks = ("NO_COLOR", "COLUMNS", "LINES", "TERM", "LANG", "SMTP_WIZARD_THEME", "ACCESSIBLE", "DISPLAY", "USER")
    places = ("SSH_CONNECTION", "CREDENTIALS_DIRECTORY", "SSL_CERT_DIR", "http_proxy", "XDG_CONFIG_HOME", "PW")
    for name in looks + places:
        os.environ[name] = "a\udcff\x1b[2J"


def odd_numbers():
    os.environ |= {"COLUMNS": "-1", "LINES": "99999999999999999999999", "NO_COLOR": "", "CI": "\x1b", "TERM": ""}


CONDITIONS = {
    "nothing": lambda: None,
    "stdin closed": lambda: close(0),
    "stdin unreadable": lambda: to(0, os.devnull, os.O_WRONLY),
    "stdout closed": lambda: close(1),
    "stdout full": lambda: to(1, "/dev/full", os.O_WRONLY),
    "stdout read-only": lambda: to(1, os.devnull, os.O_RDONLY),
    "stderr closed": lambda: close(2),
    "stderr full": lambda: to(2, "/dev/full", os.O_WRONLY),
    "stderr broken": lambda: broken(2),
    "all closed": lambda: close(0, 1, 2),
    "both full": lambda: (to(1, "/dev/full", os.O_WRONLY), to(2, "/dev/full", os.O_WRONLY)),
    "stdout broken": lambda: broken(1),
    "the folder gone": gone,
    "a config folder in a folder that is gone": relative,
    "nobody": nobody,
    "bytes everywhere": bytes_everywhere,
    "odd numbers": odd_numbers,
}


def load():
    # All that any command loads, at once.
    import smtp_wizard
    from smtp_wizard.commands.process import fill_closed_streams

    fill_closed_streams()
    for module in pkgutil.walk_packages(smtp_wizard.__path__, "smtp_wizard."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    import dataclasses, dns.asyncresolver, dns.resolver, filelock, platformdirs, yaml
    import _strptime, aiosmtpd.smtp, email_validator, mailbox, trustme, urllib.request
    import click._textwrap, cryptography.hazmat.primitives.ciphers.algorithms
    import keyring.compat.py312, secretstorage

    # And all that is finished when it is used first.
    for module in [module for name, module in sys.modules.items() if name.startswith("smtp_wizard")]:
        [dataclasses.is_dataclass(each) for each in vars(module).values() if isinstance(each, type)]


def begin(conditions):
    streams()
    for condition in conditions:
        CONDITIONS[condition]()


def load_under(conditions):
    wrong = ""
    begin(conditions)
    try:
        load()
    except BaseException:
        wrong = traceback.format_exc()
    [os.dup2(stream, number) for number, stream in enumerate(kept)]
    os.write(2, wrong.encode())
    os._exit(bool(wrong))


if len(sys.argv) > 1:
    folder = pathlib.Path(sys.argv[1])
    load_under(sys.argv[2:])
load()
from smtp_wizard.__main__ import main

gc.freeze()


def run(words, given):
    os.environ.clear()
    os.environ.update(given["env"])
    [os.close(number) for number in kept]
    begin([given["condition"]])
    sys.argv = ["smtp-wizard", *words]
    sys.exit(main())


for line in sys.stdin:
    given = json.loads(line)
    folder = pathlib.Path(given["folder"])
    told = []
    for words in given["commands"]:
        shutil.rmtree(folder / "now", ignore_errors=True)
        shutil.copytree(folder / "config", folder / "now")
        for name in ("out", "err"):
            (folder / name).write_bytes(b"")
        child = os.fork()
        if child == 0:
            run(words, given)
        status = os.waitpid(child, 0)[1]
        code = os.waitstatus_to_exitcode(status)
        texts = [(folder / name).read_bytes().decode("utf-8", "backslashreplace") for name in ("out", "err")]
        told.append([code if code >= 0 else 128 - code, *texts])
    os.write(1, json.dumps(told).encode() + b"\n")
"""
