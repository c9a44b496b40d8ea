"""What can be done with an account, without a face: each action whole, and each service failing in each known way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.accounts.guarded_sign_in import PAUSED
from smtp_wizard.engine.base.identity import Scope
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.checks.events import Emit, RunFinished, StageFinished, StageStarted
from smtp_wizard.engine.checks.report import CheckResult, Report
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.engine.secrets.secret_store import SecretError, SecretFault
from smtp_wizard.engine.secrets.store_kinds import StoreKind
from smtp_wizard.engine.secrets.stores import SecretStores
from smtp_wizard.engine.secrets.vault import VaultStore
from smtp_wizard.engine.secrets.vault_format import Cost
from smtp_wizard.engine.services.check_options import CheckOptions
from smtp_wizard.engine.services.services import Services
from smtp_wizard.flows.accounts.account_list import AccountListAction, AccountsFlow
from smtp_wizard.flows.accounts.action import LEFT, Action, ActionResult
from smtp_wizard.flows.flow import Mood
from smtp_wizard.flows.question import Answer, Topic
from smtp_wizard.text.accounts import AccountAction
from smtp_wizard.text.stores import VAULT_CLOSED
from tests.flows.accounts.doubles import NOW, Failing, flow_of, name_of, saved, troubles
from tests.support.stores import always, desktop
from tests.support.walk import make_services

PASSPHRASE = "plum corner violet stove"
NEW_PASSWORD = "wxyz wxyz wxyz wxyz"


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return services_in(tmp_path)


def services_in(folder: Path) -> Services:
    """As another program that is started in the same folder."""
    stores = SecretStores({}, folder, backend_factory=always(BACKEND), keyring=None)
    stores._stores[StoreKind.VAULT] = stores.vault = VaultStore(folder, cost=Cost(n=2**10))
    return make_services(folder, stores=stores, now=lambda: NOW)


BACKEND = desktop()


def finding(code: str) -> Finding:
    return Finding(code=code, title=shown("It did not work"), explanation=shown("Why."), who=Who.YOU, steps=())


class Server:
    """Stands for what checks an account: takes some passwords, and says so as a check does."""

    def __init__(self, *takes: str, pausing: bool = False) -> None:
        self.takes = takes
        self.pausing = pausing
        self.seen: list[tuple[str, str]] = []
        self.broken: dict[str, Exception] = {}
        self.holds: asyncio.Event | None = None
        """Told when a check is under way, which then never ends by itself."""

    async def check_account(
        self,
        account: Account,
        secret: Secret | None,
        depth: Depth,
        emit: Emit,
        *,
        options: CheckOptions | None = None,
        keep: bool = True,
    ) -> Report:
        if account.name in self.broken:
            raise self.broken[account.name]
        emit(StageStarted(Stage.AUTH))
        if self.holds is not None:
            self.holds.set()
            await asyncio.Event().wait()
        result = self._result(account, secret, options or CheckOptions())
        report = Report(account.connection.endpoint, (result,))
        for event in (StageFinished(result), RunFinished(report)):
            emit(event)
        await asyncio.sleep(0)
        return report

    def _result(self, account: Account, secret: Secret | None, options: CheckOptions) -> CheckResult:
        if self.pausing and not options.ignore_lockout:
            return CheckResult(Stage.AUTH, Verdict.FAIL, 0.0, shown("paused"), finding(PAUSED))
        typed = secret.reveal() if secret is not None else ""
        self.seen.append((account.name, typed))
        if typed in self.takes:
            return CheckResult(Stage.AUTH, Verdict.PASS, 0.4)
        return CheckResult(Stage.AUTH, Verdict.FAIL, 0.4, shown("refused"), finding("bad_credentials"))

    async def record(self, account: Account, report: Report, depth: Depth) -> None:
        pass


def with_server(services: Services, server: Server) -> Services:
    """Have passwords tried with a server of the test's."""
    service: Any = services.accounts
    service._checks = server
    return services


async def action(flow: AccountsFlow, wanted: AccountAction | AccountListAction) -> Action:
    """Return an action on the first row, begun by nobody yet."""
    await flow.reload()
    leads = await flow.act(wanted)
    assert isinstance(leads, Action)
    return leads


async def answered(begun: Action, *texts: str, offer: Any = Answer.DO) -> ActionResult | None:
    """Type into the fields, and take an answer."""
    for at, text in enumerate(texts):
        begun.type(at, text)
    return await begun.act(offer)


# --- another name ---


async def test_rename(services: Services) -> None:
    await saved(services, "Office")
    rename = await action(flow_of(services), AccountAction.RENAME)
    assert await rename.begin() is None
    assert rename.state.entries[0].text == "Office"
    assert await answered(rename, "a/b") is None
    assert "slash" in rename.state.failed
    done = await answered(rename, "Shop")
    assert done == ActionResult(said="'Office' is called 'Shop' now.", name="Shop")
    assert [each.name for each in services.saved_accounts.list()] == ["Shop"]


async def test_a_name_that_another_account_has_is_said_at_the_field(services: Services) -> None:
    await saved(services, "Office")
    await saved(services, "Shop")
    rename = await action(flow_of(services), AccountAction.RENAME)
    await rename.begin()
    assert await answered(rename, "shop") is None
    assert "already an account named 'shop'" in rename.state.failed
    assert rename.state.entries[0].text == "shop", "what was typed stands there, to be mended"
    done = await answered(rename, "Shop two")
    assert done is not None
    assert done.name == "Shop two"


# --- what it is for ---


async def test_scope_asks_before_another_account_gives_way(services: Services) -> None:
    await saved(services, "A general")
    await saved(services, "B all", scope=Scope.ALL)
    flow = flow_of(services)
    scope = await action(flow, AccountAction.SCOPE)
    assert await scope.begin() is None
    assert scope.state.chosen is Answer.LEAVE, "the careful answer is marked"
    assert "'B all'" in scope.state.lines[0]
    assert await scope.act(Answer.LEAVE) == LEFT
    assert services.saved_accounts.get("A general").scope is Scope.GENERAL
    scope = await action(flow, AccountAction.SCOPE)
    await scope.begin()
    done = await scope.act(Answer.DO)
    assert done is not None
    assert done.said
    assert {each.name: each.scope for each in services.saved_accounts.list()} == {
        "A general": Scope.ALL,
        "B all": Scope.GENERAL,
    }
    again = await (await action(flow, AccountAction.SCOPE)).begin()
    assert again is not None, "nobody gives way: nothing is asked"
    assert services.saved_accounts.get("A general").scope is Scope.GENERAL


# --- no account any more ---


async def test_delete_asks_first(services: Services) -> None:
    await saved(services, "Office")
    flow = flow_of(services)
    delete = await action(flow, AccountAction.DELETE)
    assert await delete.begin() is None
    assert delete.state.chosen is Answer.LEAVE
    assert await delete.act(Answer.LEAVE) == LEFT
    assert len(services.saved_accounts.list()) == 1
    delete = await action(flow, AccountAction.DELETE)
    await delete.begin()
    assert await delete.act(Answer.DO) == ActionResult(said="'Office' is deleted.")
    assert services.saved_accounts.list() == ()


async def in_the_vault(folder: Path, *names: str) -> Services:
    """Save accounts in a vault, and return what a program sees that is started afterwards."""
    first = services_in(folder)
    await first.stores.vault.create(Secret(PASSPHRASE))
    for name in names:
        await saved(first, name, store=StoreKind.VAULT)
    first.saved_accounts.state.flush()  # as at the end of a program
    return services_in(folder)


async def test_delete_without_the_passphrase_says_what_may_be_left(tmp_path: Path) -> None:
    services = await in_the_vault(tmp_path, "Office")
    delete = await action(flow_of(services), AccountAction.DELETE)
    await delete.begin()
    assert await delete.act(Answer.DO) is None
    assert delete.state.title == "The vault"
    done = await delete.act(Answer.LEAVE)
    assert done is not None
    assert done.said == "'Office' is deleted."
    assert "may still be in the store" in done.trouble


# --- the vault in the midst ---


async def test_a_shut_vault_is_opened_in_the_midst_and_the_action_goes_on(tmp_path: Path) -> None:
    services = await in_the_vault(tmp_path, "Office")
    rename = await action(flow_of(services), AccountAction.RENAME)
    await rename.begin()
    assert await answered(rename, "Shop") is None
    assert (rename.state.title, rename.state.entries[0].secret) == ("The vault", True)
    assert await answered(rename, "wrong words of no sense") is None
    assert "passphrase" in rename.state.failed
    done = await answered(rename, PASSPHRASE)
    assert done is not None
    assert done.name == "Shop"


async def test_left_shut_nothing_is_changed(tmp_path: Path) -> None:
    services = await in_the_vault(tmp_path, "Office")
    rename = await action(flow_of(services), AccountAction.RENAME)
    await rename.begin()
    await answered(rename, "Shop")
    assert await rename.act(Answer.LEAVE) == ActionResult(trouble=VAULT_CLOSED)
    assert [each.name for each in services.saved_accounts.list()] == ["Office"]


# --- the wizard with its answers ---


async def test_edit_and_copy_lead_to_the_wizard_with_the_answers(services: Services) -> None:
    await saved(services, "Office")
    flow = flow_of(services)
    edit = await (await action(flow, AccountAction.EDIT)).begin()
    assert edit is not None
    assert edit.draft is not None
    assert (edit.draft.editing, edit.draft.secret) == ("Office", Secret("abcdefghijklmnop"))
    copy = await (await action(flow, AccountAction.COPY)).begin()
    assert copy is not None
    assert copy.draft is not None
    assert (copy.draft.editing, copy.draft.name) == (None, "Office 2")


async def test_edit_goes_on_without_a_password_that_cannot_be_had(tmp_path: Path) -> None:
    services = await in_the_vault(tmp_path, "Office")
    edit = await action(flow_of(services), AccountAction.EDIT)
    assert await edit.begin() is None
    done = await edit.act(Answer.LEAVE)
    assert done is not None
    assert done.draft is not None
    assert done.draft.secret is None


# --- a new password ---


async def test_a_new_password_is_tried_and_kept(services: Services) -> None:
    account = await saved(services, "Office")
    server = Server("wxyzwxyzwxyzwxyz")
    new = await action(flow_of(with_server(services, server)), AccountAction.PASSWORD)
    assert await new.begin() is None
    assert new.state.entries[0].label == "App password"
    assert await new.act(Answer.DO) is None
    assert new.state.failed == "Type the password."
    done = await answered(new, NEW_PASSWORD)
    assert done is not None
    assert done.said == "'Office': the new password works and is kept."
    assert server.seen == [("Office", "wxyzwxyzwxyzwxyz")], "without the blanks in which the provider shows it"
    assert await services.entries.secret_of(account) == Secret("wxyzwxyzwxyzwxyz")


async def test_a_refused_password_is_asked_for_again_and_the_old_one_stays(services: Services) -> None:
    account = await saved(services, "Office")
    server = Server("right")
    new = await action(flow_of(with_server(services, server)), AccountAction.PASSWORD)
    await new.begin()
    moods: list[Mood] = []
    new.changed = lambda question: moods.append(question.card.mood) if question.card else None
    assert await answered(new, "wrong") is None
    assert moods[0] is Mood.RUNNING
    assert new.state.card is not None
    assert (new.state.card.mood, new.state.card.title) == (Mood.FAILED, "It did not work")
    assert not new.state.running
    done = await new.act(Answer.LEAVE)
    assert done is not None
    assert done.said == "'Office': the new password was not taken; the old one is kept."
    assert await services.entries.secret_of(account) == Secret("abcdefghijklmnop")


@pytest.mark.parametrize("anyway", [True, False])
async def test_a_sign_in_against_advice_is_asked_about(services: Services, anyway: bool) -> None:
    await saved(services, "Office")
    server = Server("right", pausing=True)
    new = await action(flow_of(with_server(services, server)), AccountAction.PASSWORD)
    await new.begin()
    assert await answered(new, "right") is None
    assert server.seen == []
    assert new.state.chosen is Answer.LEAVE
    done = await new.act(Answer.DO if anyway else Answer.LEAVE)
    assert done is not None
    assert done.said.endswith("works and is kept." if anyway else "was not tried; the old one is kept.")
    assert server.seen == ([("Office", "right")] if anyway else [])


async def test_given_up_it_asks_as_before_with_what_was_typed(services: Services) -> None:
    await saved(services, "Office")

    class Slow(Server):
        async def check_account(self, *arguments: Any, **named: Any) -> Report:
            started.set()
            await asyncio.Event().wait()
            raise AssertionError

    started = asyncio.Event()
    new = await action(flow_of(with_server(services, Slow())), AccountAction.PASSWORD)
    await new.begin()
    new.type(0, "something")
    before = new.state
    acting = asyncio.ensure_future(new.act(Answer.DO))
    await started.wait()
    assert new.state.running
    acting.cancel()
    await asyncio.gather(acting, return_exceptions=True)
    assert new.state == before
    with_server(services, Server("something"))
    done = await new.act(Answer.DO)
    assert done is not None
    assert done.said.endswith("works and is kept."), "Enter again tries what stands there"


async def stopped(begun: Action, server: Server, offer: Any = Answer.DO) -> None:
    """Take an answer, and give the check up once it is under way."""
    server.holds = asyncio.Event()
    acting = asyncio.ensure_future(begun.act(offer))
    await server.holds.wait()
    acting.cancel()
    await asyncio.gather(acting, return_exceptions=True)
    server.holds = None


async def test_another_password_after_one_that_was_stopped_is_tried_with_the_guard(services: Services) -> None:
    """The one that was stopped is not tried, and nothing that may lock the account is taken for agreed to."""
    await saved(services, "Office")
    server = Server("right")
    new = await action(flow_of(with_server(services, server)), AccountAction.PASSWORD)
    await new.begin()
    new.type(0, "wrong")
    await stopped(new, server)
    server.pausing = True
    assert await answered(new, "right") is None
    assert new.state.about is Topic.LOCKOUT
    assert server.seen == []
    done = await new.act(Answer.DO)
    assert done is not None
    assert server.seen == [("Office", "right")]


async def test_a_yes_that_was_stopped_is_asked_for_again(services: Services) -> None:
    await saved(services, "Office")
    server = Server("right", pausing=True)
    new = await action(flow_of(with_server(services, server)), AccountAction.PASSWORD)
    await new.begin()
    assert await answered(new, "right") is None
    await stopped(new, server)
    assert new.state.about is Topic.LOCKOUT
    done = await new.act(Answer.LEAVE)
    assert done is not None
    assert done.said.endswith("was not tried; the old one is kept.")
    assert server.seen == []


@pytest.mark.parametrize("wanted", [AccountAction.TEST, AccountAction.PASSWORD])
async def test_what_was_stopped_after_the_vault_was_opened_stands_as_before_it(
    tmp_path: Path, wanted: AccountAction
) -> None:
    """The vault's question does not stay: what is typed then would be taken for its passphrase."""
    server = Server(NEW_PASSWORD.replace(" ", ""), "abcdefghijklmnop")
    services = with_server(await in_the_vault(tmp_path, "Office"), server)
    begun = await action(flow_of(services, checks=server), wanted)
    done = await begun.begin()
    if wanted is AccountAction.PASSWORD:
        done = await answered(begun, NEW_PASSWORD)
    assert (done, begun.state.about) == (None, Topic.PASSPHRASE)
    begun.type(0, PASSPHRASE)
    await stopped(begun, server)
    assert begun.state.title != "The vault"
    assert begun.state.about is (Topic.PASSWORD if wanted is AccountAction.PASSWORD else None)
    done = await (begun.act(Answer.DO) if wanted is AccountAction.PASSWORD else begun.begin())
    assert done is not None
    assert "works" in done.said


async def test_no_password_is_in_a_state(services: Services) -> None:
    await saved(services, "Office")
    seen: list[str] = []
    new = await action(flow_of(with_server(services, Server("right"))), AccountAction.PASSWORD)
    new.changed = lambda question: seen.append(repr(question))
    await new.begin()
    await answered(new, NEW_PASSWORD)
    assert seen
    assert not [each for each in seen if NEW_PASSWORD in each or NEW_PASSWORD.replace(" ", "") in each]


# --- another place ---


async def test_move_asks_for_the_place_and_the_way(services: Services, tmp_path: Path) -> None:
    await saved(services, "Office")
    file = tmp_path / "secret"
    file.write_text("abcdefghijklmnop\n")
    file.chmod(0o600)
    move = await action(flow_of(services), AccountAction.MOVE)
    assert await move.begin() is None
    assert {each.id for each in move.state.offers} == set(StoreKind)
    assert all(each.note for each in move.state.offers), "each was tried out"
    assert move.state.chosen is StoreKind.KEYRING
    assert await move.act(StoreKind.FILE) is None
    assert await answered(move, "") is None
    assert move.state.failed
    done = await answered(move, str(file))
    assert done is not None
    assert "is kept here now" in done.said
    store = services.saved_accounts.get("Office").store
    assert store is not None
    assert store.kind is StoreKind.FILE


async def test_move_asks_for_a_password_that_is_kept_nowhere(tmp_path: Path) -> None:
    await saved(services_in(tmp_path), "Office", store=StoreKind.SESSION)
    services = services_in(tmp_path)
    move = await action(flow_of(services), AccountAction.MOVE)
    await move.begin()
    assert await move.act(StoreKind.VAULT) is None
    assert "kept nowhere" in move.state.lines[0]
    assert await move.act(Answer.DO) is None
    assert move.state.failed == "Type the password."
    assert await answered(move, "the one") is None
    assert move.state.title == "A new vault"
    done = await answered(move, PASSPHRASE, PASSPHRASE)
    assert done is not None
    assert await services.entries.secret_of(services.saved_accounts.get("Office")) == Secret("the one")


# --- testing ---


async def test_one_account_is_tested_and_its_row_follows(services: Services) -> None:
    await saved(services, "Office")
    flow = flow_of(services, checks=Server("abcdefghijklmnop"))
    test = await action(flow, AccountAction.TEST)
    names: list[str] = []
    flow.changed = lambda state: names.append(state.testing)
    done = await test.begin()
    assert done is not None
    assert done.said.startswith("'Office' works: it signed in, in 0.4 seconds.")
    assert "Office" in names
    await flow.take(done)
    assert (flow.state.said, flow.state.testing) == (done.said, "")


async def test_all_are_tested_whatever_is_wrong_with_one(tmp_path: Path) -> None:
    first = services_in(tmp_path)
    for name, store in (("A", StoreKind.KEYRING), ("B", StoreKind.KEYRING), ("C", StoreKind.SESSION)):
        await saved(first, name, store=store)
    first.saved_accounts.state.flush()
    server = Server("abcdefghijklmnop")
    server.broken["A"] = SecretError(SecretFault.LOCKED, shown("The keyring is locked."))
    flow = flow_of(services_in(tmp_path), checks=server)
    test: Any = await action(flow, AccountListAction.TEST_ALL)
    done = await test.begin()
    assert done == ActionResult(said="1 of 3 work. Nothing was sent.")
    troubles = {each.account.name: each.trouble for each in test.results}
    assert troubles["A"] == "The keyring is locked."
    assert troubles["B"] == ""
    assert "test it by itself" in troubles["C"], "nobody is asked for the passwords of all"


async def test_all_are_tested_with_the_vault_left_shut(tmp_path: Path) -> None:
    await in_the_vault(tmp_path, "B", "C")
    services = services_in(tmp_path)
    await saved(services, "A")
    server = Server("abcdefghijklmnop")
    test: Any = await action(flow_of(services, checks=server), AccountListAction.TEST_ALL)
    assert await test.begin() is None
    assert test.state.title == "The vault"
    done = await test.act(Answer.LEAVE)
    assert done == ActionResult(said="1 of 3 work. Nothing was sent.")
    assert [each.trouble for each in test.results] == ["", VAULT_CLOSED, VAULT_CLOSED], "asked for once"


@pytest.mark.parametrize("anyway", [True, False])
async def test_a_test_against_advice_is_asked_about(services: Services, anyway: bool) -> None:
    await saved(services, "Office")
    server = Server("abcdefghijklmnop", pausing=True)
    test = await action(flow_of(services, checks=server), AccountAction.TEST)
    assert await test.begin() is None
    done = await test.act(Answer.DO if anyway else Answer.LEAVE)
    assert done is not None
    assert ("works" if anyway else "not tested") in done.said
    assert len(server.seen) == anyway


async def test_a_password_that_is_kept_nowhere_is_typed(tmp_path: Path) -> None:
    await saved(services_in(tmp_path), "Office", store=StoreKind.SESSION)
    server = Server("abcdefghijklmnop")
    test = await action(flow_of(services_in(tmp_path), checks=server), AccountAction.TEST)
    assert await test.begin() is None
    assert "kept nowhere" in test.state.lines[0]
    assert await test.act(Answer.DO) is None
    assert test.state.failed == "Type the password."
    done = await answered(test, "abcd efgh ijkl mnop")
    assert done is not None
    assert server.seen == [("Office", "abcdefghijklmnop")]


# --- services that fail ---

Start = Callable[[Action], Any]


async def typed_name(begun: Action) -> ActionResult | None:
    return await answered(begun, "Shop")


async def typed_password(begun: Action) -> ActionResult | None:
    return await answered(begun, "a new one")


async def yes(begun: Action) -> ActionResult | None:
    return await begun.act(Answer.DO)


async def to_session(begun: Action) -> ActionResult | None:
    return await begun.act(StoreKind.SESSION)


FAILURES = {
    "rename": (AccountAction.RENAME, "accounts", ("rename",), typed_name),
    "scope": (AccountAction.SCOPE, "accounts", ("set_scope",), None),
    "delete": (AccountAction.DELETE, "accounts", ("remove",), yes),
    "password": (AccountAction.PASSWORD, "accounts", ("replace_secret",), typed_password),
    "move": (AccountAction.MOVE, "accounts", ("move",), to_session),
    "move-reading": (AccountAction.MOVE, "entries", ("secret_of",), to_session),
    "test": (AccountAction.TEST, "checks", ("check_account",), None),
    "test-reading": (AccountAction.TEST, "entries", ("secret_of",), None),
}


@pytest.mark.parametrize("problem", list(troubles()), ids=name_of)
@pytest.mark.parametrize("case", FAILURES)
async def test_every_failure_of_a_service_is_said_and_ends_the_action(
    services: Services, case: str, problem: Exception
) -> None:
    wanted, service, names, go = FAILURES[case]
    await saved(services, "Office")
    flow = flow_of(services, **{service: Failing(getattr(services, service), problem, *names)})
    begun = await action(flow, wanted)
    done = await begun.begin()
    if go is not None:
        assert done is None
        done = await go(begun)
    assert done is not None
    assert str(problem) in done.trouble
    assert not done.said
    await flow.take(done)
    assert flow.state.trouble == done.trouble
    assert [each.name for each in services.saved_accounts.list()] == ["Office"]


@pytest.mark.parametrize("problem", [each for each in troubles() if isinstance(each, SecretError)], ids=name_of)
@pytest.mark.parametrize("wanted", [AccountAction.EDIT, AccountAction.COPY])
async def test_the_wizard_opens_whatever_is_wrong_with_the_password(
    services: Services, wanted: AccountAction, problem: SecretError
) -> None:
    await saved(services, "Office")
    flow = flow_of(services, entries=Failing(services.entries, problem, "secret_of"))
    done = await (await action(flow, wanted)).begin()
    assert done is not None
    assert done.draft is not None
    assert done.draft.secret is None


async def test_an_account_that_has_gone_meanwhile_is_said(services: Services) -> None:
    account = await saved(services, "Office")
    flow = flow_of(services)
    rename = await action(flow, AccountAction.RENAME)
    await rename.begin()
    services.saved_accounts.remove(account.name)
    done = await answered(rename, "Shop")
    assert done is not None
    assert "no account named 'Office'" in done.trouble
    await flow.take(done)
    assert flow.state.empty


def test_a_listing_is_of_its_own(services: Services) -> None:
    """Nothing is read before it is asked to."""
    assert replace(flow_of(services).state) == flow_of(services).state
    assert not flow_of(services).state.read
