"""How each screen looks at 80x24 and at 120x40, to the letter; without colour and in ASCII alone, too.

The pictures are texts in tests/snapshots, so that a change of a screen is a change that can be read. After a change
that is meant, make them again with `UPDATE_SNAPSHOTS=1 .venv/bin/pytest tests/screens/test_snapshots.py`, and read the
difference before you commit it.
"""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from smtp_wizard.app import HOME
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.checks.report import CheckResult, Report
from smtp_wizard.engine.discovery.candidate import Candidate, FoundBy
from smtp_wizard.engine.secrets.store_kinds import StoreKind
from smtp_wizard.engine.services.services import Services
from smtp_wizard.engine.wizard.draft import Draft, Origin, ReportedArrival
from smtp_wizard.flows.provider import ProviderOffer
from smtp_wizard.flows.sign_in import SignInOffer
from smtp_wizard.screens.accounts.home import HomeScreen
from smtp_wizard.screens.areas.explain import ExplainScreen
from smtp_wizard.screens.details import DetailsPanel
from smtp_wizard.screens.panel import HelpPanel
from smtp_wizard.widgets.themes import AsciiFilter
from tests.support.discovering import answering
from tests.support.redirect import RedirectWire, playing, tls_ports
from tests.support.walk import Walk, catalog, make_services, walking

SNAPSHOTS = Path(__file__).resolve().parent.parent / "snapshots"
SIZES = [(80, 24), (120, 40)]
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
SECRET = Secret("abcd efgh ijkl mnop")
PRACTICE = Endpoint("127.0.0.1", 5871, Security.STARTTLS)


# What is another at each run: ports that had to be taken instead, keys of messages, days that a certificate has left,
# and whatever time zone the clock is read in.
VARYING = (
    (re.compile(r"port \d{4,5}"), "port N"),
    (re.compile(r"kept in the practice mailbox as\s*\S*"), "kept in the practice mailbox as KEY"),
    (re.compile(r"valid \d+ more days"), "valid N more days"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d"), "DAY TIME"),
    (re.compile(r"today \d\d:\d\d"), "today TIME"),
    (re.compile(r"\(\d+\.\d s\)"), "(N s)"),
    (re.compile(r"checks, \d+\.\d s"), "checks, N.N s"),
    (re.compile(r"good for \d+ days"), "good for N days"),
    (re.compile(r" +\d+ ms +"), " N ms "),
)

AGAIN = 40
"""How often a screen is looked at that looks otherwise."""


def steady(text: str) -> str:
    """Return a screen without what varies from run to run."""
    for pattern, word in VARYING:
        text = pattern.sub(word, text)
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


async def compare(name: str, walk: Walk) -> None:
    """Compare a screen with its picture; write it where that is asked for.

    What is longer than the window is laid out twice, without the column of its scrollbar and with it: a screen that
    looks otherwise is looked at again.
    """
    file = SNAPSHOTS / f"{name}.txt"
    if os.environ.get("UPDATE_SNAPSHOTS") == "1":
        SNAPSHOTS.mkdir(exist_ok=True)
        file.write_text(steady(walk.shown), "utf-8")
    assert file.is_file(), f"no picture of {name}: make one with UPDATE_SNAPSHOTS=1"
    expected = file.read_text("utf-8")
    for _ in range(AGAIN):
        if steady(walk.shown) == expected:
            return
        await walk.pilot.pause(0.05)
    assert steady(walk.shown) == expected, f"{name} looks otherwise"


def draft(services: Services, path: str = "accept") -> Draft:
    """The answers of somebody who practises, up to the sign-in."""
    provider = services.catalog.get("sandbox")
    assert provider is not None
    way = provider.path(path)
    assert way is not None
    begun = Draft(address=Address("you", "sandbox.test")).with_provider(provider, Origin.ADDRESS, "from: a test")
    return begun.with_path(way)


def proved(services: Services) -> Draft:
    """The same, signed in."""
    done = replace(draft(services), secret=SECRET)
    passed = Report(PRACTICE, (CheckResult(Stage.AUTH, Verdict.PASS, 0.0),))
    return replace(done, proof=services.checks.prove(done, passed, Depth.LOGIN))


async def address(walk: Walk) -> None:
    await walk.at("address")


async def typo(walk: Walk) -> None:
    await walk.at("address")
    await walk.write("ana@gmial.com")
    await walk.press("enter")
    await walk.until_reads("Did you mean gmail.com?")


async def provider(walk: Walk) -> None:
    await walk.at("address")
    await walk.write("ana@gmail.com")
    await walk.press("enter")
    await walk.at("provider")


def found_servers() -> dict[str, Any]:
    """What a domain that nobody knows comes to: it publishes one server, and its DNS names another."""
    first = Candidate(
        endpoint=Endpoint("smtp.firma.example", 465, Security.TLS),
        username="ana@firma.example",
        source=FoundBy.AUTOCONFIG,
        trust=0.8,
        as_of="2026-02-03",
        verified=True,
    )
    second = replace(
        first,
        endpoint=Endpoint("mail.elsewhere.example", 587, Security.STARTTLS),
        source=FoundBy.SRV,
        trust=0.22,
        as_of="",
        verified=False,
        note="mail.elsewhere.example does not belong to firma.example: please make sure",
    )
    return {
        "candidates": (first, second),
        "source": FoundBy.AUTOCONFIG,
        "note": "from: the domain's web (autoconfig)",
        "notes": ("The sources differ: smtp.firma.example (the domain's web); mail.elsewhere.example (its DNS).",),
        "problem": None,
    }


async def servers_found(walk: Walk) -> None:
    await walk.at("address")
    await walk.write("ana@firma.example")
    await walk.press("enter")
    await walk.at("provider")
    await walk.until_reads("Several servers were found")


async def picker(walk: Walk) -> None:
    await provider(walk)
    await walk.take_offer(ProviderOffer.OTHER)
    await walk.until_reads("Find your provider")
    await walk.write("out")
    await walk.until_reads("Outlook")


async def barred(walk: Walk) -> None:
    await walk.at("address")
    await walk.write("ana@hotmail.com")
    await walk.press("enter")
    await walk.at("provider")


async def barred_services(walk: Walk) -> None:
    await barred(walk)
    await walk.take_offer(ProviderOffer.SERVICE)
    await walk.until_reads("Which sending service will you use?")


async def changed(walk: Walk) -> None:
    await provider(walk)
    await walk.press("f4")
    await walk.at_screen(DetailsPanel)


async def signin(walk: Walk) -> None:
    await provider(walk)
    await walk.press("enter")
    await walk.at("signin")


async def closed(walk: Walk) -> None:
    await signin(walk)
    await walk.take_offer("less-secure-apps")
    await walk.until_reads("What will you do instead?")


async def server(walk: Walk) -> None:
    await provider(walk)
    await walk.press("f9")
    await walk.at("server")


async def ports(walk: Walk) -> None:
    await server(walk)
    await walk.take("Try the usual ports")
    await walk.until_reads("It answers")


async def helped(walk: Walk) -> None:
    await provider(walk)
    await walk.press("f1")
    await walk.at_screen(HelpPanel)


async def browser(walk: Walk) -> None:
    await signin(walk)
    await walk.take_offer("oauth")
    await walk.take_offer(SignInOffer.GO_ON)
    await walk.at("oauth")
    await walk.until_reads("This is for whoever looks after your computers")


WITHOUT_DRAFT: dict[str, Callable[[Walk], Awaitable[None]]] = {
    "address": address,
    "typo": typo,
    "provider": provider,
    "picker": picker,
    "barred": barred,
    "services": barred_services,
    "changed": changed,
    "signin": signin,
    "closed": closed,
    "browser": browser,
    "server": server,
    "ports": ports,
    "help": helped,
}


async def connect(walk: Walk) -> None:
    await walk.at("connect")
    await walk.until(lambda: walk.connect.check.results[-1:], "the check of the server")
    await walk.until(lambda: walk.connect.check.running is None, "its end")


async def connected(walk: Walk) -> None:
    await connect(walk)
    await walk.write(SECRET.reveal())
    await walk.press("enter")
    await walk.until_reads("Enter Send a test")


async def refused(walk: Walk) -> None:
    await connect(walk)
    await walk.write("my usual password")
    await walk.press("enter")
    await walk.until_reads("checks passed")


async def mail_step(walk: Walk) -> None:
    await walk.at("testmail")


async def sent(walk: Walk) -> None:
    await walk.at("testmail")
    await walk.write("bob@example.test")
    await walk.press("enter")
    await walk.until_reads("Which code word is in the message?")


async def review(walk: Walk) -> None:
    await walk.at("review")
    await walk.until_reads("keyring")


async def done(walk: Walk) -> None:
    await walk.at("done")


def drafts(services: Services) -> dict[str, tuple[Draft, Callable[[Walk], Awaitable[None]]]]:
    """The screens that stand behind answers."""
    signed = proved(services)
    tested = replace(signed, arrival=ReportedArrival.ARRIVED, test_to=Address("bob", "example.test"))
    kept = replace(tested, name="Practice you", store=StoreKind.KEYRING, saved="Practice you")
    return {
        "connect": (draft(services), connect),
        "connected": (draft(services), connected),
        "refused": (draft(services, "app-password-required"), refused),
        "testmail": (signed, mail_step),
        "sent": (signed, sent),
        "review": (tested, review),
        "done": (kept, done),
    }


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[Services]:
    """The engine, with every name leading to a server on this computer."""
    async with playing(tmp_path / "servers", "accept") as servers:
        wire = RedirectWire(servers["accept"], tls_ports(catalog()))
        yield make_services(tmp_path / "config", wire, now=lambda: NOON)


@asynccontextmanager
async def shown_at(
    services: Services, size: tuple[int, int], begin: Draft | None, act: Callable[[Walk], Awaitable[None]]
) -> AsyncIterator[Walk]:
    async with walking(services, draft=begin, size=size) as walk:
        await act(walk)
        await walk.pilot.pause()
        await walk.pilot.pause()
        yield walk


def name_of(screen: str, size: tuple[int, int]) -> str:
    return f"{screen}-{size[0]}x{size[1]}"


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("screen", WITHOUT_DRAFT)
async def test_a_screen_of_the_beginning(services: Services, screen: str, size: tuple[int, int]) -> None:
    async with shown_at(services, size, None, WITHOUT_DRAFT[screen]) as walk:
        await compare(name_of(screen, size), walk)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_servers_that_were_found(
    services: Services, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(monkeypatch).found |= found_servers()
    async with shown_at(services, size, None, servers_found) as walk:
        await compare(name_of("found", size), walk)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("screen", ["connect", "connected", "refused", "testmail", "sent", "review", "done"])
async def test_a_screen_behind_answers(services: Services, screen: str, size: tuple[int, int]) -> None:
    begin, act = drafts(services)[screen]
    async with shown_at(services, size, begin, act) as walk:
        await compare(name_of(screen, size), walk)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_the_accounts_and_an_error_explained(services: Services, size: tuple[int, int]) -> None:
    await services.accounts.save(replace(proved(services), name="Practice you", store=StoreKind.KEYRING))
    async with walking(services, start=HOME, size=size) as walk:
        await walk.at_screen(HomeScreen)
        await walk.until_reads("Practice you")
        await walk.pilot.pause()
        await compare(name_of("accounts", size), walk)
        await walk.press("f10", "x")
        await walk.at_screen(ExplainScreen)
        await walk.write("454 4.7.0 the account ana@example.com\nhas been suspended, please contact support\n")
        await compare(name_of("explain", size), walk)
        await walk.press("enter")
        await walk.until_reads("Explain something else")
        await walk.until_reads("Esc Back")
        await walk.pilot.pause()
        await compare(name_of("explained", size), walk)


async def test_without_colour_everything_can_still_be_told_apart(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same letters, with not one colour: what is chosen has a mark, what is typed a line."""
    monkeypatch.setenv("NO_COLOR", "1")
    async with shown_at(services, (80, 24), None, signin) as walk:
        await compare("signin-80x24", walk)
        assert walk.app.theme == "no-color"
        await walk.until(lambda: "▌ It is on" in walk.shown, "the mark before what is chosen")


async def test_in_ascii_not_one_other_letter_is_painted(services: Services) -> None:
    begin, act = drafts(services)["connected"]
    async with walking(services, draft=begin) as walk:
        walk.app.line_filters = [AsciiFilter(), *walk.app.line_filters]
        await act(walk)
        painted = "".join(
            segment.text
            for line in walk.app.screen._compositor.render_strips()
            for segment in line.apply_filter(walk.app.line_filters[0], walk.app.screen.background_colors[1])
        )
    assert painted.isascii()
    assert "Signed in" in painted


async def test_the_pictures_are_of_screens_that_there_are() -> None:
    screens = {*WITHOUT_DRAFT, "connect", "connected", "refused", "testmail", "sent", "review", "done"}
    named = {
        name_of(screen, size) for screen in (*screens, "accounts", "explain", "explained", "found") for size in SIZES
    }
    assert {file.stem for file in SNAPSHOTS.glob("*.txt")} == named
