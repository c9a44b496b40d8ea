"""The step 'Save' without a face: what is asked, what stands in the way, and every way in which it can fail."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from smtp_wizard.engine.accounts.account import Account, AccountsError
from smtp_wizard.engine.accounts.saved_accounts import Displaces, NameTaken, SavedAccounts
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.identity import Scope
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.base.stages import Depth, Verdict
from smtp_wizard.engine.secrets.keyring import Backend
from smtp_wizard.engine.secrets.secret_store import SecretError, SecretFault
from smtp_wizard.engine.secrets.store_kinds import StoreKind
from smtp_wizard.engine.secrets.stores import SecretStores
from smtp_wizard.engine.secrets.vault import VaultStore
from smtp_wizard.engine.secrets.vault_format import Cost
from smtp_wizard.engine.state.results import NOT_PROVED
from smtp_wizard.engine.wizard.account_draft import account_of
from smtp_wizard.engine.wizard.draft import Draft, ReportedArrival
from smtp_wizard.engine.wizard.sending_application import load_sending_application
from smtp_wizard.engine.wizard.steps import Back, Next
from smtp_wizard.flows.flow import Mood
from smtp_wizard.flows.last_steps.save import SaveField, SaveFlow, SaveOffer, SavePhase, SaveState, best_place
from smtp_wizard.flows.question import Answer
from smtp_wizard.text.save import ANOTHER_NAME, PLACE_LINES
from tests.flows.last_steps.test_test_mail import FAULTS
from tests.support.places import NOW, draft_at_review
from tests.support.stores import always, desktop
from tests.support.walk import catalog, make_services

PASSPHRASE = "plum corner violet stove"


def no_keyring() -> Backend:
    raise SecretError(SecretFault.ABSENT, phrase("There is no keyring here."))


class Accounts:
    """Saves as it is told, and remembers what it was given."""

    def __init__(self, *outcomes: Exception) -> None:
        self.outcomes = list(outcomes)
        self.asked: list[tuple[Draft, bool, bool]] = []
        self.looked: list[tuple[bool, bool]] = []
        """What was agreed to each time when it was only looked whether another account is in the way."""

    async def save(self, draft: Draft, *, replacing: bool = False, displacing: bool = False) -> Account:
        self.asked.append((draft, replacing, displacing))
        if self.outcomes:
            raise self.outcomes.pop(0)
        return account_of(draft, NOW)

    async def refuse_collisions(self, draft: Draft, *, replacing: bool = False, displacing: bool = False) -> None:
        self.looked.append((replacing, displacing))
        if self.outcomes:
            raise self.outcomes.pop(0)


def to_be_saved() -> Draft:
    return replace(draft_at_review(), store=None)


def stores_in(folder: Path, *, keyring: bool = True) -> SecretStores:
    vault = VaultStore(folder, cost=Cost(n=2**10))
    return SecretStores({}, folder, vault=vault, backend_factory=always(desktop()) if keyring else no_keyring)


def flow_of(
    folder: Path,
    accounts: Accounts,
    draft: Draft | None = None,
    *,
    keyring: bool = True,
    **others: Any,
) -> SaveFlow:
    return SaveFlow(
        draft or to_be_saved(),
        accounts=accounts,
        stores=stores_in(folder, keyring=keyring),
        saved_accounts=SavedAccounts(folder),
        catalog=catalog(),
        screen=load_sending_application(),
        now=lambda: NOW,
        **others,
    )


def now_asked(flow: SaveFlow) -> SaveState:
    """Return what is asked now; asked anew each time, since the state is another one after each answer."""
    return flow.state


def ids(flow: SaveFlow) -> list[str]:
    return [str(each.id) for each in flow.state.offers]


async def test_it_asks_for_name_use_company_and_sender_and_enter_saves(tmp_path: Path) -> None:
    accounts = Accounts()
    flow = flow_of(tmp_path, accounts)
    await flow.begin()
    state = flow.state
    assert state.name.text == "Gmail ana"
    assert [each.words for each in state.scopes] == ["General Emails Only", "For All Emails"]
    assert "Gmail stops at 500 a day" in state.scopes[1].note
    assert state.companies[1].words == "Yes: customers then see and answer ana@gmail.com"
    assert (state.place, state.place_line) == (StoreKind.KEYRING, PLACE_LINES[StoreKind.KEYRING])
    assert ids(flow) == ["save", "place"]
    leads = await flow.act(SaveOffer.SAVE)
    assert isinstance(leads, Next)
    assert leads.draft.saved == "Gmail ana"
    assert accounts.asked[0][0].store is StoreKind.KEYRING


async def test_what_is_typed_and_chosen_is_what_is_saved(tmp_path: Path) -> None:
    accounts = Accounts()
    flow = flow_of(tmp_path, accounts)
    flow.type(SaveField.NAME, " Office  two ")
    flow.type(SaveField.SENDER_NAME, "Ana's Cleaning")
    flow.choose_scope(Scope.ALL)
    flow.choose_company(True)
    await flow.act(SaveOffer.SAVE)
    (draft, replacing, displacing) = accounts.asked[0]
    assert (draft.name, draft.identity.sender_name, draft.scope) == ("Office two", "Ana's Cleaning", Scope.ALL)
    assert draft.identity.update_company
    assert not replacing
    assert not displacing


@pytest.mark.parametrize("name", ["", "a/b", "x" * 61])
async def test_a_name_that_cannot_be_used_is_said_at_its_field_and_kept(tmp_path: Path, name: str) -> None:
    accounts = Accounts()
    flow = flow_of(tmp_path, accounts)
    flow.type(SaveField.NAME, name)
    assert await flow.act(SaveOffer.SAVE) is None
    assert flow.state.name.error
    assert accounts.asked == []
    leads = await flow.act(SaveOffer.BACK)
    assert isinstance(leads, Back)
    assert flow_of(tmp_path, accounts, leads.draft).state.name.text == name
    flow.type(SaveField.NAME, "Office")
    assert flow.state.name.error == ""


async def test_a_senders_name_that_would_break_a_header_is_said_at_its_field(tmp_path: Path) -> None:
    flow = flow_of(tmp_path, Accounts())
    flow.type(SaveField.SENDER_NAME, "Ana\x00")
    assert await flow.act(SaveOffer.SAVE) is None
    assert flow.state.sender_name.error


# --- where the password is kept ---


async def test_without_a_keyring_the_vault_is_the_best_place(tmp_path: Path) -> None:
    flow = flow_of(tmp_path, Accounts(), keyring=False)
    await flow.begin()
    assert flow.state.place is StoreKind.VAULT
    assert "passphrase" in flow.state.place_line, "what it means for timed jobs is said with it"


def test_where_it_is_kept_is_said_in_one_line_of_the_smallest_column() -> None:
    assert {kind: words for kind, words in PLACE_LINES.items() if len(f"Password  {words}") > 76} == {}
    assert set(PLACE_LINES) == set(StoreKind)


async def test_where_nothing_works_the_password_is_asked_for_each_time(tmp_path: Path) -> None:
    stores = stores_in(tmp_path, keyring=False)
    found = {kind: await stores.get(kind).probe() for kind in stores.offered()}
    found[StoreKind.VAULT] = replace(found[StoreKind.VAULT], ok=False)
    assert best_place(found) is StoreKind.SESSION


async def test_a_place_that_was_chosen_before_stays_as_long_as_it_works(tmp_path: Path) -> None:
    chosen = replace(to_be_saved(), store=StoreKind.SESSION)
    flow = flow_of(tmp_path, Accounts(), chosen)
    await flow.begin()
    assert flow.state.place is StoreKind.SESSION
    flow = flow_of(tmp_path, Accounts(), replace(chosen, store=StoreKind.KEYRING), keyring=False)
    await flow.begin()
    assert flow.state.place is StoreKind.VAULT


async def test_places_that_do_not_work_stand_last_and_say_why(tmp_path: Path) -> None:
    flow = flow_of(tmp_path, Accounts(), keyring=False)
    await flow.act(SaveOffer.PLACE)
    assert now_asked(flow).phase is SavePhase.PLACES
    assert ids(flow)[-1] == "keyring"
    assert "no keyring" in flow.state.offers[-1].off
    await flow.act(StoreKind.KEYRING)
    assert flow.state.phase is SavePhase.PLACES, "what does not work here cannot be chosen"
    await flow.act(StoreKind.SESSION)
    assert (now_asked(flow).phase, flow.state.place) == (SavePhase.ASKING, StoreKind.SESSION)


async def test_the_way_to_a_password_that_is_kept_elsewhere_is_asked_for(tmp_path: Path) -> None:
    accounts = Accounts()
    flow = flow_of(tmp_path, accounts)
    await flow.act(SaveOffer.PLACE)
    await flow.act(StoreKind.ENV)
    assert flow.state.way is not None
    assert (now_asked(flow).phase, flow.state.way.text) == (SavePhase.WAY, "SMTP_WIZARD_PASSWORD_GMAIL_ANA")
    await flow.act(SaveOffer.BACK)
    assert now_asked(flow).phase is SavePhase.PLACES
    await flow.act(StoreKind.ENV)
    flow.type(SaveField.WAY, "no name")
    await flow.act(SaveOffer.KEEP_THERE)
    entry = now_asked(flow).way
    assert entry is not None
    assert "letters, digits and _ only" in entry.error
    assert "letters, digits and _ only" in flow.state.way.error or now_asked(flow).way is not None
    assert now_asked(flow).phase is SavePhase.WAY
    flow.type(SaveField.WAY, "MAIL_PASSWORD")
    await flow.act(SaveOffer.KEEP_THERE)
    assert now_asked(flow).phase is SavePhase.ASKING
    await flow.act(SaveOffer.SAVE)
    assert accounts.asked[0][0].env_name == "MAIL_PASSWORD"


async def test_a_way_that_cannot_be_used_saves_nothing(tmp_path: Path) -> None:
    accounts = Accounts()
    flow = flow_of(tmp_path, accounts)
    await flow.act(SaveOffer.PLACE)
    await flow.act(StoreKind.COMMAND)
    flow.type(SaveField.WAY, "cat x | head")
    await flow.act(SaveOffer.SAVE)
    assert (accounts.asked, now_asked(flow).phase) == ([], SavePhase.WAY)
    assert flow.state.way is not None
    assert "shell" in flow.state.way.error


@pytest.mark.parametrize("fault", SecretFault)
async def test_a_place_that_takes_no_password_leads_to_the_others(tmp_path: Path, fault: SecretFault) -> None:
    flow = flow_of(tmp_path, Accounts(SecretError(fault, phrase("It is locked."))))
    assert await flow.act(SaveOffer.SAVE) is None
    assert now_asked(flow).phase is SavePhase.PLACES
    assert flow.state.card is not None
    assert (flow.state.card.mood, flow.state.card.lines[0]) == (Mood.FAILED, "It is locked.")
    await flow.act(StoreKind.SESSION)
    assert isinstance(await flow.act(SaveOffer.SAVE), Next)


@pytest.mark.parametrize("answer", [Answer.DO, Answer.LEAVE])
async def test_a_vault_is_made_in_the_midst_of_saving(tmp_path: Path, answer: Answer) -> None:
    accounts = Accounts()
    flow = flow_of(tmp_path, accounts, keyring=False)
    assert await flow.act(SaveOffer.SAVE) is None
    asking = flow.vault
    assert asking is not None
    asking.type(0, PASSPHRASE)
    asking.type(1, PASSPHRASE)
    result = await asking.act(answer)
    assert result is not None
    leads = await flow.opened(result)
    assert flow.vault is None
    assert isinstance(leads, Next) is (answer is Answer.DO)
    assert len(accounts.asked) == (answer is Answer.DO)
    if answer is Answer.LEAVE:
        assert now_asked(flow).phase is SavePhase.PLACES


async def test_a_server_that_wants_no_sign_in_has_no_password_to_keep(tmp_path: Path) -> None:
    draft = to_be_saved()
    draft = replace(draft, connection=replace(draft.connection, auth=Auth.NONE))
    flow = flow_of(tmp_path, Accounts(), draft)
    await flow.begin()
    assert (flow.state.place, ids(flow)) == (None, ["save"])


# --- what stands in the way ---


@pytest.mark.parametrize("answer", [SaveOffer.RENAME, SaveOffer.REPLACE, SaveOffer.BACK])
async def test_a_name_that_is_taken_is_asked_about(tmp_path: Path, answer: SaveOffer) -> None:
    accounts = Accounts(NameTaken("Gmail ana"))
    flow = flow_of(tmp_path, accounts)
    assert await flow.act(SaveOffer.SAVE) is None
    assert (now_asked(flow).phase, ids(flow)) == (SavePhase.TAKEN, ["rename", "replace"])
    leads = await flow.act(answer)
    if answer is SaveOffer.REPLACE:
        assert isinstance(leads, Next)
        assert accounts.asked[1][1]
        return
    assert now_asked(flow).phase is SavePhase.ASKING
    assert flow.state.name.error == (ANOTHER_NAME if answer is SaveOffer.RENAME else "")


async def test_a_yes_to_one_name_is_none_to_the_next(tmp_path: Path) -> None:
    accounts = Accounts(NameTaken("Gmail ana"), AccountsError(phrase("The disk is full.")))
    flow = flow_of(tmp_path, accounts)
    await flow.act(SaveOffer.SAVE)
    await flow.act(SaveOffer.REPLACE)
    flow.type(SaveField.NAME, "Office")
    await flow.act(SaveOffer.SAVE)
    assert [replacing for _, replacing, _ in accounts.asked] == [False, True, False]


@pytest.mark.parametrize("answer", [SaveOffer.GENERAL, SaveOffer.DISPLACE])
async def test_a_second_account_for_all_mail_is_asked_about(tmp_path: Path, answer: SaveOffer) -> None:
    other = account_of(replace(to_be_saved(), name="Office", scope=Scope.ALL), NOW)
    accounts = Accounts(Displaces(other))
    flow = flow_of(tmp_path, accounts)
    flow.choose_scope(Scope.ALL)
    await flow.act(SaveOffer.SAVE)
    assert (now_asked(flow).phase, ids(flow)) == (SavePhase.DISPLACES, ["general", "displace"])
    assert "'Office'" in flow.state.question
    leads = await flow.act(answer)
    if answer is SaveOffer.DISPLACE:
        assert isinstance(leads, Next)
        assert accounts.asked[1][2]
    else:
        assert (leads, now_asked(flow).scope) == (None, Scope.GENERAL)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{type(fault).__name__}-{fault}")
async def test_whatever_is_at_fault_is_said_and_nothing_is_lost(tmp_path: Path, fault: Exception) -> None:
    flow = flow_of(tmp_path, Accounts(fault))
    flow.type(SaveField.NAME, "Office")
    assert await flow.act(SaveOffer.SAVE) is None
    state = now_asked(flow)
    assert state.card is not None
    assert (state.card.mood, state.card.lines[0], state.running) == (Mood.FAILED, str(fault), "")
    assert state.name.text == "Office"


async def test_a_save_that_is_cut_off_leaves_the_fields(tmp_path: Path) -> None:
    class Slow(Accounts):
        async def save(self, draft: Draft, *, replacing: bool = False, displacing: bool = False) -> Account:
            reached.set()
            await asyncio.Event().wait()
            raise AssertionError("it is cut off")

    reached = asyncio.Event()
    flow = flow_of(tmp_path, Slow())
    task = asyncio.ensure_future(flow.act(SaveOffer.SAVE))
    await reached.wait()
    assert flow.state.running
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert now_asked(flow).running == ""


async def test_what_is_typed_or_chosen_while_it_is_saved_changes_nothing(tmp_path: Path) -> None:
    """Else the last step would tell of an account that nobody has saved."""

    class Slow(Accounts):
        async def save(self, draft: Draft, *, replacing: bool = False, displacing: bool = False) -> Account:
            reached.set()
            await go_on.wait()
            return await super().save(draft, replacing=replacing, displacing=displacing)

    reached, go_on, accounts = asyncio.Event(), asyncio.Event(), Slow()
    flow = flow_of(tmp_path, accounts)
    flow.choose_scope(Scope.GENERAL)
    task = asyncio.ensure_future(flow.act(SaveOffer.SAVE))
    await reached.wait()
    before = flow.state
    flow.type(SaveField.NAME, "Another name")
    flow.choose_scope(Scope.ALL)
    flow.choose_company(not before.company)
    assert flow.state is before
    go_on.set()
    leads = await task
    assert isinstance(leads, Next)
    ((saved, _, _),) = accounts.asked
    assert (leads.draft.name, leads.draft.scope, leads.draft.identity) == (saved.name, Scope.GENERAL, saved.identity)


# --- asked before it is tried ---


async def test_what_is_in_the_way_can_be_asked_beforehand_and_is_not_asked_again(tmp_path: Path) -> None:
    """Whoever tries the account first must not hear after the sign-in that its name is taken."""
    accounts = Accounts(NameTaken("Office"), Displaces(account_of(replace(to_be_saved(), name="Shop"), NOW)))
    flow = flow_of(tmp_path, accounts)
    assert await flow.act(SaveOffer.AGREE) is None
    assert (flow.state.phase, type(flow.problem)) == (SavePhase.TAKEN, NameTaken)
    assert await flow.act(SaveOffer.REPLACE) is None
    assert (flow.state.phase, type(flow.problem)) == (SavePhase.DISPLACES, Displaces)
    assert await flow.act(SaveOffer.DISPLACE) is None
    assert (flow.state.phase, flow.problem, accounts.asked) == (SavePhase.ASKING, None, [])
    assert accounts.looked == [(False, False), (True, False), (True, True)]
    proved = replace(flow.draft, test_word="plum")
    flow.go_on_with(proved)
    leads = await flow.act(SaveOffer.SAVE)
    assert isinstance(leads, Next)
    assert accounts.asked == [(proved, True, True)]


async def test_beforehand_the_vault_is_opened_too_and_nothing_is_saved(tmp_path: Path) -> None:
    accounts = Accounts()
    flow = flow_of(tmp_path, accounts, keyring=False)
    assert await flow.act(SaveOffer.AGREE) is None
    assert flow.vault is not None
    flow.vault.type(0, PASSPHRASE)
    flow.vault.type(1, PASSPHRASE)
    result = await flow.vault.act(Answer.DO)
    assert result is not None
    assert await flow.opened(result) is None
    assert (now_asked(flow).phase, accounts.asked) == (SavePhase.ASKING, [])
    assert isinstance(await flow.act(SaveOffer.SAVE), Next)


async def test_a_place_that_was_named_is_taken_or_refused_and_never_replaced(tmp_path: Path) -> None:
    refusal = SecretError(SecretFault.ABSENT, phrase("There is no keyring here."))
    flow = flow_of(
        tmp_path, Accounts(refusal), replace(to_be_saved(), store=StoreKind.KEYRING), keyring=False, place_named=True
    )
    assert await flow.act(SaveOffer.SAVE) is None
    assert (flow.draft.store, flow.problem) == (StoreKind.KEYRING, refusal)


async def test_a_variable_that_nobody_named_is_called_after_the_account(tmp_path: Path) -> None:
    accounts = Accounts()
    draft = replace(to_be_saved(), name="Office ana", store=StoreKind.ENV)
    leads = await flow_of(tmp_path, accounts, draft, place_named=True).act(SaveOffer.SAVE)
    assert isinstance(leads, Next)
    assert leads.draft.env_name == "SMTP_WIZARD_PASSWORD_OFFICE_ANA"


# --- to the end ---


async def test_who_comes_back_from_the_end_changes_the_account_that_was_saved(tmp_path: Path) -> None:
    accounts = Accounts()
    first = await flow_of(tmp_path, accounts).act(SaveOffer.SAVE)
    assert isinstance(first, Next)
    flow = flow_of(tmp_path, accounts, first.draft)
    flow.type(SaveField.NAME, "Office")
    await flow.act(SaveOffer.SAVE)
    assert accounts.asked[1][0].editing == "Gmail ana"


PROVED: Sequence[tuple[ReportedArrival, Verdict, str]] = (
    (ReportedArrival.ARRIVED, Verdict.PASS, ""),
    (ReportedArrival.JUNK, Verdict.PASS, ""),
    (ReportedArrival.NOT_YET, Verdict.WARN, NOT_PROVED),
)


@pytest.mark.parametrize(("arrival", "verdict", "code"), PROVED)
async def test_the_account_says_what_was_not_proved(
    tmp_path: Path, arrival: ReportedArrival, verdict: Verdict, code: str
) -> None:
    """Through the services themselves: the last result is what the list of accounts shows."""
    services = make_services(tmp_path)
    flow = SaveFlow(
        replace(to_be_saved(), arrival=arrival),
        accounts=services.accounts,
        stores=services.stores,
        saved_accounts=services.saved_accounts,
        catalog=services.catalog,
        screen=load_sending_application(),
        now=lambda: NOW,
    )
    assert isinstance(await flow.act(SaveOffer.SAVE), Next)
    (account,) = services.saved_accounts.list()
    assert account.last is not None
    assert (account.last.depth, account.last.verdict, account.last.code) == (Depth.SEND, verdict, code)
    assert await services.entries.secret_of(account) == Secret("abcdefghijklmnop")
