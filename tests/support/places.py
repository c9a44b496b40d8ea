"""The screens of the wizard and of the accounts, each with how a person comes to stand before it.

Everything that changes from run to run is held still: the clock, the address of the server, its port.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from smtp_wizard.app import HOME, SETUP
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.identity import Scope
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.checks.events import RunFinished
from smtp_wizard.engine.secrets.store_kinds import StoreKind
from smtp_wizard.engine.services.services import Services
from smtp_wizard.engine.state.results import LastResult, Result
from smtp_wizard.engine.wizard.draft import Draft, Origin, Proof, ReportedArrival
from smtp_wizard.flows.provider import ProviderOffer
from smtp_wizard.screens.accounts.home import HomeScreen
from smtp_wizard.screens.guide import StepsPanel
from smtp_wizard.screens.link import LinkPanel
from smtp_wizard.screens.panel import ConfirmPanel, HelpPanel, QuestionPanel
from smtp_wizard.screens.question import FlowPanel
from smtp_wizard.widgets.offers import OfferList
from smtp_wizard.widgets.plain_text import PlainText
from tests.support.redirect import RedirectWire, playing, tls_ports
from tests.support.stores import desktop
from tests.support.walk import Walk, catalog, make_services, walking

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
PASSWORD = "abcd efgh ijkl mnop"
TEST_TO = Address("ben", "elsewhere.example")
EMAIL = Address("ana", "gmail.com")
GOOD, BAD = "accept", "app-password-required"


def draft_at_signin() -> Draft:
    """Return the answers of somebody whose provider is known."""
    provider = catalog().get("gmail")
    assert provider is not None
    note = f"from: the ending of the address ({EMAIL.domain})"
    return Draft(address=EMAIL).with_provider(provider, Origin.ADDRESS, note)


def draft_at_connect() -> Draft:
    """Return them with the way in chosen."""
    draft = draft_at_signin()
    provider = catalog().get("gmail")
    assert provider is not None
    return draft.with_path(provider.paths[0])


def draft_at_oauth() -> Draft:
    """Return them with the way in the browser chosen."""
    draft = draft_at_signin()
    provider = catalog().get("gmail")
    assert provider is not None
    path = provider.path("oauth")
    assert path is not None
    return draft.with_path(path)


def draft_at_testmail() -> Draft:
    """Return them with the sign-in proved."""
    draft = draft_at_connect().with_sign_in(str(EMAIL), Secret(PASSWORD.replace(" ", "")))
    assert draft.connection.endpoint is not None
    return replace(
        draft, proof=Proof(NOW, Depth.LOGIN, Verdict.PASS, draft.connection.endpoint, draft.connection.username)
    )


def draft_at_review() -> Draft:
    """Return them with the test message arrived."""
    draft = draft_at_testmail()
    assert draft.proof is not None
    proof = replace(draft.proof, depth=Depth.SEND)
    return replace(draft, test_to=TEST_TO, arrival=ReportedArrival.ARRIVED, proof=proof, store=StoreKind.KEYRING)


def draft_at_done() -> Draft:
    """Return them saved."""
    return replace(draft_at_review(), name="Gmail ana", saved="Gmail ana")


def draft_at_server() -> Draft:
    """Return the answers of somebody who enters the server by hand."""
    custom = catalog().get("custom")
    assert custom is not None
    draft = Draft(address=Address("ana", "firma.example")).with_provider(custom, Origin.HAND)
    return draft.with_path(custom.paths[0])


Go = Callable[[Walk], Awaitable[None]]


@dataclass(frozen=True)
class Place:
    """A screen in one state."""

    go: Go
    """Brings a person from where the program opens to the place, and waits until everything stands there."""
    draft: Callable[[], Draft] | None = None
    scenario: str = GOOD
    start: str = SETUP


async def at_address(walk: Walk) -> None:
    await walk.at("address")


async def address_with_a_typo(walk: Walk) -> None:
    await walk.at("address")
    await walk.write("ana@gmial.com")
    await walk.press("enter")
    await walk.until_reads("Did you mean gmail.com?")


async def at_provider(walk: Walk) -> None:
    await walk.at("address")
    await walk.write(str(EMAIL))
    await walk.press("enter")
    await walk.at("provider")


async def provider_then_and_now(walk: Walk) -> None:
    await at_provider(walk)
    await walk.press("f4")


async def another_provider(walk: Walk) -> None:
    await at_provider(walk)
    await walk.take_offer(ProviderOffer.OTHER)
    await walk.until_reads("Find your provider")
    await walk.write("yah")
    await walk.settle()


async def at_signin(walk: Walk) -> None:
    await walk.at("signin")


async def a_closed_way(walk: Walk) -> None:
    await walk.at("signin")
    await walk.take_offer("less-secure-apps")
    await walk.until_reads("What will you do instead?")


async def at_server(walk: Walk) -> None:
    await walk.at("server")


async def a_server_tested(walk: Walk) -> None:
    await walk.at("server")
    await walk.write("mail.firma.example")
    await walk.take("Try this port only")
    await walk.until_reads("Server and port are right")


async def at_oauth(walk: Walk) -> None:
    await walk.at("oauth")


async def at_client(walk: Walk) -> None:
    """Whoever looks after the computers is asked for the client id."""
    await walk.at("oauth")
    await walk.press("enter")
    await walk.until_reads("Which client id did")


async def at_connect(walk: Walk) -> None:
    """With the check of the server, which needs no password, at its end."""
    await walk.at("connect")
    await walk.until(lambda: any(isinstance(each, RunFinished) for each in walk.app.context.watch.events), "its check")
    await walk.settle()


async def sign_in_fails(walk: Walk) -> None:
    await at_connect(walk)
    await walk.write("my usual password")
    await walk.sign_in()
    await walk.until_reads("checks passed")


async def failure_in_detail(walk: Walk) -> None:
    await sign_in_fails(walk)
    await walk.press("f4")


async def signed_in(walk: Walk) -> None:
    await at_connect(walk)
    await walk.write(PASSWORD)
    await walk.sign_in()
    await walk.until_reads("Enter Send a test")


async def the_guide(walk: Walk) -> None:
    await at_connect(walk)
    await walk.press("f6")
    await walk.at_screen(StepsPanel)
    await walk.press("enter")


async def at_testmail(walk: Walk) -> None:
    await walk.at("testmail")


async def sent(walk: Walk, to: str = str(TEST_TO)) -> None:
    """Send the test message."""
    await walk.at("testmail")
    await walk.write(to)
    await walk.press("enter")
    await walk.until_reads("Which code word is in the message?")


async def seen(walk: Walk) -> None:
    """Type the code word of the message that was sent."""
    await walk.write(walk.draft.test_word)
    await walk.press("enter")


async def skipped(walk: Walk) -> None:
    """Go on without a test message."""
    await walk.at("testmail")
    await walk.press("down", "enter")


async def take(walk: Walk, offer: object) -> None:
    """Take an offer of the list, which stands at the mark or below it."""
    offers = walk.the("#offers", OfferList)
    for _ in offers.items:
        if offers.selected is not None and offers.selected.id == offer:
            await walk.press("enter")
            return
        await walk.press("down")
    raise AssertionError(f"{offer} is not offered")


async def keep_in(walk: Walk, kind: StoreKind) -> None:
    """F9, and another place for the password."""
    await walk.press("f9")
    await walk.until_reads("Where should the password be kept?")
    await take(walk, kind)


async def at_review(walk: Walk) -> None:
    """With the place for the password found; in a small window it is said below what is in sight."""
    await walk.at("review")
    place = walk.the("#place", PlainText)
    await walk.until(lambda: str(place.render()).startswith("Password  in this computer's keyring"), "the place")


async def at_done(walk: Walk) -> None:
    await walk.at("done")


async def at_home(walk: Walk) -> None:
    await walk.at_screen(HomeScreen)


async def account_actions(walk: Walk) -> None:
    await at_home(walk)
    await walk.press("enter")
    await walk.at_screen(QuestionPanel)


async def help_window(walk: Walk) -> None:
    await walk.at("address")
    await walk.press("f1")
    await walk.at_screen(HelpPanel)


async def leave_window(walk: Walk) -> None:
    await at_provider(walk)
    await walk.press("ctrl+q")
    await walk.at_screen(ConfirmPanel)


async def link_window(walk: Walk) -> None:
    await at_connect(walk)
    await walk.press("f6", "o")
    await walk.at_screen(LinkPanel)


async def password_window(walk: Walk) -> None:
    await at_home(walk)
    await walk.press("p")
    await walk.at_screen(FlowPanel)


PLACES: Mapping[str, Place] = {
    "address": Place(at_address),
    "address-typo": Place(address_with_a_typo),
    "help": Place(help_window),
    "provider": Place(at_provider),
    "provider-then-and-now": Place(provider_then_and_now),
    "provider-another": Place(another_provider),
    "leave": Place(leave_window),
    "signin": Place(at_signin, draft_at_signin),
    "signin-closed": Place(a_closed_way, draft_at_signin),
    "server": Place(at_server, draft_at_server),
    "server-tested": Place(a_server_tested, draft_at_server),
    "oauth": Place(at_oauth, draft_at_oauth),
    "oauth-client": Place(at_client, draft_at_oauth),
    "connect": Place(at_connect, draft_at_connect),
    "connect-failed": Place(sign_in_fails, draft_at_connect, BAD),
    "connect-details": Place(failure_in_detail, draft_at_connect, BAD),
    "connect-signed-in": Place(signed_in, draft_at_connect),
    "connect-guide": Place(the_guide, draft_at_connect),
    "link": Place(link_window, draft_at_connect),
    "testmail": Place(at_testmail, draft_at_testmail),
    "testmail-sent": Place(sent, draft_at_testmail),
    "review": Place(at_review, draft_at_review),
    "done": Place(at_done, draft_at_done),
    "home": Place(at_home, start=HOME),
    "home-actions": Place(account_actions, start=HOME),
    "home-password": Place(password_window, start=HOME),
}
"""Every screen, by the name of its picture."""


@asynccontextmanager
async def standing(place: Place, folder: Path, size: tuple[int, int] = (80, 24)) -> AsyncIterator[Walk]:
    """Bring a person to a place; yield when everything stands there."""
    async with playing(folder / "practice", place.scenario) as servers:
        wire = RedirectWire(servers[place.scenario], tls_ports(catalog()))
        services = make_services(folder / "config", wire, backend=desktop(), now=lambda: NOW)
        if place.start == HOME:
            await two_accounts(services)
        draft = place.draft() if place.draft is not None else None
        async with walking(services, start=place.start, draft=draft, size=size) as walk:
            await place.go(walk)
            await still(walk)
            yield walk


async def two_accounts(services: Services) -> None:
    """Save an account that works and one that does not."""
    await services.accounts.save(replace(draft_at_review(), name="Gmail ana"))
    office = replace(draft_at_review(), name="Office", scope=Scope.ALL)
    await services.accounts.save(office)
    failed = LastResult(NOW - timedelta(days=3), Depth.LOGIN, Verdict.FAIL, Stage.AUTH, "bad_credentials")
    services.saved_accounts.state.results.record(services.saved_accounts.get("Office").id, Result(failed))


async def still(walk: Walk) -> None:
    """Wait until the screen has not changed for a while."""
    seen: list[str] = []

    def unchanged() -> bool:
        seen.append(walk.shown)
        return len(seen) > QUIET and len(set(seen[-QUIET:])) == 1

    await walk.settle()
    await walk.until(unchanged, "the screen to be still")


QUIET = 8
"""How often in a row a screen must look the same."""
