"""The steps Save and Done in lines of text: names that are taken, places for the password, the settings to type."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from smtp_wizard.engine.accounts.saved_accounts import AccountFileError
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.guides.guides import Guides
from smtp_wizard.engine.secrets.store_kinds import StoreKind
from smtp_wizard.engine.services.services import Services
from smtp_wizard.launch import build_services
from smtp_wizard.plain.wizard import PlainWizard
from tests.plain.exchanges import (
    COMPANY,
    FINISH,
    LEAVE,
    NAME,
    PASSWORD,
    PLACE,
    REVIEW,
    SAVE,
    SCOPE,
    SENDER,
    STORE,
    TO_DONE,
    TO_REVIEW,
    Walk,
    saved_once,
)
from tests.support.dialogue import Dialogue

# --- save ---


def test_a_name_that_is_taken_is_asked_about(walk: Walk, services: Services) -> None:
    """Another name first; then the same one, and it is replaced after a yes."""
    saved_once(walk)
    taken = ("Name of the account", "practice YOU")
    walk(
        *TO_REVIEW,
        taken,
        *REVIEW[1:],
        ("already an account named", "rename"),
        ("Name of the account", "Two"),
        FINISH,
        LEAVE,
    )
    assert [account.name for account in services.saved_accounts.list()] == ["Practice you", "Two"]
    walk(*TO_REVIEW, taken, *REVIEW[1:], ("already an account named", "replace"), FINISH, LEAVE)
    assert [account.name for account in services.saved_accounts.list()] == ["practice YOU", "Two"]


@pytest.mark.parametrize(("answer", "first", "second"), [("displace", "general", "all"), ("", "all", "general")])
def test_a_second_account_for_all_mail_is_asked_about(
    walk: Walk, services: Services, answer: str, first: str, second: str
) -> None:
    saved_once(walk, "all")
    asked = ("is the account for all mail.", answer)
    changed = (("Name of the account", "Two"), (SCOPE[0], "all"), COMPANY, SENDER, *STORE, SAVE)
    general = () if answer == "displace" else (("Save it like this?", "save"),)
    walk(*TO_REVIEW, *changed, asked, *general, FINISH, LEAVE)
    assert [account.scope for account in services.saved_accounts.list()] == [first, second]


def test_a_keyring_that_is_not_there_costs_one_answer(walk: Walk, services: Services) -> None:
    """It says why it cannot be taken; whoever takes it all the same reads that, and takes another place."""
    said = walk(
        *(*TO_REVIEW, NAME, SCOPE, COMPANY, SENDER),
        PLACE,
        ("There is no keyring here", "keyring"),
        ("There is no keyring here", "session"),
        *(SAVE, FINISH, LEAVE),
    )
    assert said.words.count("There is no keyring here") >= 2
    assert len(services.saved_accounts.list()) == 1


def test_an_environment_variable_that_is_not_set_costs_one_answer(walk: Walk, services: Services) -> None:
    said = walk(
        *(*TO_REVIEW, NAME, SCOPE, COMPANY, SENDER, PLACE, (STORE[1][0], "env")),
        ("Variable [SMTP_WIZARD_PASSWORD_PRACTICE_YOU]:", "no name"),
        ("letters, digits and _ only", "MAIL_PASSWORD"),
        SAVE,
        ("MAIL_PASSWORD is not set", "env"),
        ("Variable [MAIL_PASSWORD]", "back"),
        *(STORE[1], SAVE, FINISH, LEAVE),
    )
    assert PASSWORD not in said.said
    assert len(services.saved_accounts.list()) == 1


def test_a_vault_is_made_and_opened_by_a_passphrase(
    walk: Walk, services: Services, guides: Guides, own_home: Path
) -> None:
    """Typed twice where it is made; once in the next process, before the password is needed."""
    said = walk(
        *(*TO_REVIEW, NAME, SCOPE, COMPANY, SENDER, PLACE, (STORE[1][0], "vault")),
        ("Password: in the vault, a locked file.", ""),
        ("without it the passwords in the vault are lost", "short"),
        ("at least 8 characters", "four words of no sense"),
        ("The same once more", "another one"),
        ("were not the same", "four words of no sense"),
        ("The same once more", "four words of no sense"),
        *(FINISH, LEAVE),
    )
    assert PASSWORD not in said.said
    again = Dialogue(
        ("Your accounts", "test"),
        ("Passphrase, not shown", "a wrong one"),
        ("not the passphrase of the vault", "back"),
        ("Your accounts", "test"),
        ("Passphrase, not shown", "four words of no sense"),
        ("Nothing was sent.", "change"),
        ("What about", "move"),
        ("Keep its password in:", "file"),
        ("File:", str(own_home / "secret")),
        ("another password in it", "change"),
        ("What about", "move"),
        ("Keep its password in:", "session"),
        ("is kept here now: Nowhere", "leave"),
    )
    (own_home / "secret").write_text("another one\n")
    (own_home / "secret").chmod(0o600)
    PlainWizard(build_services(own_home / "config", {}), guides, again).run(start="home")
    again.over()
    (account,) = services.saved_accounts.list()
    assert account.store is not None
    assert account.store.kind is StoreKind.SESSION
    assert len(again.hidden) == 3


def test_an_account_in_the_vault_is_deleted_without_the_passphrase(
    walk: Walk, services: Services, guides: Guides
) -> None:
    walk(
        *(*TO_REVIEW, NAME, SCOPE, COMPANY, SENDER, PLACE, (STORE[1][0], "vault"), ("Password: in the vault", "")),
        *(("New passphrase", "four words of no sense"), ("The same once more", "four words of no sense")),
        *(FINISH, LEAVE),
    )
    again = Dialogue(
        *(("Your accounts", "change"), ("What about", "delete"), ("Its password goes too", "yes")),
        *(("Passphrase, not shown", "back"), ("its password may still be in the store", "leave")),
    )
    PlainWizard(build_services(services.folder, {}), guides, again).run(start="home")
    again.over()
    assert services.saved_accounts.list() == ()


def test_a_command_for_the_password_is_asked_until_it_works(walk: Walk, services: Services) -> None:
    said = walk(
        *(*TO_REVIEW, NAME, SCOPE, COMPANY, SENDER, PLACE, (STORE[1][0], "command")),
        ("Command:", "help"),
        ("pass show mail/office", "cat x | head"),
        ("No shell runs the command", "no-such-password-manager"),
        SAVE,
        ("could not be run", "session"),
        *(SAVE, FINISH, LEAVE),
    )
    assert PASSWORD not in said.said
    assert len(services.saved_accounts.list()) == 1


def test_a_file_that_cannot_be_written_loses_nothing(
    walk: Walk, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sentence is said; trying again works once the disk has room."""
    original, failures = (
        services.accounts.save,
        [AccountFileError(phrase("The disk is full.")), AccountFileError(phrase("The disk is full."))],
    )

    async def save(*arguments: Any, **options: Any) -> Any:
        if failures:
            raise failures.pop()
        return await original(*arguments, **options)

    monkeypatch.setattr(services.accounts, "save", save)
    full = "The disk is full."
    walk(*TO_DONE, (full, ""), (full, "back"), SENDER, SAVE, FINISH, LEAVE)
    assert len(services.saved_accounts.list()) == 1


def test_an_answer_can_be_changed_before_saving(walk: Walk, services: Services) -> None:
    walk(*TO_DONE[:-1], ("Save it like this?", "change"), ("Name of the account", "Office"), *REVIEW[1:], FINISH, LEAVE)
    assert [account.name for account in services.saved_accounts.list()] == ["Office"]


@pytest.mark.parametrize("bad", ["a/b", "x" * 61])
def test_a_name_that_cannot_be_used_is_said_and_asked_again(walk: Walk, services: Services, bad: str) -> None:
    walk(*TO_REVIEW, ("Name of the account", bad), ("A name has", "Office"), *REVIEW[1:], FINISH, LEAVE)
    assert [account.name for account in services.saved_accounts.list()] == ["Office"]


# --- done ---


def test_the_password_is_shown_after_a_yes_in_groups_of_four(walk: Walk) -> None:
    said = walk(*TO_DONE, ("What next?", "password"), ("stay in what can be scrolled", ""), FINISH, LEAVE)
    assert "\u2423ijk" not in said.said
    said = walk(
        *(("Your accounts", "new"), *TO_REVIEW, ("Name of the account", "Two"), *REVIEW[1:]),
        *(("What next?", "password"), ("stay in what can be scrolled", "yes"), FINISH, LEAVE),
        start="home",
    )
    assert "abcd efgh \u2423ijk lmno p" in said.said


def test_whoever_comes_back_from_the_end_changes_the_account_that_was_saved(walk: Walk, services: Services) -> None:
    changed = (("Save it like this?", "change"), NAME, SCOPE, COMPANY, ("Sender's name", "Ana"), SAVE)
    walk(*TO_DONE, ("What next?", "back"), *changed, FINISH, LEAVE)
    (account,) = services.saved_accounts.list()
    assert account.identity.sender_name == "Ana"


def test_the_guide_to_the_application_knows_the_server(walk: Walk) -> None:
    said = walk(*TO_DONE, ("What next?", "guide"), FINISH, LEAVE)
    assert "127.0.0.1" in said.said.partition('Choose "General Emails Only"')[2]
