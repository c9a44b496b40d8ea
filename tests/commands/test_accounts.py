"""`accounts` over an account's life: edit, rename, password, duplicate. What did not pass changes nothing."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pytest

from smtp_wizard.commands.accounts_edit import changed
from smtp_wizard.commands.options.connection import changed_endpoint
from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.accounts.saved_accounts import FILE_NAME, SavedAccounts
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Auth, Connection
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.identity import Identity, Scope
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.secrets.keyring import SERVICE
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.output.schemas import NAMES
from smtp_wizard.runtime.exit_codes import CommandError
from tests.support.certs import Authority
from tests.support.checking import OFFER, SIGNED_IN, starttls_up_to_handshake
from tests.support.cli import Ran, on_terminal, run
from tests.support.misbehaving import Expect, Hold, MisbehavingServer, Send, StartTls, Step
from tests.support.nouns import with_fields
from tests.support.stores import MemoryBackend, RaisingBackend, desktop, entry, kept
from tests.support.walk import catalog

PASSWORD = "abcd efgh ijkl mnop"
NEW = "abcdefgh ijklmnop"
PRACTICE = ("setup", "ana@sandbox.test", "--password-stdin")
REFUSED = Send(b"535 5.7.8 no\r\n")

BY_HAND = Account(
    name=phrase("Office"),
    address=Address("ana", "example.com"),
    connection=Connection(
        endpoint=Endpoint("127.0.0.1", 587, Security.STARTTLS),
        username="ana@example.com",
        auth=Auth.PASSWORD,
        provider="custom",
        path="password",
        allow_cleartext=False,
        ehlo_name="",
        ca_file=None,
        sandbox=None,
    ),
    identity=Identity(sender=None, sender_name="", company_name="", reply_to=None, update_company=False),
    scope=Scope.GENERAL,
    store=StoreRef(StoreKind.KEYRING, "Office/password"),
    created=datetime(2026, 11, 24, tzinfo=UTC),
)


@pytest.fixture
def saved_accounts(own_home: Path) -> SavedAccounts:
    return SavedAccounts(own_home / "config")


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> MemoryBackend:
    """A desktop's keyring, in memory."""
    backend = desktop()
    monkeypatch.setattr("keyring.get_keyring", lambda: backend)
    return backend


@pytest.fixture
def office(backend: MemoryBackend, saved_accounts: SavedAccounts) -> Account:
    """A practice account whose password is in the keyring."""
    assert run(*PRACTICE, "--save", "Office", "--store", "keyring", stdin=PASSWORD).code == 0
    return saved_accounts.get("Office")


def on_disk(saved_accounts: SavedAccounts) -> bytes:
    return (saved_accounts._folder / FILE_NAME).read_bytes()


async def cli(*arguments: str, stdin: str = "") -> Ran:
    """Run a command beside the servers of this test."""
    return await asyncio.to_thread(run, *arguments, stdin=stdin)


class Door:
    """A server that lets one password in, and the saved account that leads to it."""

    def __init__(self, folder: Path, saved_accounts: SavedAccounts, backend: MemoryBackend) -> None:
        self.authority = Authority(folder / "ca")
        self.saved_accounts = saved_accounts
        backend.entries[SERVICE, "Office/password"] = PASSWORD

    def script(self, password: str, answer: Step = SIGNED_IN, username: str = "ana@example.com") -> list[Step]:
        """Play a server that is shown this password, and answers."""
        context = self.authority.issue("127.0.0.1").context()
        shown = base64.b64encode(f"\0{username}\0{password}".encode())
        begun = [*starttls_up_to_handshake(), StartTls(context), Expect(rb"EHLO .*"), OFFER]
        return [*begun, Expect(rb"AUTH PLAIN " + shown.replace(b"+", b"[+]")), answer, Hold()]

    def save(self, server: MisbehavingServer, **changes: Any) -> Account:
        """Save the account that leads to this server."""
        account = replace(
            BY_HAND,
            connection=replace(
                BY_HAND.connection, endpoint=server.endpoint(Security.STARTTLS), ca_file=str(self.authority.file)
            ),
        )
        account = with_fields(account, **changes)
        self.saved_accounts.put(account)
        return account


@pytest.fixture
def door(tmp_path: Path, saved_accounts: SavedAccounts, backend: MemoryBackend) -> Door:
    return Door(tmp_path, saved_accounts, backend)


# --- edit ---


def test_only_what_is_named_is_changed_and_it_is_tested_first(office: Account, saved_accounts: SavedAccounts) -> None:
    ran = run(
        *("accounts", "edit", "office", "--sender-name", "Ana", "--from", "hello@sandbox.test", "--json"),
        *("--reply-to", "desk@sandbox.test", "--ehlo-name", "pc.example.com"),
    )
    assert (ran.code, ran.document["changed"]) == (0, True)
    assert ("auth", "pass") in ran.stages
    account = ran.document["account"]
    assert (account["from"], account["sender_name"]) == ("hello@sandbox.test", "Ana")
    now = saved_accounts.get("Office")
    expected = replace(
        office,
        identity=replace(
            office.identity,
            sender_name="Ana",
            sender=Address("hello", "sandbox.test"),
            reply_to=Address("desk", "sandbox.test"),
            update_company=True,
        ),
        connection=replace(office.connection, ehlo_name="pc.example.com"),
        last=now.last,
    )
    assert now == replace(expected, store=now.store)
    assert entry(now.store) == entry(office.store)


def test_an_empty_value_takes_away_what_need_not_be_there(office: Account, saved_accounts: SavedAccounts) -> None:
    filled = ("--from", "hello@sandbox.test", "--reply-to", "desk@sandbox.test", "--company-name", "Ana Ltd")
    assert run("accounts", "edit", "Office", *filled, "--sender-name", "Ana").code == 0
    emptied = ("--from", "", "--reply-to", "", "--company-name", "", "--no-company-email", "--sender-name", "")
    assert run("accounts", "edit", "Office", *emptied).code == 0
    now = saved_accounts.get("Office")
    assert replace(now, last=None, store=office.store) == replace(office, last=None)


def test_a_person_reads_the_stages_and_where_the_password_is(office: Account) -> None:
    ran = run("accounts", "edit", "Office", "--sender-name", "Ana")
    assert "ok    Sign in" in ran.out
    assert ran.err == "'Office' is changed. Its password: in the keyring of this computer.\n"
    assert PASSWORD not in ran.out + ran.err


async def test_what_does_not_pass_changes_nothing(door: Door, backend: MemoryBackend) -> None:
    async with MisbehavingServer(door.script(PASSWORD, REFUSED)) as server:
        door.save(server)
        before = on_disk(door.saved_accounts)
        ran = await cli("accounts", "edit", "Office", "--sender-name", "Ana", "--json")
        told = await cli("accounts", "edit", "Office", "--sender-name", "Ana")
    assert (ran.code, ran.document["changed"], ran.document["account"]["sender_name"]) == (1, False, "")
    assert ran.result["findings"][0]["code"]
    assert "'Office' was not changed: the check did not pass." in told.err
    assert (on_disk(door.saved_accounts), kept(backend)) == (before, {"Office/password": PASSWORD})


async def test_a_new_password_that_is_given_is_tried_and_kept(door: Door, backend: MemoryBackend) -> None:
    async with MisbehavingServer(door.script(NEW, username="shop")) as server:
        door.save(server)
        ran = await cli("accounts", "edit", "Office", "--username", "shop", "--password-stdin", "--json", stdin=NEW)
    assert (ran.code, ran.document["account"]["username"]) == (0, "shop")
    assert kept(backend) == {"Office/password": NEW}


async def test_a_new_password_that_is_refused_is_not_kept(door: Door, backend: MemoryBackend) -> None:
    async with MisbehavingServer(door.script(NEW, REFUSED)) as server:
        door.save(server)
        ran = await cli("accounts", "edit", "Office", "--password-stdin", "--json", stdin=NEW)
    assert ran.code == 1
    assert kept(backend) == {"Office/password": PASSWORD}


async def test_another_server_takes_the_place_of_the_old_one(door: Door) -> None:
    async with MisbehavingServer(door.script(PASSWORD)) as server:
        door.save(server, endpoint=Endpoint("old.example.com", 465, Security.TLS), allow_cleartext=True)
        arguments = ("--host", "127.0.0.1", "--port", str(server.port), "--security", "starttls")
        ran = await cli("accounts", "edit", "Office", *arguments, "--json")
    assert (ran.code, ran.result["port"]) == (0, server.port)
    now = door.saved_accounts.get("Office")
    assert now.connection.endpoint == server.endpoint(Security.STARTTLS)
    assert not now.connection.allow_cleartext  # that yes was said for another server


def test_the_password_moves_to_another_store(
    office: Account, saved_accounts: SavedAccounts, backend: MemoryBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIL", PASSWORD)
    assert run("accounts", "edit", "Office", "--store", "env", "--env-name", "MAIL").code == 0
    assert (saved_accounts.get("Office").store, kept(backend)) == (StoreRef(StoreKind.ENV, "MAIL"), {})
    monkeypatch.setenv("MAIL", PASSWORD)
    assert run("accounts", "edit", "Office", "--store", "keyring").code == 0
    assert kept(backend) == {"Office/password": PASSWORD}
    assert run("accounts", "edit", "Office", "--store", "session").code == 0
    assert (entry(saved_accounts.get("Office").store), kept(backend)) == ((StoreKind.SESSION, "Office/password"), {})


def test_a_variable_that_is_not_named_has_the_accounts_name(office: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    unset = run("accounts", "edit", "Office", "--store", "env", "--json")
    assert (unset.code, "SMTP_WIZARD_PASSWORD_OFFICE" in unset.error["message"]) == (3, True)
    monkeypatch.setenv("SMTP_WIZARD_PASSWORD_OFFICE", PASSWORD)
    assert run("accounts", "edit", "Office", "--store", "env").code == 0


def test_a_server_without_sign_in_needs_no_password_any_more(
    office: Account, saved_accounts: SavedAccounts, backend: MemoryBackend
) -> None:
    assert run("accounts", "edit", "Office", "--auth", "none").code == 0
    assert (saved_accounts.get("Office").store, kept(backend)) == (None, {})
    assert run("accounts", "edit", "Office", "--auth", "password", "--password-stdin", stdin=NEW).code == 0
    assert kept(backend) == {"Office/password": NEW}


def test_another_account_for_all_mail_gives_way_only_after_a_yes(
    office: Account, saved_accounts: SavedAccounts
) -> None:
    assert run(*PRACTICE, "--save", "Shop", "--scope", "all", stdin=PASSWORD).code == 0
    refused = run("accounts", "edit", "Office", "--scope", "all", "--json")
    assert (refused.code, refused.error["code"]) == (2, "displaces")
    assert "--replace" in refused.error["hint"]
    assert run("accounts", "edit", "Shop", "--sender-name", "Shop").code == 0
    assert run("accounts", "edit", "Office", "--scope", "all", "--replace").code == 0
    assert {each.name: each.scope for each in saved_accounts.list()} == {"Office": Scope.ALL, "Shop": Scope.GENERAL}


def test_on_a_terminal_that_yes_is_asked_for(saved_accounts: SavedAccounts) -> None:
    """Enter alone changes nothing, and nothing is tried."""
    for name, scope in (("Office", "general"), ("Shop", "all")):
        more = ("--save", name, "--store", "session", "--scope", scope)
        assert run(*PRACTICE, *more, stdin=PASSWORD).code == 0
    before = on_disk(saved_accounts)
    arguments = ["accounts", "edit", "Office", "--scope", "all"]
    declined = on_terminal(arguments, typed=[("from now on? [y/N] ", "\n")])
    assert (declined.code, on_disk(saved_accounts)) == (1, before)
    typed = [("from now on? [y/N] ", "y\n"), ("Password of Office: ", f"{PASSWORD}\n")]
    assert on_terminal(arguments, typed=typed).code == 0
    assert saved_accounts.get("Shop").scope is Scope.GENERAL


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("Nobody", "--port", "465"), 4),
        (("Office",), 2),
        (("Office", "--port", "0"), 2),
        (("Office", "--port", "9999"), 2),
        (("Office", "--host", "http://example.com"), 2),
        (("Office", "--from", "nobody"), 2),
        (("Office", "--ca-file", "/nowhere/ca.pem"), 2),
        (("Office", "--env-name", "X", "--store", "session"), 2),
        (("Office", "--sender-name", "a\r\nBcc: x@example.com"), 2),
    ],
)
def test_what_cannot_be_used_is_said_and_changes_nothing(
    office: Account, saved_accounts: SavedAccounts, arguments: tuple[str, ...], code: int
) -> None:
    ran = run("accounts", "edit", *arguments, "--json")
    assert (ran.code, ran.error["message"] != "") == (code, True)
    assert saved_accounts.list() == (office,)


@pytest.fixture
def wizard(monkeypatch: pytest.MonkeyPatch) -> list[Draft]:
    """The drafts with which the wizard is opened, as on a terminal that can draw."""
    opened: list[Draft] = []

    def draw(_: object, start: str, draft: Draft) -> int:
        assert start == "setup"
        opened.append(draft)
        return 0

    monkeypatch.setattr("smtp_wizard.commands.accounts_edit.can_ask", lambda: True)
    monkeypatch.setattr("smtp_wizard.commands.screens_or_plain.can_draw", lambda: True)
    monkeypatch.setattr("smtp_wizard.commands.screens_or_plain.run_screens", draw)
    return opened


def test_with_nothing_named_the_wizard_opens_with_the_accounts_answers(office: Account, wizard: list[Draft]) -> None:
    assert run("accounts", "edit", "office").code == 0
    (draft,) = wizard
    assert (draft.editing, draft.connection.endpoint, draft.signed_in) == ("Office", office.connection.endpoint, False)
    assert draft.secret is not None
    assert run("accounts", "edit", "Office", "--json").error["code"] == "missing-answers"


def test_a_keyring_that_fails_does_not_keep_the_wizard_shut(
    office: Account, wizard: list[Draft], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keyring.get_keyring", lambda: desktop(RaisingBackend()))
    assert run("accounts", "edit", "Office").code == 0
    assert wizard[0].secret is None


def test_on_a_terminal_the_screens_begin_at_the_server(saved_accounts: SavedAccounts) -> None:
    """The server's settings stand there, filled in; Ctrl-Q leaves, and the account is as it was."""
    assert run(*PRACTICE, "--save", "Office", "--store", "session", stdin=PASSWORD).code == 0
    before = on_disk(saved_accounts)
    ran = on_terminal(["accounts", "edit", "Office"], typed=[("ana@sandbox.test", "\x11"), ("Leave now?", "\x1b[B\r")])
    assert "127.0.0.1" in ran.out
    assert on_disk(saved_accounts) == before


def test_on_a_terminal_that_cannot_draw_the_lines_of_text_begin_there_too(saved_accounts: SavedAccounts) -> None:
    """The person is asked for the server, with the saved one offered, and leaves."""
    assert run(*PRACTICE, "--save", "Office", "--store", "session", stdin=PASSWORD).code == 0
    before = on_disk(saved_accounts)
    ran = on_terminal(
        ["accounts", "edit", "Office"], typed=[("[127.0.0.1]", "quit\n"), ("Leave", "yes\n")], term="dumb"
    )
    assert "\x1b" not in ran.out
    assert on_disk(saved_accounts) == before


@pytest.mark.parametrize(
    ("known", "said", "expected"),
    [
        ("starttls 587", {}, "starttls 587"),
        ("starttls 587", {"host": "new"}, "starttls 587 new"),
        ("starttls 2500", {"host": "new"}, "starttls 587 new"),
        ("tls 4650", {"host": "new"}, "tls 465 new"),
        ("tls 465", {"host": "new", "security": Security.STARTTLS}, "starttls 587 new"),
        ("starttls 587", {"host": "new", "port": 2525, "security": Security.TLS}, "tls 2525 new"),
        ("starttls 2500", {"host": "smtp.gmail.com"}, "tls 465 smtp.gmail.com"),
        ("tls 4650", {"host": "smtp.gmail.com", "security": Security.STARTTLS}, "starttls 587 smtp.gmail.com"),
        ("starttls 2500", {"host": "old"}, "starttls 2500"),
        ("starttls 587", {"port": 465}, "tls 465"),
        ("tls 587", {"port": 587}, "tls 587"),
        ("starttls 587", {"security": Security.TLS}, "tls 465"),
        ("starttls 2525", {"security": Security.TLS}, "tls 2525"),
        ("tls 465", {"security": Security.STARTTLS, "port": 9999}, "starttls 9999"),
    ],
)
def test_port_and_encryption_go_together(known: str, said: dict[str, Any], expected: str) -> None:
    def endpoint(words: str) -> Endpoint:
        security, port, *host = words.split()
        return Endpoint(host[0] if host else "old", int(port), Security(security))

    given = {"host": "old", "port": None, "security": None, **said}
    assert changed_endpoint(endpoint(known), catalog=catalog(), **given) == endpoint(expected)


def test_a_port_that_is_not_usual_does_not_say_how_it_is_encrypted() -> None:
    with pytest.raises(CommandError, match="--security"):
        changed_endpoint(Endpoint("h", 587, Security.STARTTLS), "h", 9999, None, catalog())


def test_a_yes_to_clear_text_stays_as_long_as_the_server_does() -> None:
    draft = Draft(connection=Connection(endpoint=Endpoint("h", 25, Security.NONE), allow_cleartext=True), name="Office")
    assert changed(draft, {"username": "ana"}, catalog()).connection.allow_cleartext
    assert not changed(draft, {"host": "other"}, catalog()).connection.allow_cleartext
    assert changed(draft, {"host": "other", "allow_cleartext": True}, catalog()).connection.allow_cleartext
    with pytest.raises(click.UsageError):
        changed(draft, {"store": "keyring", "env_name": "X"}, catalog())


# --- a company's own authority ---


async def test_a_ca_file_is_remembered_with_its_account(door: Door) -> None:
    authority = door.authority.file
    async with MisbehavingServer(door.script(PASSWORD)) as server:
        arguments = ["setup", "ana@example.com", "--host", "127.0.0.1", "--port", str(server.port)]
        arguments += ["--security", "starttls", "--username", "ana@example.com", "--password-stdin"]
        saved = await cli(*arguments, "--ca-file", str(authority), "--save", "Office", stdin=PASSWORD)
        assert (saved.code, door.saved_accounts.get("Office").connection.ca_file) == (0, str(authority))
        again = await cli("test", "Office", "--json")
        changed = await cli("accounts", "edit", "Office", "--sender-name", "Ana", "--json")
        assert (again.code, changed.code) == (0, 0)
        assert door.saved_accounts.get("Office").connection.ca_file == str(authority)


async def test_a_ca_file_that_is_gone_is_said_in_a_sentence_and_can_be_put_right(door: Door, tmp_path: Path) -> None:
    moved = tmp_path / "moved.pem"
    async with MisbehavingServer(door.script(PASSWORD), strict=False) as server:
        door.save(server)
        Path(str(door.saved_accounts.get("Office").connection.ca_file)).rename(moved)
        ran = await cli("test", "Office", "--json")
        assert (ran.code, ran.result["verdict"], ran.stages[-1]) == (1, "fail", ("auth", "skipped"))
        (finding,) = ran.result["findings"]
        gone = "since the file of trusted certificates cannot be used (No such file or directory)"
        said = finding["explanation"].partition(": ")[0]
        assert (finding["code"], said) == ("ca_file_unusable", f"Nothing could be checked, {gone}")
        assert str(door.authority.file)[:60] in finding["explanation"]
        mended = await cli("accounts", "edit", "Office", "--ca-file", str(moved), "--json")
    assert (mended.code, door.saved_accounts.get("Office").connection.ca_file) == (0, str(moved))


async def test_an_authority_that_is_not_needed_any_more_can_be_taken_away(
    office: Account, saved_accounts: SavedAccounts
) -> None:
    saved_accounts.change("Office", replace(office, connection=replace(office.connection, ca_file="/nowhere/ca.pem")))
    assert (await cli("accounts", "edit", "Office", "--ca-file", "")).code == 0
    assert saved_accounts.get("Office").connection.ca_file is None


# --- rename ---


def test_the_password_moves_with_the_name(
    office: Account, saved_accounts: SavedAccounts, backend: MemoryBackend
) -> None:
    ran = run("accounts", "rename", "office", "Büro", "--json")
    assert (ran.code, ran.document["renamed"], ran.document["account"]["name"]) == (0, "Office", "Büro")
    assert [each.name for each in saved_accounts.list()] == ["Büro"]
    assert kept(backend) == {"Büro/password": PASSWORD}
    assert run("accounts", "rename", "Büro", "Office").err == "'Büro' is called 'Office' now.\n"


@pytest.mark.parametrize(
    ("old", "new", "code", "kind"),
    [
        ("Nobody", "Else", 4, "no-such-account"),
        ("Office", "SHOP", 2, "name-taken"),
        ("Office", "a/b", 2, "usage"),
        ("Office", "", 2, "usage"),
        ("Office", "x" * 61, 2, "usage"),
    ],
)
def test_a_name_that_cannot_be_given_is_said(
    office: Account, saved_accounts: SavedAccounts, old: str, new: str, code: int, kind: str
) -> None:
    saved_accounts.put(replace(office, name=phrase("Shop")))
    ran = run("accounts", "rename", old, new, "--json")
    assert (ran.code, ran.error["code"]) == (code, kind)
    assert [each.name for each in saved_accounts.list()] == ["Office", "Shop"]


def test_a_keyring_that_fails_leaves_the_old_name(
    office: Account, saved_accounts: SavedAccounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keyring.get_keyring", lambda: desktop(RaisingBackend()))
    ran = run("accounts", "rename", "Office", "Shop", "--json")
    assert (ran.code, ran.error["code"]) == (3, "secret-refused")
    assert saved_accounts.list() == (office,)


# --- password ---


async def test_a_new_password_is_tried_once_and_kept(door: Door, backend: MemoryBackend) -> None:
    async with MisbehavingServer(door.script(NEW)) as server:
        door.save(server)
        ran = await cli("accounts", "password", "office", "--password-stdin", "--json", stdin=NEW)
    assert (ran.code, ran.document["changed"], server.connections) == (0, True, 1)
    store = door.saved_accounts.get("Office").store
    assert store is not None
    assert ran.document["store"] == {"kind": store.kind.value, "where": store.where}
    assert kept(backend) == {"Office/password": NEW}
    assert NEW not in ran.out + ran.err


async def test_one_that_is_refused_leaves_the_old_one_and_gives_the_finding(door: Door, backend: MemoryBackend) -> None:
    async with MisbehavingServer(door.script(NEW, REFUSED)) as server:
        door.save(server)
        ran = await cli("accounts", "password", "Office", "--password-stdin", "--json", stdin=NEW)
        told = await cli("accounts", "password", "Office", "--password-stdin", stdin=NEW)
    assert (ran.code, ran.document["changed"], ran.stages[-1]) == (1, False, ("auth", "fail"))
    assert len(ran.result["findings"]) == 1
    assert "The password of 'Office' was not changed" in told.err
    assert kept(backend) == {"Office/password": PASSWORD}


async def test_an_app_password_that_was_copied_with_blanks_is_tidied(door: Door, backend: MemoryBackend) -> None:
    async with MisbehavingServer(door.script("abcdefghijklmnop")) as server:
        door.save(server, provider="gmail", path="app-password")
        pasted = "abcd\u00a0efgh ijkl mnop \n"
        ran = await cli("accounts", "password", "Office", "--password-stdin", stdin=pasted)
    assert (ran.code, kept(backend)) == (0, {"Office/password": "abcdefghijklmnop"})
    assert "It is used as it is" not in ran.err


def test_on_a_terminal_nothing_but_the_password_is_asked() -> None:
    """The person types the new password, which is not shown, and reads that it works."""
    assert run(*PRACTICE, "--save", "Office", "--store", "session", stdin=PASSWORD).code == 0
    ran = on_terminal(["accounts", "password", "Office"], typed=[("Password of Office: ", f"{NEW}\n")])
    assert ran.code == 0
    assert "The new password of 'Office' works. It is not kept: it is asked for each time." in ran.out
    assert NEW not in ran.out
    assert ran.out.count(": ") < 3


def test_without_a_terminal_a_missing_password_is_named(office: Account) -> None:
    ran = run("accounts", "password", "Office", "--json")
    assert (ran.code, ran.error["code"]) == (3, "secret-ask")
    assert "--password-stdin" in ran.error["hint"]


def test_a_variable_is_set_by_its_owner_and_tried_here(office: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL", PASSWORD)
    assert run("accounts", "edit", "Office", "--store", "env", "--env-name", "MAIL").code == 0
    assert run("accounts", "password", "Office", "--json").code == 3
    monkeypatch.setenv("MAIL", NEW)
    ran = run("accounts", "password", "Office", "--json")
    assert (ran.code, ran.document["store"]) == (0, {"kind": "env", "where": "MAIL"})
    monkeypatch.setenv("MAIL", PASSWORD)
    differs = run("accounts", "password", "Office", "--password-stdin", "--json", stdin=NEW)
    assert (differs.code, differs.error["code"]) == (3, "secret-differs")


def test_a_server_without_sign_in_has_no_password(office: Account) -> None:
    assert run("accounts", "edit", "Office", "--auth", "none").code == 0
    ran = run("accounts", "password", "Office", "--json")
    assert (ran.code, ran.error["code"]) == (2, "no-sign-in")
    assert run("accounts", "password", "Nobody", "--json").code == 4


# --- duplicate ---


def test_a_copy_has_a_name_and_a_password_of_its_own(
    office: Account, saved_accounts: SavedAccounts, backend: MemoryBackend
) -> None:
    assert run("accounts", "edit", "Office", "--scope", "all").code == 0
    ran = run("accounts", "duplicate", "office", "--json")
    assert (ran.code, ran.document["original"], ran.document["account"]["name"]) == (0, "Office", "Office 2")
    assert (ran.document["account"]["scope"], ran.document["account"]["last"]) == ("general", None)
    assert kept(backend) == {"Office/password": PASSWORD, "Office 2/password": PASSWORD}
    assert "Saved as 'Shop', like 'Office'" in run("accounts", "duplicate", "Office", "--as", "Shop").err
    assert run("test", "Shop").code == 0
    taken = run("accounts", "duplicate", "Office", "--as", "shop", "--json")
    assert (taken.code, taken.error["code"], taken.error["hint"]) == (2, "name-taken", "Say another one: --as NAME.")
    assert [each.name for each in saved_accounts.list()] == ["Office", "Office 2", "Shop"]


def test_a_copy_of_what_is_kept_nowhere_is_asked_for_too(saved_accounts: SavedAccounts) -> None:
    assert run(*PRACTICE, "--save", "Office", "--store", "session", stdin=PASSWORD).code == 0
    assert run("accounts", "duplicate", "Office").code == 0
    assert entry(saved_accounts.get("Office 2").store) == (StoreKind.SESSION, "Office 2/password")


def test_a_copy_that_cannot_be_saved_leaves_no_password_behind(
    office: Account, saved_accounts: SavedAccounts, backend: MemoryBackend
) -> None:
    (saved_accounts._folder / FILE_NAME).chmod(0o400)
    assert run("accounts", "duplicate", "Office", "--json").code == 3
    assert kept(backend) == {"Office/password": PASSWORD}


# --- all of them ---


def test_help_lists_what_can_be_done_and_each_has_a_schema() -> None:
    shown = run("accounts", "--help").out
    for name in ("show", "edit", "rename", "password", "duplicate", "remove"):
        assert f"\n  {name} " in shown
        assert f"accounts-{name}" in NAMES
        assert run("accounts", name, "--help").code == 0
