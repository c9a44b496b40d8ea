"""The wizard in lines of text from beginning to end: by script, with the practice server at the other end."""

from __future__ import annotations

from dataclasses import replace

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.identity import Scope
from smtp_wizard.engine.base.stages import Depth, Verdict
from smtp_wizard.engine.guides.guides import Guides
from smtp_wizard.engine.secrets.store_kinds import StoreKind
from smtp_wizard.engine.services.services import Services
from smtp_wizard.engine.wizard.draft import Draft, Origin
from smtp_wizard.engine.wizard.draft_file import DraftFile
from smtp_wizard.engine.wizard.steps import STEPS, StepId, step
from smtp_wizard.output.plain_lines import WIDTH
from smtp_wizard.plain.wizard import PLAIN, PlainWizard
from tests.plain.exchanges import (
    ARRIVED,
    COMPANY,
    EMAIL,
    FINISH,
    LEAVE,
    NAME,
    PASSWORD,
    SAVE,
    SCOPE,
    SECRET,
    SEND,
    STORE,
    TO_DONE,
    TO_REVIEW,
    Walk,
    practising,
    saved_once,
)
from tests.support.dialogue import Dialogue, Exchange

# --- all of it ---


def test_every_step_of_the_wizard_can_be_asked() -> None:
    assert set(PLAIN) == {each.id for each in STEPS}


def test_from_the_address_to_the_saved_account(walk: Walk, services: Services) -> None:
    """Eight steps, then the account is in the list; the password is nowhere to be read."""
    said = walk(*TO_DONE, FINISH, LEAVE)
    (account,) = services.saved_accounts.list()
    assert (account.name, str(account.address), account.scope) == ("Practice you", "you@sandbox.test", Scope.GENERAL)
    assert account.store is not None
    assert account.store.kind is StoreKind.SESSION
    assert account.last is not None
    assert account.last.verdict is Verdict.PASS
    assert "Server               127.0.0.1" in said.said
    assert "ok    Sign in       signed in as you@sandbox.test" in said.said
    assert PASSWORD not in said.said
    assert said.hidden == ["Practice password, not shown: "]
    assert DraftFile(services.folder).load() is None


def test_no_line_is_longer_than_a_terminal_of_80_shows(walk: Walk) -> None:
    said = walk(*TO_DONE, ("What next?", "which"), FINISH, LEAVE)
    long = [line for line in said.said.splitlines() if len(line) > WIDTH and len(line.split()) > 1]
    assert long == []


def test_help_at_every_question_says_what_it_is_for(services: Services, guides: Guides) -> None:
    """'help' is answered everywhere, and the question asked again."""
    dialogue = _AsksForHelp(*TO_DONE, FINISH, LEAVE)
    PlainWizard(services, guides, dialogue).run(start="setup")
    dialogue.over()
    assert dialogue.words.count("'back' goes to the question before") == 1 + len((*TO_DONE, FINISH, LEAVE))
    for purpose in ("which mail server takes your messages", "your usual password", "plain file", "their last test"):
        assert purpose in dialogue.words
    assert "not even as stars" in dialogue.words
    assert PASSWORD not in dialogue.said


class _AsksForHelp(Dialogue):
    """Types 'help' before each of its answers."""

    def __init__(self, *script: Exchange) -> None:
        doubled = [each for awaited, answer in script for each in ((awaited, "help"), ("", answer))]
        super().__init__(*doubled)


def test_back_through_everything_and_forth_again_loses_nothing(services: Services, guides: Guides) -> None:
    """From the last question to the very first by 'back', and with Enter alone to the end again."""
    sender, company = ("Sender's name", "Ana of Example"), (COMPANY[0], "yes")
    there = (*TO_REVIEW, NAME, (SCOPE[0], "all"), company, sender, *STORE)
    back = [
        *((SAVE[0], "back"), ("Sender's name [Ana of Example]", "back"), (COMPANY[0], "back")),
        *((SCOPE[0], "back"), ("Name of the account", "back"), ("The test message arrived.", "back")),
        *(("Signed in The practice server takes mail", "back"), ("What do you want to practise?", "back")),
        *(("Yes, go on", "back"), ("E-mail address [you@sandbox.test]:", "back"), ("nothing before this", "")),
    ]
    forth = [
        *(practising(""), ("Signed in The practice server takes mail", "")),
        *(("The message has reached bob@example.org.", ""), NAME, SCOPE, COMPANY),
        *(("Sender's name [Ana of Example]", ""), SAVE, FINISH, LEAVE),
    ]
    dialogue = Dialogue(*there, *back, *forth)
    PlainWizard(services, guides, dialogue).run(start="setup")
    dialogue.over()
    (account,) = services.saved_accounts.list()
    assert (account.identity.sender_name, account.identity.update_company, account.scope) == (
        "Ana of Example",
        True,
        Scope.ALL,
    )
    assert account.last is not None
    assert account.last.depth is Depth.SEND


# --- leaving, and going on ---


def test_leaving_with_something_unsaved_asks_and_says_what_is_kept(walk: Walk, services: Services) -> None:
    """'quit' twice leaves at once; 'back' and the careful answer stay at the same question."""
    said = walk(
        *(EMAIL, practising("accept"), ("not shown", "quit"), ("Leave now?", "no"), ("not shown", "quit")),
        *(("Leave now?", "back"), ("not shown", "quit"), ("Leave now?", "quit")),
    )
    assert "The account was not saved. What you answered is kept" in said.words
    assert "smtp-wizard check HOST" in said.words
    kept = DraftFile(services.folder).load()
    assert kept is not None
    assert (kept.draft.connection.path, kept.step) == ("accept", step(StepId.CONNECT))


def test_leaving_before_anything_was_typed_just_says_what_can_be_done(walk: Walk) -> None:
    said = walk(("E-mail address", "quit"))
    assert "No account was set up." in said.words
    assert "What you can do next" in said.words


def test_what_one_face_began_the_other_goes_on_with(walk: Walk, services: Services) -> None:
    """A draft that the screens left behind: only the password is typed again."""
    begun = Draft().with_address(Address("you", "sandbox.test"))
    practice = services.catalog.get("sandbox")
    assert practice is not None
    draft = begun.with_provider(practice, Origin.ADDRESS).with_path(practice.paths[0])
    DraftFile(services.folder).save(
        replace(draft, identity=replace(draft.identity, sender_name="Ana")), step(StepId.TEST_MAIL)
    )
    said = walk(
        ("You were setting up you@sandbox.test, and stopped at the step 'Connect'.", ""),
        *(SECRET, SEND, ARRIVED, NAME, SCOPE, COMPANY, ("Sender's name [Ana]", ""), *STORE, SAVE, FINISH, LEAVE),
    )
    assert "Step 4 of 6: Connect" in said.words


def test_what_was_left_and_cannot_be_read_never_keeps_it_from_starting(walk: Walk, services: Services) -> None:
    """A draft of another version is put aside, one that others may change is left alone; either is said."""
    draft = Draft().with_address(Address("ana", "sandbox.test"))
    DraftFile(services.folder).save(draft, step(StepId.PROVIDER))
    file = services.folder / "draft.json"
    file.chmod(0o602)
    said = walk(("E-mail address:", "quit"))
    assert "'chmod o-w " in said.words
    file.chmod(0o600)
    file.write_text(file.read_text().replace('"step": "provider"', '"step": "a-later-one"'))
    said = walk(("E-mail address:", "quit"))
    assert "it was put aside as" in said.words
    assert not file.exists()


def test_what_was_left_can_be_forgotten_or_put_off(walk: Walk, services: Services) -> None:
    draft = Draft().with_address(Address("ana", "sandbox.test"))
    DraftFile(services.folder).save(draft, step(StepId.PROVIDER))
    walk(("You were setting up ana@sandbox.test", "back"), ("nothing before", "home"), ("No account yet", "leave"))
    assert DraftFile(services.folder).load() is not None
    walk(("You were setting up ana@sandbox.test", "anew"), ("E-mail address:", "quit"))
    assert DraftFile(services.folder).load() is None


def test_a_draft_that_was_given_goes_on_at_its_first_open_question(walk: Walk) -> None:
    """As `smtp-wizard setup ana@sandbox.test --plain` begins."""
    draft = Draft().with_address(Address("ana", "sandbox.test"))
    said = walk(("Type a name, a domain", "quit"), ("Leave now?", "yes"), draft=draft)
    assert "Step 2 of 5: Provider" in said.words


def test_from_the_accounts_to_a_new_one_and_back(walk: Walk) -> None:
    saved_once(walk)
    walk(("Your accounts", "new"), ("E-mail address:", "back"), ("Your accounts", "leave"), start="home")
