"""`--flow client-credentials`: an application that signs in by itself, from setting up to a new client secret."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from smtp_wizard.engine.accounts.application_sign_in import client_secret_alone, whole_sign_in
from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from smtp_wizard.engine.accounts.secret_entries import is_asked_each_time
from smtp_wizard.engine.base.connection import Connection
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.base.stages import Stage, Verdict
from smtp_wizard.engine.checks.report import CheckResult, Report
from smtp_wizard.engine.checks.target import Target
from smtp_wizard.engine.diagnosis.diagnosis import load_diagnosis
from smtp_wizard.engine.discovery.candidate import FoundBy
from smtp_wizard.engine.oauth.errors import OAuthError
from smtp_wizard.engine.oauth.grants import Grant, as_access_token
from smtp_wizard.engine.providers.catalog import load_catalog
from smtp_wizard.engine.secrets.secret_store import SecretError, SecretFault
from smtp_wizard.engine.services import checks as services_checks
from smtp_wizard.engine.services.tokens import Tokens
from smtp_wizard.engine.smtp.symptom import Fault, Symptom
from smtp_wizard.engine.state.sign_in_renewals import SignInRenewal
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.text.accounts import problem_first
from tests.engine.smtp.test_sasl import web_token
from tests.support.certs import Authority
from tests.support.cli import run
from tests.support.discovering import Answer, answering
from tests.support.echoing import EchoingServer
from tests.support.oauthserver import APPLICATION_SCOPE, CLIENT_ID, AuthorizationServer
from tests.support.stores import desktop

TENANT = "5f9c1b2a-0000-4000-8000-000000000001"
SECRET = "value-of-the-application"
NEW = "value-of-next-year"
OWN = """\
providers:
  - id: our-firm
    name: Our firm
    domains: [firm.example]
    endpoints:
      - {host: mail.firm.example, port: 465, security: tls}
    paths:
      - id: oauth
        title: In the browser
        summary: You sign in.
        status: works
        auth: oauth2
        oauth:
          name: Our firm
          authorize: %(base)s/auth
          token: %(base)s/token
          scopes: [smtp, offline_access]
          idle: {days: 90}
          application: {token: '%(base)s/{tenant}/token', scopes: ['%(scope)s'], shared: [common]}
"""
APPLICATION = ("--auth", "xoauth2", "--flow", "client-credentials", "--client-id", CLIENT_ID)
SETUP = ("setup", "ana@firm.example", *APPLICATION, "--tenant", TENANT)
BY_VARIABLE = ("--client-secret-env", "APP_SECRET")


class Firm:
    """A firm whose mail server takes every token that the sign-in server has given."""

    def __init__(self, home: Path, server: AuthorizationServer, monkeypatch: pytest.MonkeyPatch) -> None:
        self.server = server
        self.folder = home / "config"
        self.folder.mkdir(mode=0o700, exist_ok=True)
        (self.folder / "providers.yaml").write_text(OWN % {"base": server.base, "scope": APPLICATION_SCOPE}, "utf-8")
        self.shown: list[tuple[str, str]] = []
        """User name and token of each sign-in."""
        self.backend = desktop()
        monkeypatch.setattr("keyring.get_keyring", lambda: self.backend)
        monkeypatch.setenv("APP_SECRET", SECRET)

        async def checks(target: Target, secret: Secret | None, **_: object) -> Report:
            token = secret.reveal() if secret is not None else ""
            self.shown.append((target.connection.username, token))
            verdict = Verdict.PASS if token in server.access_tokens else Verdict.FAIL
            return Report(target.connection.endpoint, (CheckResult(Stage.AUTH, verdict, 0.0),))

        monkeypatch.setattr(services_checks, "run_checks", checks)

    @property
    def saved_accounts(self) -> SavedAccounts:
        return SavedAccounts(self.folder)

    @property
    def tokens(self) -> list[str]:
        return [token for _, token in self.shown]

    def in_files(self) -> str:
        """All that stands in any file."""
        return "".join(
            file.read_bytes().decode("utf-8", "replace") for file in self.folder.rglob("*") if file.is_file()
        )


NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Answer:
    return answering(monkeypatch)


@pytest.fixture
def firm(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Firm]:
    with AuthorizationServer(client_secret=SECRET, tenants={TENANT: "", "late": "expired"}).beside() as server:
        yield Firm(own_home, server, monkeypatch)


def test_from_setting_up_to_the_next_test(firm: Firm) -> None:
    ran = run(*SETUP, *BY_VARIABLE, "--save", "Shop", "--store", "keyring")
    assert ran.code == 0, ran.err
    assert firm.shown[0][0] == "ana@firm.example", "XOAUTH2 names the mailbox"
    assert firm.saved_accounts.get("Shop").login is not None
    assert run("test", "Shop").code == 0
    assert len(set(firm.tokens)) == 2, "each process gets a token of its own"
    assert not set(firm.tokens) - firm.server.access_tokens, "nothing else is ever shown to the mail server"
    assert SECRET not in firm.in_files() + ran.out + ran.err
    told = run("accounts", "show", "Shop").out
    assert f"{TENANT}/token" in told
    assert SECRET not in told


def test_a_test_writes_nothing_into_the_store(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client secret does not change with a renewal, so a keyring that can be read only is enough."""
    assert run(*SETUP, *BY_VARIABLE, "--save", "Shop", "--store", "keyring").code == 0

    def refuse(*_: object) -> None:
        raise AssertionError("written")

    monkeypatch.setattr(firm.backend, "set_password", refuse, raising=False)
    assert run("test", "Shop").code == 0


@pytest.mark.parametrize("way", ["env", "command", "file"])
def test_the_client_secret_may_stay_where_somebody_else_keeps_it(
    firm: Firm, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "client-secret"
    file.write_text(SECRET + "\n", "utf-8")
    file.chmod(0o600)
    where = {
        "env": ("--store", "env", "--env-name", "APP_SECRET"),
        "command": ("--secret-command", f"cat {file}"),
        "file": ("--secret-file", str(file)),
    }[way]
    ran = run(*SETUP, *where, "--save", "Shop")
    assert ran.code == 0, ran.err
    monkeypatch.setenv("APP_SECRET", SECRET)
    assert run("test", "Shop").code == 0
    assert not set(firm.tokens) - firm.server.access_tokens, "the client secret itself is no token"
    assert len(firm.tokens) == 2
    monkeypatch.setenv("APP_SECRET", SECRET)
    moved = run("accounts", "edit", "Shop", "--store", "keyring")
    assert moved.code == 0, moved.err
    ran = run("test", "Shop", "--json")
    assert ran.code == 0, ran.out
    assert not set(firm.tokens) - firm.server.access_tokens


def test_it_moves_from_the_keyring_to_a_variable(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(*SETUP, *BY_VARIABLE, "--save", "Shop", "--store", "keyring").code == 0
    monkeypatch.setenv("APP_SECRET", SECRET)
    moved = run("accounts", "edit", "Shop", "--store", "env", "--env-name", "APP_SECRET")
    assert moved.code == 0, moved.err
    monkeypatch.setenv("APP_SECRET", SECRET)
    assert run("test", "Shop").code == 0
    assert not set(firm.tokens) - firm.server.access_tokens


def test_a_new_client_secret_is_tried_and_then_kept(firm: Firm) -> None:
    assert run(*SETUP, *BY_VARIABLE, "--save", "Shop", "--store", "keyring").code == 0
    firm.server.client_secret = NEW
    failed = run("test", "Shop", "--json")
    assert failed.code == 1
    assert [each["code"] for each in failed.result["findings"]] == ["oauth_client_secret_wrong"]
    refused = run("accounts", "password", "Shop", "--password-stdin", stdin="wrong-one")
    assert refused.code == 1
    changed = run("accounts", "password", "Shop", "--password-stdin", stdin=NEW)
    assert changed.code == 0, changed.err
    assert run("test", "Shop").code == 0
    assert not set(firm.tokens) - firm.server.access_tokens
    assert NEW not in firm.in_files()
    missing = run("accounts", "password", "Shop", "--json")
    assert (missing.code, missing.error["code"]) == (3, "secret-ask")


def test_where_it_is_kept_nowhere_it_is_given_each_time(firm: Firm) -> None:
    assert run(*SETUP, *BY_VARIABLE, "--save", "Shop", "--store", "session").code == 0
    ran = run("send", "Shop", "--to", "bob@elsewhere.example", "--password-stdin", stdin=SECRET)
    assert ran.code == 0, ran.err
    assert run("test", "Shop", "--password-stdin", stdin=SECRET).code == 0
    missing = run("test", "Shop", "--json")
    assert (missing.code, missing.error["code"]) == (3, "secret-ask")
    assert not set(firm.tokens) - firm.server.access_tokens
    account = firm.saved_accounts.get("Shop")
    assert is_asked_each_time(SecretError(SecretFault.ASK, phrase("It is kept nowhere.")), account)
    assert problem_first(account) == "Put in a new client secret for 'Shop'"


def test_a_copy_and_another_name_keep_the_sign_in(firm: Firm) -> None:
    assert run(*SETUP, *BY_VARIABLE, "--save", "Shop", "--store", "keyring").code == 0
    assert run("accounts", "duplicate", "Shop", "--as", "Second").code == 0
    assert run("accounts", "rename", "Shop", "First").code == 0
    for name in ("First", "Second"):
        assert run("test", name).code == 0
    assert run("accounts", "remove", "First", "--yes").code == 0
    assert run("test", "Second").code == 0
    assert not set(firm.tokens) - firm.server.access_tokens
    calendar = run("calendar", "--json").out
    assert "sign-in" not in calendar, "it does not end for not being used, as a person's does"


FINDINGS = {
    "oauth_tenant_unknown": ("--tenant", "nobody", "--client-id", CLIENT_ID),
    "oauth_client_unknown": ("--tenant", TENANT, "--client-id", "stranger"),
    "oauth_client_secret_expired": ("--tenant", "late", "--client-id", CLIENT_ID),
}


@pytest.mark.parametrize("code", FINDINGS)
def test_each_refusal_is_a_finding_with_a_way_on(firm: Firm, code: str) -> None:
    flow = ("--auth", "xoauth2", "--flow", "client-credentials")
    ran = run("setup", "ana@firm.example", *flow, *BY_VARIABLE, *FINDINGS[code], "--save", "Shop", "--json")
    assert ran.code == 1
    (finding,) = ran.result["findings"]
    assert finding["code"] == code
    assert finding["steps"]
    assert finding["guide"] == "microsoft-application"
    assert firm.shown == [], "the mail server was not asked"
    assert not firm.saved_accounts.list()
    assert SECRET not in ran.out + ran.err


def test_what_is_lacking_is_named(firm: Firm) -> None:
    ran = run("setup", "ana@firm.example", "--auth", "xoauth2", "--flow", "client-credentials", "--json")
    assert ran.code == 2
    for name in ("--client-id", "--tenant", "--client-secret-env"):
        assert name in ran.out


@pytest.mark.parametrize(
    "arguments",
    [
        ("--tenant", TENANT),
        ("--auth", "xoauth2", "--flow", "device", "--tenant", TENANT),
        (*APPLICATION, *BY_VARIABLE, "--tenant", "common"),
        (*APPLICATION, *BY_VARIABLE, "--tenant", "a/b"),
        (*APPLICATION, *BY_VARIABLE, "--tenant", TENANT, "--password-stdin"),
        ("--flow", "client-credentials"),
    ],
)
def test_what_does_not_go_together(firm: Firm, arguments: tuple[str, ...]) -> None:
    assert run("setup", "ana@firm.example", *arguments, "--json", stdin="x").code == 2
    assert firm.shown == []


@pytest.mark.parametrize("address", ["ana@outlook.com", "ana@gmail.com"])
def test_where_no_application_can_sign_in_that_is_said(
    address: str, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APP_SECRET", SECRET)
    ran = run("setup", address, *APPLICATION, *BY_VARIABLE, "--json")
    assert (ran.code, ran.error["code"]) == (2, "no-such-flow")


async def test_the_mail_server_sees_the_mailbox_and_the_token_alone_and_its_no_says_what_the_administrator_lacks(
    own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real dialogue: a token with roles and no user, and 535 (Exchange Online until the mailbox is open to it)."""
    token = web_token(aud="https://mail.example", roles=["SMTP.SendAsApp"])
    monkeypatch.setenv("APP_SECRET", SECRET)
    authority = Authority(tmp_path / "ca")
    async with (
        AuthorizationServer(client_secret=SECRET, tenants={TENANT: ""}, more={"access_token": token}) as server,
        EchoingServer(authority.issue("localhost").context()) as mail,
    ):
        folder = own_home / "config"
        folder.mkdir(mode=0o700)
        own = OWN % {"base": server.base, "scope": APPLICATION_SCOPE}
        own = own.replace("host: mail.firm.example, port: 465", f"host: localhost, port: {mail.port}")
        (folder / "providers.yaml").write_text(own, "utf-8")
        transcript = tmp_path / "said"
        where = (
            "--ca-file",
            str(authority.file),
            "-4",
            "--transcript",
            str(transcript),
            "--json",
            "--store",
            "session",
        )
        ran = await asyncio.to_thread(run, *SETUP, *BY_VARIABLE, "--save", "Shop", *where)
    assert ran.code == 1
    (finding,) = ran.result["findings"]
    assert (finding["code"], finding["who"]) == ("oauth_scope_missing", "admin")
    assert "New-ServicePrincipal" in finding["forward"]
    assert "Set-CASMailbox" in finding["forward"]
    assert mail.shown == [f"user=ana@firm.example\x01auth=Bearer {token}\x01\x01".encode()]
    everything = ran.out + ran.err + transcript.read_text("utf-8")
    assert token not in everything
    assert SECRET not in everything
    assert not SavedAccounts(folder).list()


def test_a_damaged_sign_in_is_nobody_s_client_secret() -> None:
    """What stands in the store is not sent anywhere, and least of all as a secret."""
    login = SignInRenewal(CLIENT_ID, NOW, NOW, None, "https://login.example/x/token")
    whole = whole_sign_in(login, Secret(SECRET))
    assert Grant.opened(whole) is not None
    assert client_secret_alone(whole) == Secret(SECRET)
    damaged = Secret(whole.reveal()[:-2])
    assert whole_sign_in(login, damaged) == damaged
    with pytest.raises(OAuthError, match="cannot be read"):
        as_access_token(damaged)


def served_by(answer: Answer, *ids: str) -> None:
    """Let the domain's mail be at one of these; which, nobody knows."""
    answer.found = {
        "provider": None,
        "source": FoundBy.MX,
        "alternatives": tuple(each for each in map(load_catalog().get, ids) if each is not None),
        "note": "from: the MX record of m365.example.com (mx.example). Several services use it: please choose yours.",
    }


@pytest.fixture
def checked(answer: Answer, monkeypatch: pytest.MonkeyPatch) -> list[Connection[Endpoint]]:
    """What is checked, with a token that some sign-in server has given; nobody is asked for one."""
    found: list[Connection[Endpoint]] = []
    monkeypatch.setenv("APP_SECRET", SECRET)

    async def token(_: Tokens, draft: Draft) -> Secret:
        assert draft.secret is not None
        grant = Grant.opened(draft.secret)
        assert grant is not None
        assert grant.token_url == f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token"
        return Secret("token")

    async def checks(target: Target, secret: Secret | None, **_: object) -> Report:
        assert secret == Secret("token")
        found.append(target.connection)
        return Report(target.connection.endpoint, (CheckResult(Stage.AUTH, Verdict.PASS, 0.0),))

    monkeypatch.setattr(Tokens, "for_draft", token)
    monkeypatch.setattr(services_checks, "run_checks", checks)
    return found


MICROSOFT = Endpoint("smtp.office365.com", 587, Security.STARTTLS)


def test_an_own_domain_at_hosts_that_several_services_share_needs_no_provider(
    checked: list[Connection[Endpoint]], answer: Answer
) -> None:
    """The ordinary Microsoft 365: which of the services it is makes no difference for this sign-in."""
    served_by(answer, "microsoft365", "godaddy-microsoft365")
    ran = run("setup", "shop@m365.example.com", *APPLICATION, *BY_VARIABLE, "--tenant", TENANT, "--json")
    assert ran.code == 0, ran.out
    (connection,) = checked
    assert (connection.provider, connection.path) == ("microsoft365", "oauth")
    assert (connection.endpoint, connection.username) == (MICROSOFT, "shop@m365.example.com")
    assert "Microsoft 365 (work or school) and Microsoft 365 from GoDaddy use it" in ran.err


@pytest.mark.parametrize("owners", [("microsoft365", "gmail"), ("fastmail", "gmail")])
def test_services_with_different_servers_are_asked_about(
    checked: list[Connection[Endpoint]], answer: Answer, owners: tuple[str, ...]
) -> None:
    served_by(answer, *owners)
    ran = run("setup", "shop@m365.example.com", *APPLICATION, *BY_VARIABLE, "--tenant", TENANT, "--json")
    assert (ran.code, ran.error["code"]) == (2, "missing-answers")
    assert ran.error["message"] == f"Missing: --provider (one of: {', '.join(owners)})."
    assert "terminal" not in ran.error["hint"], "there nothing is asked for an application"
    assert not checked


def test_what_traces_point_to_is_asked_about(checked: list[Connection[Endpoint]], answer: Answer) -> None:
    served_by(answer, "microsoft365", "godaddy-microsoft365")
    answer.found["source"] = FoundBy.TRACES
    ran = run("setup", "shop@m365.example.com", *APPLICATION, *BY_VARIABLE, "--tenant", TENANT, "--json")
    assert (ran.code, ran.error["code"]) == (2, "missing-answers")
    assert not checked


def test_what_is_odd_in_a_client_secret_is_said(
    checked: list[Connection[Endpoint]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APP_SECRET", f"{SECRET}\n ")
    setup = ("setup", "shop@firm.example", *APPLICATION, "--tenant", TENANT, "--host", MICROSOFT.host)
    ran = run(*setup, *BY_VARIABLE, "--json")
    assert ran.code == 0, ran.out
    assert "the client secret has a blank at its beginning or end and a line end in it" in ran.err
    assert SECRET not in ran.err


def test_a_new_client_secret_that_is_odd_is_said_to_be(firm: Firm) -> None:
    assert run(*SETUP, *BY_VARIABLE, "--save", "Shop", "--store", "keyring").code == 0
    ran = run("accounts", "password", "Shop", "--password-stdin", stdin=f" {NEW}")
    assert "the client secret has a blank at its beginning or end in it" in ran.err


def test_a_sign_in_server_out_of_reach_is_told_of_without_a_browser() -> None:
    """Nobody signs in in a browser here, and nothing is renewed."""
    found = load_diagnosis(names={}).explain(
        Symptom(stage=Stage.AUTH, fault=Fault.NO_TOKEN, lacking="unreachable", facts={"why": phrase("No answer.")})
    )
    assert found.forward
    assert "browser" not in found.forward
    assert "renew" not in f"{found.forward} {found.explanation}"


def test_a_known_server_that_is_named_is_its_provider_s(checked: list[Connection[Endpoint]]) -> None:
    server = ("--host", MICROSOFT.host, "--port", "587", "--security", "starttls", "--username", "shop@firm.example")
    ran = run("setup", "shop@firm.example", *APPLICATION, *BY_VARIABLE, "--tenant", TENANT, *server, "--json")
    assert ran.code == 0, ran.out
    (connection,) = checked
    assert (connection.provider, connection.endpoint) == ("microsoft365", MICROSOFT)
    assert (connection.path, connection.username) == ("oauth", "shop@firm.example")


@pytest.mark.parametrize("flow", ["client-credentials", "device"])
def test_a_server_of_nobody_we_know_has_no_such_sign_in(
    flow: str, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APP_SECRET", SECRET)
    tenant = ("--tenant", TENANT) if flow == "client-credentials" else ()
    signing_in = ("--auth", "xoauth2", "--flow", flow, "--client-id", CLIENT_ID, *tenant, *BY_VARIABLE)
    server = ("--host", "mail.firm.example", "--port", "465", "--security", "tls", "--username", "ana")
    ran = run("setup", "ana@firm.example", *signing_in, *server, "--json")
    assert ran.code == 2
    assert ran.error["code"] == "path-closed"
