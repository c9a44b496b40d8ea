"""What the front doors do with the engine: check, keep the result, save secret and account or neither, remove."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trustme

from smtp_wizard.engine.accounts.saved_accounts import FILE_NAME, AccountFileError, Displaces, NameTaken
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Auth, Connection, Family
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.identity import Scope
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.checks.events import Event, RunFinished
from smtp_wizard.engine.checks.target import Target
from smtp_wizard.engine.providers.provider import ProviderKind
from smtp_wizard.engine.sandbox import server as practice_server
from smtp_wizard.engine.sandbox.certificates import ca_file
from smtp_wizard.engine.secrets.secret_store import SecretError
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from smtp_wizard.engine.secrets.stores import SecretStores
from smtp_wizard.engine.services.check_options import CheckOptions
from smtp_wizard.engine.services.checks import PRACTICE_FOLDER
from smtp_wizard.engine.services.services import Services
from smtp_wizard.engine.smtp.tls import TlsFacts, Trust
from smtp_wizard.engine.smtp.transport import SocketStream
from smtp_wizard.engine.state.results import LastResult
from smtp_wizard.engine.wizard.account_draft import suggested_name
from smtp_wizard.engine.wizard.draft import Draft
from tests.support.checking import (
    AUTH,
    EHLO,
    GREETING,
    OFFER,
    QUICK,
    SIGNED_IN,
    tls_up_to_auth,
)
from tests.support.misbehaving import IPV4, Expect, Hold, MisbehavingServer, Send, StartTls, good, make_ca, refused_port
from tests.support.nouns import with_fields
from tests.support.stores import FailingStore, MemoryBackend, always, desktop, entry, kept
from tests.support.walk import catalog, make_services

pytestmark = pytest.mark.usefixtures("any_password")

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
SECRET = Secret("correct horse")
ANA = Address("ana", "example.test")
BOB = Address("bob", "example.test")
ENDPOINT = Endpoint("mail.example.test", 587, Security.STARTTLS)


@pytest.fixture
def backend() -> MemoryBackend:
    return desktop()


@pytest.fixture
def services(tmp_path: Path, backend: MemoryBackend) -> Services:
    return make_services(tmp_path, backend=backend, limits=QUICK, now=lambda: NOON)


def draft(name: str = "Office", **changes: Any) -> Draft:
    whole = Draft(
        address=ANA,
        connection=Connection(endpoint=ENDPOINT, username="ana@example.test"),
        secret=SECRET,
        name=name,
        store=StoreKind.KEYRING,
    )
    return with_fields(whole, **changes).confirmed()


def cannot_write(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on the file of the accounts cannot be written."""

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("smtp_wizard.engine.base.private_files.write_private", full)


# --- saving ---


async def test_secret_and_account_are_saved_and_the_file_holds_no_secret(
    services: Services, backend: MemoryBackend, tmp_path: Path
) -> None:
    account = await services.accounts.save(draft())
    assert entry(account.store) == (StoreKind.KEYRING, "Office/password")
    assert services.saved_accounts.get("office") == account
    assert account.created == NOON
    assert kept(backend) == {"Office/password": "correct horse"}
    assert await services.entries.secret_of(account) == SECRET
    assert "correct" not in (tmp_path / FILE_NAME).read_text("utf-8")


async def test_a_store_that_takes_no_secret_saves_no_account(tmp_path: Path) -> None:
    services = make_services(tmp_path, keyring=FailingStore())
    with pytest.raises(SecretError):
        await services.accounts.save(draft())
    assert services.saved_accounts.list() == ()
    assert not (tmp_path / FILE_NAME).exists()


async def test_a_file_that_cannot_be_written_keeps_no_secret(
    services: Services, backend: MemoryBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    cannot_write(monkeypatch)
    with pytest.raises(AccountFileError):
        await services.accounts.save(draft())
    assert kept(backend) == {}


async def test_an_account_that_was_to_be_replaced_keeps_its_secret_where_the_file_cannot_be_written(
    services: Services, backend: MemoryBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both lie in the same entry of the keyring: what was there comes back."""
    first = await services.accounts.save(draft())
    cannot_write(monkeypatch)
    with pytest.raises(AccountFileError):
        await services.accounts.save(draft(secret=Secret("another one")), replacing=True)
    assert await services.entries.secret_of(first) == SECRET
    assert kept(backend) == {"Office/password": "correct horse"}


async def test_a_name_that_is_taken_is_said_before_anything_is_written(
    services: Services, backend: MemoryBackend
) -> None:
    first = await services.accounts.save(draft())
    with pytest.raises(NameTaken):
        await services.accounts.save(draft("OFFICE", secret=Secret("another one")))
    assert services.saved_accounts.list() == (first,)
    assert kept(backend) == {"Office/password": "correct horse"}


async def test_a_second_account_for_all_mail_is_said_before_anything_is_written(
    services: Services, backend: MemoryBackend
) -> None:
    first = await services.accounts.save(draft(scope=Scope.ALL))
    with pytest.raises(Displaces) as caught:
        await services.accounts.save(draft("Shop", scope=Scope.ALL))
    assert caught.value.other == first
    assert services.saved_accounts.list() == (first,)
    assert set(kept(backend)) == {"Office/password"}
    await services.accounts.save(draft("Shop", scope=Scope.ALL), displacing=True)
    assert [(account.name, account.scope) for account in services.saved_accounts.list()] == [
        ("Office", Scope.GENERAL),
        ("Shop", Scope.ALL),
    ]


async def test_the_secret_of_a_replaced_account_is_forgotten(services: Services, backend: MemoryBackend) -> None:
    await services.accounts.save(draft())
    account = await services.accounts.save(draft("office", secret=Secret("another one")), replacing=True)
    assert services.saved_accounts.list() == (account,)
    assert kept(backend) == {"office/password": "another one"}
    session = await services.accounts.save(draft("office", store=StoreKind.SESSION), replacing=True)
    assert kept(backend) == {}
    assert await services.entries.secret_of(session) == SECRET


async def test_replacing_in_the_same_place_keeps_the_new_secret(services: Services, backend: MemoryBackend) -> None:
    await services.accounts.save(draft())
    await services.accounts.save(draft(secret=Secret("another one")), replacing=True)
    assert kept(backend) == {"Office/password": "another one"}


async def test_a_server_without_sign_in_keeps_no_secret(services: Services, backend: MemoryBackend) -> None:
    account = await services.accounts.save(draft(auth=Auth.NONE))
    assert account.store is None
    assert kept(backend) == {}
    assert await services.entries.secret_of(account) is None


async def test_a_variable_is_remembered_by_its_name(tmp_path: Path) -> None:
    environ = {"MAIL_PASSWORD": "correct horse"}
    services = make_services(tmp_path, stores=SecretStores(environ, backend_factory=always(desktop())))
    account = await services.accounts.save(draft(store=StoreKind.ENV, env_name="MAIL_PASSWORD"))
    assert account.store == StoreRef(StoreKind.ENV, "MAIL_PASSWORD")
    assert environ == {}, "no child process inherits it"
    assert await services.entries.secret_of(account) == SECRET


async def test_where_nothing_is_chosen_nothing_is_kept(services: Services, backend: MemoryBackend) -> None:
    account = await services.accounts.save(draft(store=None))
    assert account.store is not None
    assert account.store.kind is StoreKind.SESSION
    assert kept(backend) == {}


@pytest.mark.parametrize("lacking", [draft(address=None), draft(endpoint=None), draft(name="")])
async def test_a_draft_that_lacks_something_is_not_saved(
    services: Services, backend: MemoryBackend, lacking: Draft
) -> None:
    with pytest.raises(InputError):
        await services.accounts.save(lacking)
    assert kept(backend) == {}


async def test_what_was_proved_is_saved_with_the_account_if_it_still_holds(services: Services) -> None:
    async with MisbehavingServer([GREETING, EHLO, OFFER, AUTH, SIGNED_IN]) as server:
        open_line = draft(endpoint=server.endpoint(Security.NONE), allow_cleartext=True)
        report = await services.checks.check_draft(open_line, Depth.LOGIN, lambda _: None)
        proved = replace(open_line, proof=services.checks.prove(open_line, report, Depth.LOGIN))
    assert (await services.accounts.save(proved)).last == LastResult(NOON, Depth.LOGIN, Verdict.PASS)
    changed = replace(proved, connection=replace(proved.connection, username="somebody else"), name="Other")
    assert (await services.accounts.save(changed)).last is None


async def test_what_the_company_tells_is_saved_only_where_it_is_to_be_told(services: Services) -> None:
    told = draft(update_company=True, company_name="Firm", reply_to=BOB)
    account = await services.accounts.save(told)
    assert (account.identity.company_name, account.identity.reply_to) == ("Firm", BOB)
    untold = await services.accounts.save(
        replace(told, identity=replace(told.identity, update_company=False), name="Other")
    )
    assert (untold.identity.company_name, untold.identity.reply_to) == ("", None)


# --- removing ---


async def test_removing_deletes_account_and_secret(services: Services, backend: MemoryBackend) -> None:
    account = await services.accounts.save(draft())
    assert await services.accounts.remove("office") == (account, "")
    assert services.saved_accounts.list() == ()
    assert kept(backend) == {}


async def test_a_secret_that_cannot_be_deleted_is_said_and_the_account_is_gone(services: Services) -> None:
    await services.accounts.save(draft())
    services = make_services(services.folder, keyring=FailingStore())
    account, words = await services.accounts.remove("Office")
    assert account.name == "Office"
    assert "may still be in the store" in words
    assert services.saved_accounts.list() == ()


async def test_an_account_without_a_secret_is_removed_without_asking_a_store(services: Services) -> None:
    await services.accounts.save(draft(auth=Auth.NONE))
    services = make_services(services.folder, keyring=FailingStore())
    assert (await services.accounts.remove("Office"))[1] == ""


# --- checking what was saved ---


async def test_how_a_check_came_out_is_kept_with_the_account(services: Services) -> None:
    refused = Send(b"535 5.7.8 no\r\n")
    async with MisbehavingServer(
        [GREETING, EHLO, OFFER, AUTH, refused, Expect(rb"QUIT")], [GREETING, EHLO, OFFER, AUTH, SIGNED_IN]
    ) as server:
        account = await services.accounts.save(draft(endpoint=server.endpoint(Security.NONE), allow_cleartext=True))
        events: list[Event] = []
        report = await services.checks.check_account(account, SECRET, Depth.LOGIN, events.append)
        assert report.verdict is Verdict.FAIL
        assert events[-1] == RunFinished(report)
        assert last(services) == LastResult(NOON, Depth.LOGIN, Verdict.FAIL, Stage.AUTH, "bad_credentials")
        await services.checks.check_account(services.saved_accounts.get("Office"), SECRET, Depth.LOGIN, events.append)
        assert last(services) == LastResult(NOON, Depth.LOGIN, Verdict.PASS)


def last(services: Services, name: str = "Office") -> LastResult | None:
    return services.saved_accounts.get(name).last


async def test_an_account_that_is_removed_while_it_is_checked_stays_removed(services: Services) -> None:
    async with MisbehavingServer([GREETING, EHLO, OFFER, AUTH, SIGNED_IN]) as server:
        account = await services.accounts.save(draft(endpoint=server.endpoint(Security.NONE), allow_cleartext=True))
        await services.accounts.remove("Office")
        report = await services.checks.check_account(account, SECRET, Depth.LOGIN, lambda _: None)
    assert report.verdict is Verdict.PASS
    assert services.saved_accounts.list() == ()


async def test_a_test_message_goes_from_the_accounts_sender(services: Services) -> None:
    batch = [Expect(rb"MAIL FROM:<shop@example\.test>.*"), Expect(rb"RCPT TO:<bob@example\.test>"), Expect(rb"DATA")]
    answers = Send(b"250 a\r\n550 5.1.1 nobody\r\n554 no\r\n")
    async with MisbehavingServer([GREETING, EHLO, OFFER, AUTH, SIGNED_IN, *batch, answers]) as server:
        open_line = draft(endpoint=server.endpoint(Security.NONE), allow_cleartext=True)
        account = await services.accounts.save(
            replace(open_line, identity=replace(open_line.identity, sender=Address("shop", "example.test")))
        )
        report = await services.checks.check_account(account, SECRET, Depth.SEND, lambda _: None, to=BOB)
    assert report.findings[0].code == "recipient_rejected"
    assert last(services) == LastResult(NOON, Depth.SEND, Verdict.FAIL, Stage.RCPT, "recipient_rejected")


async def test_what_a_check_lacks_is_said(services: Services) -> None:
    account = await services.accounts.save(draft())
    with pytest.raises(InputError):
        await services.checks.check_account(account, SECRET, Depth.SEND, lambda _: None)
    with pytest.raises(InputError):
        await services.checks.check_account(account, None, Depth.LOGIN, lambda _: None)
    with pytest.raises(InputError):
        await services.checks.check_draft(draft(endpoint=None), Depth.LOGIN, lambda _: None)
    with pytest.raises(InputError):
        await services.checks.check_draft(draft(), Depth.SEND, lambda _: None)
    assert last(services) is None


async def test_options_of_a_command_go_before_what_is_saved(services: Services, tmp_path: Path) -> None:
    ca = make_ca()
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    begin = [step if step is not EHLO else Expect(rb"EHLO shop\.example\.test") for step in tls_up_to_auth(good(ca))]
    options = CheckOptions(ca_file=str(tmp_path / "ca.pem"), ehlo_name="shop.example.test", family=Family.IPV4)
    async with MisbehavingServer([*begin, SIGNED_IN]) as server:
        account = await services.accounts.save(draft(endpoint=server.endpoint(Security.TLS)))
        report = await services.checks.check_account(account, SECRET, Depth.LOGIN, lambda _: None, options=options)
    assert report.verdict is Verdict.PASS
    assert report.family is Family.IPV4


# --- what a check is told of the provider ---


async def test_the_diagnosis_is_told_whether_the_secret_has_the_form_of_an_app_password(services: Services) -> None:
    """The same words of Google mean 'make an app password', or 'this app password is mistyped'."""
    refused = Send(b"535 5.7.8 Username and Password not accepted.\r\n")
    codes = []
    async with MisbehavingServer([GREETING, EHLO, OFFER, AUTH, refused, Hold()]) as server:
        for secret in ("my own password", "abcd efgh ijkl mnop"):
            google = draft(
                provider="gmail",
                path="app-password",
                endpoint=server.endpoint(Security.NONE),
                allow_cleartext=True,
                secret=Secret(secret),
            )
            codes += [f.code for f in (await services.checks.check_draft(google, Depth.LOGIN, lambda _: None)).findings]
    assert codes == ["app_password_required", "bad_credentials"]


def test_other_ways_are_never_without_encryption(services: Services) -> None:
    for provider in catalog().providers:
        endpoints = [each.endpoint for each in provider.endpoints] or [ENDPOINT]
        for endpoint in endpoints:
            for other in services.catalog.alternatives(endpoint, provider.id, ANA):
                assert other.security is not Security.NONE
                assert other != endpoint


def test_other_ways_are_the_providers_own_or_the_usual_two(services: Services) -> None:
    gmail = Endpoint("smtp.gmail.com", 465, Security.TLS)
    assert services.catalog.alternatives(gmail, "gmail") == (Endpoint("smtp.gmail.com", 587, Security.STARTTLS),)
    assert services.catalog.alternatives(ENDPOINT, None) == (Endpoint("mail.example.test", 465, Security.TLS),)
    odd = Endpoint("mail.example.test", 2525, Security.STARTTLS)
    assert [other.port for other in services.catalog.alternatives(odd, None)] == [465, 587]
    assert services.catalog.alternatives(Endpoint(IPV4, 5871, Security.STARTTLS), "sandbox") == ()


async def test_a_port_that_is_refused_offers_another_way(services: Services) -> None:
    with refused_port() as port:
        nobody = draft(endpoint=Endpoint(IPV4, port, Security.STARTTLS))
        report = await services.checks.check_draft(nobody, Depth.SERVER, lambda _: None)
    assert [finding.fix for finding in report.findings] == [Endpoint(IPV4, 465, Security.TLS)]


# --- practising ---


def practice(services: Services, scenario: str, **changes: Any) -> Draft:
    provider = services.catalog.get("sandbox")
    assert provider is not None
    endpoint = provider.best()
    assert endpoint is not None
    return draft(
        f"Practice {scenario}", provider="sandbox", path=scenario, sandbox=scenario, endpoint=endpoint, **changes
    )


async def test_the_practice_server_runs_for_the_check_alone(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bound = practice_server._bound
    # Its usual ports may be those of another process's practice server a moment later.
    monkeypatch.setattr(practice_server, "_bound", lambda _: bound(0))
    account = await services.accounts.save(practice(services, "accept"))
    ours = str(ca_file(tmp_path / PRACTICE_FOLDER))
    for _ in range(2):
        report = await services.checks.check_account(account, SECRET, Depth.SEND, lambda _: None, to=BOB)
        assert report.verdict is Verdict.PASS
        assert report.endpoint.host == IPV4
        left = await services.checks.check_target(
            Target(connection=Connection(endpoint=report.endpoint, ca_file=ours)), None, Depth.SERVER, lambda _: None
        )
        assert left.verdict is Verdict.FAIL, "it is gone, whoever listens at its port by now"
    assert len(list((tmp_path / PRACTICE_FOLDER / "mailbox").rglob("new/*"))) == 2


async def test_the_practice_server_takes_another_port_where_its_own_is_taken(services: Services) -> None:
    async with MisbehavingServer([Hold()]) as other:
        taken = Endpoint(IPV4, other.port, Security.STARTTLS)
        report = await services.checks.check_draft(
            with_fields(practice(services, "accept"), endpoint=taken), Depth.LOGIN, lambda _: None
        )
    assert report.verdict is Verdict.PASS
    assert report.endpoint.port != taken.port


@pytest.mark.parametrize(
    ("scenario", "stage", "code"),
    [
        ("app-password-required", Stage.AUTH, "app_password_required"),
        ("wrong-password", Stage.AUTH, "bad_credentials"),
        ("expired-certificate", Stage.STARTTLS, "cert_expired"),
        ("quota-reached", Stage.DATA, "daily_limit"),
    ],
)
async def test_what_is_practised_is_found(services: Services, scenario: str, stage: Stage, code: str) -> None:
    report = await services.checks.check_draft(practice(services, scenario, test_to=BOB), Depth.SEND, lambda _: None)
    (bad,) = [result for result in report.results if result.verdict is Verdict.FAIL]
    assert bad.finding is not None
    assert (bad.stage, bad.finding.code) == (stage, code)


async def test_the_authority_of_the_practice_server_vouches_for_nobody_else(services: Services, tmp_path: Path) -> None:
    """Its key lies on this computer: whoever steals it could play any server that believed in it."""
    await services.checks.check_draft(practice(services, "accept"), Depth.LOGIN, lambda _: None)
    pem = (tmp_path / PRACTICE_FOLDER / "authority.pem").read_bytes()
    context = good(trustme.CA.from_pem(pem, pem))
    async with MisbehavingServer([StartTls(context), Hold()]) as server:
        report = await services.checks.check_draft(
            draft(endpoint=server.endpoint(Security.TLS)), Depth.SERVER, lambda _: None
        )
    failed = report.result(Stage.TLS)
    assert failed is not None
    assert failed.verdict is Verdict.FAIL


async def test_the_practice_server_is_believed_by_its_own_authority_alone(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted: list[Trust | None] = []
    original = SocketStream.start_tls

    async def noted(self: SocketStream, host: str, trust: Trust | None) -> TlsFacts:
        trusted.append(trust)
        return await original(self, host, trust)

    monkeypatch.setattr(SocketStream, "start_tls", noted)
    await services.checks.check_draft(
        practice(services, "accept", ca_file=str(tmp_path / "mine.pem")), Depth.LOGIN, lambda _: None
    )
    assert trusted == [Trust(str(tmp_path / PRACTICE_FOLDER / "ca.pem"), only=True)]


async def test_an_exercise_that_no_longer_exists_is_said(services: Services) -> None:
    with pytest.raises(InputError, match="does not know this exercise"):
        await services.checks.check_draft(practice(services, "gone"), Depth.LOGIN, lambda _: None)


# --- names ---


@pytest.mark.parametrize(
    ("provider", "expected"),
    [("gmail", "Gmail ana"), ("sandbox", "Practice ana"), (None, "example.test ana"), ("custom", "example.test ana")],
)
def test_a_name_is_suggested(services: Services, provider: str | None, expected: str) -> None:
    if provider == "custom":
        provider = next(each.id for each in catalog().providers if each.kind is ProviderKind.CUSTOM)
    assert suggested_name(draft(provider=provider), services.catalog, services.saved_accounts) == expected


async def test_a_suggested_name_is_free(services: Services) -> None:
    wanted = draft(provider="gmail")
    await services.accounts.save(
        replace(wanted, name=suggested_name(wanted, services.catalog, services.saved_accounts))
    )
    assert suggested_name(wanted, services.catalog, services.saved_accounts) == "Gmail ana 2"
    assert suggested_name(Draft(), services.catalog, services.saved_accounts) == "Account"
