"""Secrets come back from where they were kept, or a sentence says why not. No fault holds the program or tells one."""

from __future__ import annotations

import asyncio
import importlib
import subprocess
import sys
import textwrap
import threading
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from unittest.mock import Mock

import keyring.backends.fail
import keyring.backends.null
import keyring.errors
import pytest

from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.secrets import keyring as desktop_store
from smtp_wizard.engine.secrets.keyring import OS_BACKENDS, SERVICE, Backend, KeyringStore
from smtp_wizard.engine.secrets.reference_stores import EnvStore, variable_for
from smtp_wizard.engine.secrets.secret_store import SecretError, SecretFault, SecretStore
from smtp_wizard.engine.secrets.session import SessionStore
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from smtp_wizard.engine.secrets.stores import SecretStores
from tests.support.stores import (
    AlteringBackend,
    FailingStore,
    ForgetfulBackend,
    HangingBackend,
    MemoryBackend,
    QuotingBackend,
    RaisingBackend,
    UndeletingBackend,
    always,
    chain,
    desktop,
    named,
    put,
)

PASSWORD = "pä$$ 'wörd\" %40"
SECRET = Secret(PASSWORD)
OFFICE = StoreRef(StoreKind.KEYRING, "Office/password")


def keyring_store(backend: Backend, limit: float = 5.0) -> KeyringStore:
    return KeyringStore(limit=limit, backend_factory=lambda: backend)


async def refused(store: SecretStore) -> SecretError:
    """Ask a store to keep the secret; return the error, after checking that the probe says the same."""
    found = await store.probe()
    with pytest.raises(SecretError) as caught:
        await put(store, "Office", SECRET)
    assert not found.ok
    assert not found.unattended
    assert found.words == str(caught.value)
    assert found.words.endswith(".")
    return caught.value


# -- the battery that any store must pass ------------------------------------------------------------------------------


def full_environ() -> dict[str, str]:
    return {variable_for(name): value for name, value in ENTRIES.items()}


ENTRIES = {
    "Office": PASSWORD,
    "blanks": "  abcd efgh ijkl mnop ",
    "lines": "one\ntwo\r\nthree",
    "script": "пароль 密码 🔑",
    "long": "x" * 4096,
}

STORES: dict[str, Callable[[], SecretStore]] = {
    "keyring": lambda: keyring_store(desktop()),
    "keyring, chained": lambda: keyring_store(chain(desktop(), desktop())),
    "env": lambda: EnvStore(full_environ()),
    "session": SessionStore,
}


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> SecretStore:
    return STORES[str(request.param)]()


async def test_what_is_kept_comes_back(store: SecretStore) -> None:
    refs = {name: await put(store, name, Secret(value)) for name, value in ENTRIES.items()}
    for name, value in ENTRIES.items():
        assert await store.get(refs[name]) == Secret(value)


async def test_the_reference_says_where_and_never_what(store: SecretStore) -> None:
    for name, value in ENTRIES.items():
        ref = await put(store, name, Secret(value))
        assert ref.kind is store.kind
        assert ref.where
        assert value not in repr(ref)


async def test_keeping_twice_is_keeping_once(store: SecretStore) -> None:
    assert await put(store, "Office", SECRET) == await put(store, "Office", SECRET)


async def test_deleting_what_is_not_there_is_no_fault(store: SecretStore) -> None:
    ref = await put(store, "Office", SECRET)
    await store.delete(ref)
    await store.delete(ref)


async def test_the_probe_says_what_it_protects_from_and_whether_timed_jobs_can_read_it(store: SecretStore) -> None:
    found = await store.probe()
    assert found.ok
    assert "cron" in found.words
    assert found.words.count(".") == 1
    assert found.unattended is (store.kind is StoreKind.ENV)


async def test_a_probe_disturbs_nothing(store: SecretStore) -> None:
    ref = await put(store, "Office", SECRET)
    await store.probe()
    assert await store.get(ref) == SECRET


@pytest.mark.parametrize("kind", ["keyring", "session"])
async def test_what_is_deleted_is_gone(kind: str) -> None:
    store = STORES[kind]()
    ref = await put(store, "Office", SECRET)
    await store.delete(ref)
    with pytest.raises(SecretError) as missing:
        await store.get(ref)
    assert missing.value.fault in (SecretFault.MISSING, SecretFault.ASK)


async def test_a_store_that_always_fails_fails_in_sentences() -> None:
    store = FailingStore()
    await refused(store)
    with pytest.raises(SecretError):
        await store.get(OFFICE)
    with pytest.raises(SecretError):
        await store.delete(OFFICE)


# -- the keyring's situations ------------------------------------------------------------------------------------------

SITUATIONS: dict[str, tuple[Callable[[], Backend], SecretFault]] = {
    "no keyring": (keyring.backends.fail.Keyring, SecretFault.ABSENT),
    "an empty chain": (chain, SecretFault.ABSENT),
    "a keyring that was never made": (
        lambda: desktop(RaisingBackend(problem=keyring.errors.InitError("Prompt dismissed.."))),
        SecretFault.ABSENT,
    ),
    "locked": (lambda: desktop(RaisingBackend(problem=keyring.errors.KeyringLocked(PASSWORD))), SecretFault.LOCKED),
    "forgets by its nature": (keyring.backends.null.Keyring, SecretFault.FORGETS),
    "forgets behind a good name": (lambda: desktop(ForgetfulBackend()), SecretFault.FORGETS),
    "gives back something else": (lambda: desktop(AlteringBackend()), SecretFault.FORGETS),
    "a plug-in": (lambda: named(MemoryBackend(), "keyrings.alt.file", "PlaintextKeyring"), SecretFault.UNSAFE),
    "a plug-in with a good class name": (lambda: named(MemoryBackend(), "evil.SecretService"), SecretFault.UNSAFE),
    "a chain with a plug-in": (
        lambda: chain(desktop(), named(MemoryBackend(), "keyrings.alt.file", "PlaintextKeyring")),
        SecretFault.UNSAFE,
    ),
    "a chain in a chain": (lambda: chain(desktop(), chain(desktop())), SecretFault.UNSAFE),
    "refuses": (
        lambda: desktop(RaisingBackend(problem=OSError(1783, "The stub received bad data"))),
        SecretFault.REFUSED,
    ),
    "refuses and quotes the password": (lambda: desktop(QuotingBackend()), SecretFault.REFUSED),
}


@pytest.mark.parametrize("situation", SITUATIONS)
async def test_a_keyring_that_cannot_be_used_is_said_in_a_sentence(situation: str) -> None:
    make, trouble = SITUATIONS[situation]
    error = await refused(keyring_store(make()))
    assert error.fault is trouble


@pytest.mark.parametrize("situation", SITUATIONS)
async def test_no_fault_tells_the_password(situation: str) -> None:
    make, _ = SITUATIONS[situation]
    with pytest.raises(SecretError) as caught:
        await put(keyring_store(make()), "Office", SECRET)
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None
    told = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert PASSWORD not in told
    assert "bad data" not in told


async def test_a_plug_in_is_given_no_password_to_try() -> None:
    plug_in = named(MemoryBackend(), "keyrings.alt.file", "PlaintextKeyring")
    working = desktop()
    await refused(keyring_store(chain(working, plug_in)))
    assert plug_in.entries == working.entries == {}


async def test_a_factory_that_fails_is_a_fault_of_the_keyring() -> None:
    factory = Mock(side_effect=ModuleNotFoundError("No module named 'nowhere'"))
    error = await refused(KeyringStore(backend_factory=factory))
    assert error.fault is SecretFault.REFUSED
    assert "ModuleNotFoundError" in str(error)


async def test_a_keyring_that_cannot_delete_is_not_offered() -> None:
    found = await keyring_store(desktop(UndeletingBackend())).probe()
    assert not found.ok


async def test_the_probe_leaves_nothing_behind() -> None:
    backend = desktop()
    assert (await keyring_store(backend).probe()).ok
    assert backend.entries == {}


async def test_an_entry_stands_under_the_programs_and_the_accounts_name() -> None:
    backend = desktop()
    ref = await put(keyring_store(backend), "Office", SECRET)
    assert ref == OFFICE
    assert backend.entries == {("smtp-wizard", "Office/password"): PASSWORD}


async def test_an_entry_that_somebody_deleted_is_said() -> None:
    with pytest.raises(SecretError, match="no entry 'Office/password' any more") as missing:
        await keyring_store(desktop()).get(OFFICE)
    assert missing.value.fault is SecretFault.MISSING


KNOWN = OS_BACKENDS | {desktop_store._CHAIN, desktop_store._FAIL, desktop_store._NULL}


@pytest.mark.parametrize(("module", "name"), sorted(KNOWN))
def test_the_names_on_the_list_are_those_of_the_library(module: str, name: str) -> None:
    assert getattr(importlib.import_module(module), name).__module__ == module


@pytest.mark.parametrize("chained", [False, True])
async def test_what_windows_cannot_hold_is_said_in_a_sentence(chained: bool) -> None:
    windows = named(MemoryBackend(), "keyring.backends.Windows", "WinVaultKeyring")
    store = keyring_store(chain(windows) if chained else windows)
    with pytest.raises(SecretError, match=r"at most 1280 characters, and this one has 1281: .* the vault\.") as caught:
        await put(store, "Office", Secret("x" * 1281))
    assert caught.value.fault is SecretFault.TOO_LONG
    assert windows.entries == {}
    assert await put(keyring_store(desktop()), "Office", Secret("x" * 1281)) == OFFICE


@pytest.mark.parametrize("secret", ["x" * 1280, "\U0001f511" * 640])
async def test_what_windows_can_just_hold_is_kept(secret: str) -> None:
    windows = named(MemoryBackend(), "keyring.backends.Windows", "WinVaultKeyring")
    assert await keyring_store(windows).get(await put(keyring_store(windows), "Office", Secret(secret))) == Secret(
        secret
    )
    with pytest.raises(SecretError):
        await put(keyring_store(windows), "Office", Secret(f"{secret}x"))


class LockedByAnotherWord(keyring.errors.KeyringLocked):
    """As a backend may say it."""


async def test_a_fault_is_known_by_what_it_is_a_kind_of() -> None:
    error = await refused(keyring_store(desktop(RaisingBackend(problem=LockedByAnotherWord()))))
    assert error.fault is SecretFault.LOCKED


async def test_two_programs_that_try_the_keyring_out_at_once_do_not_meet() -> None:
    """One would delete the entry that the other is about to read."""
    tried: list[str] = []

    class Noting(MemoryBackend):
        def set_password(self, service: str, username: str, password: str) -> None:
            tried.append(username)
            super().set_password(service, username, password)

    store = keyring_store(desktop(Noting()))
    for _ in range(2):
        assert (await store.probe()).ok
    first, second = tried
    assert first != second
    assert all(name.startswith("probe/") for name in tried)


# -- a keyring that does not answer ------------------------------------------------------------------------------------


@dataclass
class Hung:
    """A store whose keyring does not answer until it is released."""

    backend: HangingBackend
    store: KeyringStore
    factory: Mock

    def release(self) -> None:
        """Let the keyring answer, and wait until every thread that was stuck in it has ended."""
        self.backend.release.set()
        for thread in threading.enumerate():
            if thread.name == "smtp-wizard keyring":
                thread.join()


@pytest.fixture
def hung() -> Iterator[Hung]:
    backend = HangingBackend()
    factory = Mock(return_value=desktop(backend))
    made = Hung(backend, KeyringStore(limit=0.1, backend_factory=factory), factory)
    yield made
    made.release()


async def test_a_mute_keyring_costs_the_limit_and_no_more(hung: Hung) -> None:
    error = await refused(hung.store)
    assert error.fault is SecretFault.MUTE
    assert "did not answer within 0.1 seconds" in str(error)


async def test_a_mute_keyring_is_waited_for_only_once(hung: Hung) -> None:
    for _ in range(5):
        with pytest.raises(SecretError) as mute:
            await hung.store.get(OFFICE) if hung.backend.reached.is_set() else await put(hung.store, "Office", SECRET)
        assert mute.value.fault is SecretFault.MUTE
    assert hung.factory.call_count == 1


async def test_a_keyring_that_answers_again_is_used_again(hung: Hung) -> None:
    await refused(hung.store)
    hung.release()
    assert await hung.store.get(await put(hung.store, "Office", SECRET)) == SECRET


async def test_an_answer_that_comes_too_late_leaves_no_secret_behind(hung: Hung) -> None:
    with pytest.raises(SecretError):
        await put(hung.store, "Office", SECRET)
    hung.release()
    assert hung.backend.entries == {}


async def test_an_answer_that_comes_too_late_puts_the_old_secret_back(hung: Hung) -> None:
    entry = (SERVICE, "Office/password")
    hung.backend.entries[entry] = "the old one"
    with pytest.raises(SecretError):
        await put(hung.store, "Office", SECRET)
    hung.release()
    assert hung.backend.entries == {entry: "the old one"}


async def test_an_answer_that_comes_too_late_leaves_what_others_have_put_there_meanwhile(hung: Hung) -> None:
    """Another program kept another password in the entry: to put back what was there before would lose that one."""
    entry = (SERVICE, "Office/password")
    hung.backend.entries[entry] = "the old one"
    whole = hung.backend.set_password

    def overtaken(service: str, username: str, password: str) -> None:
        whole(service, username, password)
        if password == PASSWORD:
            hung.backend.entries[entry] = "another program's"

    hung.backend.set_password = overtaken  # type: ignore[method-assign]
    with pytest.raises(SecretError):
        await put(hung.store, "Office", SECRET)
    hung.release()
    assert hung.backend.entries == {entry: "another program's"}


async def test_nothing_is_stored_once_nobody_waits(hung: Hung) -> None:
    """The keyring waits to be unlocked, the person goes on without it, and unlocks it later."""
    hung.backend.in_reading = True
    with pytest.raises(SecretError):
        await put(hung.store, "Office", SECRET)
    hung.release()
    assert hung.backend.stored == 0


async def test_leaving_while_the_keyring_is_mute_leaves_at_once(hung: Hung) -> None:
    store = KeyringStore(limit=3600, backend_factory=hung.factory)
    task = asyncio.create_task(put(store, "Office", SECRET))
    while not hung.backend.reached.is_set():
        await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    hung.release()
    assert hung.backend.entries == {}


def run_python(script: str, **environ: str) -> str:
    """Run a script in a process of its own; return what it printed. A process that does not end fails the test."""
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(script)]
    ended = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PYTHONPATH": ":".join(sys.path), **environ},
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    return ended.stdout.strip()


def test_a_mute_keyring_does_not_hold_the_end_of_the_program() -> None:
    """The keyring hangs for ever: that this process ends at all is the proof."""
    script = """
        import asyncio, threading
        from smtp_wizard.engine.secrets.keyring import KeyringStore
        store = KeyringStore(limit=0.1, backend_factory=lambda: threading.Event().wait())
        print(asyncio.run(store.probe()).ok)
    """
    assert run_python(script) == "False"


def test_a_late_answer_after_the_loop_has_ended_is_dropped() -> None:
    script = """
        import asyncio, threading
        from smtp_wizard.engine.secrets.keyring import KeyringStore
        late = threading.Event()
        store = KeyringStore(limit=0.1, backend_factory=late.wait)
        print(asyncio.run(store.probe()).ok)
        late.set()
        for thread in threading.enumerate():
            if thread.name == "smtp-wizard keyring":
                thread.join()
    """
    assert run_python(script) == "False"


# -- the library itself, in processes of their own ---------------------------------------------------------------------

PROBE = """
    import asyncio
    from smtp_wizard.engine.secrets.keyring import KeyringStore
    print(asyncio.run(KeyringStore().probe()).words)
"""


def test_without_a_desktop_there_is_no_keyring() -> None:
    assert "no keyring here" in run_python(PROBE)


@pytest.mark.parametrize(
    ("backend", "words"),
    [
        ("keyring.backends.null.Keyring", "does not give back what is stored"),
        ("keyring.backends.fail.Keyring", "no keyring here"),
        ("nowhere.Keyring", "refused to work (ModuleNotFoundError)"),
    ],
)
def test_a_backend_chosen_by_the_environment_passes_the_guard_too(backend: str, words: str) -> None:
    assert words in run_python(PROBE, PYTHON_KEYRING_BACKEND=backend)


def test_a_plug_in_in_the_librarys_own_chain_is_refused() -> None:
    script = """
        import keyring.backend
        class Plaintext(keyring.backend.KeyringBackend):
            priority = 9
            def get_password(self, service, username): raise SystemExit("the plug-in was asked")
            set_password = delete_password = get_password
    """
    words = run_python(
        textwrap.dedent(script) + textwrap.dedent(PROBE),
        PYTHON_KEYRING_BACKEND="keyring.backends.chainer.ChainerBackend",
    )
    assert words.startswith("A plug-in (__main__.Plaintext) takes the place")


def test_a_keyring_library_that_cannot_be_loaded_is_a_fault_of_the_keyring() -> None:
    script = "import sys; sys.modules['keyring'] = None\n" + textwrap.dedent(PROBE)
    assert "refused to work (ModuleNotFoundError)" in run_python(script)


def test_the_keyring_library_is_loaded_only_where_it_is_used() -> None:
    script = """
        import asyncio, sys
        from smtp_wizard.engine.base.secret import Secret
        from smtp_wizard.engine.secrets.store_kinds import StoreKind
        from smtp_wizard.engine.secrets.stores import SecretStores
        stores = SecretStores({})
        place = stores.place(StoreKind.SESSION, "Office")
        asyncio.run(stores.put(place, Secret("x")))
        asyncio.run(stores.fetch(place))
        print(sorted(name for name in sys.modules if name.startswith(("keyring", "secretstorage", "cryptography"))))
    """
    assert run_python(script) == "[]"


# -- environment variables ---------------------------------------------------------------------------------------------


async def test_a_variable_that_is_not_set_is_named() -> None:
    store = EnvStore({})
    with pytest.raises(SecretError, match="SMTP_WIZARD_PASSWORD_OFFICE_ANA is not set; set it") as unset:
        await put(store, "Office ana", SECRET)
    assert unset.value.fault is SecretFault.UNSET
    with pytest.raises(SecretError, match="RELAY_KEY is not set"):
        await store.get(StoreRef(StoreKind.ENV, "RELAY_KEY"))


async def test_a_variable_with_another_password_is_refused_without_telling_either() -> None:
    store = EnvStore({"SMTP_WIZARD_PASSWORD_OFFICE": "another one"})
    with pytest.raises(SecretError, match="holds another password") as differs:
        await put(store, "Office", SECRET)
    assert differs.value.fault is SecretFault.DIFFERS
    assert "another one" not in str(differs.value)
    assert PASSWORD not in str(differs.value)


async def test_a_variable_with_bytes_that_are_no_text_is_no_password() -> None:
    """As the system hands them over (PEP 383). No child process gets them either, and the fault is said each time."""
    environ = {"MAIL_PASSWORD": "caf\udce9"}
    store = EnvStore(environ)
    for _ in range(2):
        with pytest.raises(SecretError, match="MAIL_PASSWORD holds something that is not UTF-8 text") as odd:
            await store.get(StoreRef(StoreKind.ENV, "MAIL_PASSWORD"))
        assert odd.value.fault is SecretFault.UNREADABLE
    assert environ == {}


async def test_a_variable_of_any_name_can_be_referred_to() -> None:
    store = EnvStore({"RELAY_KEY": PASSWORD})
    await store.put(StoreRef(StoreKind.ENV, "RELAY_KEY"), SECRET)


async def test_a_variable_is_not_left_for_child_processes_but_can_be_read_again() -> None:
    environ = {"RELAY_KEY": PASSWORD, "HOME": "/home/ana"}
    store = EnvStore(environ)
    ref = StoreRef(StoreKind.ENV, "RELAY_KEY")
    assert await store.get(ref) == SECRET
    assert environ == {"HOME": "/home/ana"}
    assert await store.get(ref) == SECRET
    await store.delete(ref)
    assert store.take("RELAY_KEY") == SECRET
    assert store.take("HOLE") is None


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("Office ana", "SMTP_WIZARD_PASSWORD_OFFICE_ANA"),
        ("--Gmail: shop--", "SMTP_WIZARD_PASSWORD_GMAIL_SHOP"),
        ("密码", "SMTP_WIZARD_PASSWORD_ACCOUNT"),
    ],
)
def test_a_variable_is_named_after_its_account(name: str, variable: str) -> None:
    assert variable_for(name) == variable


# -- all of them -------------------------------------------------------------------------------------------------------


async def test_what_is_kept_in_no_store_is_asked_for() -> None:
    stores = SecretStores({}, backend_factory=always(desktop()))
    with pytest.raises(SecretError, match="asked for each time") as ask:
        await stores.fetch(StoreRef(StoreKind.SESSION, "Office/password"))
    assert ask.value.fault is SecretFault.ASK


async def test_stores_are_offered_in_order_and_found_by_their_references() -> None:
    stores = SecretStores({"SMTP_WIZARD_PASSWORD_OFFICE": PASSWORD}, backend_factory=always(desktop()))
    assert stores.offered() == tuple(StoreKind)
    for kind in (StoreKind.KEYRING, StoreKind.ENV, StoreKind.SESSION):
        ref = await put(stores.get(kind), "Office", SECRET)
        assert ref.kind is kind
        assert await stores.fetch(ref) == SECRET
        await stores.delete(ref)


async def test_the_keyrings_limit_is_handed_down(hung: Hung) -> None:
    stores = SecretStores({}, keyring_limit=0.1, backend_factory=hung.factory)
    found = await stores.get(StoreKind.KEYRING).probe()
    assert "within 0.1 seconds" in found.words
