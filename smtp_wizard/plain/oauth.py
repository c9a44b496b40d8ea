"""Browser: the client id, the page or the code, and the wait for the person, in lines of text."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial

from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.oauth.client import RegisteredClient
from smtp_wizard.engine.oauth.errors import OAuthError
from smtp_wizard.engine.oauth.grants import SignedIn
from smtp_wizard.engine.oauth.pending_sign_in import PendingSignIn
from smtp_wizard.engine.oauth.server import ClientSecret, Flow, OAuthServer
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.plain.connect import show_guide
from smtp_wizard.plain.form import Kit, Question, StepOutcome, ask_in_order
from smtp_wizard.plain.talk import Choice, Conversation
from smtp_wizard.runtime.sign_in_thread import SignInThread
from smtp_wizard.text.oauth import (
    CLIENT_ID_LACKING,
    CLIENT_SECRET_LACKING,
    DONE_WORDS,
    FLOW_TITLES,
    PASTE_HINT,
    client_words,
    left_words,
    page_lines,
)
from smtp_wizard.text.wizard import guide_id_for, override_words
from smtp_wizard.widgets.qr import qr_code

CAME_BACK_SECONDS = 30.0
AT_ONCE = 0.5


def oauth(talk: Conversation, kit: Kit, draft: Draft) -> StepOutcome:
    """The client, then the sign-in; go on when that has worked."""
    server = _server(kit, draft)
    if not kit.backwards:
        show_guide(talk, kit, draft, guide_id_for(kit.desk.catalog.path(draft.connection)))
    for line in override_words(draft, kit.desk.catalog):
        talk.say(line)
    talk.say(client_words(server))
    wants_secret = server.client_secret is not ClientSecret.NONE
    return ask_in_order(
        talk, kit, draft, [Question(_client_id), Question(_client_secret, lambda _: wants_secret), Question(_signed_in)]
    )


def _server(kit: Kit, draft: Draft) -> OAuthServer:
    server = kit.desk.catalog.oauth_server(draft.connection)
    assert server is not None, "the step applies only where one signs in in the browser"
    return server


def _client_id(talk: Conversation, kit: Kit, draft: Draft) -> Draft:
    found = talk.ask("Client id", _some, default=draft.client_id)
    if found == draft.client_id:
        return draft
    # What came of another client is not kept with this one.
    return replace(draft, client_id=found).with_sign_in(draft.connection.username, None)


def _some(text: str) -> str:
    if not text:
        raise InputError(CLIENT_ID_LACKING)
    return shown(text, 300)


def _client_secret(talk: Conversation, kit: Kit, draft: Draft) -> Draft:
    optional = _server(kit, draft).client_secret is ClientSecret.OPTIONAL or draft.client_secret is not None
    keeps = " (Enter: the one from before)" if draft.client_secret else ""
    text = talk.secret(f"Client secret, not shown{keeps}", optional=optional, lacking=CLIENT_SECRET_LACKING)
    if not text:
        return draft
    return replace(draft, client_secret=Secret(text)).with_sign_in(draft.connection.username, None)


def _signed_in(talk: Conversation, kit: Kit, draft: Draft) -> Draft:
    server = _server(kit, draft)
    if draft.secret is not None:
        rows = [Choice(True, "Go on", also="go-on"), Choice(False, "Sign in again", also="anew")]
        if talk.choose(DONE_WORDS, rows):
            return draft
    while True:
        flows = [each for each in server.flows if each is not Flow.PASTE]
        ways = [Choice(each, FLOW_TITLES[each]) for each in flows]
        flow = talk.choose("How do you want to sign in?", ways) if len(ways) > 1 else flows[0]
        try:
            found = _attempted(talk, kit, draft, server, flow)
        except OAuthError as problem:
            talk.say(str(problem))
            continue
        if found is not None:
            talk.say(DONE_WORDS)
            return draft.with_sign_in(draft.connection.username, kit.desk.tokens.remember(found))


def _attempted(talk: Conversation, kit: Kit, draft: Draft, server: OAuthServer, flow: Flow) -> SignedIn | None:
    """Sign in; None where the person wants another way. Raises `OAuthError`, `GoBack`, `Quit`."""
    desk = kit.desk
    client = RegisteredClient(draft.client_id, draft.client_secret)
    exchange = desk.tokens.exchange(server, client, draft.connection.ca_file)
    address = draft.address.wire if draft.address else ""
    with SignInThread(partial(PendingSignIn, exchange, flow, address, now=desk.now)) as beside:
        lines = page_lines(beside.attempt, os.environ)
        talk.show(lines)
        if beside.attempt.code is not None:
            talk.show(qr_code(beside.attempt.code.whole_page or beside.attempt.code.page).splitlines())
        while True:
            text = talk.ask(_prompt(flow), str, optional=True, help=PASTE_HINT)
            if text.casefold() == "other":
                return None
            if text and flow is Flow.DEVICE:
                talk.say("Nothing is typed here: the code is typed on the page.")
                continue
            try:
                if text:
                    beside.paste(text)
            except OAuthError as problem:
                talk.say(str(problem))
                continue
            code = beside.attempt.code
            # The server is asked every few seconds whether the code was typed: that much is waited for.
            at_once = code.interval + 3.0 if code is not None else AT_ONCE
            found = beside.result(CAME_BACK_SECONDS if text else at_once)
            if found is not None:
                return found
            talk.say(left_words(beside.attempt.ends, desk.now()))


def _prompt(flow: Flow) -> str:
    if flow is Flow.DEVICE:
        return "Enter when you have typed the code there; 'other' for another way"
    return "Enter when the browser says that you are signed in, or paste its address; 'other' for another way"
