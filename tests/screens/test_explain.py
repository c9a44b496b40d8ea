"""The explain screen, and a finding in full: what is pasted, what is read, what is copied, what is kept (nothing)."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_wizard.app import HOME
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Connection
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.explain.explain import Explainer, Explanation
from smtp_wizard.engine.explain.factory import load_explainer
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.services.services import Services
from smtp_wizard.engine.wizard.draft import Draft, Origin
from smtp_wizard.engine.wizard.draft_file import DraftFile
from smtp_wizard.screens.accounts.home import HomeScreen
from smtp_wizard.screens.areas import explain
from smtp_wizard.screens.areas.explain import ExplainScreen, PasteArea, fitting_text, visible_text
from smtp_wizard.screens.details import CheckDetails, DetailsPanel, SectionsPanel
from smtp_wizard.screens.panel import GuidePanel
from smtp_wizard.text.explain import COPIED, NOTHING_PASTED, TOO_LONG
from tests.support.checking import PLAIN_UP_TO_AUTH, QUICK
from tests.support.misbehaving import Hold, MisbehavingServer, Send
from tests.support.patience import PATIENCE
from tests.support.walk import Walk, key_event, make_services, walking

SIZES = [(80, 24), (120, 40)]
BOUNCE = (
    "This is the mail system at host mx.example.org.\n"
    "<private.person@example.org>: host mail.example.org[192.0.2.7] said:\n"
    "    550 5.1.1 <private.person@example.org>: Recipient address rejected: User unknown (in reply to RCPT TO)\n"
)
SUSPENDED = "454 5.7.1 your account has been suspended, outgoing mail is blocked for spam\n"


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path, limits=QUICK)


@asynccontextmanager
async def explaining(services: Services, size: tuple[int, int] = (80, 24)) -> AsyncIterator[Walk]:
    """A person before the explain screen, come there from the accounts."""
    async with walking(services, start=HOME, size=size) as walk:
        await walk.at_screen(HomeScreen)
        await walk.press("f10", "x")
        await walk.at_screen(ExplainScreen)
        yield walk


async def answered(walk: Walk) -> ExplainScreen:
    """Press Enter, and wait for the answer."""
    await walk.press("enter")
    screen = await walk.at_screen(ExplainScreen)
    await walk.until(lambda: screen.flow.state.answered, "an answer")
    await walk.settle()
    return screen


def cause_of(screen: ExplainScreen) -> str:
    assert screen.flow.explanation is not None
    return screen.flow.explanation.finding.code


def says_so(screen: ExplainScreen) -> bool:
    """Whether the answer says that not all of a long text was taken."""
    card = screen.flow.state.card
    return card is not None and any(TOO_LONG in line for line in card.lines)


@pytest.mark.parametrize("size", SIZES)
async def test_a_paste_of_many_lines_is_explained(services: Services, size: tuple[int, int]) -> None:
    """What it means, who must act, what to do, how sure; Escape leads back to the text."""
    async with explaining(services, size) as walk:
        await walk.write(BOUNCE)
        screen = await answered(walk)
        assert cause_of(screen) == "recipient_rejected"
        await walk.until_reads("You pasted")
        await walk.until_reads("This address does not take mail")
        await walk.until_reads("sure: the text says it clearly")
        await walk.press("f4")
        await walk.at_screen(SectionsPanel)
        await walk.until_reads("Seen: reply 550 5.1.1")
        assert not [line for line in walk.shown.splitlines() if "Seen" in line and "private.person" in line]
        await walk.press("escape", "escape")
        assert not screen.flow.state.answered
        assert walk.the("#paste", PasteArea).text == visible_text(BOUNCE), "another look costs no second paste"


async def test_a_bounce_leads_to_its_guide(services: Services) -> None:
    """Its first offer; and F6, before anything is pasted."""
    async with explaining(services) as walk:
        await walk.press("f6")
        await walk.at_screen(GuidePanel)
        await walk.until_reads("Mail that came back: read it, and put it right")
        await walk.press("escape")
        await walk.write(BOUNCE)
        await answered(walk)
        await walk.until_reads("What to do with mail that came back")
        await walk.press("enter")
        await walk.at_screen(GuidePanel)
        await walk.until_reads("Mail that came back: read it, and put it right")


async def test_what_is_unknown_is_called_unknown_and_says_what_to_try(services: Services) -> None:
    async with explaining(services) as walk:
        await walk.write("the thing did not do the other thing")
        assert cause_of(await answered(walk)) == "nothing_said"
        await walk.until_reads("The text does not say why it failed")


async def test_the_cursor_stays_in_the_field_in_which_somebody_types(services: Services) -> None:
    async with explaining(services) as walk:
        await walk.press("tab", "enter")
        await walk.until(lambda: walk.the("#paste", PasteArea).has_focus, "the cursor where something is lacking")
        await walk.press("tab", "y", "a", "h")
        assert walk.entry("#explain-provider").value == "yah"
        assert walk.entry("#explain-provider").has_focus
        assert walk.the("#paste", PasteArea).text == ""


async def test_the_provider_narrows_it_and_an_unknown_one_is_said(services: Services) -> None:
    """The same words mean another thing at another provider; the field below the text asks for it."""
    async with explaining(services, (120, 40)) as walk:
        await walk.write("535 5.7.8 authentication failed")
        for name, code in (("", "bad_credentials"), ("Yahoo", "app_password_required"), ("No Such", "bad_credentials")):
            await walk.fill("#explain-provider Input", name)
            assert cause_of(await answered(walk)) == code
            if name == "No Such":
                await walk.until_reads("The provider 'No Such' is not known")
            else:
                assert not walk.reads("is not known")
            await walk.press("escape")


async def test_the_message_for_who_must_act_is_copied(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    async with explaining(services) as walk:
        copied: list[str] = []
        monkeypatch.setattr(walk.app, "copy_to_clipboard", copied.append)
        await walk.write(SUSPENDED)
        screen = await answered(walk)
        await walk.until_reads("Copy a message for your mail provider")
        await walk.press("enter")
        await walk.until_reads(COPIED)
        assert screen.flow.explanation is not None
        assert copied == [screen.flow.explanation.finding.forward]


async def test_an_app_password_is_made_and_the_account_tested(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guide, and the only account of that provider, whose test the accounts' screen makes."""
    tested: list[str] = []
    monkeypatch.setattr(HomeScreen, "test_account", lambda home, name: tested.append(name))
    ours = draft(Endpoint("smtp.gmail.com", 465, Security.TLS))
    ours = replace(ours, connection=replace(ours.connection, provider="gmail", path="app-password"))
    await services.accounts.save(replace(ours, store=None))
    async with explaining(services) as walk:
        await walk.write("smtplib: smtp.gmail.com 535-5.7.8 Username and Password not accepted")
        await answered(walk)
        await walk.until_reads("Make an app password")
        await walk.press("enter")
        await walk.at_screen(GuidePanel)
        await walk.until_reads("Gmail: make an app password")
        await walk.press("escape")
        await walk.until_reads("Test my account 'Office'")
        await walk.press("down", "enter")
        await walk.until(lambda: tested, "the test")
        assert tested == ["Office"]
        assert walk.app.current_mode == HOME


async def test_nothing_pasted_is_said(services: Services) -> None:
    async with explaining(services) as walk:
        await walk.press("enter")
        await walk.until_reads(NOTHING_PASTED)
        await walk.write("535 5.7.8 no")
        await walk.settle()
        assert not walk.reads(NOTHING_PASTED)


async def test_something_else_begins_with_an_empty_field(services: Services) -> None:
    async with explaining(services) as walk:
        await walk.write("535 5.7.8 no")
        screen = await answered(walk)
        for _ in screen.offers.items:
            await walk.press("down")
        await walk.press("enter")
        await walk.until(lambda: not screen.flow.state.answered, "the question")
        assert walk.the("#paste", PasteArea).text == ""
        assert isinstance(walk.app.focused, PasteArea)


async def test_what_a_terminal_pastes_as_keys_is_one_text(services: Services) -> None:
    """Enter with more keys behind it ends a line; the last one explains."""
    async with explaining(services) as walk:
        for key in ("5", "3", "5", "enter", "n", "o", "enter"):
            walk.app.post_message(key_event(key))
        await walk.settle()
        screen = await walk.at_screen(ExplainScreen)
        await walk.until(lambda: screen.flow.state.answered, "an answer")
        assert walk.the("#paste", PasteArea).text == "535\nno"


async def test_a_long_log_is_cut_and_says_so(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explain, "LONGEST", 65_536)
    async with explaining(services) as walk:
        await walk.write("550 5.1.1 user unknown\n" + "a line of a log that goes on and on\n" * 4000)
        assert len(walk.the("#paste", PasteArea).text) <= 65_536
        await walk.until_reads(TOO_LONG)
        assert says_so(await answered(walk))


HUGE = (
    "x" * 5_000_000,
    "550 5.1.1 user unknown\n" * 200_000,
    "\n" * 5_000_000,
    "\\" * 5_000_000,
    "\t\u00e9\u0301" * 1_000_000,
    "a\r" * 2_000_000,
)


@pytest.mark.parametrize("text", HUGE, ids=range(len(HUGE)))
def test_what_is_taken_of_megabytes_can_be_drawn(text: str) -> None:
    """So many characters and lines, none of them long: all of it is laid out at every key."""
    begin, end = "the beginning\n", "\n535 5.7.8 the end"
    shown, cut = fitting_text(begin + text + end, explain.LONGEST, explain.MOST_LINES)
    assert cut
    assert len(shown) <= explain.LONGEST
    lines = shown.split("\n")
    assert len(lines) <= explain.MOST_LINES
    assert max(map(len, lines)) <= explain.LONGEST_LINE
    assert shown.startswith("the beginning")
    assert shown.endswith("the end")
    assert "[...]" in lines


@given(st.text("ab \n\t\r\u200b", max_size=60), st.integers(0, 80), st.integers(0, 12))
def test_what_is_taken_is_what_fits(text: str, room: int, lines: int) -> None:
    shown, cut = fitting_text(text, room, lines)
    assert len(shown) <= room
    assert shown.count("\n") < max(lines, 1) + 4 * cut
    if not cut and len(visible_text(text)) <= room:
        assert shown == visible_text(text)


def test_a_long_line_is_broken_at_a_blank() -> None:
    words = "words " * 2000
    lines = visible_text(words).split("\n")
    assert max(map(len, lines)) <= explain.LONGEST_LINE
    assert " ".join(lines) == words
    assert "".join(visible_text("x" * 5000).split("\n")) == "x" * 5000


async def test_five_megabytes_are_pasted_and_the_screen_answers_keys(services: Services) -> None:
    async with explaining(services) as walk:
        await walk.write("\\" * 5_000_000)
        area = walk.the("#paste", PasteArea)
        assert area.cut
        assert len(area.text) <= explain.LONGEST
        await walk.press("a")
        area.clear()
        await walk.write("535 5.7.8 no\n" + "x" * 5_000_000)
        screen = await answered(walk)
        assert cause_of(screen) == "bad_credentials"
        assert says_so(screen)


async def test_another_text_takes_over_from_one_that_is_being_looked_at(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing comes of the old one, however late it is."""
    go_on, asked = Event(), list[str]()
    ask = Explainer.explain_text

    def slow(explainer: Explainer, text: str, **more: Any) -> Explanation:
        asked.append(text)
        if "first" in text:
            assert go_on.wait(PATIENCE)
        return ask(explainer, text, **more)

    monkeypatch.setattr(Explainer, "explain_text", slow)
    async with explaining(services) as walk:
        await walk.write("the first text")
        await walk.press("enter")
        await walk.until(lambda: asked, "the work")
        walk.the("#paste", PasteArea).clear()
        await walk.write(SUSPENDED)
        assert cause_of(await answered(walk)) == "account_suspended"
        go_on.set()
        await walk.settle()
        assert asked == ["the first text", SUSPENDED]
        await walk.until_reads("This account is not allowed to send")


async def test_the_screen_takes_keys_while_a_text_is_looked_at(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the text, the work is done beside the screen: Escape stops it, and nothing comes after."""
    go_on, begun = Event(), Event()
    over: list[Explanation] = []
    ask = Explainer.explain_text

    def slow(catalog: Catalog) -> Explainer:
        begun.set()
        assert go_on.wait(PATIENCE)
        return load_explainer(catalog)

    def asked(explainer: Explainer, text: str, **more: Any) -> Explanation:
        over.append(ask(explainer, text, **more))
        return over[-1]

    monkeypatch.setattr(explain, "load_explainer", slow)
    monkeypatch.setattr(Explainer, "explain_text", asked)
    async with explaining(services) as walk:
        await walk.write(BOUNCE)
        await walk.press("enter")
        await walk.until(begun.is_set, "the work")
        await walk.until_reads("Esc Stop")
        await walk.press("escape")
        screen = await walk.at_screen(ExplainScreen)
        assert walk.the("#paste", PasteArea).text
        await walk.press("escape")
        await walk.at_screen(HomeScreen)
        go_on.set()
        await walk.until(lambda: over, "the end of the work")
        await walk.settle()
        assert not screen.flow.state.answered
        assert isinstance(walk.app.screen, HomeScreen)


HOSTILE = "535 \x1b[31mred\x1b]0;title\x07 [@click=app.leave]x[/] \u202egnp.exe\u200b \x9b2J end"


async def test_hostile_words_are_only_words(services: Services) -> None:
    async with explaining(services) as walk:
        await walk.write(HOSTILE)
        for sign in ("\x1b", "\x07", "\x9b", "\u202e", "\u200b"):
            assert sign not in walk.shown
        await walk.until_reads("[@click=app.leave]x[/]")
        await answered(walk)
        for sign in ("\x1b", "\x07", "\x9b", "\u202e", "\u200b"):
            assert sign not in walk.shown


async def test_what_was_pasted_is_gone_when_one_leaves(services: Services) -> None:
    """Not in a file, not in the draft, not in the widget."""
    async with explaining(services) as walk:
        await walk.write(BOUNCE)
        area = walk.the("#paste", PasteArea)
        await answered(walk)
        await walk.press("escape", "escape")
        await walk.at_screen(HomeScreen)
        assert area.text == ""
        assert not area.history.undo_stack
    assert DraftFile(services.folder).load() is None
    gc.collect()
    written = [file.read_bytes() for file in services.folder.rglob("*") if file.is_file()]
    assert not any(b"private" in content for content in written)


async def test_an_idle_explain_screen_does_not_blink(services: Services) -> None:
    async with explaining(services) as walk:
        assert walk.the("#paste", PasteArea).cursor_blink is False


# --- from a failed check ---


def draft(endpoint: Endpoint) -> Draft:
    return Draft(
        address=Address("ana", "firm.example"),
        connection=Connection(
            provider="custom", path="password", endpoint=endpoint, allow_cleartext=True, username="ana@firm.example"
        ),
        origin=Origin.HAND,
        ways=2,
        by_hand=True,
        confirmed_host=endpoint.host,
        secret=Secret("guess one"),
        name="Office",
    )


@pytest.mark.parametrize("size", SIZES)
async def test_a_failed_sign_in_is_explained_in_full_with_the_conversation(
    services: Services, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    """F4 shows all there is; C copies the conversation, Y the message for them. The password is in neither."""
    refused = [*PLAIN_UP_TO_AUTH, Send(b"550 5.7.1 your account has been suspended\r\n"), Hold()]
    server = MisbehavingServer(refused, strict=False)
    async with server:
        begun = draft(server.endpoint(Security.NONE))
        async with walking(services, draft=begun, size=size) as walk:
            copied: list[str] = []
            monkeypatch.setattr(walk.app, "copy_to_clipboard", copied.append)
            await walk.at("connect")
            await walk.press("enter")
            await walk.until_reads("checks passed")
            await walk.press("f4")
            details = await walk.at_screen(CheckDetails)
            assert details.finding is not None
            assert details.finding.forward
            await walk.press("c")
            await walk.until_reads("sent to your terminal")
            assert "S! 550 5.7.1 your account has been suspended" in copied[0]
            assert "AUTH PLAIN" in copied[0]
            await walk.press("y")
            assert copied[1] == details.finding.forward
            said = [row.plain for row in details.rows]
            assert any("your account has been suspended" in row for row in said)
            for words in ("guess one", "Z3Vlc3Mgb25l"):
                assert words not in "\n".join([*copied, *said])
            await walk.press("escape")
            await walk.at("connect")
            assert walk.app.focused is walk.entry("#secret"), "one can type the password again"


async def test_the_accounts_and_the_server_lead_there_too(services: Services) -> None:
    refused = [*PLAIN_UP_TO_AUTH, Send(b"535 5.7.8 no\r\n"), Hold()]
    async with MisbehavingServer(refused, strict=False) as server:
        await services.accounts.save(replace(draft(server.endpoint(Security.NONE)), store=None))
        async with walking(services, start="home") as walk:
            await walk.until_reads("Office")
            await walk.press("t")
            await walk.until_reads("'Office': password refused")
            await walk.press("f4")
            screen = await walk.at_screen(CheckDetails)
            assert screen.finding is not None
            assert screen.finding.code == "bad_credentials"
            await walk.press("escape", "e")
            await walk.at("server")
            await walk.take("Try this port only")
            await walk.until_reads("Server and port are right")
            await walk.press("f4")
            await walk.at_screen(DetailsPanel)
            await walk.until_reads("Details")
            await walk.until(lambda: walk.reads("ok") or walk.reads("Find server"), "what the last check did")


async def test_where_nothing_was_tested_that_is_said(services: Services) -> None:
    """F4 on the accounts shows the last test; before the first there is a sentence, and no empty window."""
    await services.accounts.save(replace(draft(Endpoint("127.0.0.1", 2525, Security.NONE)), store=None))
    async with walking(services, start=HOME) as walk:
        await walk.until_reads("Office")
        await walk.press("f4")
        await walk.until_reads("Nothing was tested here yet. Press T.")
        assert isinstance(walk.app.screen, HomeScreen)
