"""The sign-in in the browser, at the screens, against a server on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from smtp_wizard.app import HOME
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.services.services import Services
from smtp_wizard.flows.provider import ProviderOffer
from smtp_wizard.flows.sign_in import SignInOffer
from smtp_wizard.screens.accounts.home import HomeScreen
from smtp_wizard.screens.browser import BrowserScreen
from smtp_wizard.screens.link import LinkPanel
from smtp_wizard.widgets.frame import SecretFrame, TextFrame
from smtp_wizard.widgets.qr import qr_code
from tests.engine.oauth.test_oauth import visit
from tests.engine.services.test_bearers import OWN, Office
from tests.support.oauthserver import CLIENT_ID, AuthorizationServer
from tests.support.places import take
from tests.support.redirect import RedirectWire, playing, tls_ports
from tests.support.walk import Walk, catalog, make_services, walking


@asynccontextmanager
async def at_the_browser(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    server: AuthorizationServer,
    entry: str = OWN,
    size: tuple[int, int] = (80, 24),
) -> AsyncIterator[tuple[Walk, Office]]:
    """Somebody who has come as far as the sign-in in the browser."""
    office = Office(tmp_path, server, monkeypatch)
    if entry != OWN:
        (tmp_path / "providers.yaml").write_text(entry % {"base": server.base}, "utf-8")
        office.services = office.other_services()
    async with walking(office.services, size=size) as walk:
        await walk.at("address")
        await walk.write("ana@firm.example")
        await walk.press("enter")
        await walk.at("provider")
        await walk.until_reads("ServiceMonster cannot sign in in a browser")
        await take(walk, ProviderOffer.BROWSER)
        await walk.at("oauth")
        await walk.until_reads("This is for whoever looks after your computers")
        await walk.press("enter")
        await walk.until_reads("Which client id did")
        yield walk, office


def attempt_of(walk: Walk) -> BrowserScreen:
    screen = walk.app.screen
    assert isinstance(screen, BrowserScreen)
    return screen


async def begun(walk: Walk, way: str = "Sign in with a code") -> BrowserScreen:
    """Type the client id, and begin."""
    await walk.fill("#client-id", CLIENT_ID)
    await walk.take(way)
    await walk.until_reads("until you have signed in")
    return attempt_of(walk)


BY_BROWSER = "Sign in in the browser"


async def test_a_code_that_is_typed_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with AuthorizationServer() as server, at_the_browser(tmp_path, monkeypatch, server) as (walk, office):
        await walk.press("enter")
        assert "Type the client id" in walk.the("#client-id", TextFrame).entry.error
        screen = await begun(walk)
        await walk.until_reads("WDJB-MJHT")
        await walk.until_reads("good for")
        server.type_code("WDJB-MJHT")
        await walk.until_reads("It stays so")
        assert screen.collect().secret is not None
        await walk.press("enter")
        await walk.at("connect")
        assert walk.draft.connection.auth is Auth.XOAUTH2
        await walk.press("enter")
        await walk.until(lambda: walk.draft.signed_in, "the sign-in")
        assert [token.reveal() for token in office.tokens if token] == [*server.access_tokens]
        shown = walk.shown
        assert not [each for each in (*server.access_tokens, *server.refresh_tokens) if each in shown]


@pytest.mark.parametrize(("size", "fits"), [((80, 24), True), ((120, 40), True), ((80, 20), False), ((60, 20), False)])
async def test_the_square_stands_there_only_where_it_fits_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], fits: bool
) -> None:
    """Half a square cannot be read; the code and what to do are there at every size."""
    async with (
        AuthorizationServer() as server,
        at_the_browser(tmp_path, monkeypatch, server, size=size) as (walk, _),
    ):
        screen = await begun(walk)
        await walk.until_reads("WDJB-MJHT")
        await walk.until_reads("Type the code.")
        whole = qr_code(screen.flow.state.picture).splitlines()
        shown = walk.shown.splitlines()
        assert all(any(row in line for line in shown) for row in whole) is fits
        assert any("▀" in line for line in shown) is fits, "all of it or nothing"
        await walk.until(
            lambda: walk.reads("or hold your phone to the square.") is fits, "words about the square where it stands"
        )


async def test_the_browser_of_this_computer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with AuthorizationServer() as server, at_the_browser(tmp_path, monkeypatch, server) as (walk, _):
        screen = await begun(walk, BY_BROWSER)
        await walk.press("f4")
        dialog = await walk.at_screen(LinkPanel)
        assert dialog.url == screen.flow.state.page
        await walk.press("escape")
        await walk.at("oauth")
        await visit(server.consent(screen.flow.state.page))
        await walk.until_reads("It stays so")
        await walk.press("enter")
        await walk.at("connect")


async def test_over_ssh_both_ways_are_shown_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.9 5000 192.0.2.1 22")
    monkeypatch.setenv("USER", "ana")
    async with AuthorizationServer() as server, at_the_browser(tmp_path, monkeypatch, server) as (walk, _):
        screen = await begun(walk, BY_BROWSER)
        await walk.until_reads(screen.flow.state.tunnel)
        assert "ana@192.0.2.1" in screen.flow.state.tunnel
        await walk.fill("#last-address", "https://login.example/")
        await walk.press("enter")
        await walk.settle()
        assert "address of another page" in walk.the("#last-address", TextFrame).entry.error
        await walk.fill("#last-address", server.consent(screen.flow.state.page))
        await walk.press("enter")
        await walk.until_reads("It stays so")


async def test_a_no_is_said_and_it_can_be_begun_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with AuthorizationServer() as server, at_the_browser(tmp_path, monkeypatch, server) as (walk, _):
        screen = await begun(walk, BY_BROWSER)
        await visit(server.decline(screen.flow.state.page))
        await walk.until_reads("The sign-in page said no")
        await walk.take(BY_BROWSER)
        await walk.until_reads("until you have signed in")


async def test_cancelling_closes_the_listener(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.9 5000 192.0.2.1 22")
    async with AuthorizationServer() as server, at_the_browser(tmp_path, monkeypatch, server) as (walk, _):
        screen = await begun(walk, BY_BROWSER)
        port = int(screen.flow.state.tunnel.split(":")[0].rpartition(" ")[2])
        await walk.press("escape")
        await walk.until_reads("Which client id did")
        await walk.press("escape")
        await walk.at("provider")
        assert walk.draft.client_id == CLIENT_ID, "what was typed is not lost"

        async def nobody_listens() -> bool:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                return True
            writer.close()
            return False

        await walk.settle()
        assert await nobody_listens()


async def test_another_client_needs_another_sign_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with AuthorizationServer() as server, at_the_browser(tmp_path, monkeypatch, server) as (walk, _):
        screen = await begun(walk)
        server.type_code("WDJB-MJHT")
        await walk.until_reads("It stays so")
        await walk.take("Sign in again")
        await walk.fill("#client-id", "another")
        assert screen.collect().secret is None
        await walk.press("enter")
        await walk.until_reads("does not know this client id")


async def test_a_client_secret_is_hidden_and_wanted_where_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = OWN.replace("idle: {days: 90}", "idle: {days: 90}\n          client_secret: needed")
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(AuthorizationServer(client_secret="s3cret-of-ana"))
        walk, _ = await stack.enter_async_context(at_the_browser(tmp_path, monkeypatch, server, entry))
        await walk.fill("#client-id", CLIENT_ID)
        await walk.press("enter")
        assert "gives a client secret along" in walk.the("#client-secret", SecretFrame).entry.error
        await walk.fill("#client-secret", "s3cret-of-ana")
        assert "s3cret-of-ana" not in walk.shown
        await walk.press("enter")
        await walk.until_reads("WDJB-MJHT")
        draft_file = (tmp_path / "draft.json").read_text("utf-8")
        assert CLIENT_ID not in draft_file or "s3cret-of-ana" not in draft_file
        await walk.press("escape", "escape")
        await walk.at("provider")
        assert walk.draft.client_secret == Secret("s3cret-of-ana")
        await take(walk, ProviderOffer.BROWSER)
        await walk.at("oauth")
        assert walk.entry("#client-secret").value == "s3cret-of-ana"
        assert "s3cret-of-ana" not in walk.shown
        assert "s3cret-of-ana" not in (tmp_path / "draft.json").read_text("utf-8")


async def test_an_account_says_when_its_sign_in_ends_and_is_signed_in_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with AuthorizationServer() as server:
        office = Office(tmp_path, server, monkeypatch)
        await office.services.accounts.save(await office.new_draft())
        office.at += timedelta(days=80)
        async with walking(office.services, start=HOME) as walk:
            await walk.at_screen(HomeScreen)
            await walk.until_reads("The sign-in in the browser ends on 2027-02-22, in 10 days")
            await walk.press("p")
            await walk.at("oauth")
            assert walk.entry("#client-id").value == CLIENT_ID
            await walk.press("enter")
            await walk.until_reads("WDJB-MJHT")


async def test_for_an_application_with_a_password_it_is_said_before_the_choice(tmp_path: Path) -> None:
    async with playing(tmp_path / "servers", "accept") as servers:
        services = make_services(tmp_path / "config", RedirectWire(servers["accept"], tls_ports(catalog())))
        await _not_for_a_password(services)


async def _not_for_a_password(services: Services) -> None:
    async with walking(services) as walk:
        await walk.at("address")
        await walk.write("ana@gmail.com")
        await walk.press("enter")
        await walk.at("provider")
        await walk.press("enter")
        await walk.at("signin")
        await walk.mark("oauth")
        await walk.until_reads("Only if your application offers it.")
        await walk.press("enter")
        await walk.until_reads("a sign-in in the browser proves nothing for it")
        await walk.take_offer(SignInOffer.GO_ON)
        await walk.at("oauth")
        assert walk.draft.connection.path == "oauth"
