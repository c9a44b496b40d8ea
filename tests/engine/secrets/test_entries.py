"""A program that stays open finds a password where another one has put it, and never one that is for other settings."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.accounts.saved_accounts import AccountFileError, Displaces
from smtp_wizard.engine.accounts.secret_entries import TRIES
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.identity import Scope
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.engine.oauth.grants import Grant
from smtp_wizard.engine.secrets.keyring import SERVICE
from smtp_wizard.engine.secrets.secret_store import SecretError, SecretFault
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from smtp_wizard.engine.services.services import Services
from smtp_wizard.engine.wizard.account_draft import draft_of
from tests.engine.accounts.test_two_at_once import OLD, draft
from tests.engine.oauth.test_oauth import signed_in
from tests.engine.services.test_bearers import Office
from tests.support.nouns import with_fields
from tests.support.oauthserver import AuthorizationServer, refresh_of
from tests.support.stores import FailingStore, MemoryBackend, desktop, kept
from tests.support.walk import make_services


@pytest.fixture
def backend() -> MemoryBackend:
    return desktop()


@pytest.fixture
def services(tmp_path: Path, backend: MemoryBackend) -> Services:
    return make_services(tmp_path, backend=backend)


@pytest.fixture
def other(tmp_path: Path, backend: MemoryBackend) -> Services:
    """Another program over the same folder."""
    return make_services(tmp_path, backend=backend)


# -- what is read ------------------------------------------------------------------------------------------------------


async def test_a_password_is_found_where_another_program_has_put_it(services: Services, other: Services) -> None:
    seen = await services.accounts.save(draft(OLD))
    await other.accounts.save(with_fields(draft_of(seen, Secret("a new one"), other.catalog), sender_name="Ana"))
    assert await services.entries.secret_of(seen) == Secret("a new one")
    await other.accounts.rename("Office", "Shop")
    assert await services.entries.secret_of(seen) == Secret("a new one"), "under whatever name"


@pytest.mark.parametrize(
    "change",
    [
        {"endpoint": Endpoint("mail.elsewhere.test", 587, Security.STARTTLS)},
        {"endpoint": Endpoint("mail.example.test", 465, Security.TLS)},
        {"username": "bob"},
    ],
    ids=lambda change: next(iter(change)),
)
async def test_a_password_that_is_for_other_settings_now_is_not_handed_out(
    services: Services, other: Services, change: dict[str, Any]
) -> None:
    """It would be sent to the server that the account had before."""
    seen = await services.accounts.save(draft(OLD))
    await other.accounts.save(with_fields(draft_of(seen, Secret("for another server"), other.catalog), **change))
    with pytest.raises(SecretError, match="Another program has changed 'Office' meanwhile") as refused:
        await services.entries.secret_of(seen)
    assert refused.value.fault is SecretFault.MISSING
    assert await services.entries.secret_of(services.saved_accounts.get("Office")) == Secret("for another server")


async def test_a_password_of_another_account_of_that_name_is_not_handed_out(
    services: Services, other: Services
) -> None:
    seen = await services.accounts.save(draft(OLD))
    await other.accounts.remove("Office")
    elsewhere = Endpoint("mail.elsewhere.test", 587, Security.STARTTLS)
    await other.accounts.save(with_fields(draft("another's"), endpoint=elsewhere))
    with pytest.raises(SecretError, match="Another program has changed"):
        await services.entries.secret_of(seen)


@pytest.mark.parametrize("auth", Auth)
async def test_an_account_without_a_place_is_asked_for_its_password_unless_it_needs_none(
    services: Services, auth: Auth
) -> None:
    saved = await services.accounts.save(draft(OLD))
    placeless = replace(saved, store=None, connection=replace(saved.connection, auth=auth))
    if auth is Auth.NONE:
        assert await services.entries.secret_of(placeless) is None
        return
    with pytest.raises(SecretError, match="asked for each time") as asked:
        await services.entries.secret_of(placeless)
    assert asked.value.fault is SecretFault.ASK


async def test_a_password_that_is_nowhere_any_more_is_missing(
    services: Services, other: Services, backend: MemoryBackend
) -> None:
    seen = await services.accounts.save(draft(OLD))
    await other.accounts.remove("Office")
    with pytest.raises(SecretError, match="has no entry") as missing:
        await services.entries.secret_of(seen)
    assert missing.value.fault is SecretFault.MISSING
    again = await services.accounts.save(draft(OLD))
    backend.entries.clear()
    with pytest.raises(SecretError, match="has no entry"):
        await services.entries.secret_of(again)


async def test_a_fault_of_the_store_is_no_reason_to_look_elsewhere(services: Services, other: Services) -> None:
    seen = await services.accounts.save(draft(OLD))
    await other.accounts.save(replace(draft_of(seen, Secret("a new one"), other.catalog)))
    locked_out = make_services(services.folder, keyring=FailingStore(trouble=SecretFault.LOCKED))
    with pytest.raises(SecretError) as locked:
        await locked_out.entries.secret_of(seen)
    assert locked.value.fault is SecretFault.LOCKED


@pytest.mark.parametrize("fault", SecretFault)
async def test_only_where_there_is_none_another_place_is_asked(
    services: Services, other: Services, fault: SecretFault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that is locked, or does not answer, has it perhaps: another one could have an older password."""
    seen = await services.accounts.save(draft(OLD))
    now = await other.accounts.save(draft_of(seen, Secret("a new one"), other.catalog))
    asked: list[StoreRef] = []

    async def refused(place: StoreRef) -> Secret:
        asked.append(place)
        raise SecretError(fault, shown("It is refused."))

    monkeypatch.setattr(services.stores, "fetch", refused)
    with pytest.raises(SecretError) as problem:
        await services.entries.secret_of(seen)
    assert problem.value.fault is fault
    assert asked == ([seen.store, now.store] if fault in (SecretFault.MISSING, SecretFault.ASK) else [seen.store])
    assert seen.store != now.store


async def test_a_password_that_is_put_elsewhere_all_the_time_is_given_up(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = await services.accounts.save(draft(OLD))
    places = iter(range(100))

    async def elsewhere(_: Account) -> StoreRef:
        return StoreRef(StoreKind.KEYRING, f"Office/password/{next(places)}")

    monkeypatch.setattr(services.entries, "place_of", elsewhere)
    with pytest.raises(SecretError, match="keep changing that password"):
        await services.entries.secret_of(replace(seen, store=StoreRef(StoreKind.KEYRING, "gone")))
    assert next(places) == TRIES


async def test_an_account_that_is_changed_all_the_time_is_given_up(
    services: Services, other: Services, backend: MemoryBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    await services.accounts.save(draft(OLD))
    whole, changed = services.saved_accounts.alter, []

    def late(name: str, work: Callable[[Account], Account], **more: Any) -> Account:
        before = other.saved_accounts.get("Office")
        fresh = other.stores.place(StoreKind.KEYRING, "Office")
        backend.entries[SERVICE, fresh.where] = OLD
        other.saved_accounts.change("Office", replace(before, store=fresh))
        if before.store is not None:
            del backend.entries[SERVICE, before.store.where]
        changed.append(name)
        return whole(name, work, **more)

    monkeypatch.setattr(services.saved_accounts, "alter", late)
    with pytest.raises(AccountFileError, match="nothing was changed, please try again"):
        await services.accounts.rename("Office", "Shop")
    assert len(changed) == TRIES
    assert kept(backend) == {"Office/password": OLD}
    assert [account.name for account in services.saved_accounts.list()] == ["Office"]


async def test_a_change_of_an_account_asks_before_another_one_gives_way(services: Services) -> None:
    await services.accounts.save(draft(OLD, "Shop", scope=Scope.ALL))
    account = await services.accounts.save(draft(OLD))
    wanted = replace(draft_of(account, Secret(OLD), services.catalog), scope=Scope.ALL)
    with pytest.raises(Displaces):
        await services.accounts.save(wanted)
    await services.accounts.save(wanted, displacing=True)
    assert {each.name: each.scope for each in services.saved_accounts.list()} == {
        "Office": Scope.ALL,
        "Shop": Scope.GENERAL,
    }


async def test_who_displaces_an_account_is_asked_even_where_it_came_in_between(
    services: Services, other: Services, backend: MemoryBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look before anything is written saw none; the writing does, under its lock."""
    account = await services.accounts.save(draft(OLD))
    monkeypatch.setattr(services.saved_accounts, "displaced_by", lambda account: None)
    await other.accounts.save(draft(OLD, "Shop", scope=Scope.ALL))
    with pytest.raises(Displaces):
        await services.accounts.save(replace(draft_of(account, Secret("a new one"), services.catalog), scope=Scope.ALL))
    assert kept(backend) == {"Office/password": OLD, "Shop/password": OLD}
    await services.accounts.save(
        replace(draft_of(account, Secret("a new one"), services.catalog), scope=Scope.ALL), displacing=True
    )
    assert kept(backend) == {"Office/password": "a new one", "Shop/password": OLD}
    assert services.saved_accounts.get("Shop").scope is Scope.GENERAL


# -- sign-ins in the browser -------------------------------------------------------------------------------------------


async def test_a_sign_in_is_renewed_where_another_program_has_put_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with AuthorizationServer() as server:
        office = Office(tmp_path, server, monkeypatch)
        await office.services.accounts.save(await office.new_draft())
        seen = office.services.saved_accounts.get("Ana")
        secret = await office.services.entries.secret_of(seen)
        other = office.other_services()
        again = other.tokens.remember(await signed_in(server))
        assert (
            await other.accounts.replace_secret(other.saved_accounts.get("Ana"), again, lambda _: None)
        ).verdict is Verdict.PASS
        token = await office.services.tokens.for_account(seen, secret or Secret(""), None)
        assert token.reveal() in server.access_tokens
        held = Grant.opened(
            await office.services.entries.secret_of(office.services.saved_accounts.get("Ana")) or Secret("")
        )
        assert held is not None
        assert server.refresh_tokens[refresh_of(held)], "what came of it is kept for the account"
        assert len(office.backend.entries) == 1
        assert not server.dead


async def test_a_sign_in_whose_account_is_removed_while_it_is_renewed_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with AuthorizationServer() as server:
        office = Office(tmp_path, server, monkeypatch)
        await office.services.accounts.save(await office.new_draft())
        seen = office.services.saved_accounts.get("Ana")
        secret = await office.services.entries.secret_of(seen)
        other = office.other_services()
        whole = office.services.stores.put

        async def removed_first(*arguments: Any, **more: Any) -> None:
            await other.accounts.remove("Ana")
            await whole(*arguments, **more)

        monkeypatch.setattr(office.services.stores, "put", removed_first)
        await office.services.tokens.for_account(seen, secret or Secret(""), None)
        assert office.backend.entries == {}
        assert not list(tmp_path.glob("unfinished-*"))


async def test_nobody_renews_a_sign_in_between_its_reading_and_its_saving(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An account is changed: what was read of its sign-in must still be right when the account is pointed to it."""
    async with AuthorizationServer() as server:
        office = Office(tmp_path, server, monkeypatch)
        await office.services.accounts.save(await office.new_draft())
        account = office.services.saved_accounts.get("Ana")
        secret = await office.services.entries.secret_of(account)
        other = office.other_services()
        put, fetch, renewals, order = office.services.stores.put, other.stores.fetch, [], []

        async def put_and_go_on(*arguments: Any, **more: Any) -> None:
            await put(*arguments, **more)
            renewal = other.tokens.for_account(account, secret or Secret(""), None)
            renewals.append(asyncio.create_task(_finished(renewal)))
            for _ in range(200):
                await asyncio.sleep(0)  # it would have read long since, if it did not wait

        async def read(ref: StoreRef) -> Secret:
            order.append("read")
            return await fetch(ref)

        monkeypatch.setattr(office.services.stores, "put", put_and_go_on)
        monkeypatch.setattr(other.stores, "fetch", read)
        office.at += timedelta(hours=2)
        await office.services.accounts.save(
            with_fields(draft_of(account, secret, office.services.catalog), sender_name="Ana B.")
        )
        order.append("saved")
        assert await renewals[0] in server.access_tokens
        assert order == ["saved", "read"]
        assert (await office.test(office.other_services())).verdict is Verdict.PASS
        assert not server.dead, "no refresh token came twice"


async def _finished(renewal: Awaitable[Secret]) -> str:
    return (await renewal).reveal()
