"""No event loop waits for a file: another process may hold the lock of the accounts, or the disk may be slow."""

from __future__ import annotations

import ast
import asyncio
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from smtp_wizard.engine.accounts.saved_accounts import FILE_NAME
from smtp_wizard.engine.base import private_files
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Auth, Connection
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.identity import Scope
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.stages import Depth, Verdict
from smtp_wizard.engine.checks.report import Report
from smtp_wizard.engine.secrets.store_kinds import StoreKind
from smtp_wizard.engine.secrets.stores import SecretStores
from smtp_wizard.engine.secrets.vault import VaultStore
from smtp_wizard.engine.secrets.vault_format import Cost
from smtp_wizard.engine.services.doctor import Doctor
from smtp_wizard.engine.services.services import Services
from smtp_wizard.engine.smtp.transport import SocketWire
from smtp_wizard.engine.wizard.account_draft import draft_of
from smtp_wizard.engine.wizard.draft import Draft, Proof
from tests.support.accepting import taking_every_password
from tests.support.nouns import with_fields
from tests.support.patience import PATIENCE
from tests.support.stores import always, desktop
from tests.support.walk import make_services, until

ENDPOINT = Endpoint("mail.example.test", 587, Security.STARTTLS)
SECRET, ANOTHER = Secret("correct horse"), Secret("another one")


def draft(name: str = "Office") -> Draft:
    connection = Connection(endpoint=ENDPOINT, username="ana")
    address = Address("ana", "example.test")
    return Draft(address=address, connection=connection, secret=SECRET, name=name, store=StoreKind.KEYRING)


async def edited(services: Services) -> object:
    account = services.saved_accounts.get("Office")
    return await services.accounts.save(with_fields(draft_of(account, ANOTHER, services.catalog), sender_name="Ana"))


async def given_a_new_password(services: Services) -> object:
    return await services.accounts.replace_secret(services.saved_accounts.get("Office"), ANOTHER, lambda _: None)


Act = Callable[[Services], Awaitable[object]]
CHANGES: dict[str, Act] = {
    "save": lambda services: services.accounts.save(draft("Shop")),
    "replace": lambda services: services.accounts.save(draft(), replacing=True),
    "edit": edited,
    "rename": lambda services: services.accounts.rename("Office", "Shop"),
    "duplicate": lambda services: services.accounts.duplicate("Office"),
    "move": lambda services: services.accounts.move("Office", StoreKind.SESSION),
    "move to the vault": lambda services: services.accounts.move("Office", StoreKind.VAULT),
    "new password": given_a_new_password,
    "scope": lambda services: services.accounts.set_scope("Office", Scope.ALL),
    "remove": lambda services: services.accounts.remove("Office"),
}
"""Everything that writes the accounts."""


async def recorded(services: Services) -> None:
    """A result of an account whose id is not at hand."""
    account = with_fields(services.saved_accounts.get("Office"), id="")
    await services.checks.record(account, Report(ENDPOINT), Depth.LOGIN)


async def signed_in_elsewhere(services: Services) -> None:
    """Where the sign-in of a draft of a saved account is read."""
    changed = draft_of(services.saved_accounts.get("Office"), Secret("a token"), services.catalog)
    assert await services.tokens.store_of(with_fields(changed, auth=Auth.XOAUTH2)) is not None


async def followed(services: Services) -> None:
    """A password that another program has put elsewhere since."""
    before = services.saved_accounts.get("Office")
    await services.accounts.rename("Office", "Shop")
    assert await services.entries.secret_of(before) == SECRET


async def found_left(services: Services) -> None:
    """A note that cannot be read."""
    assert len((await services.entries.left()).odd) == 1


async def cleaned(services: Services) -> None:
    """The same, cleared away."""
    await found_left(services)
    await services.entries.clean()
    assert (await services.entries.left()).odd == ()


async def examined(services: Services) -> None:
    """All that `doctor` looks at."""
    doctor = Doctor(
        folder=services.folder,
        saved_accounts=services.saved_accounts,
        stores=services.stores,
        entries=services.entries,
        wire=SocketWire(),
        environ={},
        now=services.now,
    )
    found, left = await doctor.examine(lambda: services.catalog, network=False)
    assert {each.area for each in found} >= {"stores", "config", "dns", "tls", "clock", "data"}
    assert len(left.odd) == 1


READINGS: dict[str, Act] = {
    "record a result": recorded,
    "whose a sign-in is": signed_in_elsewhere,
    "a password that was moved": followed,
    "what was left": found_left,
    "clean": cleaned,
    "doctor": examined,
}


async def prepared(folder: Path) -> Services:
    """Services over a folder with one account in it, an open vault, and a damaged note of a change."""
    vault = VaultStore(folder, cost=Cost(n=2**4))
    stores = SecretStores({}, folder, backend_factory=always(desktop()), vault=vault)
    services = taking_every_password(make_services(folder, stores=stores, lock_limit=PATIENCE), ENDPOINT)
    await vault.create(Secret("four words of no sense"))
    await services.accounts.save(draft())
    (folder / "unfinished-0a.json").write_text("no note", "utf-8")
    return services


# -- another process ---------------------------------------------------------------------------------------------------

HOLDS = """
import sys, filelock
with filelock.FileLock(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held_elsewhere(lock: Path) -> Iterator[Callable[[], None]]:
    """Have another process hold a lock; yield what has it let go."""
    words = [sys.executable, "-c", HOLDS, str(lock)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield process.stdin.close


def notice_of_the_lock(patch: pytest.MonkeyPatch) -> threading.Event:
    """Return what is set when somebody comes to the lock of the accounts."""
    waits, lock_of = threading.Event(), private_files.lock_of

    def noted(file: Path) -> Path:
        if file.name == FILE_NAME:
            waits.set()
        return lock_of(file)

    patch.setattr(private_files, "lock_of", noted)
    return waits


@pytest.mark.parametrize("act", CHANGES.values(), ids=CHANGES)
async def test_the_loop_goes_on_while_another_process_holds_the_accounts(
    act: Act, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else nobody could let the lock go here: the change would be given up when its patience is over."""
    services = await prepared(tmp_path)
    waits = notice_of_the_lock(monkeypatch)
    with held_elsewhere(tmp_path / f"{FILE_NAME}.lock") as let_go:
        change = asyncio.ensure_future(act(services))
        await until(lambda: waits.is_set() or change.done(), lambda: "the change never came to the lock")
        assert not change.done()
        let_go()
        await change


async def test_who_gives_up_a_change_that_waits_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes to its end once the lock is free: no account without its password, and none left behind."""
    services = await prepared(tmp_path)
    account = services.saved_accounts.get("Office")
    waits = notice_of_the_lock(monkeypatch)
    with held_elsewhere(tmp_path / f"{FILE_NAME}.lock") as let_go:
        change = asyncio.ensure_future(services.accounts.rename("Office", "Shop"))
        await until(waits.is_set, lambda: "the change never came to the lock")
        for _ in range(3):
            change.cancel()
            await asyncio.sleep(0)
        let_go()
        with pytest.raises(asyncio.CancelledError):
            await change
    renamed = services.saved_accounts.get("Shop")
    assert renamed.id == account.id
    assert await services.entries.secret_of(renamed) == SECRET
    assert (await services.entries.left()).entries == ()


async def test_who_gives_up_saving_leaves_what_was_proved_with_the_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = await prepared(tmp_path)
    waits = notice_of_the_lock(monkeypatch)
    proof = Proof(services.now(), Depth.LOGIN, Verdict.PASS, ENDPOINT, "ana")
    with held_elsewhere(tmp_path / f"{FILE_NAME}.lock") as let_go:
        saving = asyncio.ensure_future(services.accounts.save(replace(draft("Shop"), proof=proof)))
        await until(waits.is_set, lambda: "the change never came to the lock")
        saving.cancel()
        await asyncio.sleep(0)
        let_go()
        with pytest.raises(asyncio.CancelledError):
            await saving
    assert len(services.saved_accounts.state.results.history(services.saved_accounts.get("Shop").id)) == 1
    assert await services.entries.secret_of(services.saved_accounts.get("Shop")) == SECRET


# -- files -------------------------------------------------------------------------------------------------------------

TOUCHES = frozenset({"open", "os.rename", "os.remove", "os.mkdir", "os.listdir", "os.scandir", "sqlite3.connect"})
_listening: list[Callable[[str, tuple[Any, ...]], None]] = []


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    for listener in _listening:
        listener(event, arguments)


@contextmanager
def touched_here(folder: Path) -> Iterator[list[str]]:
    """Yield what this thread does with files of a folder, as it is done."""
    here, found = threading.get_ident(), []

    def heard(event: str, arguments: tuple[Any, ...]) -> None:
        if event in TOUCHES and threading.get_ident() == here and str(folder) in str(arguments[0]):
            found.append(f"{event} {arguments[0]}")

    if not getattr(sys, "_tests_listen_to_services", False):
        sys.addaudithook(_audit)  # it cannot be taken away again
        sys._tests_listen_to_services = True  # type: ignore[attr-defined]
    _listening.append(heard)
    try:
        yield found
    finally:
        _listening.remove(heard)


@pytest.mark.parametrize("act", [*CHANGES.values(), *READINGS.values()], ids=[*CHANGES, *READINGS])
async def test_no_file_is_touched_in_the_event_loop(act: Act, tmp_path: Path) -> None:
    services = await prepared(tmp_path)
    saved_accounts = {each.name: each for each in services.saved_accounts.list()}
    with touched_here(tmp_path) as touched, pytest.MonkeyPatch.context() as patch:
        # What the acts themselves look up is no part of the services.
        whole = services.saved_accounts.get
        patch.setattr(
            services.saved_accounts,
            "get",
            lambda name: saved_accounts[name] if _in_the_loop() and name in saved_accounts else whole(name),
        )
        await act(services)
    assert touched == []


def _in_the_loop() -> bool:
    return threading.current_thread() is threading.main_thread()


SERVICES = Path(__file__).parents[3] / "smtp_wizard" / "engine" / "services"


def called_in_the_loop(function: ast.AsyncFunctionDef) -> Iterator[ast.Call]:
    """Yield what is called in the event loop: not what is handed to a thread, which a lambda or a function holds."""
    todo: list[ast.AST] = list(function.body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Call):
            yield node
        if not isinstance(node, ast.Lambda | ast.FunctionDef | ast.AsyncFunctionDef):
            todo.extend(ast.iter_child_nodes(node))


def reads_a_file(call: ast.Call) -> bool:
    """Whether a call reads the product's data, or what is saved."""
    names = ast.unparse(call.func).split(".")
    loads = names[-1].startswith(("load_", "read_"))
    saved = "_saved_accounts" in names and names[-1] not in ("record", "renewed")  # which only hand over
    return loads or saved or names[-1] == "_ours"


def test_no_service_reads_a_file_in_the_event_loop() -> None:
    """Such as the list of IMAP servers: it is read from a disk, and the screens stand still meanwhile."""
    functions = [
        (file.name, function)
        for file in sorted(SERVICES.glob("*.py"))
        for function in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(function, ast.AsyncFunctionDef)
    ]
    assert len(functions) > 50
    reading = [
        f"{name}: {function.name} calls {ast.unparse(call.func)}"
        for name, function in functions
        for call in called_in_the_loop(function)
        if reads_a_file(call)
    ]
    assert reading == []
