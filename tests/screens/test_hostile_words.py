"""What servers say is shown and never obeyed; what must not be seen is on no screen, in no picture and in no log."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot
from textual.screen import Screen

from smtp_wizard.app import HOME, WizardApp, run_app
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Connection
from smtp_wizard.engine.base.endpoint import Security
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.services.services import Services
from smtp_wizard.engine.wizard.draft import Draft, Origin
from smtp_wizard.runtime.fault_log import CRASH_LOG
from smtp_wizard.screens.accounts.home import HomeScreen
from smtp_wizard.screens.address import AddressScreen
from smtp_wizard.screens.details import CheckDetails
from smtp_wizard.screens.panel import HelpPanel
from tests.support.checking import OK, PLAIN_UP_TO_AUTH, SIGNED_IN
from tests.support.misbehaving import Expect, MisbehavingServer, Send, Step
from tests.support.places import seen, sent
from tests.support.stores import desktop
from tests.support.walk import Walk, guides, make_services, until, walking

SECRET = "Zq7xylo-Phon"
GROUPS = "Zq7x ylo- Phon"
TRICKS = {
    "closing-tag": ("[/]", "[/]"),
    "action": ("[@click=app.quit]x[/]", "[@click=app.quit]x[/]"),
    "style": ("[bold red on red]x", "[bold red on red]x"),
    "escape": ("\x1b]0;owned\x07\x1b[2Jx", "\\x1b]0;owned\\x07\\x1b[2Jx"),
    "c1": ("\u009b2Jx", "\\x9b2Jx"),
    "bidi": ("\u202ekcab", "\\u202ekcab"),
    "zero-width": ("pay\u200bpal", "pay\\u200bpal"),
}
"""What a server says, and what is to stand on the screen."""


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path, backend=desktop())


def to(server: MisbehavingServer) -> Draft:
    """Return a draft that goes on where the password is typed, before a server of one's own."""
    return Draft(
        address=Address("ana", "firma.example"),
        connection=Connection(
            provider="custom",
            path="password",
            endpoint=server.endpoint(Security.NONE),
            allow_cleartext=True,
            username="ana",
        ),
        origin=Origin.HAND,
        ways=2,
        confirmed_host=server.host,
    )


def nothing_is_obeyed(walk: Walk) -> None:
    """No action hides in what is painted, and no character that a terminal would obey."""
    rows = walk.app.screen._compositor.render_strips()
    for segment in (segment for row in rows for segment in row):
        assert not any("click" in key for key in (segment.style.meta if segment.style else {}))
        assert not [ch for ch in segment.text if unicodedata.category(ch) in {"Cc", "Cf"}]
    assert walk.app.return_code is None


@pytest.mark.parametrize(("said", "shown"), TRICKS.values(), ids=TRICKS)
async def test_a_refusal_is_shown_escaped_and_nothing_in_it_is_obeyed(
    services: Services, said: str, shown: str
) -> None:
    """Under Details stand the server's own words, brackets and all; control characters as \\xNN."""
    refusal: list[Step] = [*PLAIN_UP_TO_AUTH, Send(f"535 5.7.8 {said}\r\n".encode())]
    async with (
        MisbehavingServer(refusal, strict=False) as server,
        walking(services, draft=to(server), size=(120, 60)) as walk,
    ):
        await walk.at("connect")
        await walk.write(SECRET)
        await walk.press("enter")
        await walk.until_reads("checks passed")
        await walk.press("f4")
        await walk.until_reads(shown)
        assert walk.line.count(shown) >= 2, "in the finding, and in the dialogue"
        nothing_is_obeyed(walk)


@pytest.mark.parametrize(("said", "shown"), TRICKS.values(), ids=TRICKS)
async def test_a_greeting_and_a_capability_are_shown_escaped(services: Services, said: str, shown: str) -> None:
    """What goes well is shown, too: the greeting, and what the server says when the sign-in worked."""
    script: list[Step] = [
        Send(f"220 mail.example.test {said}\r\n".encode()),
        Expect(rb"EHLO .*"),
        Send(f"250-mail.example.test {said}\r\n250 AUTH PLAIN LOGIN\r\n".encode()),
        Expect(rb"AUTH PLAIN \S+"),
        Send(f"235 2.7.0 {said}\r\n".encode()),
    ]
    async with (
        MisbehavingServer(script, strict=False) as server,
        walking(services, draft=to(server), size=(120, 60)) as walk,
    ):
        await walk.at("connect")
        await walk.write(SECRET)
        await walk.press("enter")
        await walk.until_reads("Enter Send a test")
        await walk.press("f4")
        await walk.until_reads(f"220 mail.example.test {shown}")
        nothing_is_obeyed(walk)


async def test_words_of_a_recipients_refusal_are_shown_escaped(services: Services) -> None:
    said = "[@click=app.quit]x[/]\x1b[2J"
    script: list[Step] = [
        *PLAIN_UP_TO_AUTH,
        SIGNED_IN,
        Expect(rb"MAIL FROM:.*"),
        OK,
        Expect(rb"RCPT TO:.*"),
        Send(f"550 5.1.1 {said}\r\n".encode()),
    ]
    async with (
        MisbehavingServer(script, strict=False) as server,
        walking(services, draft=to(server), size=(120, 60)) as walk,
    ):
        await walk.at("connect")
        await walk.write(SECRET)
        await walk.press("enter")
        await walk.until_reads("Enter Send a test")
        await walk.press("enter")
        await walk.at("testmail")
        await walk.write("ben@elsewhere.example")
        await walk.press("enter")
        await walk.until_reads("The test message was not sent.")
        await walk.press("f4")
        await walk.until_reads("[@click=app.quit]x[/]\\x1b[2J")
        nothing_is_obeyed(walk)


# --- what must not be seen ---


def unseen(walk: Walk) -> None:
    """The password is neither on the screen nor in a picture of it, whole or in groups."""
    picture = walk.app.export_screenshot().replace("&#160;", " ")
    for place in (walk.shown, picture):
        for form in (SECRET, GROUPS, SECRET[:6], SECRET[-6:]):
            assert form not in place


@pytest.mark.usefixtures("any_password")
async def test_the_password_is_on_no_screen_but_the_last_and_there_only_on_a_key(services: Services) -> None:
    """From typing it to the list of accounts; F2 on Done shows it in groups of four, and hides it again."""
    async with walking(services, size=(120, 60)) as walk:
        await walk.at("address")
        await walk.press("f3")
        await walk.at("signin")
        await walk.press("enter")
        await walk.at("connect")
        await walk.write(SECRET)
        unseen(walk)
        await walk.press("enter")
        await walk.until_reads("Enter Send a test")
        await walk.press("f4")
        details = await walk.at_screen(CheckDetails)
        details.box.scroll_end(animate=False)
        await walk.until_reads("AUTH PLAIN")
        unseen(walk)
        await walk.press("escape", "f1")
        await walk.at_screen(HelpPanel)
        unseen(walk)
        await walk.press("escape")
        await walk.at("connect")
        await walk.press("enter")
        await sent(walk)
        await walk.press("f4")
        await walk.until_reads("C AUTH PLAIN")
        unseen(walk)
        await walk.press("escape")
        await seen(walk)
        await walk.at("review")
        unseen(walk)
        await walk.press("enter")
        await walk.at("done")
        unseen(walk)
        await walk.press("f2")
        await walk.until_reads(GROUPS)
        assert GROUPS in walk.app.export_screenshot().replace("&#160;", " "), "or the pictures would prove nothing"
        await walk.press("f2")
        unseen(walk)
        await walk.press("enter")
        await walk.at_screen(HomeScreen)
        await walk.press("t")
        await walk.until_reads("'Practice you' works")
        await walk.press("f4")
        await walk.until_reads("C AUTH PLAIN")
        unseen(walk)
    kept = [path for path in services.folder.rglob("*") if path.is_file()]
    assert kept
    assert not [path for path in kept if SECRET.encode() in path.read_bytes()]


def headless(monkeypatch: pytest.MonkeyPatch, on: type[Screen[Any]], key: str) -> None:
    """Have the program draw nowhere, and press a key by itself as soon as a screen is there."""
    original = WizardApp.run

    async def press(pilot: Pilot[Any]) -> None:
        def there() -> bool:
            return isinstance(pilot.app.screen, on) and pilot.app.screen.is_mounted

        await until(lambda: pilot.app.return_code is not None or there(), lambda: "no screen")
        # Not by the pilot: it would wait for the end of what ends the program.
        pilot.app.post_message(events.Key(key, None))

    def run(self: WizardApp, *, mouse: bool = True) -> Any:
        return original(self, headless=True, mouse=mouse, auto_pilot=press)

    monkeypatch.setattr(WizardApp, "run", run)


def test_a_fault_before_there_is_a_screen_is_one_sentence_without_values(
    services: Services, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Exit 70; a password in a local variable, or in the exception, is neither printed nor written down.

    A fault while there are screens ends nothing: `test_faults_of_our_own.py`.
    """

    def fails(app: WizardApp, draft: Draft) -> None:
        password = SECRET
        raise ZeroDivisionError(f"cannot use {password}")

    monkeypatch.setattr(WizardApp, "_set_up", fails)
    headless(monkeypatch, AddressScreen, "f1")
    assert run_app(services, guides(), start="setup", draft=Draft(secret=Secret(SECRET))) == 70
    told = "".join(capfd.readouterr())
    log = (services.folder / CRASH_LOG).read_text()
    assert "smtp-wizard met a fault of its own and had to stop. Your saved accounts are untouched." in " ".join(
        told.split()
    )
    assert "ZeroDivisionError" in log
    for words in (told, log):
        assert SECRET not in words
        assert "cannot use" not in words
        assert "password" not in words
    assert "Traceback" not in told


async def test_an_account_file_that_holds_tricks_is_shown_escaped(services: Services) -> None:
    """A name cannot hold markup that is obeyed in the list of accounts."""
    provider = services.catalog.get("sandbox")
    path = provider.path("accept") if provider is not None else None
    assert path is not None
    assert provider is not None
    found = Draft(address=Address("you", "sandbox.test")).with_provider(provider, Origin.ADDRESS).with_path(path)
    await services.accounts.save(replace(found, name="[@click=app.quit]x", secret=Secret(SECRET)))
    async with walking(services, start=HOME, size=(120, 40)) as walk:
        await walk.at_screen(HomeScreen)
        await walk.until_reads("[@click=app.quit]x")
        nothing_is_obeyed(walk)
