"""Where accounts, or the places for passwords, cannot be used, the wizard in lines of text says so and asks on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import filelock
import keyring.errors
import pytest

from smtp_wizard.engine.accounts import saved_accounts
from smtp_wizard.engine.base import private_files
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.data_files import DataError
from smtp_wizard.engine.base.identity import Scope
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.guides.guides import Guide, Guides
from smtp_wizard.engine.secrets import vault
from smtp_wizard.engine.secrets.store_kinds import StoreKind
from smtp_wizard.engine.services.services import Services
from smtp_wizard.engine.wizard import draft_file
from smtp_wizard.engine.wizard.account_draft import draft_of
from smtp_wizard.engine.wizard.steps import Back
from smtp_wizard.plain.connect import connect
from smtp_wizard.plain.conversation import Conversation
from smtp_wizard.plain.step_questions import StepContext, StepOutcome
from smtp_wizard.plain.test_mail import test_mail as send_test
from smtp_wizard.plain.wizard import PlainWizard
from smtp_wizard.text.stores import VAULT_CLOSED
from tests.engine.services.test_bearers import Office
from tests.screens.test_life import PRACTICE
from tests.screens.test_steps import TO_BE_SAVED
from tests.support.dialogue import Dialogue, Exchange
from tests.support.oauthserver import AuthorizationServer
from tests.support.stores import desktop
from tests.support.walk import make_services

PASSPHRASE, ANOTHER = Secret("four words of no sense"), Secret("other words of no sense")
LOCKED = "The keyring of this computer is locked"


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path, backend=desktop(), lock_limit=0.05)


class Meanwhile(Dialogue):
    """A conversation in which something happens while a question stands there."""

    def __init__(self, happening: Callable[[], object], at: str, *script: Exchange) -> None:
        """`happening`: done once, at the first question in which the words `at` stand."""
        super().__init__(*script)
        self._happening = happening
        self._at = at

    def read(self, prompt: str) -> str:
        if self._at and self._at in self._since + prompt:
            self._at = ""
            self._happening()
        return super().read(prompt)


def damage(services: Services) -> None:
    (services.folder / saved_accounts.FILE_NAME).write_text("{", "utf-8")


def at_home(services: Services, dialogue: Dialogue) -> str:
    """Answer the questions from the accounts on; return what was said."""
    assert PlainWizard(services, Guides(), dialogue).run(start="home") == 0
    dialogue.over()
    return dialogue.words


# --- the accounts ---


@pytest.mark.parametrize("others", [0, 1])
def test_an_account_that_cannot_be_understood_is_named_beside_the_others(services: Services, others: int) -> None:
    file = services.folder / saved_accounts.FILE_NAME
    for name in ("Office", "Shop")[: others + 1]:
        asyncio.run(services.accounts.save(replace(PRACTICE, name=name)))
    document = json.loads(file.read_text("utf-8"))
    document["accounts"][0]["auth"] = "magic"
    file.write_text(json.dumps(document), "utf-8")
    words = at_home(services, Dialogue(("What next?", "leave")))
    assert "The account 'Office' in " in words
    assert "'accounts[0].auth' must be one of: password, xoauth2, none" in " ".join(words.split())
    assert ("Shop" in words) == bool(others)
    assert "No account is saved yet" not in words


@pytest.mark.parametrize(
    "answers",
    [
        [("What about", "copy")],
        [("What about", "scope")],
        [("What about", "rename"), ("Its new name", "Shop")],
        [("What about", "delete"), ("Delete", "yes")],
    ],
    ids=["copy", "scope", "rename", "delete"],
)
def test_what_is_wanted_of_an_account_whose_file_went_bad_ends_in_a_sentence(
    services: Services, answers: list[Exchange]
) -> None:
    asyncio.run(services.accounts.save(PRACTICE))
    dialogue = Meanwhile(
        lambda: damage(services), "What about", ("What next?", "change"), *answers, ("What next?", "leave")
    )
    assert "accounts.json" in at_home(services, dialogue)


def test_a_yes_that_comes_while_another_process_writes_ends_in_a_sentence(services: Services) -> None:
    asyncio.run(services.accounts.save(replace(PRACTICE, name="A", scope=Scope.ALL)))
    asyncio.run(services.accounts.save(replace(PRACTICE, name="B")))
    lock = filelock.FileLock(private_files.lock_of(services.folder / saved_accounts.FILE_NAME))
    answers = [("What next?", "change"), ("Which one?", "2"), ("What about", "scope")]
    dialogue = Meanwhile(
        lock.acquire, "there can be only one", *answers, ("there can be only one", "yes"), ("What next?", "leave")
    )
    with lock:
        lock.release()
        assert "Another smtp-wizard" in at_home(services, dialogue)


def test_an_account_can_be_deleted_although_its_vault_is_damaged(services: Services) -> None:
    """As on the screen: what remains in the vault is said."""
    asyncio.run(services.stores.vault.create(PASSPHRASE))
    asyncio.run(services.accounts.save(replace(PRACTICE, store=StoreKind.VAULT)))
    (services.folder / vault.FILE_NAME).write_text("{", "utf-8")
    script = [("What next?", "change"), ("What about", "delete"), ("Delete", "yes"), ("What next?", "leave")]
    words = at_home(services, Dialogue(*script))
    assert "is damaged" in words
    assert "its password may still be in the store" in words
    assert services.saved_accounts.list() == ()


def test_the_last_step_asks_although_no_free_name_can_be_looked_for(services: Services) -> None:
    """Saving says what is wrong."""
    damage(services)
    script = [
        ("Name of the account", ""),
        ("What should ServiceMonster send", ""),
        ("Update Company Email:", ""),
        ("Sender's name", ""),
        ("Save it like this?", "save"),
        ("It was not saved", "quit"),
        ("Leave now?", "yes"),
    ]
    dialogue = Dialogue(*script)
    assert PlainWizard(services, Guides(), dialogue).run(start="setup", draft=TO_BE_SAVED) == 0
    dialogue.over()
    assert "accounts.json" in dialogue.words


# --- a sign-in in the browser that belongs to a saved account ---


def locked_keyring(service: str, username: str) -> str:
    raise keyring.errors.KeyringLocked("locked")


SENT_TO = "Another address that you read [bob@elsewhere.example]"
STEPS = {"connect": (connect, []), "testmail": (send_test, [(SENT_TO, "")])}
BACK: dict[str, list[Exchange]] = {"connect": [], "testmail": [(SENT_TO, "back")]}
"""What is answered after 'back' where the step has an earlier question."""


async def changed(services: Services, at: str, *script: Exchange, secret: Secret | None = None) -> str:
    """Go through a step that signs in with a saved account's answers; return what was said. `secret`: read before."""
    ask, begins = STEPS[at]
    account = services.saved_accounts.get("Ana")
    draft = draft_of(account, secret or await services.entries.secret_of(account), services.catalog)
    draft = replace(draft, test_to=Address("bob", "elsewhere.example"))
    dialogue = Dialogue(*begins, *script)

    def answer() -> StepOutcome:
        return ask(Conversation(dialogue), StepContext(services, Guides(), lambda _: None), draft)

    assert isinstance(await asyncio.to_thread(answer), Back)
    dialogue.over()
    return dialogue.words


@pytest.mark.parametrize("at", STEPS)
async def test_a_keyring_that_was_locked_meanwhile_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    async with AuthorizationServer() as server:
        office = Office(tmp_path, server, monkeypatch)
        await office.services.accounts.save(await office.new_draft())
        services = office.other_services()
        secret = await services.entries.secret_of(services.saved_accounts.get("Ana"))
        monkeypatch.setattr(office.backend, "get_password", locked_keyring)
        await changed(services, at, (LOCKED, "again"), (LOCKED, "back"), *BACK[at], secret=secret)
        assert office.tokens == []


@pytest.mark.parametrize("at", STEPS)
async def test_a_vault_whose_passphrase_was_changed_is_asked_for_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    async with AuthorizationServer() as server:
        office = Office(tmp_path, server, monkeypatch)
        other, services = office.other_services(), office.other_services()
        await other.stores.vault.create(PASSPHRASE)
        await other.accounts.save(replace(await office.new_draft(), store=StoreKind.VAULT))
        await services.stores.vault.open(PASSPHRASE)
        secret = await services.entries.secret_of(services.saved_accounts.get("Ana"))
        await other.stores.vault.change_passphrase(ANOTHER)
        await changed(
            services,
            at,
            ("Passphrase, not shown", "back"),
            (VAULT_CLOSED, "again"),
            ("Passphrase, not shown", "wrong words of no sense"),
            ("not the passphrase", "back"),
            (VAULT_CLOSED, "back"),
            *BACK[at],
            secret=secret,
        )
        assert office.tokens == []


def test_testing_an_account_says_that_the_keyring_is_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = desktop()
    services = make_services(tmp_path, backend=backend)
    asyncio.run(services.accounts.save(PRACTICE))
    monkeypatch.setattr(backend, "get_password", locked_keyring)
    assert LOCKED in at_home(services, Dialogue(("What next?", "test"), (LOCKED, "leave")))


# --- steps that cannot be asked, and the way back ---


def test_back_from_where_a_change_of_an_account_begins_leads_to_the_accounts(services: Services) -> None:
    """As on the screens: nothing was changed, so there is nothing to go on with."""
    asyncio.run(services.accounts.save(replace(PRACTICE, name="Office")))
    words = at_home(
        services,
        Dialogue(
            ("What next?", "change"), ("What about", "edit"), ("Outgoing server", "back"), ("What next?", "leave")
        ),
    )
    assert words.count("Your accounts") == 2
    assert not (services.folder / draft_file.FILE_NAME).exists()


def test_a_step_whose_data_cannot_be_read_leads_back_with_a_sentence(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged() -> object:
        raise DataError(phrase("sending_application.yaml is damaged."))

    monkeypatch.setattr("smtp_wizard.plain.save.load_sending_application", damaged)
    dialogue = Dialogue(("What next?", "leave"))
    assert PlainWizard(services, Guides(), dialogue).run(start="setup", draft=TO_BE_SAVED) == 0
    dialogue.over()
    assert "sending_application.yaml is damaged." in dialogue.words


def test_an_area_whose_data_cannot_be_read_leads_back_with_a_sentence(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(*_: object) -> object:
        raise DataError(phrase("providers.yaml is damaged."))

    monkeypatch.setattr("smtp_wizard.plain.home.limits", damaged)
    words = at_home(services, Dialogue(("What next?", "limits"), ("What next?", "leave")))
    assert "providers.yaml is damaged." in words


def test_a_guide_that_cannot_be_read_is_said_and_the_step_goes_on(services: Services) -> None:
    class Damaged(Guides):
        def get(self, guide_id: str) -> Guide:
            raise DataError(phrase("That guide is damaged."))

    asyncio.run(services.accounts.save(replace(TO_BE_SAVED, name="Office")))
    dialogue = Dialogue(("What next?", "guide"), ("What next?", "1"), ("Your accounts", "leave"))
    done = replace(TO_BE_SAVED, name="Office", saved="Office")
    assert PlainWizard(services, Damaged(), dialogue).run(start="setup", draft=done) == 0
    dialogue.over()
    assert "That guide is damaged." in dialogue.words
