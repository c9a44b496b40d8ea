"""Accounts that sign in in the browser: renewed, kept before they are used, told of before they end."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from smtp_wizard.engine.accounts.saved_accounts import FILE_NAME as ACCOUNTS
from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from smtp_wizard.engine.accounts.sign_in_expiry import ending_words, sign_in_expiry_of
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.checks.events import Event
from smtp_wizard.engine.checks.report import CheckResult, Report
from smtp_wizard.engine.checks.target import Target
from smtp_wizard.engine.oauth.client import RegisteredClient
from smtp_wizard.engine.oauth.grants import Grant
from smtp_wizard.engine.oauth.server import TokenLife
from smtp_wizard.engine.providers.catalog import load_catalog
from smtp_wizard.engine.secrets.store_kinds import StoreKind
from smtp_wizard.engine.secrets.stores import SecretStores
from smtp_wizard.engine.services import checks as services_checks
from smtp_wizard.engine.services.services import Services
from smtp_wizard.engine.smtp.transport import SocketWire
from smtp_wizard.engine.state.sign_in_renewals import SignInRenewal
from smtp_wizard.engine.wizard.account_draft import copy_of, draft_of
from smtp_wizard.engine.wizard.draft import Draft, Origin, Proof
from smtp_wizard.launch import compose
from tests.engine.oauth.test_oauth import signed_in
from tests.support.oauthserver import CLIENT_ID, AuthorizationServer, refresh_of
from tests.support.stores import desktop
from tests.support.walk import diagnosis

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
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
          device: %(base)s/device
          revoke: %(base)s/revoke
          scopes: [smtp, offline_access]
          redirect: 'http://127.0.0.1:{port}/callback'
          idle: {days: 90}
"""


class Office:
    """Services whose mail server takes every token that the sign-in server has given."""

    def __init__(self, folder: Path, server: AuthorizationServer, monkeypatch: pytest.MonkeyPatch) -> None:
        (folder / "providers.yaml").write_text(OWN % {"base": server.base}, "utf-8")
        self.server = server
        self.at = NOW
        self.backend = desktop()
        self.folder = folder
        self.tokens: list[Secret | None] = []
        self.events: list[Event] = []
        self.services = self.other_services()

        async def checks(target: Target, secret: Secret | None, **_: object) -> Report:
            self.tokens.append(secret)
            good = secret is not None and secret.reveal() in server.access_tokens
            return Report(
                target.connection.endpoint, (CheckResult(Stage.AUTH, Verdict.PASS if good else Verdict.FAIL, 0.0),)
            )

        monkeypatch.setattr(services_checks, "run_checks", checks)

    def other_services(self) -> Services:
        """The same as another process would see it."""
        return compose(
            catalog=load_catalog(own=self.folder / "providers.yaml"),
            diagnosis=diagnosis(),
            wire=SocketWire(),
            stores=SecretStores({}, self.folder, backend_factory=lambda: self.backend),
            saved_accounts=SavedAccounts(self.folder),
            folder=self.folder,
            now=lambda: self.at,
        )

    def draft(self, secret: Secret) -> Draft:
        """A draft that has signed in."""
        provider = self.services.catalog.get("our-firm")
        assert provider is not None
        begun = Draft().with_address(Address("ana", "firm.example")).with_provider(provider, Origin.ADDRESS)
        chosen = begun.with_path(provider.paths[0]).with_sign_in("ana@firm.example", secret)
        assert chosen.connection.auth is Auth.XOAUTH2
        assert chosen.connection.endpoint is not None
        proof = Proof(NOW, Depth.LOGIN, Verdict.PASS, chosen.connection.endpoint, chosen.connection.username)
        return replace(chosen, proof=proof, name="Ana", store=StoreKind.KEYRING)

    async def new_draft(self) -> Draft:
        return self.draft(self.services.tokens.remember(await signed_in(self.server)))

    async def check(self, draft: Draft) -> Report:
        return await self.services.checks.check_draft(draft, Depth.LOGIN, self.events.append)

    async def test(self, services: Services | None = None) -> Report:
        """What `test` does."""
        at = services or self.services
        account = at.saved_accounts.get("Ana")
        return await at.checks.check_account(
            account, await at.entries.secret_of(account), Depth.LOGIN, self.events.append
        )


async def test_a_draft_uses_its_token_until_that_runs_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with AuthorizationServer() as server:
        office = Office(tmp_path, server, monkeypatch)
        draft = await office.new_draft()
        assert (await office.check(draft)).verdict is Verdict.PASS
        await office.check(draft)
        assert office.tokens[0] == office.tokens[1]
        office.at += timedelta(minutes=59)
        assert (await office.check(draft)).verdict is Verdict.PASS
        assert office.tokens[2] != office.tokens[0], "renewed"
        await office.services.accounts.save(draft)
        kept = Grant.opened(
            await office.services.entries.secret_of(office.services.saved_accounts.get("Ana")) or Secret("")
        )
        assert kept is not None
        assert server.refresh_tokens[refresh_of(kept)], "what was renewed meanwhile is what is kept"


async def test_a_saved_account_is_renewed_each_time_in_every_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with AuthorizationServer() as server:
        office = Office(tmp_path, server, monkeypatch)
        await office.services.accounts.save(await office.new_draft())
        saved = (tmp_path / ACCOUNTS).read_bytes()
        for day in range(1, 4):
            office.at = NOW + timedelta(days=day)
            another = office.other_services()
            assert (await office.test(another)).verdict is Verdict.PASS
            await asyncio.to_thread(another.saved_accounts.state.flush)
            login = office.services.saved_accounts.get("Ana").login
            assert login == SignInRenewal(CLIENT_ID, NOW, office.at, None)
        assert (tmp_path / ACCOUNTS).read_bytes() == saved, "what is learnt is not written there"
        assert len(set(office.tokens)) == 3
        assert not server.dead
        text = b"".join(file.read_bytes() for file in tmp_path.iterdir() if file.is_file())
        assert not [token for token in (*server.refresh_tokens, *server.access_tokens) if token.encode() in text]


async def test_a_sign_in_that_has_ended_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with AuthorizationServer() as server:
        office = Office(tmp_path, server, monkeypatch)
        await office.services.accounts.save(await office.new_draft())
        server.dead = True
        report = await office.test()
    (finding,) = report.findings
    assert (report.verdict, finding.code) == (Verdict.FAIL, "oauth_token_invalid")
    assert "Sign in again in the browser" in finding.explanation
    assert not finding.server_said
    assert office.tokens == [], "the mail server was not asked"
    last = office.services.saved_accounts.get("Ana").last
    assert last is not None
    assert (last.stage, last.code) == (Stage.AUTH, "oauth_token_invalid")


async def test_a_sign_in_that_cannot_be_read_goes_to_no_mail_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with AuthorizationServer() as server:
        office = Office(tmp_path, server, monkeypatch)
        await office.services.accounts.save(await office.new_draft())
        account = office.services.saved_accounts.get("Ana")
        held = await office.services.entries.secret_of(account)
        assert held is not None
        damaged = Secret(held.reveal()[:-2])
        report = await office.services.checks.check_account(account, damaged, Depth.LOGIN, office.events.append)
        assert (report.findings[0].code, office.tokens) == ("oauth_token_invalid", [])
        for draft in (draft_of(account, damaged, office.services.catalog), office.draft(damaged)):
            report = await office.check(draft)
            assert (report.findings[0].code, office.tokens) == ("oauth_token_invalid", [])


async def test_a_server_that_is_away_ends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with AuthorizationServer() as server:
        office = Office(tmp_path, server, monkeypatch)
        await office.services.accounts.save(await office.new_draft())
        server.override = lambda path, form: (503, b"")
        report = await office.test()
        assert report.findings[0].code == "oauth_unreachable"
        server.override = lambda path, form: None
        assert (await office.test()).verdict is Verdict.PASS


async def test_changing_a_saved_account_does_not_put_an_old_sign_in_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with AuthorizationServer() as server:
        office = Office(tmp_path, server, monkeypatch)
        await office.services.accounts.save(await office.new_draft())
        account = office.services.saved_accounts.get("Ana")
        draft = draft_of(account, await office.services.entries.secret_of(account), office.services.catalog)
        assert (await office.check(draft)).verdict is Verdict.PASS
        await office.test(office.other_services())
        await office.services.accounts.save(replace(draft, identity=replace(draft.identity, sender_name="Ana B.")))
        assert (await office.test()).verdict is Verdict.PASS
        assert not server.dead


async def test_signing_in_again_replaces_the_old_one_only_if_it_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with AuthorizationServer() as server:
        office = Office(tmp_path, server, monkeypatch)
        await office.services.accounts.save(await office.new_draft())
        account = office.services.saved_accounts.get("Ana")
        old = await office.services.entries.secret_of(account)
        again = await signed_in(server)
        server.access_tokens.discard(again.access.token.reveal())
        secret = office.services.tokens.remember(again)
        report = await office.services.accounts.replace_secret(account, secret, office.events.append)
        assert report.verdict is Verdict.FAIL
        assert await office.services.entries.secret_of(account) == old
        secret = office.services.tokens.remember(await signed_in(server))
        report = await office.services.accounts.replace_secret(account, secret, office.events.append)
        assert report.verdict is Verdict.PASS
        assert await office.services.entries.secret_of(account) == secret


async def test_a_sign_in_moves_with_its_account_and_is_never_doubled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with AuthorizationServer() as server:
        office = Office(tmp_path, server, monkeypatch)
        await office.services.accounts.save(await office.new_draft())
        with pytest.raises(InputError, match="belongs to one account"):
            await office.services.accounts.duplicate("Ana")
        account = office.services.saved_accounts.get("Ana")
        assert (
            copy_of(
                account,
                await office.services.entries.secret_of(account),
                office.services.catalog,
                office.services.saved_accounts.free_name(account.name),
            ).secret
            is None
        )
        await office.services.accounts.rename("Ana", "Office")
        await office.services.accounts.rename("Office", "Ana")
        assert (await office.test()).verdict is Verdict.PASS
        _, trouble = await office.services.accounts.remove("Ana")
        assert not trouble
        assert server.revoked <= set(server.refresh_tokens)
        assert len(server.revoked) == 1, "given back to the provider"
        assert not office.backend.entries


async def test_what_changes_is_not_kept_where_it_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with AuthorizationServer() as server:
        office = Office(tmp_path, server, monkeypatch)
        draft = await office.new_draft()
        for kind in (StoreKind.ENV, StoreKind.FILE, StoreKind.COMMAND):
            with pytest.raises(InputError, match="in the keyring or the vault only"):
                await office.services.accounts.save(replace(draft, store=kind))
        await office.services.accounts.save(replace(draft, store=StoreKind.SESSION))
        assert (await office.test()).verdict is Verdict.PASS


async def test_a_broker_s_token_is_sent_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with AuthorizationServer() as server:
        office = Office(tmp_path, server, monkeypatch)
        server.access_tokens.add("ya29.from-a-broker")
        draft = office.draft(Secret("ya29.from-a-broker"))
        assert (await office.check(draft)).verdict is Verdict.PASS
        await office.services.accounts.save(draft)
        assert office.services.saved_accounts.get("Ana").login is None
        assert (await office.test(office.other_services())).verdict is Verdict.PASS
        assert server.forms == []


async def test_without_a_sign_in_there_is_nothing_to_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with AuthorizationServer() as server:
        office = Office(tmp_path, server, monkeypatch)
        draft = replace(await office.new_draft(), secret=None)
        with pytest.raises(InputError, match="Sign in in the browser first"):
            await office.check(draft)


async def test_the_end_of_a_sign_in_is_told_days_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with AuthorizationServer() as server:
        office = Office(tmp_path, server, monkeypatch)
        await office.services.accounts.save(await office.new_draft())
        account = office.services.saved_accounts.get("Ana")
        for days, words in (
            (75, ""),
            (76, "in 14 days, unless it is used"),
            (89, "in 1 day,"),
            (91, "most likely ended"),
        ):
            office.at = NOW + timedelta(days=days)
            told = ending_words(account, office.services.catalog, office.services.now())
            assert words in told
            assert bool(told) == bool(words)
        office.at = NOW + timedelta(days=85)
        await office.test()
        assert (
            ending_words(office.services.saved_accounts.get("Ana"), office.services.catalog, office.services.now())
            == ""
        ), "a test renews it"


def test_a_client_in_testing_is_told_two_days_before_its_seven_are_over() -> None:
    login = SignInRenewal(CLIENT_ID, NOW, NOW, NOW + timedelta(days=7))
    assert sign_in_expiry_of(None, None, NOW) is None
    assert sign_in_expiry_of(replace(login, ends=None), None, NOW) is None
    for hours, soon in ((0, False), (4 * 24, False), (5 * 24, True), (8 * 24, True)):
        found = sign_in_expiry_of(login, None, NOW + timedelta(hours=hours))
        assert found is not None
        assert (found.soon, found.idle) == (soon, False)
    told = sign_in_expiry_of(login, None, NOW)
    assert told is not None
    assert "used or not" in told.words(NOW)


async def test_a_day_that_comes_first_counts() -> None:
    async with AuthorizationServer() as server:
        idle = server.described(idle=TokenLife(days=3))
    found = sign_in_expiry_of(SignInRenewal(RegisteredClient("x").id, NOW, NOW, NOW + timedelta(days=7)), idle, NOW)
    assert found is not None
    assert (found.at, found.idle) == (NOW + timedelta(days=3), True)


async def test_going_back_after_saving_renews_what_was_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with AuthorizationServer() as server:
        office = Office(tmp_path, server, monkeypatch)
        draft = await office.new_draft()
        await office.services.accounts.save(draft)
        office.at += timedelta(hours=2)
        assert (await office.check(draft)).verdict is Verdict.PASS
        await office.services.accounts.save(draft, replacing=True)
        assert (await office.test(office.other_services())).verdict is Verdict.PASS
        assert not server.dead
