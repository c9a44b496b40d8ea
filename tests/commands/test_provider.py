"""`provider`: shown, written for a mail program, and added after its server has answered."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from smtp_wizard.engine.base.data_files import data_path
from smtp_wizard.engine.base.endpoint import Security
from smtp_wizard.engine.providers.catalog import load_catalog
from smtp_wizard.engine.scan.scan import SCAN_LIMITS
from tests.commands.test_probe import implicit, usual
from tests.support.certs import Authority
from tests.support.cli import Ran, on_terminal, run
from tests.support.misbehaving import MisbehavingServer, Send, refused_port

OFFER = Send(b"250-here\r\n250 AUTH PLAIN\r\n")
NAMED = ("--name", "Nordhost AS", "--domain", "nordhost.example", "--mx", "mx.nordhost.example")


async def added(monkeypatch: pytest.MonkeyPatch, folder: Path, *arguments: str, name: tuple[str, ...] = NAMED) -> Ran:
    """Add a provider whose server is on this computer."""
    authority = Authority(folder / "ca")
    async with MisbehavingServer(implicit(authority)) as server:
        usual(monkeypatch, {server.port: Security.TLS})
        words = ("provider", "new", *name, "--host", "localhost", "--ca-file", str(authority.file), "-4")
        return await asyncio.to_thread(run, *words, *arguments)


async def test_a_provider_is_added_to_one_s_own_file_once_its_server_has_answered(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, own_home: Path
) -> None:
    ran = await added(monkeypatch, tmp_path, "--json")
    assert ran.code == 0, ran.err
    document = ran.document
    assert (document["id"], document["endpoints"][0]["host"]) == ("nordhost-as", "localhost")
    assert document["tests"] == [
        "smtp-wizard providers verify nordhost-as",
        "smtp-wizard discover you@nordhost.example",
    ]
    file = own_home / "config" / "providers.yaml"
    assert document["file"] == str(file)
    assert file.stat().st_mode & 0o777 == 0o600
    found = load_catalog(own=file).by_domain("nordhost.example")
    assert found is not None
    assert "AUTH PLAIN" in found.endpoints[0].note
    known = await asyncio.to_thread(run, "discover", "ana@nordhost.example", "--json")
    assert known.document["provider"] == "nordhost-as"


async def test_the_same_id_is_not_added_twice(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, own_home: Path) -> None:
    assert (await added(monkeypatch, tmp_path)).code == 0
    before = (own_home / "config" / "providers.yaml").read_bytes()
    again = await added(monkeypatch, tmp_path / "again", "--json")
    assert (again.code, again.error["code"]) == (2, "taken")
    assert "'nordhost-as' is in your own providers.yaml already" in again.error["message"]
    assert "--id" in again.error["hint"]
    assert "line" not in again.error["message"], "no place in a file that has not been written"
    assert (own_home / "config" / "providers.yaml").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "holder"),
    [
        (("--name", "Gmail"), "'gmail' is in the shipped list: Gmail."),
        (("--name", "Nord", "--domain", "gmail.com"), "'gmail.com' belongs to Gmail"),
        (("--name", "Nord", "--mx", "google.com"), "those of Google Workspace"),
        (("--name", "Nord", "--mx", "firm-com.mail.protection.outlook.com"), "those of Microsoft 365"),
        (("--name", "Nord", "--mx", "protection.outlook.com"), "those of Microsoft 365"),
    ],
    ids=["id", "domain", "mx", "narrower", "wider"],
)
async def test_what_a_shipped_provider_has_is_taken_only_with_replace(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, own_home: Path, arguments: tuple[str, ...], holder: str
) -> None:
    file = own_home / "config" / "providers.yaml"
    with refused_port() as closed:
        usual(monkeypatch, {closed: Security.TLS})
        ran = run("provider", "new", *arguments, "--host", "localhost", "-4", "--json")
    assert (ran.code, ran.error["code"]) == (2, "taken"), "before anything is tried"
    assert holder in ran.error["message"]
    assert "--replace" in ran.error["hint"]
    assert not file.exists()
    assert (await added(monkeypatch, tmp_path, "--replace", name=arguments)).code == 0
    assert file.exists()


def test_an_id_that_is_none_is_refused_before_anything_is_tried(own_home: Path) -> None:
    ran = run("provider", "new", *NAMED, "--id", "Nord Host", "--host", "localhost", "--json")
    assert (ran.code, ran.error["code"]) == (2, "input")
    assert "small letters and digits" in ran.error["message"]


@pytest.mark.parametrize("said", [(), ("--security", "tls")], ids=["port", "port-and-way"])
async def test_a_port_that_is_named_is_tried_though_it_is_no_usual_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, own_home: Path, said: tuple[str, ...]
) -> None:
    authority = Authority(tmp_path / "ca")
    async with MisbehavingServer(implicit(authority)) as server:
        monkeypatch.setattr("smtp_wizard.engine.scan.scan.SCAN_LIMITS", replace(SCAN_LIMITS, silence=0.05))
        usual(monkeypatch, {})
        words = ("--host", f"localhost:{server.port}", "--ca-file", str(authority.file), "-4", "--json")
        ran = await asyncio.to_thread(run, "provider", "new", *NAMED, *words, *said)
        assert ran.code == 0, ran.err
        assert ran.document["endpoints"] == [{"host": "localhost", "port": server.port, "security": "tls"}]


async def test_a_private_certificate_is_told_of_with_the_option_for_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, own_home: Path
) -> None:
    async with MisbehavingServer(implicit(Authority(tmp_path / "ca")), strict=False) as server:
        usual(monkeypatch, {server.port: Security.TLS})
        ran = await asyncio.to_thread(run, "provider", "new", *NAMED, "--host", "localhost", "-4", "--json")
    assert (ran.code, ran.error["code"]) == (1, "no-server")
    assert "--ca-file" in ran.error["hint"]


@pytest.mark.parametrize("ways", ["NTLM GSSAPI", "XOAUTH2"])
async def test_a_server_that_takes_no_password_is_not_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, own_home: Path, ways: str
) -> None:
    authority = Authority(tmp_path / "ca")
    script = [
        Send(f"250-here\r\n250 AUTH {ways}\r\n".encode()) if each == OFFER else each for each in implicit(authority)
    ]
    async with MisbehavingServer(script, strict=False) as server:
        usual(monkeypatch, {server.port: Security.TLS})
        words = ("--host", "localhost", "--ca-file", str(authority.file), "-4", "--json")
        ran = await asyncio.to_thread(run, "provider", "new", *NAMED, *words)
    assert (ran.code, ran.error["code"]) == (1, "no-server")
    assert ("offers only NTLM and GSSAPI to sign in" in ran.error["message"]) == ("NTLM" in ways)
    assert not (own_home / "config" / "providers.yaml").exists()


def test_a_server_that_was_not_reached_is_not_said_to_take_no_sign_in(
    monkeypatch: pytest.MonkeyPatch, own_home: Path
) -> None:
    with refused_port() as closed:
        usual(monkeypatch, {closed: Security.TLS})
        ran = run("provider", "new", *NAMED, "--host", "localhost", "-4", "--json")
    assert "localhost was not reached" in ran.error["message"]
    assert "sign-in" not in ran.error["message"]


async def test_a_checkout_s_file_gets_it_with_its_source_and_the_rows_of_its_tests(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "providers.yaml"
    shutil.copy(data_path("providers.yaml"), file)
    file.chmod(0o644)
    said = ("--into", str(file), "--source", "https://help.nordhost.example/smtp", "--says", "Port: 465 (SSL)")
    ran = await added(monkeypatch, tmp_path, *said)
    assert ran.code == 0, ran.err
    assert "test_an_address_gets_the_server_of_its_domain" in ran.err
    assert "- id: nordhost-as" in ran.out
    assert file.stat().st_mode & 0o777 == 0o644
    assert load_catalog(file).get("nordhost-as") is not None
    assert sorted(each.name for each in tmp_path.iterdir()) == ["ca", "providers.yaml"], "nothing is left beside it"


async def test_the_shipped_file_takes_nothing_without_a_page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ran = await added(monkeypatch, tmp_path, "--into", str(tmp_path / "providers.yaml"), "--json")
    assert (ran.code, ran.error["code"]) == (2, "missing-answers")
    assert "--source" in ran.error["message"]


async def test_a_checkout_s_file_that_is_no_text_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "providers.yaml"
    file.write_bytes(b"providers: # K\xf6ln\n")
    page = ("--source", "https://nordhost.example/mail")
    ran = await added(monkeypatch, tmp_path / "ca", "--into", str(file), *page, "--json")
    assert (ran.code, ran.error["code"]) == (2, "not-written")
    assert "no text in UTF-8" in ran.error["message"]
    assert file.read_bytes() == b"providers: # K\xf6ln\n"


def test_a_server_that_does_not_answer_is_not_written(monkeypatch: pytest.MonkeyPatch, own_home: Path) -> None:
    with refused_port() as closed:
        usual(monkeypatch, {closed: Security.TLS})
        ran = run("provider", "new", *NAMED, "--host", "localhost", "-4", "--json")
    assert (ran.code, ran.error["code"]) == (1, "no-server")
    assert not (own_home / "config" / "providers.yaml").exists()


def test_what_is_missing_is_named_where_nobody_can_be_asked() -> None:
    ran = run("provider", "new", "--json")
    assert (ran.code, ran.error["code"]) == (2, "missing-answers")
    assert "--name, --host" in ran.error["message"]


def test_in_a_terminal_it_is_asked_for() -> None:
    ran = on_terminal(
        ["provider", "new"],
        typed=[
            ("What is it called?: ", "Nordhost\n"),
            ("Outgoing server, for example smtp.example.com: ", "ssl://127.0.0.1:1\n"),
            ("customers' own): ", "nordhost.example, @nordhost.test\n"),
            ("nothing: not known): ", "\n"),
        ],
    )
    assert ran.code == 1
    assert "127.0.0.1, port 1 was not reached" in " ".join(ran.out.split())


def test_in_a_terminal_the_page_is_asked_for_and_what_it_says(tmp_path: Path) -> None:
    file = tmp_path / "providers.yaml"
    shutil.copy(data_path("providers.yaml"), file)
    ran = on_terminal(
        ["provider", "new", "--into", str(file), "--name", "Nordhost", "--host", "127.0.0.1:1"],
        typed=[
            ("The page that documents it: ", "help.nordhost.example\n"),
            ("begins with https://", "https://help.nordhost.example\n"),
            ("(nothing: none): ", "short\n"),
            ("Quote a sentence", "The server is 127.0.0.1, port 1.\n"),
            ("What is the user name?", "full\n"),
            ("Type full-address or local-part, or nothing.", "local-part\n"),
        ],
    )
    assert ran.code == 1
    assert "127.0.0.1, port 1 was not reached" in " ".join(ran.out.split())


def test_the_words_of_the_wizard_are_no_answers_when_a_command_asks() -> None:
    ran = on_terminal(
        ["provider", "new"],
        typed=[
            ("What is it called?: ", "help\n"),
            ("There is no way back", '"Help"\n'),
            ("smtp.example.com: ", "back\n"),
            ("There is no way back", "Quit\n"),
        ],
    )
    assert ran.code == 1
    assert "You left. Nothing was done." in ran.out
    assert "Trying" not in ran.out


@pytest.mark.parametrize(
    "words",
    [
        ("--auth", "none"),
        ("--username", "bob"),
        ("--allow-cleartext-login",),
        ("--source", "https://nordhost.example/mail"),
        ("--says", "The server is mail.nordhost.example."),
    ],
)
def test_what_would_change_nothing_is_refused(words: tuple[str, ...]) -> None:
    ran = run("provider", "new", *NAMED, "--host", "localhost", *words)
    assert ran.code == 2
    assert words[0] in ran.err
    assert "Trying" not in ran.err


@pytest.mark.parametrize("says", ["x", "Port: 465\nHost: mail.nordhost.example", "a b" * 300])
def test_what_is_no_sentence_is_not_quoted(says: str, tmp_path: Path) -> None:
    page = ("--into", str(tmp_path / "providers.yaml"), "--source", "https://nordhost.example/mail")
    ran = run("provider", "new", *NAMED, "--host", "localhost", *page, "--says", says, "--json")
    assert (ran.code, ran.error["code"]) == (2, "input")


OWN_ENTRY = "{id: a, name: A, endpoints: [{host: a.example, port: 465, security: tls}]}"


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (f"{{providers: [{OWN_ENTRY}]}}\n", "is in braces"),
        ("{}\n", "is in braces"),
        (f"providers: [{OWN_ENTRY}]\n", "written in one line"),
        ("providers:\n  - id: a\n   name: b\n", "line 3"),
    ],
)
def test_a_file_that_nothing_can_be_added_to_is_said_before_anything_is_tried(
    before: str, words: str, own_home: Path
) -> None:
    folder = own_home / "config"
    folder.mkdir(mode=0o700)
    (folder / "providers.yaml").write_text(before)
    (folder / "providers.yaml").chmod(0o600)
    ran = run("provider", "new", *NAMED, "--host", "localhost", "--json")
    assert (ran.code, ran.error["code"]) == (2, "not-written")
    assert words in ran.error["message"]
    assert str(folder / "providers.yaml") in ran.error["message"]
    assert "Trying" not in ran.err
    assert (folder / "providers.yaml").read_text() == before


@pytest.mark.parametrize("there", [True, False])
def test_a_checkout_s_file_that_is_none_is_said_before_anything_is_tried(tmp_path: Path, *, there: bool) -> None:
    file = tmp_path if there else tmp_path / "gone" / "providers.yaml"
    page = ("--source", "https://nordhost.example/mail")
    ran = run("provider", "new", *NAMED, "--host", "localhost", "--into", str(file), *page, "--json")
    assert (ran.code, ran.error["code"]) == (2, "not-written")
    assert str(file) in ran.error["message"]
    assert "Trying" not in ran.err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--name", "Nord\x1b[31m"), "a character in it that cannot be seen"),
        (("--name", "Nord\udc80"), "a character in it that cannot be seen"),
        (("--name", "\u200b"), "Type its name."),
        (("--name", "Nord", "--domain", "<x>.example"), "is no domain"),
        (("--name", "Nord", "--mx", "*.example.com"), "is no domain"),
    ],
    ids=["escape", "half-a-character", "nothing-to-see", "domain", "mx"],
)
def test_what_is_no_name_or_domain_is_refused_before_anything_is_tried(
    arguments: tuple[str, ...], complaint: str, own_home: Path
) -> None:
    ran = run("provider", "new", "--host", "localhost", *arguments)
    assert ran.code == 2
    assert complaint in ran.err
    assert not (own_home / "config" / "providers.yaml").exists()


# --- export, and the rest ---


def test_a_provider_is_written_for_a_mail_program() -> None:
    ran = run("provider", "export", "fastmail", "--imap", "imap.fastmail.com")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<clientConfig version="1.1">\n')
    assert "<hostname>imap.fastmail.com</hostname>" in ran.out
    assert "--imap" in run("provider", "export", "fastmail").err, "the incoming server is not known here"


@pytest.mark.parametrize("arguments", [("--json",), ("--format", "json")])
def test_as_json_it_is_the_whole_entry(arguments: tuple[str, ...]) -> None:
    shown: dict[str, Any] = run("providers", "show", "fastmail", "--json").document
    assert run("provider", "export", "fastmail", *arguments).document == shown
    assert run("provider", "fastmail", "--json").document == shown


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("fastmial",), 4),
        (("hey",), 2),
        (("gmail", "--format", "ispdb", "--domain", "firm.example"), 2),
        (("gmail", "--imap", "a b c"), 2),
        (("gmail", "--format", "csv"), 2),
        (("gmail", "--json", "--format", "ispdb"), 2),
        (("zoho", "--domain", "mydomain.example"), 2),
        (("zoho", "--format", "ispdb", "--mx", "zoho.eu"), 2),
        (("gmail", "--domain", "<x>.example"), 2),
        (("gmail", "--domain", "*.firm.example"), 2),
    ],
)
def test_what_cannot_be_written_is_said(arguments: tuple[str, ...], code: int) -> None:
    ran = run("provider", "export", *arguments)
    assert ran.code == code
    assert ran.error["message"] if "--json" in arguments else (not ran.out and ran.err)


def test_what_is_for_a_mail_program_alone_is_not_passed_over_in_json() -> None:
    ran = run("provider", "export", "gmail", "--format", "json", "--domain", "firm.example")
    assert (ran.code, ran.error["code"]) == (2, "input")
