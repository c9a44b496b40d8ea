"""An account over its life: changed, copied, renamed, given a new password, used for other mail. Nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.accounts.saved_accounts import AccountFileError, Displaces, NameTaken, NoSuchAccount
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Auth, Connection
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.identity import Scope
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.engine.checks.events import Event
from smtp_wizard.engine.secrets.secret_store import SecretError
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from smtp_wizard.engine.secrets.stores import SecretStores
from smtp_wizard.engine.services.services import Services
from smtp_wizard.engine.wizard.account_draft import copy_of, draft_of
from smtp_wizard.engine.wizard.draft import Draft, with_tidy_secret
from tests.support.nouns import with_fields
from tests.support.stores import FailingStore, MemoryBackend, always, desktop, entry, kept
from tests.support.walk import make_services

pytestmark = pytest.mark.usefixtures("any_password")

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
ENDPOINT = Endpoint("127.0.0.1", 5871, Security.STARTTLS)
SECRET = Secret("abcd efgh ijkl mnop")


def draft(name: str = "Office", **changes: object) -> Draft:
    whole = Draft(
        address=Address("ana", "sandbox.test"),
        connection=Connection(provider="sandbox", path="accept", sandbox="accept", endpoint=ENDPOINT, username="ana"),
        secret=SECRET,
        name=name,
        store=StoreKind.KEYRING,
    )
    return with_fields(whole, **changes)


@pytest.fixture
def backend() -> MemoryBackend:
    return desktop()


@pytest.fixture
def services(tmp_path: Path, backend: MemoryBackend) -> Services:
    return make_services(tmp_path, backend=backend, now=lambda: NOON)


async def saved(services: Services, name: str = "Office", **changes: object) -> Account:
    return await services.accounts.save(draft(name, **changes))


async def test_a_changed_account_takes_its_own_place(services: Services, backend: MemoryBackend) -> None:
    account = await saved(services)
    changed = with_fields(draft_of(account, SECRET, services.catalog), sender_name="Ana", username="ana2")
    again = await services.accounts.save(changed)
    assert services.saved_accounts.list() == (again,)
    assert (again.identity.sender_name, again.connection.username, again.created) == ("Ana", "ana2", account.created)
    assert kept(backend) == {"Office/password": SECRET.reveal()}


async def test_a_changed_account_keeps_what_nobody_asks_about(services: Services) -> None:
    account = await saved(services)
    services.saved_accounts.alter("Office", lambda now: replace(now, tags=("customer", "north")))
    await services.accounts.save(with_fields(draft_of(account, SECRET, services.catalog), sender_name="Ana"))
    (again,) = services.saved_accounts.list()
    assert (again.tags, again.created, again.id) == (("customer", "north"), account.created, account.id)


async def test_tags_that_another_program_adds_while_it_is_saved_stay(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await saved(services)
    put = services.stores.put

    async def put_and_tagged(*arguments: Any, **more: Any) -> None:
        await put(*arguments, **more)
        services.saved_accounts.alter("Office", lambda now: replace(now, tags=("north",)))

    monkeypatch.setattr(services.stores, "put", put_and_tagged)
    again = await services.accounts.save(with_fields(draft_of(account, SECRET, services.catalog), sender_name="Ana"))
    assert services.saved_accounts.list() == (again,)
    assert (again.tags, again.identity.sender_name, again.id) == (("north",), "Ana", account.id)


@pytest.mark.parametrize("wanted", ["Office", "Shop"])
async def test_an_account_that_is_renamed_while_it_is_changed_stays_one(services: Services, wanted: str) -> None:
    """It keeps the name that another process gave it, unless another one is wanted here too."""
    account = await saved(services)
    draft = with_fields(draft_of(account, SECRET, services.catalog), sender_name="Ana")
    await services.accounts.rename("Office", "Elsewhere")
    await services.accounts.save(replace(draft, name=wanted))
    (again,) = services.saved_accounts.list()
    assert (again.id, again.identity.sender_name) == (account.id, "Ana")
    assert again.name == ("Elsewhere" if wanted == "Office" else "Shop")


async def test_a_changed_account_does_not_take_the_place_of_another_that_has_its_name(services: Services) -> None:
    """The one that is changed was removed meanwhile, and another set up: that is asked about as any taken name is."""
    account = await saved(services)
    draft = draft_of(account, SECRET, services.catalog)
    await services.accounts.remove("Office")
    other = await saved(services)
    with pytest.raises(NameTaken):
        await services.accounts.save(draft)
    assert [each.id for each in services.saved_accounts.list()] == [other.id]


async def test_a_changed_account_may_get_another_name_and_leaves_nothing_behind(
    services: Services, backend: MemoryBackend
) -> None:
    account = await saved(services)
    await services.accounts.save(replace(draft_of(account, SECRET, services.catalog), name="Shop"))
    assert [each.name for each in services.saved_accounts.list()] == ["Shop"]
    assert kept(backend) == {"Shop/password": SECRET.reveal()}


async def test_a_change_that_cannot_be_written_leaves_account_and_password_as_they_were(
    services: Services, backend: MemoryBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await saved(services)

    def full(*_: object, **__: object) -> None:
        raise AccountFileError(shown("The disk is full."))

    monkeypatch.setattr(services.saved_accounts, "alter", full)
    with pytest.raises(AccountFileError):
        await services.accounts.save(
            with_fields(draft_of(account, Secret("another password"), services.catalog), sender_name="Ana")
        )
    assert services.saved_accounts.list() == (account,)
    assert kept(backend) == {"Office/password": SECRET.reveal()}


async def test_another_accounts_name_is_not_taken_over(services: Services) -> None:
    account = await saved(services)
    await saved(services, "Shop")
    with pytest.raises(NameTaken):
        await services.accounts.save(replace(draft_of(account, SECRET, services.catalog), name="shop"))
    with pytest.raises(NameTaken):
        await services.accounts.rename("Office", "Shop")


async def test_an_account_that_was_deleted_meanwhile_is_saved_anew(services: Services) -> None:
    account = await saved(services)
    changed = draft_of(account, SECRET, services.catalog)
    await services.accounts.remove("Office")
    again = await services.accounts.save(changed)
    assert services.saved_accounts.list() == (again,)


async def test_a_copy_gets_a_free_name_and_never_all_mail(services: Services) -> None:
    account = await saved(services, scope=Scope.ALL)
    copy = copy_of(account, SECRET, services.catalog, services.saved_accounts.free_name(account.name))
    assert (copy.name, copy.scope, copy.editing) == ("Office 2", Scope.GENERAL, None)
    await services.accounts.save(copy)
    assert [each.name for each in services.saved_accounts.list()] == ["Office", "Office 2"]


async def test_the_password_moves_with_the_name(services: Services, backend: MemoryBackend) -> None:
    await saved(services)
    renamed = await services.accounts.rename("office", "Büro")
    assert services.saved_accounts.list() == (renamed,)
    assert kept(backend) == {"Büro/password": SECRET.reveal()}
    assert await services.entries.secret_of(renamed) == SECRET


async def test_a_name_in_other_letters_is_the_same_account(services: Services) -> None:
    await saved(services)
    assert (await services.accounts.rename("Office", "OFFICE")).name == "OFFICE"
    assert [each.name for each in services.saved_accounts.list()] == ["OFFICE"]


@pytest.mark.parametrize(
    ("name", "same"), [("Straße", "STRASSE"), ("\u03aa\u0301", "\u0390"), ("\u0390", "\u03aa\u0301")]
)
async def test_a_name_that_differs_in_its_letters_alone_is_the_account_s_own(
    services: Services, name: str, same: str
) -> None:
    """Upper case of some letters is written with two characters: compared is what `name_key` returns."""
    before = await saved(services, name)
    assert (await services.accounts.rename(name, same)).name == same
    draft = replace(draft_of(services.saved_accounts.get(name), SECRET, services.catalog), name=name)
    assert (await services.accounts.save(draft)).name == name
    assert [(each.name, each.id) for each in services.saved_accounts.list()] == [(name, before.id)]


async def test_the_same_name_again_changes_nothing(services: Services) -> None:
    account = await saved(services)
    assert await services.accounts.rename("Office", " Office ") == account


async def test_a_password_that_is_kept_nowhere_needs_no_move(services: Services) -> None:
    await saved(services, store=StoreKind.SESSION)
    other = make_services(services.folder, now=lambda: NOON)
    renamed = await other.accounts.rename("Office", "Shop")
    assert entry(renamed.store) == (StoreKind.SESSION, "Shop/password")


async def test_a_variable_stays_the_same_variable(tmp_path: Path) -> None:
    stores = SecretStores({"MAIL": SECRET.reveal()}, backend_factory=always(desktop()))
    services = make_services(tmp_path, stores=stores, now=lambda: NOON)
    await saved(services, store=StoreKind.ENV, env_name="MAIL")
    assert (await services.accounts.rename("Office", "Shop")).store == StoreRef(StoreKind.ENV, "MAIL")


async def test_a_store_that_fails_leaves_the_old_name(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    account = await saved(services)
    monkeypatch.setattr(services.stores, "get", lambda kind: FailingStore())
    with pytest.raises(SecretError):
        await services.accounts.rename("Office", "Shop")
    assert services.saved_accounts.list() == (account,)


@pytest.mark.parametrize("name", ["", "a/b", "x" * 61])
async def test_a_name_that_cannot_be_used_is_refused(services: Services, name: str) -> None:
    await saved(services)
    with pytest.raises(InputError):
        await services.accounts.rename("Office", name)


async def test_nobody_is_renamed_who_is_not_there(services: Services) -> None:
    with pytest.raises(NoSuchAccount):
        await services.accounts.rename("Nobody", "Shop")


async def test_a_new_password_that_works_is_kept(services: Services, backend: MemoryBackend) -> None:
    account = await saved(services)
    events: list[Event] = []
    report = await services.accounts.replace_secret(account, Secret("a new one"), events.append)
    assert report.verdict is Verdict.PASS
    assert events
    assert kept(backend) == {"Office/password": "a new one"}
    last = services.saved_accounts.get("Office").last
    assert last is not None
    assert last.verdict is Verdict.PASS


def rename_behind(services: Services) -> None:
    """Rename the account as another process does it in between; its secret stays where it is."""
    if services.saved_accounts.free_name("Office") != "Office":
        services.saved_accounts.alter("Office", lambda now: replace(now, name=phrase("Work")))


async def test_a_new_password_that_works_follows_an_account_that_was_renamed_meanwhile(
    services: Services, backend: MemoryBackend
) -> None:
    """Otherwise the one that the server has taken would be lost."""
    account = await saved(services)
    report = await services.accounts.replace_secret(account, Secret("a new one"), lambda _: rename_behind(services))
    assert report.verdict is Verdict.PASS
    (now,) = services.saved_accounts.list()
    assert (now.name, await services.entries.secret_of(now)) == ("Work", Secret("a new one"))
    assert list(kept(backend).values()) == ["a new one"]


@pytest.mark.parametrize(("name", "saved_as"), [("Office", "Work"), ("Shop", "Shop")])
async def test_a_change_follows_an_account_that_was_renamed_meanwhile(
    services: Services, backend: MemoryBackend, monkeypatch: pytest.MonkeyPatch, name: str, saved_as: str
) -> None:
    account = await saved(services)
    put = backend.set_password

    def put_late(service: str, username: str, password: str) -> None:
        rename_behind(services)
        put(service, username, password)

    monkeypatch.setattr(backend, "set_password", put_late)
    changed = await services.accounts.save(
        with_fields(draft_of(account, SECRET, services.catalog), name=name, sender_name="Ana")
    )
    assert services.saved_accounts.list() == (changed,)
    assert (changed.name, changed.identity.sender_name, changed.id) == (saved_as, "Ana", account.id)
    assert list(kept(backend).values()) == [SECRET.reveal()]


async def test_a_new_password_that_is_refused_is_not_kept(services: Services, backend: MemoryBackend) -> None:
    account = await saved(services, path="wrong-password", sandbox="wrong-password")
    report = await services.accounts.replace_secret(account, Secret("a new one"), lambda event: None)
    assert report.verdict is Verdict.FAIL
    assert services.saved_accounts.get("Office").last == account.last, (
        "the password that is kept was not the one that was tried"
    )
    assert kept(backend) == {"Office/password": SECRET.reveal()}


async def test_all_mail_is_for_one_account_and_changing_that_asks(services: Services) -> None:
    await saved(services, scope=Scope.ALL)
    await saved(services, "Shop")
    with pytest.raises(Displaces):
        await services.accounts.set_scope("Shop", Scope.ALL)
    await services.accounts.set_scope("Shop", Scope.ALL, displacing=True)
    assert {each.name: each.scope for each in services.saved_accounts.list()} == {
        "Office": Scope.GENERAL,
        "Shop": Scope.ALL,
    }
    await services.accounts.set_scope("Shop", Scope.GENERAL)
    assert services.saved_accounts.get("Shop").scope is Scope.GENERAL


async def test_changing_the_account_for_all_mail_displaces_nobody(services: Services) -> None:
    account = await saved(services, scope=Scope.ALL)
    again = await services.accounts.save(with_fields(draft_of(account, SECRET, services.catalog), sender_name="Ana"))
    assert again.scope is Scope.ALL


async def test_a_draft_of_an_account_has_all_its_answers(services: Services) -> None:
    account = await saved(
        services,
        sender=Address("office", "sandbox.test"),
        sender_name="Ana",
        update_company=True,
        company_name="Ana Ltd",
        reply_to=Address("hello", "sandbox.test"),
        ehlo_name="shop.example.test",
        auth=Auth.PASSWORD,
    )
    again = await services.accounts.save(draft_of(account, SECRET, services.catalog))
    assert again == replace(account, store=again.store)
    assert entry(again.store) == entry(account.store)


async def test_an_app_password_is_tidied_and_nothing_else_is(services: Services) -> None:
    gmail = Draft(
        address=Address("ana", "gmail.com"),
        connection=Connection(endpoint=None, provider="gmail", path="app-password", username="ana"),
    )
    pasted = replace(gmail, secret=Secret("abcd efgh\u00a0ijkl mnop"))
    assert with_tidy_secret(pasted, services.catalog).secret == Secret("abcdefghijklmnop")
    usual = replace(gmail, secret=Secret(" my usual password "))
    assert with_tidy_secret(usual, services.catalog) == usual
    assert with_tidy_secret(gmail, services.catalog) == gmail
