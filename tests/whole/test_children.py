"""No program that is started inherits a variable in which somebody's secret stands, whichever account's it is."""

from __future__ import annotations

import ast
import json
import os
import shlex
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from smtp_wizard.app import WizardApp
from smtp_wizard.engine.accounts.saved_accounts import FILE_NAME, SavedAccounts
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from smtp_wizard.engine.secrets.stores import SecretStores
from smtp_wizard.launch import build_services
from tests.commands.test_send import RELAY
from tests.support.cli import on_terminal, run_process
from tests.support.walk import guides
from tests.test_architecture import ROOT, modules

PASSWORD = "abcdefgh ijklmnop"
SECRETS = {
    "SHOP_KEY": "the password of the shop",
    "BOOKS_KEY": "the password of the books",
    "SMTP_WIZARD_PASSWORD_NOBODY": "the password of nobody yet",
}
"""Variables that belong to other accounts, saved or not."""
INHERITED = {"SOMETHING_ELSE": "which is nobody's secret"}


@pytest.fixture
def folder(own_home: Path) -> Path:
    return own_home / "config"


@pytest.fixture
def saved_accounts(folder: Path) -> SavedAccounts:
    """Two accounts that have their passwords in variables."""
    saved_accounts = SavedAccounts(folder)
    for name in ("Shop", "Books"):
        saved_accounts.put(replace(RELAY, name=shown(name), store=StoreRef(StoreKind.ENV, f"{name.upper()}_KEY")))
    return saved_accounts


class Child:
    """A program that writes down what it inherits, and prints a password."""

    def __init__(self, folder: Path, name: str = "child") -> None:
        self.seen_in = folder / f"{name}.json"
        program = (
            f"import json, os; file = open({str(self.seen_in)!r}, 'a');"
            f"file.write(json.dumps(dict(os.environ)) + chr(10)); print({PASSWORD!r})"
        )
        self.command = shlex.join([sys.executable, "-c", program])

    @property
    def inherited(self) -> list[dict[str, str]]:
        """What each start of the program has inherited."""
        return [json.loads(line) for line in self.seen_in.read_text().splitlines()]


def nothing_secret(child: Child, *more: str) -> None:
    assert child.inherited, "it was started"
    for environ in child.inherited:
        assert environ.keys() & {*SECRETS, *more} == set()
        assert not {value for value in environ.values() if value in SECRETS.values()}
        assert environ["SOMETHING_ELSE"] == INHERITED["SOMETHING_ELSE"]


def test_a_command_of_one_account_inherits_no_variable_of_another(
    saved_accounts: SavedAccounts, tmp_path: Path
) -> None:
    child = Child(tmp_path)
    saved_accounts.put(replace(RELAY, name=phrase("Office"), store=StoreRef(StoreKind.COMMAND, child.command)))
    ran = run_process("test", "Office", environ=SECRETS | INHERITED)
    assert ran.code == 1, "nobody listens there"
    nothing_secret(child)


def test_a_password_command_inherits_none(saved_accounts: SavedAccounts, tmp_path: Path) -> None:
    child = Child(tmp_path)
    options = ("--depth", "login", "--username", "ana", "--password-command", child.command)
    ran = run_process("check", "127.0.0.1:1", *options, environ=SECRETS | INHERITED)
    assert ran.code == 1
    nothing_secret(child)


def test_a_passphrase_command_inherits_no_password_that_is_given_beside_it(
    saved_accounts: SavedAccounts, tmp_path: Path
) -> None:
    child = Child(tmp_path)
    setup = ("setup", "ana@sandbox.test", "--save", "Office", "--store", "vault", "--passphrase-command", child.command)
    environ = SECRETS | INHERITED | {"MAIL": PASSWORD}
    assert run_process(*setup, "--password-env", "MAIL", environ=environ).code == 0
    nothing_secret(child, "MAIL")


def test_a_password_command_inherits_no_passphrase_that_is_given_beside_it(
    saved_accounts: SavedAccounts, tmp_path: Path
) -> None:
    child = Child(tmp_path)
    setup = ("setup", "ana@sandbox.test", "--save", "Office", "--store", "vault", "--passphrase-env", "VAULT")
    environ = SECRETS | INHERITED | {"VAULT": "four words of no sense"}
    assert run_process(*setup, "--password-command", child.command, environ=environ).code == 0
    nothing_secret(child, "VAULT")


def test_the_new_passphrase_is_hidden_from_the_command_that_gives_the_old_one(
    saved_accounts: SavedAccounts, tmp_path: Path
) -> None:
    child = Child(tmp_path)
    setup = ("setup", "ana@sandbox.test", "--save", "Office", "--store", "vault", "--passphrase-command", child.command)
    environ = SECRETS | INHERITED | {"NEW": "five words of no sense"}
    assert run_process(*setup, "--password-stdin", stdin=PASSWORD, environ=environ | {"NEW": ""}).code == 0
    change = ("vault", "passphrase", "--passphrase-command", child.command, "--new-passphrase-env", "NEW")
    assert run_process(*change, environ=environ).code == 0
    assert len(child.inherited) == 2
    for inherited in child.inherited[1:]:
        assert "NEW" not in inherited
    nothing_secret(child)


def test_a_new_variable_and_a_client_secret_are_hidden_before_anything_is_started(
    saved_accounts: SavedAccounts, tmp_path: Path
) -> None:
    child = Child(tmp_path)
    options = ("--env-name", "MAIL", "--client-secret-env", "CLIENT", "--password-command", child.command)
    environ = SECRETS | INHERITED | {"MAIL": PASSWORD, "CLIENT": "the client's"}
    run_process("setup", "ana@sandbox.test", "--save", "Office", *options, environ=environ)
    nothing_secret(child, "MAIL", "CLIENT")


def test_a_command_that_is_lent_the_terminal_inherits_none(saved_accounts: SavedAccounts, tmp_path: Path) -> None:
    """The first time it gives up, since it has no terminal; then it is run where it can ask."""
    seen = tmp_path / "seen"
    program = (
        f"import json, os, sys; file = open({str(seen)!r}, 'a'); file.write(json.dumps(dict(os.environ)) + chr(10));"
        f"sys.exit(1) if not sys.stdin.isatty() else print({PASSWORD!r})"
    )
    command = shlex.join([sys.executable, "-c", program])
    saved_accounts.put(replace(RELAY, name=phrase("Office"), store=StoreRef(StoreKind.COMMAND, command)))
    before = dict(os.environ)
    os.environ.update(SECRETS | INHERITED)
    try:
        on_terminal(["test", "Office"])
    finally:
        os.environ.clear()
        os.environ.update(before)
    child = Child(tmp_path)
    child.seen_in = seen
    assert len(child.inherited) == 2
    nothing_secret(child)


# -- programs that run for long ----------------------------------------------------------------------------------------


async def test_what_another_process_saves_meanwhile_is_hidden_too(saved_accounts: SavedAccounts, folder: Path) -> None:
    environ = {**SECRETS, "LATER_KEY": "the password of a later account", "PATH": os.environ["PATH"], **INHERITED}
    services = build_services(folder, environ)
    command = StoreRef(StoreKind.COMMAND, shlex.join([sys.executable, "-c", "print('x')"]))
    await services.stores.fetch(command)
    assert environ.keys() == {"LATER_KEY", "PATH", "SOMETHING_ELSE"}
    SavedAccounts(folder).put(replace(RELAY, name=phrase("Later"), store=StoreRef(StoreKind.ENV, "LATER_KEY")))
    await services.stores.fetch(command)
    assert environ.keys() == {"PATH", "SOMETHING_ELSE"}
    shop = services.saved_accounts.get("Shop")
    assert await services.entries.secret_of(shop) == Secret(SECRETS["SHOP_KEY"]), "its own account has it all the same"


def test_accounts_that_cannot_be_read_hide_what_is_named_as_usual(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    (folder / FILE_NAME).write_text("{")
    environ = {**SECRETS, **INHERITED}
    stores = SecretStores(environ, folder, variables=SavedAccounts(folder).variables)
    assert stores.for_children().keys() == {"SHOP_KEY", "BOOKS_KEY", "SOMETHING_ELSE"}


async def test_a_browser_inherits_none(
    saved_accounts: SavedAccounts, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (SECRETS | INHERITED).items():
        monkeypatch.setenv(name, value)
    seen: list[set[str]] = []
    monkeypatch.setattr("webbrowser.open", lambda *_, **__: seen.append(set(os.environ)))
    app = WizardApp(build_services(folder, os.environ), guides())
    async with app.run_test():
        app.open_url("https://example.com")
    (environ,) = seen
    assert environ & SECRETS.keys() == set()
    assert "SOMETHING_ELSE" in environ


# -- nobody starts a program elsewhere ---------------------------------------------------------------------------------

STARTERS = {"engine/remote/ssh.py", "engine/secrets/command.py", "runtime/lent_terminal.py", "runtime/pager.py"}
"""Where programs are started: with the environment that they are handed, which `hide_variables` has seen."""
STARTING = {
    "asyncio.create_subprocess_exec",
    "asyncio.create_subprocess_shell",
    "os.execv",
    "os.execvp",
    "os.execve",
    "os.fork",
    "os.popen",
    "os.posix_spawn",
    "os.spawnv",
    "os.startfile",
    "os.system",
    "pty.spawn",
    "subprocess.Popen",
    "subprocess.call",
    "subprocess.check_call",
    "subprocess.check_output",
    "subprocess.getoutput",
    "subprocess.run",
    "webbrowser.get",
    "webbrowser.open",
}


def calls(tree: ast.AST, wanted: Callable[[str], bool]) -> list[int]:
    """Return the lines in which something is called."""
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and wanted(ast.unparse(node.func))]
    return [node.lineno for node in found]


def test_programs_are_started_in_four_places_and_the_browser_in_three() -> None:
    starting = {module.path for module in modules().values() if calls(module.tree, STARTING.__contains__)}
    assert starting == STARTERS
    browsing = {
        module.path for module in modules().values() if calls(module.tree, lambda name: name.endswith("open_url"))
    }
    assert browsing == {"app.py", "screens/browser.py", "screens/link.py"}
    for module in modules().values():
        text = (ROOT / "smtp_wizard" / module.path).read_text("utf-8")
        if module.path.startswith("screens/"):
            opened = [line for line in text.splitlines() if "open_url(" in line]
            assert all("self.app.open_url(" in line for line in opened), module.path


def test_whoever_runs_a_command_hands_it_the_environment_for_children() -> None:
    wrong: list[Any] = []
    for module in modules().values():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "first_line":
                environ = ast.unparse(node.args[1])
                if environ not in ("environ", "invocation.stores.for_children()", "self._environ"):
                    wrong.append((module.path, node.lineno, environ))
    assert wrong == []
