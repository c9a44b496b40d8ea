"""The catalogue's reader and look-ups, on small files written for each test; the shipped file is tests/test_data.py."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.data_files import DataError
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.providers.catalog import Catalog, load_catalog
from smtp_wizard.engine.providers.limits import Counted
from smtp_wizard.engine.providers.provider import (
    AccessPath,
    Alphabet,
    PathAuth,
    PathStatus,
    Provider,
    ProviderKind,
    ProviderStatus,
    SecretForm,
    UsernameForm,
)

HEAD = """\
version: 1
sources:
  page: {title: A page, kind: official, date: 2026-01-02, seen: direct, url: 'https://example.com/'}
  rumour: {title: A rumour, kind: community, date: undated, seen: quoted}
  article: {title: The article, kind: article, date: undated, seen: direct}
scenarios: {password: [accept], app-password: [accept], key: [], oauth2: [], none: []}
typing_mistakes: {offer_back: [gmail.example, post.example], never_a_mistake: [gmaul.example]}
providers:
"""
ENTRY = """\
  - id: post
    name: Post Office
    kind: mailbox
    status: active
    domains: [post.example]
    mx: {endings: [mx.post.example], source: page, as_of: 2026-01-02, confidence: official}
    endpoints:
      - {host: smtp.post.example, port: 465, security: tls, source: page, as_of: 2026-01-02, confidence: official}
    username: {form: full-address, source: page, as_of: 2026-01-02, confidence: official}
    paths:
      - id: password
        title: Password
        summary: You type it.
        status: works
        auth: password
        secret: {label: Password}
        sources: [page]
    limits:
      - {what: megabytes, per: message, value: 25, source: page, as_of: 2026-01-02, confidence: official}
      - {what: messages, per: day, confidence: unknown}
    checked: 2026-11-23
"""


ISPDB = """\
    ispdb:
      - domain: post.example
        changed: 2025-01-02
        servers: ['smtp.post.example:465 tls']
        username: full-address
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "providers.yaml"
    path.write_text(text, "utf-8")
    return path


def load(folder: Path, *entries: str) -> Catalog:
    return load_catalog(write(folder, HEAD + "".join(entries)))


def entry(provider_id: str, domain: str, name: str, mx: str, shared: str = "") -> str:
    """The sample under another name."""
    changed = ENTRY.replace("id: post\n", f"id: {provider_id}\n").replace("[post.example]", f"[{domain}]")
    changed = changed.replace("Post Office", name).replace("[mx.post.example]", f"[{mx}]")
    changed = changed.replace("smtp.post.example", f"smtp.{provider_id}.example")
    return changed.replace("}\n    endpoints", f", shared_with: [{shared}]}}\n    endpoints") if shared else changed


def post_of(catalog: Catalog) -> Provider:
    provider = catalog.get("post")
    assert provider is not None
    return provider


def test_an_entry_becomes_a_provider(tmp_path: Path) -> None:
    post = post_of(load(tmp_path, ENTRY))
    assert post.best() == Endpoint("smtp.post.example", 465, Security.TLS)
    assert post.limits[0].value == 25_000_000
    assert post.limits[0].what is Counted.BYTES
    assert post.limits[1].words() == "not known to us"
    assert [source.id for source in post.sources] == ["page"]
    path = post.path("password")
    assert path is not None
    assert (path.scenarios, path.auth.needs) == (("accept",), Auth.PASSWORD)
    assert post.path("nothing") is None


# --- what the reader refuses, and how it says so ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "where", "words"),
    [
        ("name: Post", "nmae: Post", "line 9, column 5: providers.post", "the key 'name' is missing"),
        ("status: active", "status: asleep", "line 12, column 5: providers.post.status", "'asleep' is none of"),
        ("    checked:", "    colour: red\n    checked:", "providers.post.colour", "is not a key that is known here"),
        ("port: 465", "port: '465'", "providers.post.endpoints.1.port", "must be a whole number, not text"),
        ("port: 465", "port: 70000", "line 16, column 35: providers.post.endpoints.1.port", "from 1 to 65535"),
        ("smtp.post.example", "https://smtp.post.example", "endpoints.1.host", "without http://"),
        ("smtp.post.example", "SMTP.post.example", "endpoints.1.host", "must be written as 'smtp.post.example'"),
        ("security: tls,", "security: none, offered: true,", "endpoints.1.offered", "is never offered"),
        ("as_of: 2026-01-02, confidence: official}\n    username", "confidence: official}\n    username", "", "as_of"),
        ("value: 25, source: page", "value: 25, source: nowhere", "limits.1.source", "no source 'nowhere'"),
        ("value: 25, source: page", "value: 25, source: rumour", "limits.1.confidence", "the source 'rumour' is comm"),
        ("value: 25, source", "source", "limits.1.value", "a figure needs a source"),
        ("confidence: unknown", "value: 3, confidence: unknown", "limits.2.value", "a figure needs a source"),
        ("value: 25", "value: 0", "limits.1.value", "at least 1"),
        ("checked: 2026-11-23", "checked: yesterday", "providers.post.checked", "must be a date"),
        ("checked: 2026-11-23", "checked: 2026-13-01", "providers.post.checked", "must be a date"),
        ("checked: 2026-11-23", "checked: 2026", "providers.post.checked", "put it in quotes"),
        ("domains: [post.example]", "domains: post.example", "providers.post.domains", "must be a list, not text"),
        ("domains: [post.example]", "domains: [Post.Example]", "providers.post.domains", "not a domain"),
        ("secret: {label: Password}", "note: none", "paths.password", "needs a secret"),
        ("auth: password", "auth: none", "paths.password.secret", "has no secret"),
        ("auth: password\n        secret: {label: Password}", "auth: oauth2", "instead", "must name two ways on"),
        ("status: works", "status: retired", "paths.password.status", "a way on ('instead')"),
        ("sources: [page]", "sources: []", "paths.password.sources", "at least one source"),
        ("sources: [page]", "disputed: They disagree.\n        sources: [page]", "disputed", "both sides"),
        ("sources: [page]", "instead: [another-path]\n        sources: [page]", "paths", "which is no path here"),
        ("id: post\n", "id: Post_Office\n", "id", "small letters and digits"),
        ("form: full-address", "form: literal", "username.form", "needs the fixed word"),
        ("    checked", "    successor: nobody\n    checked", "providers.post.successor", "no provider 'nobody'"),
        ("kind: mailbox", "kind: no-smtp", "providers.post.kind", "means that every path is 'never'"),
        ("status: works", "status: never\n        instead: [Go away.]", "password.instead", "must name two ways on"),
        ("status: works", "status: never\n        instead: [Go., Away.]", "post.kind", "no other kind may"),
        ("    paths", f"{ISPDB.replace('465 tls', '587 starttls')}    paths", "ispdb", "needs a 'note' that says"),
        ("    paths", f"{ISPDB.replace('full-address', 'local-part')}    paths", "ispdb", "The user name is full-add"),
        ("    paths", f"{ISPDB}        note: Why?\n    paths", "ispdb", "has a 'note', but nothing differs"),
        ("    paths", f"{ISPDB.replace(' tls', '')}    paths", "ispdb.1.servers", "is not written as"),
        ("    paths", f"{ISPDB.replace('domain: post', 'domain: P')}    paths", "ispdb.1.domain", "not a domain"),
    ],
)
def test_a_fault_is_named_with_its_place(old: str, new: str, where: str, words: str, tmp_path: Path) -> None:
    assert old in ENTRY
    with pytest.raises(DataError) as caught:
        load(tmp_path, ENTRY.replace(old, new, 1))
    assert str(caught.value).startswith("providers.yaml, line ")
    assert where in str(caught.value)
    assert words in str(caught.value)


def test_two_entries_cannot_own_one_domain(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"providers\.other\.domains: 'post\.example' belongs to 'post' already"):
        load(tmp_path, ENTRY, entry("other", "post.example", "Other", "mx.other.example"))


def test_two_entries_cannot_have_one_id(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="two providers with the id 'post'"):
        load(tmp_path, ENTRY, entry("post", "other.example", "Other", "mx.other.example"))


def test_who_shares_mail_hosts_must_say_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"providers\.post\.mx: shares its MX hosts with \[other\]"):
        load(tmp_path, ENTRY, entry("other", "other.example", "Other", "mx.post.example", shared="post"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("version: 2\n", "only version 1"),
        ("- a list\n", "must be a mapping"),
        ("", "must be a mapping"),
        ("version: 1\n", "'sources' is missing"),
        ("version: 1\nversion: 1\n", "stands twice"),
        ("version: [1\n", "line "),
    ],
)
def test_another_file_is_refused(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=words):
        load_catalog(write(tmp_path, text))


def test_a_missing_file_is_an_error_of_the_data(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nothing\.yaml: cannot be read"):
        load_catalog(tmp_path / "nothing.yaml")


def test_a_retired_path_with_a_way_on_is_read(tmp_path: Path) -> None:
    old = textwrap.indent(
        textwrap.dedent("""\
        - id: old
          title: The old way
          summary: Gone.
          status: retired
          auth: password
          retired_on: undated
          instead: [password, Ask your provider.]
          secret: {label: Password}
          sources: [page]
        """),
        "      ",
    )
    post = post_of(load(tmp_path, ENTRY.replace("    limits:\n", old + "    limits:\n")))
    retired = post.path("old")
    assert retired is not None
    assert post.ways_on(retired) == (post.path("password"), "Ask your provider.")


NOTED = ISPDB.replace("465 tls'", "587 starttls', 'old.post.example:465 tls'") + "        note: They know less.\n"


def test_what_differs_from_ispdb_is_said_and_why(tmp_path: Path) -> None:
    post = post_of(load(tmp_path, ENTRY.replace("    paths", f"{NOTED}    paths")))
    (entry,) = post.ispdb
    assert entry.note == "They know less."
    assert post.apart_from(entry) == (
        "smtp.post.example:587 (STARTTLS) stands in ISPDB and not here.",
        "old.post.example:465 (SSL/TLS) stands in ISPDB and not here.",
        "smtp.post.example:465 (SSL/TLS) stands here and not in ISPDB.",
        "The first choice here, smtp.post.example:465 (SSL/TLS), is none of ISPDB's.",
    )


def test_the_same_servers_in_another_order_are_no_difference(tmp_path: Path) -> None:
    host = "      - {host: smtp.post.example,"
    two = ENTRY.replace(
        host, host.replace("smtp", "new") + " port: 465, security: tls, confidence: unknown, guess: true}\n" + host
    )
    both = ISPDB.replace("['", "['new.post.example:465 tls', '")
    for order in (both, both.replace("new.", "x.").replace("smtp.", "new.").replace("x.", "smtp.")):
        (entry,) = post_of(load(tmp_path, two.replace("    paths", f"{order}    paths"))).ispdb
        assert entry.note == ""


def test_a_provider_that_lets_nobody_in_names_two_ways_on(tmp_path: Path) -> None:
    never = ENTRY.replace("kind: mailbox", "kind: no-smtp").replace(
        "status: works\n        auth: password\n        secret: {label: Password}",
        "status: never\n        auth: none\n        instead: [Go there., Or there.]",
    )
    path = post_of(load(tmp_path, never)).path("password")
    assert path is not None
    assert (path.closed, path.scenarios, path.instead) == (True, (), ("Go there.", "Or there."))


# --- looking up -------------------------------------------------------------------------------------------------------


@pytest.fixture
def four(tmp_path: Path) -> Catalog:
    """Four providers: 'big' hosts domains under example.net; 'own' under a longer ending of it; two share a third."""
    return load(
        tmp_path,
        entry("big", "gmail.example, '*.big.example'", "Big Mail", "example.net"),
        entry("own", "own.example", "Own Mail", "in.mail.example.net"),
        entry("post", "post.example", "Post Office", "shared.example", shared="parcel"),
        entry("parcel", "parcel.example", "Parcel Post", "shared.example", shared="post"),
    )


def ids(providers: tuple[Provider, ...]) -> list[str]:
    return [provider.id for provider in providers]


@pytest.mark.parametrize(
    ("hosts", "found"),
    [
        (["mx1.example.net"], ["big"]),
        (["MX1.Example.NET."], ["big"]),
        (["example.net"], ["big"]),
        (["a.in.mail.example.net"], ["own"]),
        (["in.mail.example.net"], ["own"]),
        (["notexample.net"], []),
        (["example.net.evil.example"], []),
        (["mx.shared.example"], ["post", "parcel"]),
        (["filter.example.org", "mx.shared.example"], ["post", "parcel"]),
        (["mx1.example.net", "mx.shared.example"], ["big"]),
        ([], []),
    ],
)
def test_the_longest_ending_on_whole_labels_wins(hosts: list[str], found: list[str], four: Catalog) -> None:
    assert ids(four.by_mx(hosts)) == found


@pytest.mark.parametrize(
    ("domain", "found"),
    [
        ("gmail.example", "big"),
        ("GMAIL.Example.", "big"),
        ("x.big.example", "big"),
        ("a.b.big.example", "big"),
        ("big.example", None),
        ("sub.gmail.example", None),
        ("example", None),
        ("", None),
    ],
)
def test_a_domain_has_one_owner(domain: str, found: str | None, four: Catalog) -> None:
    provider = four.by_domain(domain)
    assert (provider.id if provider else None) == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("post.example", ["post"]),
        ("ana@post.example", ["post"]),
        ("post", ["post", "parcel"]),
        ("par", ["parcel"]),
        ("  BIG   mail ", ["big"]),
        ("mail", ["big", "own"]),
        ("gm", ["big"]),
        ("smtp.post", ["post"]),
        ("smtp.", ["big", "own", "post", "parcel"]),
        ("xyzzy", []),
        ("", ["big", "own", "post", "parcel"]),
    ],
)
def test_search_puts_the_best_first(query: str, found: list[str], four: Catalog) -> None:
    assert ids(four.search(query)) == found


def test_search_stops_at_the_limit(four: Catalog) -> None:
    assert ids(four.search("", 2)) == ["big", "own"]
    assert ids(four.search("mail", 1)) == ["big"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("gmial.example", "gmail.example"),
        ("gmai.example", "gmail.example"),
        ("poost.example", "post.example"),
        ("gmail.example", None),
        ("own.example", None),
        ("x.big.example", None),
        ("gmaul.example", None),
        ("something.test", None),
        ("", None),
    ],
)
def test_a_slip_of_the_finger_is_offered_back(typed: str, meant: str | None, four: Catalog) -> None:
    assert four.suggest(typed) == meant


@given(st.text(max_size=40))
def test_nothing_that_is_typed_upsets_a_look_up(text: str) -> None:
    empty = Catalog((), ("post.example",), ())
    assert empty.by_domain(text) is None
    assert empty.by_mx([text]) == ()
    assert empty.search(text) == ()
    assert empty.suggest(text) in {None, "post.example"}


# --- providers, paths, secrets ----------------------------------------------------------------------------------------


def test_an_endpoint_can_be_for_some_domains_only(tmp_path: Path) -> None:
    host = "      - {host: smtp.post.example,"
    two = host.replace("smtp", "smtp2") + " port: 465, security: tls, domains: [other.example], source: page,"
    two += " as_of: 2026-01-02, confidence: official}\n"
    text = ENTRY.replace("[post.example]", "[post.example, other.example]").replace(host, two + host)
    post = post_of(load(tmp_path, text))
    assert post.best(Address("ana", "post.example")) == Endpoint("smtp.post.example", 465, Security.TLS)
    assert post.best(Address("ana", "other.example")) == Endpoint("smtp2.post.example", 465, Security.TLS)


@pytest.mark.parametrize(
    ("form", "literal", "username"),
    [
        (UsernameForm.FULL_ADDRESS, "", "ana@xn--bcher-kva.example"),
        (UsernameForm.LOCAL_PART, "", "ana"),
        (UsernameForm.LITERAL, "apikey", "apikey"),
        (UsernameForm.GIVEN, "", ""),
    ],
)
def test_the_user_name_is_filled_in_where_it_can_be_known(form: UsernameForm, literal: str, username: str) -> None:
    path = AccessPath(
        id="p", title="P", summary="P.", status=PathStatus.WORKS, auth=PathAuth.PASSWORD, secret_label="Password"
    )
    post = load_provider(form, literal, path)
    assert post.username_for(Address("ana", "bücher.example")) == username


def load_provider(form: UsernameForm, literal: str, path: AccessPath) -> Provider:
    return Provider(
        id="post",
        name=phrase("Post"),
        kind=ProviderKind.MAILBOX,
        status=ProviderStatus.ACTIVE,
        username_form=form,
        username_literal=literal,
        paths=(path,),
        checked="2026-11-23",
    )


@pytest.mark.parametrize(
    ("auth", "needs"),
    [
        (PathAuth.PASSWORD, Auth.PASSWORD),
        (PathAuth.APP_PASSWORD, Auth.PASSWORD),
        (PathAuth.KEY, Auth.PASSWORD),
        (PathAuth.OAUTH2, Auth.XOAUTH2),
        (PathAuth.NONE, Auth.NONE),
    ],
)
def test_every_way_of_signing_in_has_its_counterpart_on_the_wire(auth: PathAuth, needs: Auth) -> None:
    assert auth.needs is needs


APP_PASSWORD = SecretForm(length=16, alphabet=Alphabet.LETTERS, groups=4)


@pytest.mark.parametrize(
    "pasted",
    [
        "abcdefghijklmnop",
        "abcd efgh ijkl mnop",
        " abcd\u00a0efgh\u00a0ijkl\u00a0mnop\n",
        "abcd\u200befgh\u2060ijkl\ufeffmnop",
        "abcd efgh\r\nijkl mnop\t",
    ],
)
def test_a_paste_of_an_app_password_is_tidied(pasted: str) -> None:
    assert APP_PASSWORD.tidy(pasted) == "abcdefghijklmnop"
    assert APP_PASSWORD.fits(pasted)
    assert APP_PASSWORD.grouped(pasted) == "abcd efgh ijkl mnop"


@pytest.mark.parametrize("pasted", ["", "abcd efgh ijkl mno", "abcd efgh ijkl mnopq", "abcd efgh ijkl mn0p", "пароль"])
def test_what_is_no_app_password_is_noticed(pasted: str) -> None:
    assert not APP_PASSWORD.fits(pasted)


def test_blanks_stay_where_they_may_count() -> None:
    form = SecretForm(length=3, alphabet=Alphabet.LETTERS, strip_blanks=False)
    assert form.tidy(" a b") == " a b"
    assert not form.fits("a b")


def test_hyphens_can_belong_to_a_secret() -> None:
    form = SecretForm(length=19, alphabet=Alphabet.LETTERS_AND_HYPHENS)
    assert form.fits(" abcd-efgh-ijkl-mnop ")
    assert form.grouped("abcd-efgh-ijkl-mnop") == "abcd-efgh-ijkl-mnop"


@given(st.text(max_size=60))
def test_tidying_twice_changes_nothing(text: str) -> None:
    once = APP_PASSWORD.tidy(text)
    assert APP_PASSWORD.tidy(once) == once
    assert APP_PASSWORD.grouped(text).replace(" ", "") == once


# --- regions, guesses, sentences --------------------------------------------------------------------------------------

WORLD = ENTRY.replace("mx.post.example]", "mx.post.example, mx.post.test, mx.post.invalid]")


def world(folder: Path, *servers: str) -> Provider:
    """A provider with these servers, each 'smtp.post.example: mx.post.example', or without an MX ending."""
    page = "port: 465, security: tls, source: page, as_of: 2026-01-02, confidence: official"
    lines = []
    for server in servers:
        host, _, ending = server.partition(": ")
        lines.append(f"      - {{host: {host}, {page}{f', mx: [{ending}]' if ending else ''}}}\n")
    start, rest = WORLD.split("    endpoints:\n")
    provider = load(folder, f"{start}    endpoints:\n{''.join(lines)}{rest.partition(chr(10))[2]}").get("post")
    assert provider is not None
    return provider


def offered(provider: Provider, *mx_hosts: str) -> list[str]:
    return [each.endpoint.host for each in provider.offered(Address("ana", "firm.test"), mx_hosts)]


def test_an_mx_host_names_the_server_that_belongs_to_it(tmp_path: Path) -> None:
    provider = world(tmp_path, "smtp.post.example: mx.post.example", "smtp.post.test: mx.post.test", "old.post.example")
    assert offered(provider) == ["smtp.post.example", "smtp.post.test", "old.post.example"]
    assert offered(provider, "a.MX.post.test.") == ["smtp.post.test", "smtp.post.example", "old.post.example"]
    near = [each.endpoint.host for each in provider.endpoints if provider.is_near(each, ["a.mx.post.test"])]
    assert near == ["smtp.post.test"]


def test_a_server_of_another_region_is_not_near_though_no_other_is_known(tmp_path: Path) -> None:
    provider = world(tmp_path, "smtp.post.example: mx.post.example", "old.post.example")
    assert offered(provider, "mx.post.invalid") == ["old.post.example", "smtp.post.example"]
    assert offered(provider, "mx.elsewhere.test") == ["smtp.post.example", "old.post.example"]


def test_an_endpoint_is_for_mx_hosts_of_the_provider_alone(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"'mx\.other\.test' is not among the endings of the MX hosts"):
        world(tmp_path, "smtp.post.example: mx.other.test")


NAMED = "source: page, as_of: 2026-01-02, confidence: official}\n    username"


def test_a_server_that_nobody_names_is_a_guess_and_says_so(tmp_path: Path) -> None:
    catalog = load(tmp_path, ENTRY.replace(NAMED, "confidence: unknown, guess: true}\n    username"))
    provider = catalog.get("post")
    assert provider is not None
    assert [each.guess for each in provider.offered()] == [True]


@pytest.mark.parametrize(
    "said", ["confidence: unknown}", "source: page, as_of: undated, confidence: official, guess: true}"]
)
def test_a_guess_without_its_mark_is_refused(said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="marked 'guess: true', and no other is"):
        load(tmp_path, ENTRY.replace(NAMED, f"{said}\n    username"))


def test_a_source_keeps_the_sentence_that_says_so(tmp_path: Path) -> None:
    text = (HEAD + ENTRY).replace("url: 'https://example.com/'}", "says: [One server., For everybody.]}")
    provider = load_catalog(write(tmp_path, text)).get("post")
    assert provider is not None
    assert [source.says for source in provider.sources] == [("One server.", "For everybody.")]


def test_that_no_figure_is_published_can_have_a_source(tmp_path: Path) -> None:
    said = "{what: messages, per: day, published: false, source: page, as_of: 2026-01-02, confidence: official}"
    provider = load(tmp_path, ENTRY.replace("{what: messages, per: day, confidence: unknown}", said)).get("post")
    assert provider is not None
    assert [(each.words(), each.source) for each in provider.limits][1] == ("not published", "page")
    with pytest.raises(DataError, match="a figure needs a source"):
        load(tmp_path, ENTRY.replace("per: day, confidence", "per: day, value: 5, confidence"))


def test_the_kinds_of_account_of_a_limit_are_listed(tmp_path: Path) -> None:
    kinds = "    accounts:\n      - {id: basic, name: Basic plan, barred: It lets no program send.}\n    limits:\n"
    limit = "{what: messages, per: day, confidence: unknown"
    listed = ENTRY.replace("    limits:\n", kinds).replace(limit, f"{limit}, accounts: [basic]")
    post = post_of(load(tmp_path, listed))
    assert post.accounts[0].barred == "It lets no program send."
    assert post.barred(post.limits[1]) == ("It lets no program send.",)
    assert post.barred(post.limits[0]) == ()
    with pytest.raises(DataError, match="'gold' is not among the accounts"):
        load(tmp_path, listed.replace("[basic]", "[gold]"))
    with pytest.raises(DataError, match="two kinds of account have one id"):
        load(tmp_path, listed.replace("    limits:\n", "      - {id: basic, name: Other plan}\n    limits:\n"))
    with pytest.raises(DataError, match="only a size has it"):
        load(tmp_path, ENTRY.replace(limit, f"{limit}, size_of: files"))


def test_a_server_can_be_for_all_names_below_a_domain(tmp_path: Path) -> None:
    said = "source: page, as_of: undated, confidence: official}"
    relay = f"      - {{host: relay.post.test, port: 465, security: tls, domains: ['*.post.test'], {said}\n"
    entry = ENTRY.replace("[post.example]", "[post.example, '*.post.test']")
    entry = entry.replace("smtp.post.example, port", "smtp.post.example, domains: [post.example], port")
    post = load(tmp_path, entry.replace("    username", f"{relay}    username")).get("post")
    assert post is not None
    assert post.best(Address("ana", "shop.post.test")) == Endpoint("relay.post.test", 465, Security.TLS)
    assert post.best(Address("ana", "post.example")) == Endpoint("smtp.post.example", 465, Security.TLS)
    assert len(post.offered(Address("ana", "notpost.test"))) == 2, "neither is for it"


def test_a_server_can_lie_below_the_domain_of_the_address(tmp_path: Path) -> None:
    own = ENTRY.replace("{host: smtp.post.example, port", "{host: mail.yourdomain.example, of_domain: mail, port")
    post = load(tmp_path, own).get("post")
    assert post is not None
    assert post.best(Address("ana", "firm.test")) == Endpoint("mail.firm.test", 465, Security.TLS)
    assert post.best() is None, "without an address there is no such server"
    with pytest.raises(DataError, match=r"must be written as 'mail\.yourdomain\.example'"):
        load(tmp_path, own.replace("mail.yourdomain", "post.yourdomain"))


def test_a_provider_is_known_among_others_by_its_id_without_reading_the_rest_of_it() -> None:
    providers, again = load_catalog().providers, load_catalog().providers
    assert tuple(dict.fromkeys([*providers, *providers])) == providers
    assert [hash(each) for each in again] == [hash(each) for each in providers]
    with pytest.raises(AttributeError):
        object.__getattribute__(again[0], "endpoints")


# --- an account that is known in one region only ---

SHIPPED = load_catalog()
REGIONAL = {"zoho", "ionos", "amazon-ses", "amazon-workmail", "mailgun", "sparkpost", "turbosmtp"}


def test_no_server_of_a_region_is_the_default() -> None:
    """Nor one for addresses of other domains, where a provider has several."""
    ana = Address("ana", "firm.test")
    for provider in SHIPPED.providers:
        choice = provider.regions(ana)
        if choice:
            assert provider.best(ana) is None
            assert len({each.endpoint.host for each in choice}) == len(choice) > 1, provider.id
        elif near := provider.near(ana):
            assert provider.best(ana) == near[0].endpoint
    assert {each.id for each in SHIPPED.providers if each.regions()} == REGIONAL
    assert {each.id for each in SHIPPED.providers if each.regions(ana)} > REGIONAL


@pytest.mark.parametrize(
    ("provider", "domain", "mx", "hosts"),
    [
        ("zoho", "firm.test", ["mx.zoho.eu", "mx2.zoho.eu"], ["smtppro.zoho.eu"]),
        ("zoho", "firm.test", ["eu-smtp-inbound-1.mimecast.com", "mx.zoho.in"], ["smtppro.zoho.in"]),
        ("zoho", "firm.test", ["mx.zoho.com", "mx.zoho.eu"], []),
        ("zoho", "firm.test", ["mx.zoho.uk"], []),  # known to be theirs, and its server is not known
        ("zoho", "zohomail.eu", [], ["smtp.zoho.eu"]),
        ("ionos", "firm.test", ["mx00.ionos.de", "mx01.kundenserver.de"], ["smtp.ionos.de"]),
        ("ionos", "firm.test", ["mx00.ionos.de", "mx00.ionos.fr"], []),
        ("ionos", "online.de", [], ["smtp.1und1.de"]),  # its own domains have no MX host that tells
        ("gmx", "gmx.de", [], ["mail.gmx.net"]),
        ("gmx", "firm.test", ["mx00.gmx.net"], []),
        ("amazon-ses", "firm.test", ["mx.zoho.eu"], []),
    ],
)
def test_the_region_is_told_by_the_mail_hosts_or_the_own_domain(
    provider: str, domain: str, mx: list[str], hosts: list[str]
) -> None:
    known, ana = SHIPPED.get(provider), Address("ana", domain)
    assert known is not None
    best = known.best(ana, mx)
    assert [best.host] == hosts if best is not None else hosts == []
    assert bool(known.regions(ana, mx)) is (hosts == [])


def test_another_way_to_a_server_is_in_its_region() -> None:
    ana = Address("ana", "firm.test")
    for provider in SHIPPED.providers:
        for each in provider.regions(ana):
            if each.mx or each.region:
                others = SHIPPED.alternatives(each.endpoint, provider.id, ana)
                assert {other.host for other in others} <= {each.endpoint.host}, (provider.id, each.endpoint.host)
