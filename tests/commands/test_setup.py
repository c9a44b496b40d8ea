"""`setup`: every answer as an option; what is missing is asked, or named."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import Any

import pytest

from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from smtp_wizard.engine.base.identity import Scope
from smtp_wizard.engine.discovery import search
from smtp_wizard.engine.providers.catalog import load_catalog
from smtp_wizard.engine.secrets.store_kinds import StoreKind
from tests.support.certs import Authority
from tests.support.cli import Ran, on_terminal, run
from tests.support.discovering import answering
from tests.support.misbehaving import Expect, Hold, MisbehavingServer, Send, StartTls, Step
from tests.support.stores import desktop

PASSWORD = "abcd efgh ijkl mnop"
PRACTICE = ("setup", "ana@sandbox.test")


def practise(*more: str, path: str = "accept", password: str = PASSWORD) -> Ran:
    """Set an account up with the practice server, which is started for it."""
    return run(*PRACTICE, "--path", path, "--password-stdin", *more, stdin=password)


@pytest.fixture
def saved_accounts(own_home: Path) -> SavedAccounts:
    return SavedAccounts(own_home / "config")


# --- the practice server, with nothing running ---


def test_practising_needs_no_server_and_saves_nothing(saved_accounts: SavedAccounts) -> None:
    ran = practise("--json")
    assert (ran.code, ran.result["verdict"], ran.result["account"]) == (0, "pass", None)
    assert ("auth", "pass") in ran.stages
    assert saved_accounts.list() == ()


@pytest.mark.parametrize(
    ("path", "more", "stage"),
    [
        ("wrong-password", (), "auth"),
        ("app-password-required", (), "auth"),
        ("expired-certificate", (), "starttls"),
        ("quota-reached", ("--send-test", "bob@sandbox.test"), None),
    ],
)
def test_each_scenario_that_fails_exits_1_with_one_finding(path: str, more: tuple[str, ...], stage: str | None) -> None:
    typed = "my usual password" if path == "app-password-required" else PASSWORD
    ran = practise("--json", *more, path=path, password=typed)
    assert (ran.code, ran.result["verdict"]) == (1, "fail")
    assert len(ran.result["findings"]) == 1
    assert stage is None or (stage, "fail") in ran.stages


def test_a_failed_check_saves_nothing(saved_accounts: SavedAccounts) -> None:
    ran = practise("--save", "Office", "--store", "session", path="wrong-password")
    assert ran.code == 1
    assert "Nothing was saved: the check did not pass." in ran.err
    assert saved_accounts.list() == ()


def test_the_report_says_what_to_type_into_the_application_but_not_the_password() -> None:
    ran = practise()
    assert ran.code == 0
    assert "Outgoing server    127.0.0.1" in ran.out
    assert "Nothing was saved; --save NAME would." in ran.err
    assert PASSWORD not in ran.out + ran.err


def test_the_test_message_is_kept_by_the_practice_server() -> None:
    ran = practise("--send-test", "bob@sandbox.test", "--json")
    assert (ran.code, ran.stages[-1]) == (0, ("data", "pass"))
    (message,) = run("sandbox", "mailbox", "--json").document["messages"]
    assert message["recipients"] == ["bob@sandbox.test"]
    shown = run("sandbox", "mailbox", "show", message["key"])
    assert "sending works" in shown.out


# --- the server given by hand ---


async def test_the_server_by_hand(tmp_path: Path) -> None:
    """As in the documentation: everything by option, the password from a pipe."""
    authority = Authority(tmp_path / "ca")
    encoded = base64.b64encode(f"\0alice\0{PASSWORD}".encode())
    script: list[Step] = [
        *(Send(b"220 ready\r\n"), Expect(rb"EHLO pc\.example\.com"), Send(b"250-here\r\n250 STARTTLS\r\n")),
        *(Expect(rb"STARTTLS"), Send(b"220 go\r\n"), StartTls(authority.issue("127.0.0.1").context())),
        *(Expect(rb"EHLO .*"), Send(b"250-here\r\n250 AUTH PLAIN\r\n")),
        *(Expect(rb"AUTH PLAIN " + encoded.replace(b"+", rb"\+")), Send(b"235 ok\r\n"), Hold()),
    ]
    async with MisbehavingServer(script) as server:
        arguments = ["setup", "alice@example.test", "--host", "127.0.0.1", "--port", str(server.port)]
        arguments += ["--security", "starttls", "--username", "alice", "--password-stdin", "--store", "session"]
        arguments += ["--depth", "login", "--ca-file", str(authority.file), "--ehlo-name", "pc.example.com"]
        ran = await asyncio.to_thread(run, *arguments, "--json", "--save", "By hand", stdin=PASSWORD)
    assert (ran.code, ran.result["account"]) == (0, "By hand")
    shown = run("accounts", "show", "by hand", "--json").document
    assert (shown["provider"], shown["ca_file"], shown["ehlo_name"]) == (
        "custom",
        str(authority.file),
        "pc.example.com",
    )
    assert shown["last"]["verdict"] == "pass"


def test_the_provider_of_the_address_gives_what_was_not_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """The names of the servers are looked up nowhere in a test, so the report shows where it would have gone."""
    monkeypatch.setattr("smtp_wizard.engine.smtp.transport.SocketWire.resolve", _nowhere)
    ran = run("setup", "ana@gmail.com", "--password-stdin", "--json", stdin=PASSWORD)
    assert (ran.code, ran.result["host"], ran.stages[0]) == (1, "smtp.gmail.com", ("dns", "fail"))
    other = run("setup", "ana@gmail.com", "--security", "starttls", "--password-stdin", "--json", stdin=PASSWORD)
    assert (other.result["port"], other.result["security"]) == (587, "starttls")
    host = run("setup", "a@gmail.com", "--provider", "gmail", "--host", "here.invalid", "--password-stdin", "--json")
    assert host.error["code"] == "password-unreadable"
    moved = run(
        *("setup", "a@gmail.com", "--provider", "gmail", "--host", "here.invalid", "--password-stdin", "--json"),
        stdin=PASSWORD,
    )
    assert (moved.result["host"], moved.result["port"]) == ("here.invalid", 465)


@pytest.mark.parametrize(
    ("host", "port", "security"),
    [
        ("ssl://here.invalid:2465", 2465, "tls"),
        ("smtps://here.invalid", 465, "tls"),
        ("here.invalid:587", 587, "starttls"),
    ],
)
def test_a_host_is_taken_as_it_was_pasted(host: str, port: int, security: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smtp_wizard.engine.smtp.transport.SocketWire.resolve", _nowhere)
    ran = run(*("setup", "Ana <ana@firm.example>", "--host", host, "--password-stdin", "--json"), stdin=PASSWORD)
    assert (ran.result["host"], ran.result["port"], ran.result["security"]) == ("here.invalid", port, security)


@pytest.mark.parametrize("other", [("--port", "465"), ("--security", "starttls")])
def test_a_host_that_contradicts_its_own_options_is_refused(other: tuple[str, str]) -> None:
    ran = run("setup", "ana@firm.example", "--host", "ssl://here.invalid:2465", *other, "--password-stdin", "--json")
    assert ran.code == 2
    assert "--host says" in ran.error["message"]
    assert other[0] in ran.error["message"]


async def _nowhere(*_: Any) -> Any:
    from smtp_wizard.engine.smtp.symptom import Fault
    from smtp_wizard.engine.smtp.wire_error import WireError

    raise WireError(Fault.NO_SUCH_HOST)


# --- finding the provider ---


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the look-up of an unknown domain comes to, instead of asking the DNS."""
    return answering(monkeypatch).found


def test_an_unknown_domain_is_said_and_the_server_named_as_missing(found: dict[str, Any]) -> None:
    ran = run("setup", "ana@firm.example", "--password-stdin", "--json", stdin=PASSWORD)
    assert ran.code == 2
    assert "--host" in ran.error["message"]
    assert "Nobody was found." in ran.error["hint"]


def test_an_address_that_only_looks_like_a_known_one_is_told_before_anything(found: dict[str, Any]) -> None:
    ran = run("setup", "ana@gm\u0430\u0456l.com", "--password-stdin", "--json", stdin=PASSWORD)
    assert ran.err.startswith("gm\u0430\u0456l.com looks like gmail.com, and has letters of another alphabet in it")
    assert "looks like" not in run("setup", "ana@own.example", "--password-stdin", stdin=PASSWORD).err


def test_where_several_providers_are_possible_they_are_named(found: dict[str, Any]) -> None:
    found["alternatives"] = load_catalog().providers[:2]
    ran = run("setup", "ana@firm.example", "--password-stdin", "--json", stdin=PASSWORD)
    assert (ran.code, ran.error["code"]) == (2, "missing-answers")
    assert f"--provider (one of: {', '.join(each.id for each in load_catalog().providers[:2])})" in ran.error["message"]


def test_a_provider_found_by_mx_is_used(found: dict[str, Any]) -> None:
    found["provider"] = load_catalog().get("sandbox")
    found["source"] = search.FoundBy.MX
    ran = run("setup", "ana@firm.example", "--password-stdin", "--json", stdin=PASSWORD)
    assert (ran.code, ran.result["host"]) == (0, "127.0.0.1")


# --- ways to sign in ---


def test_a_retired_way_names_what_to_do_instead() -> None:
    ran = run("setup", "ana@gmail.com", "--path", "less-secure-apps", "--password-stdin", "--json", stdin=PASSWORD)
    assert (ran.code, ran.error["code"]) == (2, "path-closed")
    assert "--path app-password" in ran.error["hint"]


def test_a_way_that_does_not_exist_exits_4() -> None:
    ran = run("setup", "ana@gmail.com", "--path", "nonesuch", "--password-stdin", "--json", stdin=PASSWORD)
    assert (ran.code, ran.error["code"]) == (4, "no-such-path")


def test_a_provider_that_does_not_exist_exits_4() -> None:
    ran = run("setup", "ana@example.com", "--provider", "gmial", "--json")
    assert (ran.code, ran.error["hint"]) == (4, "Did you mean 'gmail'?")


# --- what is missing ---


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((), ("EMAIL", "--host", "--username", "--password-stdin", "--password-command", "--password-env")),
        (("ana@sandbox.test",), ("a password",)),
        (("ana@example.com", "--host", "h.invalid"), ("a password",)),
        (("ana@example.com", "--host", "h.invalid", "--port", "9999"), ("--security",)),
        (("ana@sandbox.test", "--depth", "send"), ("--send-test", "a password")),
    ],
)
@pytest.mark.parametrize("form", [(), ("--json",)])
def test_without_a_terminal_what_is_missing_is_named(
    arguments: tuple[str, ...], named: tuple[str, ...], form: tuple[str, ...]
) -> None:
    ran = run("setup", *arguments, *form)
    assert ran.code == 2
    assert all(name in ran.err for name in named)
    if form:
        assert (ran.error["code"], ran.error["message"] in ran.err) == ("missing-answers", True)
    else:
        assert ran.out == ""


def test_json_on_a_terminal_asks_plainly_and_leaves_stdout_to_the_document() -> None:
    """The person is asked for the address and the password, which is not shown, and gets the document."""
    ran = on_terminal(
        ["setup", "--json"],
        typed=[
            ("E-mail address to send from: ", "no address\n"),
            ("example ana@example.com.\r\nE-mail address to send from: ", "ana@sandbox.test\n"),
            ("Password of ana@sandbox.test: ", f"{PASSWORD}\n"),
        ],
        term="dumb",
    )
    assert ran.code == 0, ran.out
    assert '"schema": "smtp-wizard/setup/1"' in ran.out
    assert PASSWORD not in ran.out
    assert "\x1b" not in ran.out


BARE = (
    ("Outgoing server, for example smtp.example.com: ", "http://127.0.0.1\n"),
    ("without http:// or anything like it: smtp.example.com.\r\n", "127.0.0.1\n"),
    ("Port, mostly 465 or 587: ", "4000\n"),
    ("Encryption: tls, starttls or none: ", "none\n"),
)
BY_HAND = ("setup", "ana@firm.example", "--provider", "custom", "--json")


def test_a_server_that_is_asked_for_may_get_the_password_unencrypted_after_a_yes() -> None:
    """What the step 'Server' asks is asked here too; after a no nothing is tried."""
    asked = "Send the password unencrypted? [y/N] "
    declined = on_terminal(list(BY_HAND), typed=[*BARE, (asked, "\n")], term="dumb")
    assert "everybody between this computer and 127.0.0.1:4000 can read" in " ".join(declined.out.split())
    assert declined.code == 1
    agreed = on_terminal(
        list(BY_HAND), typed=[*BARE, (asked, "y\n"), ("Password of ana@firm.example: ", f"{PASSWORD}\n")], term="dumb"
    )
    assert '"security": "none"' in agreed.out
    told = on_terminal(
        [*BY_HAND, "--allow-cleartext-login"],
        typed=[*BARE, ("Password of ana@firm.example: ", f"{PASSWORD}\n")],
        term="dumb",
    )
    assert asked not in told.out


# --- saving ---


def test_a_saved_account_has_everything_that_was_said_and_no_password(saved_accounts: SavedAccounts) -> None:
    ran = practise(
        *("--save", "Office", "--store", "session", "--scope", "all", "--sender-name", "Ana of Example"),
        *("--company-email", "--company-name", "Example Ltd", "--reply-to", "hello@example.com"),
        *("--from", "office@sandbox.test", "--json"),
    )
    assert (ran.code, ran.result["account"]) == (0, "Office")
    shown = run("accounts", "show", "Office", "--json").document
    assert shown["scope"] == "all"
    assert (shown["company_email"], shown["company_name"], shown["reply_to"]) == (
        True,
        "Example Ltd",
        "hello@example.com",
    )
    assert (shown["from"], shown["sender_name"]) == ("office@sandbox.test", "Ana of Example")
    assert shown["store"]["kind"] == "session"
    assert shown["store"]["where"].startswith("Office/password/")
    for file in saved_accounts._folder.rglob("*"):
        assert file.is_dir() or PASSWORD.encode() not in file.read_bytes()


def test_the_variable_that_holds_the_password_can_be_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", PASSWORD)
    ran = run(*PRACTICE, "--store", "env", "--env-name", "MAIL_PASSWORD", "--save", "Office", "--json")
    assert ran.code == 0
    monkeypatch.setenv("MAIL_PASSWORD", PASSWORD)
    assert run("test", "Office", "--json").code == 0
    assert run("test", "Office", "--json").error["code"] == "secret-unset"  # it was taken out of the environment


def test_the_usual_variable_of_an_account_need_not_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    unset = run(*PRACTICE, "--store", "env", "--save", "Office ana", "--json")
    assert unset.code == 3
    assert "SMTP_WIZARD_PASSWORD_OFFICE_ANA" in unset.error["message"]
    monkeypatch.setenv("SMTP_WIZARD_PASSWORD_OFFICE_ANA", PASSWORD)
    assert run(*PRACTICE, "--store", "env", "--save", "Office ana", "--json").code == 0


def test_a_variable_that_holds_another_password_exits_3(
    monkeypatch: pytest.MonkeyPatch, saved_accounts: SavedAccounts
) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", "another one")
    ran = practise("--store", "env", "--env-name", "MAIL_PASSWORD", "--save", "Office", "--json")
    assert (ran.code, ran.error["code"]) == (3, "secret-differs")
    assert "another one" not in ran.out + ran.err
    assert saved_accounts.list() == ()


def test_nobody_thinks_of_a_passphrase_for_the_practice_password(saved_accounts: SavedAccounts) -> None:
    """Where there is no keyring, that password is kept nowhere: it is no secret."""
    assert practise("--save", "Office").code == 0
    (account,) = saved_accounts.list()
    assert account.store is not None
    assert account.store.kind is StoreKind.SESSION


def test_where_nobody_gives_the_passphrase_of_the_vault_nothing_is_tried_or_saved(
    saved_accounts: SavedAccounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = practise("--save", "Office", "--store", "vault", "--json")
    assert (ran.code, ran.error["code"]) == (3, "secret-closed")
    assert "--passphrase-env" in ran.error["hint"]
    assert saved_accounts.list() == ()
    monkeypatch.setenv("VAULT", "four words of no sense")
    assert practise("--save", "Office", "--store", "vault", "--passphrase-env", "VAULT").code == 0
    (account,) = saved_accounts.list()
    assert account.store is not None
    assert account.store.kind is StoreKind.VAULT


def test_a_named_place_that_is_not_there_exits_3_and_saves_nothing(saved_accounts: SavedAccounts) -> None:
    ran = practise("--save", "Office", "--store", "keyring", "--json")
    assert (ran.code, ran.error["code"]) == (3, "secret-absent")
    assert saved_accounts.list() == ()


def test_a_name_that_is_taken_needs_a_yes_before_anything_is_tried(saved_accounts: SavedAccounts) -> None:
    assert practise("--save", "Office", "--store", "session").code == 0
    again = practise("--save", "office", "--store", "session", "--json")
    assert (again.code, again.error["code"]) == (2, "name-taken")
    assert "--replace" in again.error["hint"]
    assert practise("--save", "Office", "--store", "session", "--replace").code == 0
    assert len(saved_accounts.list()) == 1


def test_a_second_account_for_all_mail_needs_a_yes(saved_accounts: SavedAccounts) -> None:
    assert practise("--save", "One", "--store", "session", "--scope", "all").code == 0
    refused = practise("--save", "Two", "--store", "session", "--scope", "all", "--json")
    assert (refused.code, refused.error["code"]) == (2, "displaces")
    assert practise("--save", "Two", "--store", "session", "--scope", "all", "--replace").code == 0
    assert {account.name: account.scope for account in saved_accounts.list()} == {
        "One": Scope.GENERAL,
        "Two": Scope.ALL,
    }


def test_on_a_terminal_the_yes_is_asked_for(saved_accounts: SavedAccounts) -> None:
    assert practise("--save", "Office", "--store", "session").code == 0
    arguments = [*PRACTICE, "--password-env", "PW", "--store", "session", "--save", "Office"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PW", PASSWORD)
        declined = on_terminal(arguments, typed=[("Replace it? [y/N] ", "\n")])
        agreed = on_terminal(arguments, typed=[("Replace it? [y/N] ", "y\n")])
    assert (declined.code, agreed.code) == (1, 0)
    assert "Nothing was saved." in declined.out
    assert "Saved as 'Office'" in agreed.out


@pytest.mark.parametrize(
    "arguments",
    [
        ("--send-test", "ana@sandbox.test"),
        ("--send-test", "ANA@sandbox.test"),
        ("--save", "a/b"),
        ("--save", "x", "--depth", "server"),
        ("--depth", "login", "--send-test", "bob@sandbox.test"),
        ("--env-name", "NAME", "--store", "session"),
        ("--env-name", "no name", "--store", "env"),
        ("--from", "nobody"),
        ("--port", "0"),
        ("--host", "a b"),
        ("--auth", "xoauth2"),
        ("--sender-name", "a\r\nBcc: x@y.z"),
        ("--company-name", "a\x00b"),
    ],
)
def test_what_cannot_be_used_exits_2(arguments: tuple[str, ...]) -> None:
    ran = practise(*arguments, "--json")
    assert (ran.code, ran.document["schema"]) == (2, "smtp-wizard/error/1")


def test_a_server_that_wants_no_sign_in_is_saved_without_a_password(saved_accounts: SavedAccounts) -> None:
    ran = run(*PRACTICE, "--auth", "none", "--save", "Relay", "--json")
    assert ran.code == 0
    assert ("auth", "pass") not in ran.stages
    assert saved_accounts.get("Relay").store is None


def test_the_keyring_is_the_usual_place(monkeypatch: pytest.MonkeyPatch, saved_accounts: SavedAccounts) -> None:
    backend = desktop()
    monkeypatch.setattr("keyring.get_keyring", lambda: backend)
    ran = practise("--save", "Office")
    assert ran.code == 0
    assert "in the keyring of this computer" in ran.err
    assert run("test", "Office", "--json").code == 0
    assert run("accounts", "remove", "Office", "--yes").code == 0
    assert run("test", "Office", "--json").code == 4


# --- in the browser ---


@pytest.mark.parametrize(
    ("arguments", "lacking"),
    [
        ((), ("--client-id", "--client-secret-env or --client-secret-command", "--token-command, or a terminal")),
        (("--client-id", "x", "--client-secret-env", "PW"), ("--token-command, or a terminal",)),
    ],
)
def test_what_a_sign_in_in_the_browser_lacks_is_named(
    arguments: tuple[str, ...], lacking: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PW", "client-secret-of-ana")
    ran = run("setup", "ana@gmail.com", "--auth", "xoauth2", *arguments, "--json")
    assert ran.code == 2
    for name in lacking:
        assert name in ran.out
    assert "client-secret-of-ana" not in ran.out + ran.err


def test_what_is_no_question_is_named_on_a_terminal_as_well() -> None:
    """Beside JSON nothing but plain lines is asked: a client id is none of them."""
    ran = on_terminal(["setup", "ana@outlook.com", "--auth", "xoauth2", "--json"], term="dumb")
    assert ran.code == 2
    assert "--client-id" in ran.out


def test_without_a_terminal_the_browser_is_no_way() -> None:
    ran = run("setup", "ana@outlook.com", "--auth", "xoauth2", "--client-id", "x", "--flow", "browser", "--json")
    assert ran.code == 2
    assert "--flow device" in ran.out


@pytest.mark.parametrize(
    "arguments",
    [
        ("--client-id", "x"),
        ("--flow", "device"),
        ("--auth", "xoauth2", "--client-secret-env", "A", "--client-secret-command", "b"),
        ("--auth", "password", "--token-command", "true"),
        ("--token-command", "true", "--store", "vault"),
        ("--token-command", "echo token", "--client-id", "x"),
        ("--auth", "xoauth2", "--client-id", "x", "--store", "env"),
        ("--auth", "xoauth2", "--client-id", "x", "--path", "password"),
    ],
)
def test_what_does_not_go_together_in_the_browser(arguments: tuple[str, ...]) -> None:
    assert run("setup", "ana@outlook.com", *arguments, "--json").code == 2


def test_a_mailbox_without_a_password_is_never_signed_in_to_unasked() -> None:
    ran = run("setup", "ana@outlook.com", "--password-stdin", "--json", stdin="x")
    assert ran.code == 2
    assert "cannot be used here" in ran.out
