"""A person's own providers.yaml: it adds, it changes, it wins; and where it cannot be used, everything else goes on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.confidence import Confidence
from smtp_wizard.engine.base.data_files import data_path
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.providers.catalog import Catalog, load_catalog
from smtp_wizard.engine.providers.own_providers import Override, merge_providers
from smtp_wizard.engine.providers.provider import PathStatus, Provider

SHIPPED = load_catalog()

FIRM = """\
providers:
  - id: our-firm
    name: Our firm
    domains: [firm.example]
    endpoints:
      - {host: mail.firm.example, port: 465, security: tls}
"""


def load(folder: Path, text: str | bytes) -> Catalog:
    path = folder / "providers.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return load_catalog(own=path)


def get(catalog: Catalog, provider_id: str) -> Provider:
    provider = catalog.get(provider_id)
    assert provider is not None
    return provider


def test_without_the_file_everything_is_as_shipped(tmp_path: Path) -> None:
    catalog = load_catalog(own=tmp_path / "providers.yaml")
    assert catalog.providers == SHIPPED.providers
    assert (catalog.overrides, catalog.own_trouble) == ((), "")


def test_name_and_server_are_enough_for_a_provider_of_one_s_own(tmp_path: Path) -> None:
    catalog = load(tmp_path, FIRM)
    firm = get(catalog, "our-firm")
    assert catalog.own_trouble == ""
    assert catalog.providers == (firm, *SHIPPED.providers)
    assert catalog.by_domain("firm.example") is firm
    assert catalog.search("our fi") == (firm,)
    assert firm.best() == Endpoint("mail.firm.example", 465, Security.TLS)
    assert firm.username_for(Address("ana", "firm.example")) == "ana@firm.example"
    assert firm.endpoints[0].confidence is Confidence.OWN
    (path,) = firm.paths
    assert (path.status, path.guide, path.secret_label) == (PathStatus.WORKS, "basic", "Password")
    assert [source.title for source in firm.sources] == ["Your own providers.yaml"]
    assert catalog.overrides == (), "nobody else's password goes there"


def test_an_entry_with_a_known_id_changes_what_it_says_and_nothing_else(tmp_path: Path) -> None:
    before = get(SHIPPED, "gmail")
    text = (
        "providers:\n  - id: gmail\n    endpoints:\n      - {host: gate.firm.example, port: 587, security: starttls}\n"
    )
    catalog = load(tmp_path, text)
    gmail = get(catalog, "gmail")
    assert gmail.best() == Endpoint("gate.firm.example", 587, Security.STARTTLS)
    assert (gmail.name, gmail.paths, gmail.limits, gmail.documented) == (
        before.name,
        before.paths,
        before.limits,
        before.documented,
    )
    assert [each.id for each in catalog.providers] == [each.id for each in SHIPPED.providers]
    assert catalog.by_domain("gmail.com") is gmail
    assert {source.id for source in gmail.sources} > {source.id for source in before.sources}
    assert gmail.ispdb[0].note == "Your own providers.yaml says otherwise."


def test_what_the_file_does_not_touch_is_read_no_further() -> None:
    """A provider is read field by field; whoever has a file of their own must not read all of all of them."""
    shipped = load_catalog().providers
    touched = next(each for each in shipped if len(each.domains) > 1)
    own = replace(touched, id="nordhost", domains=("nordhost.example", touched.domains[0]), mx=())
    added, *others = merge_providers(shipped, [own])
    assert added is own
    (changed,) = [mine for mine, theirs in zip(others, shipped, strict=True) if mine is not theirs]
    assert changed == replace(touched, domains=touched.domains[1:])


def test_an_overridden_server_is_told_before_a_password_goes_there(tmp_path: Path) -> None:
    text = (
        "providers:\n  - id: gmail\n    endpoints:\n      - {host: gate.firm.example, port: 587, security: starttls}\n"
    )
    catalog = load(tmp_path, text)
    old = "smtp.gmail.com:465 (SSL/TLS), smtp.gmail.com:587 (STARTTLS)"
    assert catalog.overrides == (Override("gmail", "server", old, "gate.firm.example:587 (STARTTLS)"),)
    assert catalog.overrides_of("gmail") == catalog.overrides
    assert catalog.overrides_of("yahoo") == ()
    assert catalog.overrides[0].words == (
        f"Your own providers.yaml sets the server of 'gmail': gate.firm.example:587 (STARTTLS) instead of {old}."
    )


@pytest.mark.parametrize(
    ("line", "override"),
    [
        ("domains: [gmail.com]", Override("our-firm", "domain gmail.com", "gmail", "our-firm")),
        ("domains: [nyc.rr.com]", Override("our-firm", "domain nyc.rr.com", "roadrunner", "our-firm")),
        ("domains: ['*.rr.com']", Override("our-firm", "domain *.rr.com", "roadrunner", "our-firm")),
        (
            "mx: {endings: [google.com]}",
            Override("our-firm", "mx google.com", "google-workspace", "our-firm"),
        ),
        (
            "mx: {endings: [aspmx.l.google.com]}",
            Override("our-firm", "mx aspmx.l.google.com", "google-workspace", "our-firm"),
        ),
        (
            "mx: {endings: [mail.protection.outlook.com]}",
            Override("our-firm", "mx mail.protection.outlook.com", "microsoft365, godaddy-microsoft365", "our-firm"),
        ),
    ],
)
def test_a_domain_or_mail_host_that_was_another_s_is_told_too(line: str, override: Override, tmp_path: Path) -> None:
    catalog = load(tmp_path, FIRM.replace("domains: [firm.example]", line))
    assert catalog.overrides == (override,)
    kind, _, name = override.field.partition(" ")
    firm = get(catalog, "our-firm")
    if kind == "domain":
        assert catalog.by_domain(name.replace("*", "any")) is firm
        assert sum(name in each.domains for each in catalog.providers) == 1
    else:
        assert catalog.by_mx([f"a.{name}"]) == (firm,)


def test_an_entry_copied_from_the_shipped_file_is_read(tmp_path: Path) -> None:
    """With all its sources and quotes, as the easiest way to begin."""
    text = data_path("providers.yaml").read_text("utf-8")
    for provider_id, after in (("yahoo", "aol"), ("microsoft365", "outlook-com"), ("tuta", "hey")):
        start, end = text.index(f"  - id: {provider_id}\n"), text.index(f"  - id: {after}\n")
        catalog = load(tmp_path, "version: 1\nproviders:\n" + text[start:end])
        assert catalog.own_trouble == ""
        assert catalog.overrides == ()
        copied, shipped = get(catalog, provider_id), get(SHIPPED, provider_id)
        assert (copied.endpoints, copied.paths, copied.documented) == (
            shipped.endpoints,
            shipped.paths,
            shipped.documented,
        )


def test_own_sources_may_be_named(tmp_path: Path) -> None:
    table = "sources:\n  wiki: {title: Our wiki, kind: own, date: 2026-11-01, seen: direct}\n"
    text = table + FIRM.replace("security: tls}", "security: tls, source: wiki, as_of: 2026-11-01, confidence: own}")
    (endpoint,) = get(load(tmp_path, text), "our-firm").endpoints
    assert (endpoint.source, endpoint.as_of) == ("wiki", "2026-11-01")


# --- a file that cannot be used ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("port: 465", "port: 0", "line 6, column 35: providers.our-firm.endpoints.1.port: must be from 1 to 65535"),
        ("name: Our firm\n    ", "", "line 2, column 5: providers.our-firm: the key 'name' is missing"),
        ("endpoints:", "servers:", "providers.our-firm: the key 'endpoints' is missing"),
        ("name: Our firm", "name: Our firm\n    colour: red", "providers.our-firm.colour: is not a key"),
        ("name: Our firm", 'name: "Our\\e[2Jfirm"', "must be one line, without characters that cannot be seen"),
        ("name: Our firm", 'name: "Our\\nfirm"', "must be one line"),
        ("security: tls", "security: none, offered: true", "a server without encryption is never offered"),
        ("id: our-firm", "id: custom", "providers.custom.id: 'custom' is a part of the program"),
        ("id: our-firm", "id: sandbox", "providers.sandbox.id: 'sandbox' is a part of the program"),
        ("name: Our firm", "name: Our firm\n    kind: custom", "our-firm.kind: 'custom' is a part of the program"),
        ("name: Our firm", "name: Our firm\n    successor: nobody", "there is no provider 'nobody'"),
        ("domains: [firm", "domains: [firm.example, firm", "'firm.example' belongs to 'our-firm' already"),
        ("providers:", "version: 2\nproviders:", "only version 1 of this file is known"),
        ("providers:", "provider:", "line 1, column 1: provider: is not a key"),
        ("  - id: our-firm", "  -id: our-firm", "line "),
        ("id: our-firm", "id: [", "line "),
    ],
)
def test_a_fault_is_one_sentence_with_its_place(old: str, new: str, words: str, tmp_path: Path) -> None:
    catalog = load(tmp_path, FIRM.replace(old, new, 1))
    assert catalog.providers == SHIPPED.providers, "what is shipped goes on"
    assert catalog.own_trouble.startswith("Your own list of providers is left out: providers.yaml")
    assert words in catalog.own_trouble
    assert catalog.own_trouble.isprintable()


def test_two_entries_with_one_id_are_refused(tmp_path: Path) -> None:
    twice = FIRM + FIRM.removeprefix("providers:\n").replace("firm.example]", "other.example]")
    assert "there are two providers with the id 'our-firm'" in load(tmp_path, twice).own_trouble


def test_a_file_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "providers.yaml").mkdir()
    assert "cannot be read: Is a directory" in load_catalog(own=tmp_path / "providers.yaml").own_trouble
    assert "not UTF-8 text" in load(_fresh(tmp_path), b"\xff\xfe").own_trouble
    assert "must be a mapping" in load(_fresh(tmp_path), b"").own_trouble


def _fresh(folder: Path) -> Path:
    fresh = folder / "fresh"
    fresh.mkdir(exist_ok=True)
    return fresh


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(edits=st.lists(st.tuples(st.integers(0, len(FIRM) - 1), st.text(max_size=3)), max_size=4))
def test_whatever_stands_in_the_file_the_shipped_providers_are_there(
    edits: list[tuple[int, str]], tmp_path: Path
) -> None:
    text = FIRM
    for at, piece in edits:
        text = text[:at] + piece + text[at + len(piece) :]
    path = tmp_path / "providers.yaml"
    path.write_bytes(text.encode("utf-8", "replace"))
    catalog = load_catalog(own=path)
    assert {each.id for each in SHIPPED.providers} <= {each.id for each in catalog.providers}
    assert catalog.own_trouble.isprintable()
