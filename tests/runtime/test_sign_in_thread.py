"""A sign-in in the browser beside questions in lines of text: in a thread, in the plain wizard, and in `setup`."""

from __future__ import annotations

import asyncio
import re
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from smtp_wizard.commands.invocation import Invocation
from smtp_wizard.commands.options import browser
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.engine.oauth.client import OAuthClient, RegisteredClient
from smtp_wizard.engine.oauth.errors import OAuthError
from smtp_wizard.engine.oauth.pending_sign_in import PendingSignIn
from smtp_wizard.engine.oauth.server import OAuthFlow
from smtp_wizard.engine.wizard.draft import Draft, Origin
from smtp_wizard.engine.wizard.steps import Next
from smtp_wizard.plain.browser import browser as browser_step
from smtp_wizard.plain.conversation import Conversation
from smtp_wizard.plain.step_questions import StepContext
from smtp_wizard.runtime.exit_codes import CommandError
from smtp_wizard.runtime.running import Stopwatch
from smtp_wizard.runtime.sign_in_thread import SignInThread
from tests.engine.oauth.test_oauth import forms_of, signed_in
from tests.engine.services.test_bearers import Office
from tests.support.oauthserver import CLIENT_ID, AuthorizationServer
from tests.support.patience import PATIENCE
from tests.support.walk import guides


@contextmanager
def serving(**more: object) -> Iterator[AuthorizationServer]:
    """The sign-in server, in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = AuthorizationServer(**more)  # type: ignore[arg-type]  # as the caller says
    asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result(PATIENCE)
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(server.__aexit__(None, None, None), loop).result(PATIENCE)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
        loop.close()


def beside(server: AuthorizationServer, flow: OAuthFlow) -> SignInThread:
    exchange = OAuthClient(server.described(), RegisteredClient(CLIENT_ID))
    return SignInThread(lambda: PendingSignIn(exchange, flow, "ana@firm.example"))


def visit(url: str) -> str:
    with urllib.request.urlopen(url, timeout=PATIENCE) as page:
        text: bytes = page.read()
    return text.decode()


def test_the_browser_comes_back_while_somebody_is_asked() -> None:
    with serving() as server, beside(server, OAuthFlow.BROWSER) as waiting:
        assert not waiting.done
        assert waiting.result(0.01) is None
        assert "press Enter" in visit(server.consent(waiting.attempt.url))
        found = waiting.result(PATIENCE)
    assert found is not None
    assert found.access.token.reveal() in server.access_tokens


def test_an_address_is_pasted_while_somebody_is_asked() -> None:
    with serving() as server, beside(server, OAuthFlow.PASTE) as waiting:
        with pytest.raises(OAuthError, match="another page"):
            waiting.paste("https://login.example/")
        waiting.paste(server.consent(waiting.attempt.url))
        found = waiting.result(PATIENCE)
    assert found is not None


def test_what_cannot_begin_says_so_and_leaves_no_thread() -> None:
    before = threading.active_count()
    with serving() as server:
        server.override = lambda path, form: (400, {"error": "unauthorized_client"})
        with pytest.raises(OAuthError, match="does not let this client id"), beside(server, OAuthFlow.DEVICE):
            raise AssertionError("it has begun")
    assert threading.active_count() == before


# --- in lines of text ---


class Person:
    """Somebody who reads what is asked, and answers."""

    def __init__(self, *answers: str | Callable[[str], str]) -> None:
        self.answers = list(answers)
        self.read_so_far = ""

    def write(self, text: str) -> None:
        self.read_so_far += text

    def read(self, prompt: str) -> str:
        self.read_so_far += prompt
        assert self.answers, f"nothing is left to answer:\n{self.read_so_far[-1500:]}"
        answer = self.answers.pop(0)
        return answer if isinstance(answer, str) else str(answer(self.read_so_far))

    def drop(self) -> None:
        """Nothing is ever typed here before it is asked for."""

    def read_hidden(self, prompt: str) -> str:
        return self.read(prompt)


def url_in(read: str) -> str:
    """The last address of a page that was shown."""
    return str(re.findall(r"^http://127\S+/auth\S+$", read, re.MULTILINE)[-1])


def begun(office: Office) -> Draft:
    provider = office.services.catalog.get("our-firm")
    assert provider is not None
    chosen = Draft().with_address(Address("ana", "firm.example")).with_provider(provider, Origin.ADDRESS)
    return replace(chosen, connection=replace(chosen.connection, username="ana@firm.example"))


def answered(office: Office, person: Person) -> Draft:
    outcome = browser_step(
        Conversation(person), StepContext(office.services, guides(), lambda draft: None), begun(office)
    )
    assert isinstance(outcome, Next)
    assert not person.answers
    return outcome.draft


def test_the_plain_wizard_takes_the_browser_s_last_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as server:
        office = Office(tmp_path, server, monkeypatch)
        person = Person(
            "",
            CLIENT_ID,
            "2",
            "",
            "https://login.example/",
            lambda read: server.consent(url_in(read)),
        )
        draft = answered(office, person)
    assert draft.connection.auth is Auth.XOAUTH2
    assert draft.secret is not None
    assert "left." in person.read_so_far, "nobody had come back yet"
    assert "address of another page" in person.read_so_far
    for token in (*server.access_tokens, *server.refresh_tokens):
        assert token not in person.read_so_far
    assert office.services.tokens.is_fresh(draft.secret)


def test_the_plain_wizard_shows_a_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def typed(read: str) -> str:
        assert "type this code: WDJB-MJHT" in read
        assert "█" in read, "as a QR code too"
        server.type_code("WDJB-MJHT")
        return ""

    with serving(interval=1) as server:
        office = Office(tmp_path, server, monkeypatch)
        draft = answered(office, Person("", CLIENT_ID, "1", "what?", "other", "1", typed))
    assert draft.secret is not None


def test_back_leads_out_of_the_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as server:
        office = Office(tmp_path, server, monkeypatch)
        before = threading.active_count()
        person = Person("", CLIENT_ID, "2", "back", "another-id", "1", "back", "back")
        outcome = browser_step(
            Conversation(person), StepContext(office.services, guides(), lambda draft: None), begun(office)
        )
        assert not isinstance(outcome, Next)
        assert threading.active_count() == before
    assert "does not know this client id" in person.read_so_far


# --- on the command line ---


@dataclass
class Told:
    """What a command narrates."""

    lines: list[str] = field(default_factory=list)

    def narrate(self, line: str) -> None:
        self.lines.append(line)


def test_an_account_signs_in_again_with_the_client_that_it_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`accounts password`: the page on stderr, the address pasted; another page's is refused and asked for again."""
    told = Told()
    with serving(client_secret="s3cret-of-ana") as server:
        office = Office(tmp_path, server, monkeypatch)
        client = RegisteredClient(CLIENT_ID, Secret("s3cret-of-ana"))
        held = office.services.tokens.remember(asyncio.run(signed_in(server, client)))
        asyncio.run(office.services.accounts.save(office.draft(held)))
        answers = ["", "https://login.example/", None]

        def ask(out: object, question: str, parse: object) -> str:
            answer = answers.pop(0)
            return server.consent(url_in("\n".join(told.lines))) if answer is None else answer

        monkeypatch.setattr(browser, "ask", ask)
        monkeypatch.setattr(browser, "can_ask", lambda: True)
        invocation = cast(Invocation, SimpleNamespace(services=office.services, out=told))
        account = office.services.saved_accounts.get("Ana")
        secret = browser.signed_in_again(invocation, account, OAuthFlow.BROWSER, Stopwatch(), lambda: "")
        assert office.services.tokens.is_fresh(secret)
        report = asyncio.run(office.services.accounts.replace_secret(account, secret, lambda event: None))
        assert report.verdict is Verdict.PASS
    words = "\n".join(told.lines) + "".join(capsys.readouterr())
    assert "Nobody has come back from the browser yet." in words
    assert "address of another page" in words
    for token in ("s3cret-of-ana", *server.access_tokens, *server.refresh_tokens):
        assert not [form for form in forms_of(token) if form in words]


def test_signing_in_again_needs_a_terminal_or_a_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as server:
        office = Office(tmp_path, server, monkeypatch)
        held = office.services.tokens.remember(asyncio.run(signed_in(server)))
        asyncio.run(office.services.accounts.save(office.draft(held)))
        invocation = cast(Invocation, SimpleNamespace(services=office.services, out=Told()))
        account = office.services.saved_accounts.get("Ana")
        with pytest.raises(CommandError, match="--flow device"):
            browser.signed_in_again(invocation, account, OAuthFlow.PASTE, Stopwatch(), lambda: "")
        bare = replace(account, login=None)
        with pytest.raises(CommandError, match="access token of another program"):
            browser.signed_in_again(invocation, bare, None, Stopwatch(), lambda: "")
