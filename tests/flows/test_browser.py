"""The sign-in in the browser without a face, against a server on loopback: its stages, and each fault."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Connection
from smtp_wizard.engine.base.endpoint import Endpoint
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.oauth.errors import OAuthError, OAuthFault
from smtp_wizard.engine.oauth.pending_sign_in import PendingSignIn
from smtp_wizard.engine.wizard.draft import Draft, Origin
from smtp_wizard.engine.wizard.steps import Back, Next
from smtp_wizard.flows.browser import BrowserField, BrowserFlow, BrowserOffer, BrowserStage, BrowserState
from smtp_wizard.flows.flow import Mood
from tests.engine.oauth.test_oauth import visit
from tests.engine.services.test_bearers import OWN, Office
from tests.support.oauthserver import CLIENT_ID, AuthorizationServer
from tests.support.walk import until

FAR_AWAY = {"SSH_CONNECTION": "192.0.2.9 5000 192.0.2.1 22", "USER": "ana"}


def begun(office: Office) -> Draft:
    provider = office.services.catalog.get("our-firm")
    assert provider is not None
    chosen = Draft().with_address(Address("ana", "firm.example")).with_provider(provider, Origin.ADDRESS)
    connection: Connection[Endpoint | None] = replace(chosen.connection, username="ana@firm.example")
    return replace(chosen, connection=connection)


def flow_of(office: Office, draft: Draft | None = None, environ: Mapping[str, str] | None = None) -> BrowserFlow:
    services = office.services
    return BrowserFlow(
        draft or begun(office),
        catalog=services.catalog,
        tokens=services.tokens,
        now=services.now,
        environ=environ or {},
    )


@asynccontextmanager
async def at_the_client(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    entry: Callable[[str], str] = lambda own: own,
    environ: Mapping[str, str] | None = None,
    client_secret: str = "",
) -> AsyncIterator[tuple[BrowserFlow, AuthorizationServer, Office]]:
    """A flow whose client id is typed."""
    async with AuthorizationServer(client_secret=client_secret) as server:
        office = Office(tmp_path, server, monkeypatch)
        (tmp_path / "providers.yaml").write_text(entry(OWN) % {"base": server.base}, "utf-8")
        office.services = office.other_services()
        flow = flow_of(office, environ=environ)
        assert await flow.act(BrowserOffer.BEGIN) is None
        flow.type(BrowserField.CLIENT_ID, f" {CLIENT_ID} ")
        yield flow, server, office


async def waiting(flow: BrowserFlow, offer: BrowserOffer) -> asyncio.Task[object]:
    task: asyncio.Task[object] = asyncio.ensure_future(flow.act(offer))
    await until(lambda: stage(flow) is BrowserStage.WAITING or task.done(), lambda: repr(flow.state))
    return task


def stage(flow: BrowserFlow) -> BrowserStage:
    return flow.state.stage


def offered(state: BrowserState) -> list[BrowserOffer]:
    return [each.id for each in state.offers]


def mood(flow: BrowserFlow) -> Mood | None:
    return flow.state.card.mood if flow.state.card is not None else None


# --- before it ---


async def test_it_begins_with_whom_it_is_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with AuthorizationServer() as server:
        flow = flow_of(Office(tmp_path, server, monkeypatch))
        assert stage(flow) is BrowserStage.PREFACE
        assert flow.state.card is not None
        assert flow.state.card.title == "This is for whoever looks after your computers"
        assert "ServiceMonster cannot" in " ".join(flow.state.card.lines)
        assert offered(flow.state) == [BrowserOffer.BEGIN, BrowserOffer.BACK]
        assert isinstance(await flow.act(BrowserOffer.BACK), Back)
        assert await flow.act(BrowserOffer.BEGIN) is None
        assert stage(flow) is BrowserStage.CLIENT


async def test_whoever_has_a_client_id_has_read_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with AuthorizationServer() as server:
        office = Office(tmp_path, server, monkeypatch)
        flow = flow_of(office, replace(begun(office), client_id="known"))
        assert (stage(flow), flow.state.client_id.text) == (BrowserStage.CLIENT, "known")


async def test_a_client_id_is_asked_for_and_a_secret_only_where_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with at_the_client(tmp_path, monkeypatch) as (flow, _, _):
        flow.type(BrowserField.CLIENT_ID, "  ")
        assert await flow.act(BrowserOffer.CODE) is None
        assert "Type the client id" in flow.state.client_id.error
        assert flow.state.client_secret is None
        flow.type(BrowserField.CLIENT_ID, "x")
        assert not flow.state.client_id.error


async def test_a_client_secret_is_wanted_where_there_is_one_and_is_in_no_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def needed(own: str) -> str:
        return own.replace("idle: {days: 90}", "idle: {days: 90}\n          client_secret: needed")

    there = at_the_client(tmp_path, monkeypatch, entry=needed, client_secret="s3cret-of-ana")
    async with there as (flow, server, _):
        await flow.act(BrowserOffer.CODE)
        assert flow.state.client_secret is not None
        assert "gives a client secret along" in flow.state.client_secret.error
        assert flow.state.cursor is BrowserField.CLIENT_SECRET
        flow.type(BrowserField.CLIENT_SECRET, "s3cret-of-ana")
        assert "s3cret-of-ana" not in repr(flow.state)
        task = await waiting(flow, BrowserOffer.CODE)
        server.type_code(flow.state.code)
        await task
        assert flow.draft.client_secret == Secret("s3cret-of-ana")
        assert stage(flow) is BrowserStage.DONE


# --- the sign-in ---


async def test_a_code_is_shown_with_what_to_do_and_for_how_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with at_the_client(tmp_path, monkeypatch) as (flow, server, office):
        assert offered(flow.state) == [BrowserOffer.CODE, BrowserOffer.BROWSER]
        task = await waiting(flow, BrowserOffer.CODE)
        state = flow.state
        assert state.code == "WDJB-MJHT"
        assert state.picture.startswith(state.page)
        assert state.steps[1:] == ("Type the code.", "Sign in as ana@firm.example.")
        assert offered(state) == [BrowserOffer.OPEN_PAGE, BrowserOffer.COPY_CODE, BrowserOffer.STOP]
        assert [each.key for each in state.offers] == ["O", "C", "Esc"]
        assert state.pasted is None
        before = flow.left()
        office.at += timedelta(seconds=61)
        assert flow.left() != before
        assert "good for" in before
        server.type_code("WDJB-MJHT")
        await task
        assert (stage(flow), mood(flow)) == (BrowserStage.DONE, Mood.PASSED)
        assert flow.left() == ""
        assert office.services.tokens.is_fresh(flow.draft.secret or Secret(""))
        assert not [each for each in (*server.access_tokens, *server.refresh_tokens) if each in repr(flow.state)]
        leads = await flow.act(BrowserOffer.GO_ON)
        assert isinstance(leads, Next)
        assert leads.draft.secret is not None


async def test_the_browser_comes_back_or_its_address_is_pasted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with at_the_client(tmp_path, monkeypatch, environ=FAR_AWAY) as (flow, server, _):
        task = await waiting(flow, BrowserOffer.BROWSER)
        assert "ana@192.0.2.1" in flow.state.tunnel
        assert flow.state.code == ""
        assert [each.key for each in flow.state.offers] == ["F4", "Esc"], "a letter is a letter in the field"
        flow.type(BrowserField.PASTED, "https://login.example/")
        assert offered(flow.state)[0] is BrowserOffer.PASTE
        await flow.act(BrowserOffer.PASTE)
        assert flow.state.pasted is not None
        assert "address of another page" in flow.state.pasted.error
        flow.type(BrowserField.PASTED, server.consent(flow.state.page))
        await flow.act(BrowserOffer.PASTE)
        await task
        assert stage(flow) is BrowserStage.DONE
        await flow.act(BrowserOffer.AGAIN)
        assert (stage(flow), flow.draft.secret) == (BrowserStage.CLIENT, None)
        task = await waiting(flow, BrowserOffer.BROWSER)
        await visit(server.consent(flow.state.page))
        await task
        assert stage(flow) is BrowserStage.DONE


async def test_another_client_needs_another_sign_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with at_the_client(tmp_path, monkeypatch) as (flow, server, _):
        task = await waiting(flow, BrowserOffer.CODE)
        server.type_code(flow.state.code)
        await task
        flow.type(BrowserField.CLIENT_ID, "another")
        assert (stage(flow), flow.draft.secret) == (BrowserStage.CLIENT, None)
        assert await flow.act(BrowserOffer.GO_ON) is None


async def listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


@pytest.mark.parametrize("how", ["stop", "cancel", "back"])
async def test_ending_the_waiting_leaves_all_as_it_was_and_nobody_listens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    async with at_the_client(tmp_path, monkeypatch, environ=FAR_AWAY) as (flow, server, _):
        task = await waiting(flow, BrowserOffer.BROWSER)
        await visit(server.decline(flow.state.page))
        await task
        before = flow.state
        assert mood(flow) is Mood.FAILED
        task = await waiting(flow, BrowserOffer.BROWSER)
        port = int(flow.state.tunnel.split(":")[0].rpartition(" ")[2])
        assert await listens(port)
        if how == "cancel":
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        else:
            leads = await flow.act(BrowserOffer.STOP if how == "stop" else BrowserOffer.BACK)
            assert isinstance(leads, Back) is (how == "back")
            await task
        assert flow.state == replace(before, cursor=flow.state.cursor)
        assert flow.draft.client_id == CLIENT_ID, "what was typed is not lost"
        assert not await listens(port)


# --- faults ---


async def test_a_no_on_the_page_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with at_the_client(tmp_path, monkeypatch) as (flow, server, _):
        task = await waiting(flow, BrowserOffer.BROWSER)
        await visit(server.decline(flow.state.page))
        assert await task is None
        assert flow.state.card is not None
        assert "The sign-in page said no" in " ".join(flow.state.card.lines)
        assert offered(flow.state) == [BrowserOffer.CODE, BrowserOffer.BROWSER], "it can be begun anew"


FAULTS: tuple[Exception, ...] = (
    *(OAuthError(each, phrase("Nothing came of it: {}.", each)) for each in OAuthFault),
    InputError(phrase("The certificate file cannot be read.")),
)


@pytest.mark.parametrize("when", ["__aenter__", "finished"])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda each: getattr(each, "fault", "input"))
async def test_every_fault_is_a_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception, when: str
) -> None:
    async def fail(attempt: PendingSignIn) -> None:
        raise fault

    monkeypatch.setattr(PendingSignIn, when, fail)
    async with at_the_client(tmp_path, monkeypatch) as (flow, _, _):
        assert await flow.act(BrowserOffer.CODE) is None
        assert flow.state.card is not None
        assert (flow.state.card.mood, flow.state.card.lines) == (Mood.FAILED, (str(fault),))
        forbidden = getattr(fault, "fault", None) is OAuthFault.FORBIDDEN
        cure = BrowserOffer.BROWSER if forbidden else BrowserOffer.CODE
        assert offered(flow.state)[0] is cure, "where a code is forbidden, the browser is the cure"
        flow.type(BrowserField.CLIENT_ID, "another")
        assert flow.state.card is None, "it was said of another client"


async def test_a_fault_of_our_own_ends_the_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(attempt: PendingSignIn) -> None:
        raise RuntimeError("a fault of our own")

    monkeypatch.setattr(PendingSignIn, "finished", fail)
    async with at_the_client(tmp_path, monkeypatch) as (flow, _, _):
        with pytest.raises(RuntimeError):
            await flow.act(BrowserOffer.CODE)
        assert stage(flow) is BrowserStage.CLIENT


@pytest.mark.parametrize(
    ("page", "step"),
    [
        ("https://www.firm.example/device/", "Open firm.example/device"),
        (f"https://firm.example/{'x' * 1900}", "Open the page."),
    ],
)
async def test_a_page_is_named_as_it_is_typed_unless_nobody_could_type_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: str, step: str
) -> None:
    async with at_the_client(tmp_path, monkeypatch) as (flow, server, _):
        answer = {"user_code": "W" * 40, "verification_uri": page, "device_code": "d", "expires_in": 600, "interval": 5}
        server.override = lambda path, form: (200, answer) if path == "/device" else None
        task = await waiting(flow, BrowserOffer.CODE)
        assert flow.state.steps[0] == step
        await flow.act(BrowserOffer.STOP)
        await task
