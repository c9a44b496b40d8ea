"""Signing in in the browser, against a server on loopback that is strict, or does what it should not."""

from __future__ import annotations

import asyncio
import base64
import json
import multiprocessing
import threading
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import filelock
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_wizard.engine.base import private_files
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.oauth.browser import BrowserSignIn, code_from_address
from smtp_wizard.engine.oauth.client import OAuthClient, RegisteredClient
from smtp_wizard.engine.oauth.device import DeviceCode, ask_for_code, wait_for_person
from smtp_wizard.engine.oauth.errors import OAuthError, OAuthFault, meaning_of
from smtp_wizard.engine.oauth.grants import Grant, SignedIn
from smtp_wizard.engine.oauth.listener import Listener
from smtp_wizard.engine.oauth.renewal import Renewal
from tests.support.oauthserver import CLIENT_ID, Answer, AuthorizationServer, refresh_of

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
STATE = "s" * 32
CLIENT = RegisteredClient(CLIENT_ID)


def exchange_of(server: AuthorizationServer, client: RegisteredClient = CLIENT) -> OAuthClient:
    return OAuthClient(server.described(), client, now=lambda: NOW)


async def signed_in(server: AuthorizationServer, client: RegisteredClient = CLIENT) -> SignedIn:
    """Sign in in the browser, the address pasted."""
    attempt = BrowserSignIn(exchange_of(server, client), 4711)
    return await attempt.finish(attempt.pasted(server.consent(attempt.url)))


async def visit(url: str, **headers: str) -> str:
    """Go to an address of the listener as a browser does; return what it shows."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    host = headers.get("host", parts.netloc)
    method = headers.get("method", "GET")
    writer.write(f"{method} {parts.path or '/'}?{parts.query} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    page = (await reader.read()).decode()
    writer.close()
    return page


# --- in the browser ---


async def test_the_browser_comes_back_to_the_listener() -> None:
    async with AuthorizationServer() as server, Listener("/callback") as listener:
        attempt = BrowserSignIn(exchange_of(server), listener.port, "ana@firm.example")
        asked = dict(parse_qsl(urlsplit(attempt.url).query))
        assert asked["redirect_uri"] == f"http://127.0.0.1:{listener.port}/callback"
        assert (asked["scope"], asked["prompt"]) == ("smtp offline_access", "consent")
        assert asked["login_hint"] == "ana@firm.example"
        waiting = asyncio.ensure_future(listener.answer(attempt.is_ours))
        await asyncio.sleep(0)
        page = await visit(server.consent(attempt.url))
        assert page.startswith("HTTP/1.1 200")
        assert "You are signed in" in page
        found = await attempt.finish(attempt.code_of(await waiting))
    assert found.access.token.reveal() in server.access_tokens
    assert found.access.ends == NOW + timedelta(hours=1)
    assert refresh_of(found.grant) in server.refresh_tokens
    assert (found.grant.granted, found.grant.renewed, found.grant.ends) == (NOW, NOW, None)


async def test_others_get_nothing_from_the_listener() -> None:
    async with AuthorizationServer() as server, Listener("/callback") as listener:
        attempt = BrowserSignIn(exchange_of(server), listener.port)
        waiting = asyncio.ensure_future(listener.answer(attempt.is_ours))
        await asyncio.sleep(0)
        good = server.consent(attempt.url)
        for wrong in (
            f"http://127.0.0.1:{listener.port}/favicon.ico",
            f"http://127.0.0.1:{listener.port}/callback?code=x&state=guessed",
            f"http://127.0.0.1:{listener.port}/callback?code=x",
            f"http://127.0.0.1:{listener.port}/callback?state={attempt.state}",
            f"http://127.0.0.1:{listener.port}/callback?{'a&' * 60}code=x&state={attempt.state}",
        ):
            assert (await visit(wrong)).startswith("HTTP/1.1 404")
        assert (await visit(good, host="evil.example")).startswith("HTTP/1.1 404"), "DNS rebinding"
        assert (await visit(good, host="[")).startswith("HTTP/1.1 404")
        assert (await visit(good, method="POST")).startswith("HTTP/1.1 404")
        assert not waiting.done()
        assert (await visit(good)).startswith("HTTP/1.1 200")
        assert (await visit(good)).startswith("HTTP/1.1 404"), "one answer"
        assert (await waiting)["state"] == attempt.state


async def test_the_listener_bears_what_browsers_do() -> None:
    """Connections that are opened in advance, and say nothing, or nonsense, or too much."""
    async with Listener() as listener:
        waiting = asyncio.ensure_future(listener.answer(lambda query: query.get("state") == STATE))
        silent = [await asyncio.open_connection("127.0.0.1", listener.port) for _ in range(5)]
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(b"\x16\x03\x01\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 404")
        _, loud = await asyncio.open_connection("127.0.0.1", listener.port)
        loud.write(b"x" * 200_000)
        assert "signed in" in await visit(f"http://localhost:{listener.port}?code=abc&state={STATE}")
        assert (await waiting)["code"] == "abc"
        port = listener.port
    with pytest.raises(OSError):
        await asyncio.open_connection("127.0.0.1", port)
    for _, each in (*silent, (reader, writer), (reader, loud)):
        each.close()


async def test_a_no_on_the_page_is_said() -> None:
    async with AuthorizationServer() as server, Listener("/callback") as listener:
        attempt = BrowserSignIn(exchange_of(server), listener.port)
        waiting = asyncio.ensure_future(listener.answer(attempt.is_ours))
        await asyncio.sleep(0)
        assert "Not signed in" in await visit(server.decline(attempt.url))
        with pytest.raises(OAuthError, match="declined there, or a rule of your organisation") as caught:
            attempt.code_of(await waiting)
    assert caught.value.fault is OAuthFault.DENIED


async def test_a_code_of_another_attempt_is_worth_nothing() -> None:
    async with AuthorizationServer() as server:
        first, second = (BrowserSignIn(exchange_of(server), 4711) for _ in range(2))
        address = server.consent(first.url)
        with pytest.raises(OAuthError, match="another attempt"):
            second.pasted(address)
        with pytest.raises(OAuthError, match="too old, or used before") as caught:
            await second.finish(first.pasted(address))
        assert caught.value.fault is OAuthFault.OVER


async def test_a_client_with_a_secret() -> None:
    async with AuthorizationServer(client_secret="geheim+/=%& 1") as server:
        found = await signed_in(server, RegisteredClient(CLIENT_ID, Secret("geheim+/=%& 1")))
        assert found.grant.client_secret == Secret("geheim+/=%& 1")
        with pytest.raises(OAuthError, match="does not know this client id") as caught:
            await signed_in(server, RegisteredClient(CLIENT_ID, Secret("another")))
    assert caught.value.fault is OAuthFault.CLIENT


# --- what is pasted ---

GOOD = f"http://127.0.0.1:4711/callback?code=abc%2Fdef&state={STATE}&scope=smtp"


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        f"  {GOOD}\r\n",
        "\n".join(GOOD[at : at + 20] for at in range(0, len(GOOD), 20)),
        " ".join(GOOD[at : at + 7] for at in range(0, len(GOOD), 7)),
        GOOD.replace("127.0.0.1", "localhost"),
        GOOD.replace("&", "&amp;"),
        f"<{GOOD}>",
        f'"{GOOD}"',
        quote(GOOD, safe=""),
        GOOD.replace("code", "co\u200bde"),
        GOOD.partition("?")[2],
        "?" + GOOD.partition("?")[2],
        GOOD.removeprefix("http://"),
    ],
)
def test_an_address_is_read_however_it_was_copied(text: str) -> None:
    assert code_from_address(text, STATE).reveal() == "abc/def"


@pytest.mark.parametrize(
    ("text", "trouble", "words"),
    [
        ("", OAuthFault.NO_CODE, "Nothing was pasted"),
        ("   \n", OAuthFault.NO_CODE, "Nothing was pasted"),
        ("abc/def", OAuthFault.NO_CODE, "no code in it"),
        ("http://127.0.0.1:4711/", OAuthFault.NO_CODE, "no code in it"),
        (f"http://127.0.0.1/?state={STATE}", OAuthFault.NO_CODE, "no code in it"),
        ("http://127.0.0.1/?code=abc", OAuthFault.NO_CODE, "no code in it"),
        ("http://[/?code=abc", OAuthFault.NO_CODE, "no code in it"),
        (f"https://login.example/auth?state={STATE}&code=a", OAuthFault.FOREIGN, "address of another page"),
        (f"http://127.0.0.1.evil.example/?state={STATE}&code=a", OAuthFault.FOREIGN, "address of another page"),
        ("http://127.0.0.1/?state=other&code=a", OAuthFault.FOREIGN, "another attempt"),
        (f"http://127.0.0.1/?error=access_denied&state={STATE}", OAuthFault.DENIED, "said no"),
        (f"http://127.0.0.1/?code={'x' * 5000}"[:4095], OAuthFault.CUT, "The terminal cut the address"),
        (f"http://127.0.0.1/?state={STATE}&code={'x' * 5000}"[:4095], OAuthFault.CUT, "The terminal cut"),
        ("x" * 100_000, OAuthFault.CUT, "The terminal cut"),
    ],
)
def test_what_is_wrong_with_an_address_is_said(text: str, trouble: OAuthFault, words: str) -> None:
    with pytest.raises(OAuthError, match=words) as caught:
        code_from_address(text, STATE)
    assert caught.value.fault is trouble


@pytest.mark.parametrize(
    "text",
    [
        f"http://127.0.0.1/?code=abc&state={STATE}\ud800",
        f"http://127.0.0.1/?code=a\udcffbc&state={STATE}",
        f"http://127.0.0.1\udcff/?code=abc&state={STATE}",
        f"http://127.0.0.1/?code=%ff%00&state={STATE}",
        f"http://127.0.0.1/?c\ud800=1&code=&state={STATE}",
        "\ud800" * 50,
    ],
    ids=ascii,
)
def test_halves_of_characters_in_what_is_pasted_are_an_error_in_words(text: str) -> None:
    """As a terminal hands them over whose encoding is another one."""
    with pytest.raises(OAuthError) as caught:
        code_from_address(text, STATE)
    assert caught.value.fault in (OAuthFault.NO_CODE, OAuthFault.FOREIGN)


@given(st.text(st.characters(), max_size=300))
def test_whatever_is_pasted_is_an_error_in_words_and_never_said_back(text: str) -> None:
    with pytest.raises(OAuthError) as caught:
        code_from_address(f"https://evil.example/{text}", STATE)
    assert str(caught.value).isprintable()
    assert len(text) < 6 or text not in str(caught.value)


# --- the code for another device ---


class Clock:
    """Time that passes while somebody sleeps."""

    def __init__(self) -> None:
        self.at = NOW
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += timedelta(seconds=seconds)


async def wait(server: AuthorizationServer, clock: Clock) -> tuple[DeviceCode, SignedIn]:
    exchange = exchange_of(server)
    code = await ask_for_code(exchange, clock.now)
    return code, await wait_for_person(exchange, code, clock.now, clock.sleep)


async def test_a_code_is_typed_elsewhere() -> None:
    clock, polls = Clock(), 0

    def answers(path: str, form: Mapping[str, str]) -> Answer | None:
        nonlocal polls
        if path != "/token":
            return None
        polls += 1
        if polls == 2:
            return 400, {"error": "slow_down"}
        if polls == 4:
            server.type_code("WDJB-MJHT")
        return None

    async with AuthorizationServer(interval=None, override=answers) as server:
        code, found = await wait(server, clock)
    assert (code.user_code, code.page) == ("WDJB-MJHT", f"{server.base}/type")
    assert code.whole_page.endswith("?code=WDJB-MJHT")
    assert clock.slept == [5, 5, 10, 10], "no interval means five seconds; slow_down adds five"
    assert found.access.token.reveal() in server.access_tokens


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        ("access_denied", OAuthFault.DENIED),
        ("expired_token", OAuthFault.OVER),
        ("invalid_client", OAuthFault.CLIENT),
        ("something_new", OAuthFault.REFUSED),
    ],
)
async def test_no_code_is_waited_for_in_vain(error: str, trouble: OAuthFault) -> None:
    clock = Clock()
    async with AuthorizationServer() as server:
        server.override = lambda path, form: (400, {"error": error}) if path == "/token" else None
        with pytest.raises(OAuthError) as caught:
            await wait(server, clock)
    assert caught.value.fault is trouble
    assert len(clock.slept) == 1


async def test_a_code_that_nobody_types_ends() -> None:
    clock = Clock()
    async with AuthorizationServer(interval=60) as server:
        with pytest.raises(OAuthError, match="not typed on the sign-in page in time"):
            await wait(server, clock)
    assert sum(clock.slept) == 600


async def test_a_line_that_is_lost_for_a_moment_is_no_answer() -> None:
    clock, polls = Clock(), 0

    def answers(path: str, form: Mapping[str, str]) -> Answer | None:
        nonlocal polls
        polls += path == "/token"
        if path == "/token" and polls == 1:
            return 503, b"busy"
        server.type_code("WDJB-MJHT") if path == "/token" else None
        return None

    async with AuthorizationServer(interval=5, override=answers) as server:
        await wait(server, clock)
    assert clock.slept == [5, 10]


@pytest.mark.parametrize(
    "change",
    [
        {"device_code": None},
        {"device_code": "x" * 20_000},
        {"device_code": "a b"},
        {"user_code": 17},
        {"user_code": "x" * 50},
        {"user_code": "AB\x1b[2J"},
        {"verification_uri": "javascript:alert(1)"},
        {"verification_uri": "http://login.example/"},
    ],
)
async def test_an_odd_answer_is_shown_to_nobody(change: dict[str, object]) -> None:
    good = {"device_code": "d", "user_code": "U", "verification_uri": "https://login.example/"}
    async with AuthorizationServer() as server:
        server.override = lambda path, form: (200, good | change)
        with pytest.raises(OAuthError) as caught:
            await ask_for_code(exchange_of(server), lambda: NOW)
    assert caught.value.fault is OAuthFault.GARBLED


async def test_microsoft_s_number_is_kept_and_its_words_are_not() -> None:
    async with AuthorizationServer() as server:
        words = {"error": "access_denied", "error_description": "AADSTS53003: secret-words Trace ID"}
        server.override = lambda path, form: (400, words)
        with pytest.raises(OAuthError, match=r"\(AADSTS53003\)$") as caught:
            await ask_for_code(exchange_of(server), lambda: NOW)
    assert "secret-words" not in str(caught.value)


# --- servers that do what they should not ---


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        ((200, b"<html>"), OAuthFault.GARBLED),
        ((200, []), OAuthFault.GARBLED),
        ((200, {}), OAuthFault.GARBLED),
        ((200, {"access_token": 5}), OAuthFault.GARBLED),
        ((200, {"access_token": "a\r\nb", "refresh_token": "r"}), OAuthFault.GARBLED),
        ((200, {"access_token": "a", "refresh_token": "r", "token_type": "mac"}), OAuthFault.GARBLED),
        ((200, {"access_token": "a", "expires_in": 3600}), OAuthFault.BRIEF),
        ((200, {"access_token": "a", "expires_at": "x", "expires_in": "y"}), OAuthFault.BRIEF),
        ((200, {"access_token": "a" * 20_000, "refresh_token": "r"}), OAuthFault.GARBLED),
        ((200, b'{"access_token": "' + b"a" * 600_000 + b'"}'), OAuthFault.GARBLED),
        ((200, b"[" * 100_000), OAuthFault.GARBLED),
        ((302, b""), OAuthFault.GARBLED),
        ((500, b""), OAuthFault.UNREACHABLE),
        ((400, {"error": ["x"]}), OAuthFault.REFUSED),
        ((400, {"error": "invalid_scope"}), OAuthFault.FORBIDDEN),
    ],
)
async def test_an_answer_that_is_none(answer: Answer, trouble: OAuthFault) -> None:
    async with AuthorizationServer() as server:
        server.override = lambda path, form: answer
        with pytest.raises(OAuthError) as caught:
            await signed_in(server)
    assert caught.value.fault is trouble or (answer[0] == 302 and caught.value.fault is OAuthFault.UNREACHABLE)
    assert str(caught.value).endswith((".", ")"))


ODD_TIMES = {
    "1e999": b"1e999",
    "NaN": b"NaN",
    "minus infinity": b"-Infinity",
    "negative": b"-3600",
    "nothing": b"null",
    "a text": b'"soon"',
    "a text that is infinite": b'"1e999"',
    "huge": b"9" * 400,
    "a huge text": b'"' + b"9" * 5000 + b'"',
    "a list": b"[3600]",
    "an object": b"{}",
    "a lone half of a character": b'"\\ud800"',
}


@pytest.mark.parametrize("key", ["expires_in", "expires_at", "refresh_token_expires_in"])
@pytest.mark.parametrize("value", ODD_TIMES.values(), ids=ODD_TIMES.keys())
async def test_a_time_that_is_none_costs_nothing_but_the_time(key: str, value: bytes) -> None:
    """The refresh token beside it may be the only one that still holds, so the answer must not be lost."""
    async with AuthorizationServer() as server:
        whole = b'{"access_token": "a", "refresh_token": "r", "%s": %s}' % (key.encode(), value)
        server.override = lambda path, form: (200, whole)
        found = await signed_in(server)
        assert refresh_of(found.grant) == "r"
        renewed = await exchange_of(server).renew(found.grant)
        assert (renewed.access.token.reveal(), renewed.access.ends is None or key == "expires_in") == ("a", True)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(b"3600", 3600), (b'"3600"', 3600), (b"3600.7", 3600), (b'" 60 "', 60), (b"1e300", 100 * 365 * 86400)],
)
async def test_a_time_in_any_spelling_is_read(value: bytes, seconds: int) -> None:
    async with AuthorizationServer() as server:
        whole = b'{"access_token": "a", "refresh_token": "r", "expires_in": %s}' % value
        server.override = lambda path, form: (200, whole)
        assert (await signed_in(server)).access.ends == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize("value", ODD_TIMES.values(), ids=ODD_TIMES.keys())
async def test_a_device_code_whose_times_are_none_has_the_usual_ones(value: bytes) -> None:
    good = b'{"device_code": "d", "user_code": "U", "verification_uri": "https://login.example/", '
    async with AuthorizationServer() as server:
        server.override = lambda path, form: (200, good + b'"expires_in": %s, "interval": %s}' % (value, value))
        code = await ask_for_code(exchange_of(server), lambda: NOW)
    assert (code.ends, code.interval) == (NOW + timedelta(minutes=15), 5.0)


async def test_a_server_that_is_not_there_and_one_that_is_silent() -> None:
    async with AuthorizationServer() as server:
        gone = server.described()
    with pytest.raises(OAuthError, match=r"The sign-in server 127\.0\.0\.1 could not be reached"):
        await OAuthClient(gone, CLIENT).redeem(Secret("c"), Secret("v"), "http://127.0.0.1/")
    open_lines: list[asyncio.StreamWriter] = []
    silent = await asyncio.start_server(lambda reader, writer: open_lines.append(writer), "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    async with AuthorizationServer() as server:
        mute = OAuthClient(server.described(token=f"http://127.0.0.1:{port}/token"), CLIENT, seconds=0.05)
        with pytest.raises(OAuthError, match=r"did not answer within 0\.05 seconds"):
            await mute.redeem(Secret("c"), Secret("v"), "http://127.0.0.1/")
    silent.close()
    for line in open_lines:
        line.close()


async def test_nothing_is_sent_in_clear_over_the_network() -> None:
    async with AuthorizationServer() as server:
        open_line = OAuthClient(server.described(token="http://192.0.2.1/token"), CLIENT)
        with pytest.raises(OAuthError, match="not encrypted"):
            await open_line.redeem(Secret("c"), Secret("v"), "http://127.0.0.1/")


# --- what is kept ---


async def test_what_is_kept_can_be_opened_again() -> None:
    async with AuthorizationServer(more={"refresh_token_expires_in": 604799}) as server:
        grant = (await signed_in(server, RegisteredClient(CLIENT_ID))).grant
    assert grant.ends == NOW + timedelta(seconds=604799), "a client that is being tried out"
    assert Grant.opened(grant.sealed()) == grant
    assert "\n" not in grant.sealed().reveal()


@given(st.text(max_size=200) | st.just("x").map(lambda _: '{"schema":"smtp-wizard/sign-in/1","client_id":1}'))
def test_any_other_secret_is_a_token_itself(text: str) -> None:
    assert Grant.opened(Secret(text)) is None


# --- renewing ---


async def test_renewing_takes_the_new_token_and_keeps_the_day_of_the_sign_in() -> None:
    async with AuthorizationServer() as server:
        first = await signed_in(server)
        later = OAuthClient(server.described(), CLIENT, now=lambda: NOW + timedelta(days=1))
        second = await later.renew(first.grant)
        assert second.grant.refresh_token != first.grant.refresh_token
        assert (second.grant.granted, second.grant.renewed) == (NOW, NOW + timedelta(days=1))
        path, form = server.forms[-1]
        assert (path, "scope" in form) == ("/token", False), "the scopes stay those that were granted"
        with pytest.raises(OAuthError, match="Sign in again in the browser") as caught:
            await later.renew(first.grant)
    assert caught.value.fault is OAuthFault.ENDED
    assert refresh_of(first.grant) not in str(caught.value), "the server says it back"


async def test_a_server_that_gives_no_new_token_leaves_the_old_one() -> None:
    async with AuthorizationServer(rotating=False) as server:
        first = await signed_in(server)
        second = await exchange_of(server).renew(first.grant)
    assert second.grant.refresh_token == first.grant.refresh_token
    assert second.access.token != first.access.token


async def test_a_token_goes_only_where_it_came_from() -> None:
    async with AuthorizationServer() as server, AuthorizationServer() as other:
        found = await signed_in(server)
        with pytest.raises(OAuthError, match="another one than when you signed in") as caught:
            await exchange_of(other).renew(found.grant)
        assert other.forms == []
    assert caught.value.fault is OAuthFault.ELSEWHERE


async def test_a_sign_in_is_given_back() -> None:
    async with AuthorizationServer() as server:
        found = await signed_in(server)
        await exchange_of(server).revoke(found.grant)
    assert server.revoked == {refresh_of(found.grant)}


class Box:
    """A store of one secret, in a file that only the test reads."""

    def __init__(self, path: Path) -> None:
        self.path = path

    async def read(self) -> Secret:
        return Secret(self.path.read_text("utf-8"))

    async def save(self, secret: Secret) -> None:
        self.path.write_text(secret.reveal(), "utf-8")


async def test_it_is_saved_before_it_is_used_and_a_store_that_fails_is_heard(tmp_path: Path) -> None:
    async with AuthorizationServer() as server:
        box = Box(tmp_path / "box")
        await box.save((await signed_in(server)).grant.sealed())
        found = await Renewal(tmp_path).renew("Ana", read=box.read, save=box.save, ask=exchange_of(server).renew)
        assert isinstance(found, SignedIn)
        assert await box.read() == found.grant.sealed()

        async def full(secret: Secret) -> None:
            raise OSError("disk full")

        with pytest.raises(OSError, match="disk full"):
            await Renewal(tmp_path).renew("Ana", read=box.read, save=full, ask=exchange_of(server).renew)


async def test_a_token_of_a_broker_is_used_as_it_is(tmp_path: Path) -> None:
    box = Box(tmp_path / "box")
    await box.save(Secret("ya29.token"))

    async def never(grant: Grant) -> SignedIn:
        raise AssertionError(grant)

    found = await Renewal(tmp_path).renew("Ana", read=box.read, save=box.save, ask=never)
    assert found == Secret("ya29.token")


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:-3],
        lambda text: text.replace("sign-in/1", "sign-in/2"),
        lambda text: text.replace('"client_id"', '"device":1,"client_id"'),
        lambda text: "\ufeff" + text,
        lambda text: " " * 200 + text[:-1],
    ],
    ids=["cut off", "of a newer version", "an unknown field", "a byte order mark", "far behind blanks"],
)
async def test_a_sign_in_that_cannot_be_read_is_no_token(tmp_path: Path, damage: Callable[[str], str]) -> None:
    """It would go to the mail server as one, with the refresh token in it."""
    box = Box(tmp_path / "box")
    async with AuthorizationServer() as server:
        found = await signed_in(server)
        await box.save(Secret(damage(found.grant.sealed().reveal())))
        with pytest.raises(OAuthError, match="cannot be read") as caught:
            await Renewal(tmp_path).renew("Ana", read=box.read, save=box.save, ask=exchange_of(server).renew)
    assert caught.value.fault is OAuthFault.ENDED
    assert refresh_of(found.grant) not in everything_about(caught.value)


async def test_the_order_of_what_is_kept_makes_no_difference() -> None:
    """Another program may have written it anew."""
    async with AuthorizationServer() as server:
        grant = (await signed_in(server)).grant
    assert Grant.opened(Secret(json.dumps(json.loads(grant.sealed().reveal()), sort_keys=True, indent=4))) == grant


async def test_a_renewal_that_is_cancelled_is_saved_all_the_same(tmp_path: Path) -> None:
    async with AuthorizationServer() as server:
        box = Box(tmp_path / "box")
        await box.save((await signed_in(server)).grant.sealed())
        asked = asyncio.Event()

        async def ask(grant: Grant) -> SignedIn:
            found = await exchange_of(server).renew(grant)
            asked.set()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            return found

        task = asyncio.ensure_future(Renewal(tmp_path).renew("Ana", read=box.read, save=box.save, ask=ask))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        kept = Grant.opened(await box.read())
        assert kept is not None
        assert server.refresh_tokens[refresh_of(kept)], "the one that holds now"


async def test_a_lock_that_is_held_too_long_is_said(tmp_path: Path) -> None:
    box = Box(tmp_path / "box")
    await box.save(Secret("token"))
    held, release = asyncio.Event(), asyncio.Event()

    async def slow() -> Secret:
        held.set()
        await release.wait()
        return await box.read()

    async def never(grant: Grant) -> SignedIn:
        raise AssertionError(grant)

    first = asyncio.ensure_future(Renewal(tmp_path).renew("Ana", read=slow, save=box.save, ask=never))
    await held.wait()
    with pytest.raises(OAuthError, match="Another smtp-wizard has been renewing"):
        await Renewal(tmp_path, lock_seconds=0.01).renew("ANA", read=box.read, save=box.save, ask=never)
    other = await Renewal(tmp_path, lock_seconds=0.01).renew("Ben", read=box.read, save=box.save, ask=never)
    assert other == Secret("token"), "another account's sign-in is another matter"
    release.set()
    assert await first == Secret("token")


async def test_no_file_is_touched_in_the_event_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of the network may hang."""
    touched: list[tuple[str, bool]] = []

    def noted(owner: object, name: str) -> None:
        whole = getattr(owner, name)

        def note(*arguments: Any, **more: Any) -> Any:
            touched.append((name, threading.current_thread() is threading.main_thread()))
            return whole(*arguments, **more)

        monkeypatch.setattr(owner, name, note)

    noted(private_files, "lock_of")
    noted(filelock.FileLock, "acquire")
    noted(filelock.FileLock, "release")
    async with Renewal(tmp_path / "new").alone("Ana"):
        pass
    assert [name for name, _ in touched[:3]] == ["lock_of", "acquire", "release"]
    assert not any(in_loop for _, in_loop in touched[:3])
    assert {name for name, _ in touched[3:]} <= {"release"}, "a lock that is collected lets go of what it no longer has"


async def test_who_is_cancelled_while_waiting_for_the_lock_holds_nothing(tmp_path: Path) -> None:
    async with Renewal(tmp_path).alone("Ana"):
        waiting = asyncio.ensure_future(Renewal(tmp_path).alone("Ana").__aenter__())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    async with Renewal(tmp_path, lock_seconds=0.0).alone("Ana"):
        pass


def _renew_often(folder: str, port: int, times: int) -> None:
    """In a process of its own: renew the one sign-in again and again."""

    async def work() -> None:
        server = AuthorizationServer()
        server.port = port
        box = Box(Path(folder) / "box")
        for _ in range(times):
            found = await Renewal(Path(folder)).renew(
                "Ana", read=box.read, save=box.save, ask=exchange_of(server).renew
            )
            assert isinstance(found, SignedIn)

    asyncio.run(work())


async def test_four_processes_renew_a_hundred_times_and_nobody_is_signed_out(tmp_path: Path) -> None:
    async with AuthorizationServer() as server:
        box = Box(tmp_path / "box")
        await box.save((await signed_in(server)).grant.sealed())
        context = multiprocessing.get_context("spawn")
        processes = [context.Process(target=_renew_often, args=(str(tmp_path), server.port, 25)) for _ in range(4)]
        for each in processes:
            each.start()
        while any(each.is_alive() for each in processes):
            await asyncio.sleep(0.05)
        assert [each.exitcode for each in processes] == [0, 0, 0, 0]
        assert not server.dead
        assert len(server.refresh_tokens) == 101


# --- nothing leaks ---


def everything_about(problem: BaseException) -> str:
    """All that a careless hand could print of an exception, those behind it included."""
    parts: list[str] = []
    todo: list[BaseException | None] = [problem]
    while todo:
        each = todo.pop()
        if each is not None:
            parts += [str(each), repr(each), *map(repr, each.args)]
            todo += [each.__cause__, each.__context__]
    return "\n".join([*parts, "".join(traceback.format_exception(problem))])


def forms_of(secret: str) -> list[str]:
    """A secret in clear, and in Base64 at each alignment, without what its neighbours decide."""
    found = [secret]
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + secret.encode())
        found.append(encoded[4 if before else 0 : -4].decode())
    return found


@pytest.mark.parametrize("answer", [b"{", None, []], ids=str)
async def test_no_error_tells_what_was_sent_or_came(answer: object) -> None:
    """The server says everything back in every field; of none of it a trace is left, not even behind the error."""
    sent: list[str] = []

    def echo(path: str, form: Mapping[str, str]) -> Answer:
        known = ("grant_type", "client_id", "scope", "redirect_uri")
        sent.extend(value for key, value in form.items() if key not in known)
        said = base64.b64encode(json.dumps(form).encode()).decode()
        words = {"error": f"no {form}", "error_description": f"{form} {said}", "access_token": str(form)}
        return 400, words if answer is None else answer

    async with AuthorizationServer(client_secret="client-secret-0123456789") as server:
        client = RegisteredClient(CLIENT_ID, Secret("client-secret-0123456789"))
        grant = (await signed_in(server, RegisteredClient(CLIENT_ID, client.secret))).grant
        server.override = echo
        exchange = exchange_of(server, RegisteredClient(CLIENT_ID, client.secret))
        attempt = BrowserSignIn(exchange, 4711)
        code = attempt.pasted(server.consent(attempt.url))
        told = []
        for work in (attempt.finish(code), exchange.renew(grant), ask_for_code(exchange, lambda: NOW)):
            with pytest.raises(OAuthError) as caught:
                await work
            told.append(everything_about(caught.value))
    words = "\n".join([*told, repr(attempt), repr(grant), repr(exchange.client), repr(code)])
    assert len(sent) >= 5
    for secret in (*sent, refresh_of(grant)):
        assert not [form for form in forms_of(secret) if form in words]


@given(st.text(max_size=400), st.text(max_size=400))
def test_what_a_server_says_is_never_said_back(error: str, description: str) -> None:
    told = str(meaning_of(error, description))
    assert told.isprintable()
    assert len(description) < 20 or description not in told
