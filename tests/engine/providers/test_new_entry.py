"""A new entry in a file of providers: read back as it was meant, and nothing else in the file touched."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from smtp_wizard.engine.base.data_files import data_path
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.providers.new_entry import (
    CheckedServer,
    EntrySource,
    NewEntry,
    entry_text,
    identifier,
    scalar,
    sources_text,
    with_addition,
)
from smtp_wizard.engine.providers.own_providers import read_own_file
from smtp_wizard.engine.providers.provider import ProviderKind, UsernameForm
from smtp_wizard.engine.providers.provider_file import read_provider_file

SERVER = CheckedServer(Endpoint("mail.nordhost.example", 465, Security.TLS), "answered with TLS 1.3, AUTH PLAIN LOGIN")
NEW = NewEntry(
    id="nordhost",
    name="Nordhost: mail & web",
    kind=ProviderKind.HOSTING,
    servers=(SERVER, CheckedServer(Endpoint("mail.nordhost.example", 587, Security.STARTTLS), "")),
    domains=("nordhost.example",),
    mx=("mx.nordhost.example",),
    day="2026-11-30",
)
SOURCE = EntrySource(
    "nordhost-settings",
    "official",
    "Settings (Nordhost)",
    "https://help.nordhost.example/smtp",
    ("Port: 465",),
)


def read_back(folder: Path, text: str) -> object:
    (folder / "providers.yaml").write_text(text, "utf-8")
    (folder / "providers.yaml").chmod(0o600)
    return read_own_file(folder / "providers.yaml", read_provider_file())


def test_an_entry_of_one_s_own_says_what_was_asked_and_when_it_answered(tmp_path: Path) -> None:
    (found,) = read_own_file(written(tmp_path, with_addition("", "providers", entry_text(NEW))), read_provider_file())
    assert (found.id, found.name, found.checked) == ("nordhost", "Nordhost: mail & web", "2026-11-30")
    assert (found.domains, found.mx) == (("nordhost.example",), ("mx.nordhost.example",))
    first, second = found.endpoints
    assert (first.endpoint, first.as_of) == (SERVER.endpoint, "2026-11-30")
    assert first.note == "answered with TLS 1.3, AUTH PLAIN LOGIN (2026-11-30)"
    assert (second.endpoint.port, second.note) == (587, "")
    assert found.path("password") is not None


def written(folder: Path, text: str) -> Path:
    file = folder / "providers.yaml"
    file.write_text(text, "utf-8")
    file.chmod(0o600)
    return file


def test_an_entry_of_the_shipped_file_has_a_source_for_everything(tmp_path: Path) -> None:
    before = data_path("providers.yaml").read_text("utf-8")
    new = replace(NEW, source=SOURCE)
    after = with_addition(with_addition(before, "providers", entry_text(new)), "sources", sources_text(new))
    found = read_provider_file(written(tmp_path, after))
    added = next(each for each in found.providers if each.id == "nordhost")
    assert len(found.providers) == len(read_provider_file().providers) + 1
    assert [(each.source, each.confidence.value) for each in added.endpoints] == [
        ("nordhost-answers", "own"),  # its sentence names the port, and not of which host
        ("nordhost-answers", "own"),
    ]
    assert added.path("password") is not None
    assert added.paths[0].sources == ("nordhost-answers",), "no page says that a password works"
    assert [(each.value, each.confidence.value) for each in added.limits] == [(None, "unknown")], "nobody has looked"
    assert "    username: {form: full-address, confidence: unknown}\n" in entry_text(new), "nobody has said it"
    assert found.sources["nordhost-settings"].says == ("Port: 465",)
    assert not {*before.splitlines()} - {*after.splitlines()}, "nothing else is touched"


@pytest.mark.parametrize(
    ("says", "mx", "username"),
    [
        (("Port: 465",), "given", "given"),
        (("MX: mx.nordhost.example", "User name: the part before the @"), "settings", "settings"),
        (("Point the MX at a.mx.nordhost.example.", "Login: ana"), "settings", "settings"),
        (("Server: mx.nordhost.example",), "given", "given"),  # it does not say that it receives mail
        (("MX: mx.nordhost.example.org", "Your user"), "given", "settings"),
        (("MX: amx.nordhost.example",), "given", "given"),
        ((), "given", "given"),
    ],
)
def test_what_no_sentence_of_the_page_says_is_cited_as_given(
    says: tuple[str, ...], mx: str, username: str, tmp_path: Path
) -> None:
    new = replace(NEW, source=replace(SOURCE, says=says), username_form=UsernameForm.LOCAL_PART)
    before = data_path("providers.yaml").read_text("utf-8")
    after = with_addition(with_addition(before, "providers", entry_text(new)), "sources", sources_text(new))
    found = read_provider_file(written(tmp_path, after))
    entry = yaml.safe_load(entry_text(new))[0]
    assert entry["mx"]["source"] == f"nordhost-{mx}"
    assert entry["mx"]["confidence"] == ("own" if mx == "given" else "official")
    assert entry["username"]["source"] == f"nordhost-{username}"
    kept = found.sources["nordhost-given"].says if "given" in (mx, username) else ()
    assert ("MX hosts end in mx.nordhost.example" in kept) == (mx == "given")
    assert ("user name: local-part" in kept) == (username == "given")
    assert ("nordhost-given" in found.sources) == bool(kept), "no source that nothing rests on"
    added = next(each for each in found.providers if each.id == "nordhost")
    table = {each for each in found.sources if each.startswith("nordhost-")}
    assert table == {source.id for source in added.sources}, "no source that nothing names"


@pytest.mark.parametrize(
    "before",
    [
        "",
        "providers: []\n",
        "# mine\nproviders:\n  - id: a\n    name: A\n    endpoints: [{host: a.example, port: 465, security: tls}]\n",
        "providers:\n- id: a\n  name: A\n  endpoints: [{host: a.example, port: 465, security: tls}]\n",
        "providers:\n    - id: a\n      name: A\n      endpoints: [{host: a.example, port: 465, security: tls}]",
        "providers:\n  - id: a\n    name: A\n    endpoints: [{host: a.example, port: 465, security: tls}]\n\n"
        "# what I signed in at\nversion: 1\n",
        "version: 1\n",
        "\ufeffproviders:\n  - id: a\n    name: A\n    endpoints: [{host: a.example, port: 465, security: tls}]\n",
        '"providers":\n  - id: a\n    name: A\n    endpoints: [{host: a.example, port: 465, security: tls}]\n',
        "'providers' :\r\n  - id: a\r\n    name: A\r\n    endpoints: [{host: a.example, port: 465, security: tls}]\r\n",
        "providers:\r  - id: a\r    name: A\r    endpoints: [{host: a.example, port: 465, security: tls}]\r",
        'providers:\n  - id: a\n    name: "A\x85providers: c"\n'
        "    endpoints: [{host: a.example, port: 465, security: tls}]\n",
        "providers: null\n",
        "providers: ~ # none yet\n",
    ],
)
def test_it_stands_behind_the_others_and_comments_stay(before: str, tmp_path: Path) -> None:
    after = with_addition(before, "providers", entry_text(NEW))
    providers = read_own_file(written(tmp_path, after), read_provider_file())
    assert [each.id for each in providers] == (["a"] if "id: a" in before else []) + ["nordhost"]
    assert [line for line in before.splitlines() if line.startswith("#") and line not in after.splitlines()] == []


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("before", ["# mine\nproviders:\n  - id: a", "# mine\nversion: 1\n", "# mine\nproviders: []\n"])
def test_lines_end_as_those_before_them(before: str, end: str) -> None:
    after = with_addition(before.replace("\n", end), "providers", entry_text(NEW))
    assert after.replace(end, "") == with_addition(before, "providers", entry_text(NEW)).replace("\n", "")
    assert set(re.findall(r"\r\n|\r|\n", after)) == {end}


def test_a_list_in_one_line_is_left_alone() -> None:
    with pytest.raises(InputError, match="one line"):
        with_addition("providers: [{id: a}]\n", "providers", entry_text(NEW))


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=40))
def test_whatever_a_name_is_yaml_reads_the_same(name: str) -> None:
    assert yaml.safe_load(f"{{a: {scalar(name)}}}") == {"a": name}


@pytest.mark.parametrize(
    "text",
    [
        "no",
        "Yes",
        "null",
        "a\ufffe",
        "\ufeffb",
        "\uffff",
        "\x7f",
        "1e3",
        "2026-11-30",
        "0x10",
        "- a",
        "a: b",
        "# a",
        "'",
        "%",
        "~",
    ],
)
def test_words_that_yaml_reads_otherwise_are_put_in_quotes(text: str) -> None:
    assert yaml.safe_load(f"[{scalar(text)}]") == [text]


@pytest.mark.parametrize(
    ("name", "found"), [("Nordhost AS", "nordhost-as"), ("1&1 (old)", "1-1-old"), ("  A_b  ", "a-b")]
)
def test_an_id_is_made_of_a_name(name: str, found: str) -> None:
    assert identifier(name) == found


def test_a_name_without_a_letter_of_ours_needs_an_id() -> None:
    with pytest.raises(InputError, match="--id"):
        identifier("メール")


def test_the_checkout_is_the_same_file_as_before(tmp_path: Path) -> None:
    shutil.copy(data_path("providers.yaml"), tmp_path / "providers.yaml")
    assert read_provider_file(tmp_path / "providers.yaml").providers


HOST = "mail.nordhost.example"


@pytest.mark.parametrize(
    ("says", "ports"),
    [
        ((f"Server: {HOST}", "Port: 465 (SSL)"), [465]),
        ((f"{HOST}:587",), [587]),
        ((f"SMTP {HOST} with SSL, ports 25, 465 and 587",), [465, 587]),
        ((f"| {HOST.upper()} | Port (SSL) | 465 |",), [465]),
        (("Port: 465",), []),  # of which server
        ((HOST,), []),
        ((f"{HOST}, port 4650, or call 587 12 34",), []),
        ((HOST, "Do not use port 465; call 587 12 34."), []),
        ((f"smtp.{HOST} port 465",), []),
        ((f"{HOST}.org port 465",), []),
        ((), []),
    ],
)
def test_a_page_vouches_for_a_server_where_it_names_host_and_port(says: tuple[str, ...], ports: list[int]) -> None:
    text = entry_text(replace(NEW, source=replace(SOURCE, says=says)))
    found = yaml.safe_load(text)[0]["endpoints"]
    assert [each["port"] for each in found if each["source"] == "nordhost-settings"] == ports
    assert all(each["confidence"] == "own" for each in found if each["port"] not in ports)
