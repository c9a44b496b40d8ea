"""What all faces say about a sign-in in the browser. Plain text; no toolkit is known here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlsplit

from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.engine.oauth.pending_sign_in import PendingSignIn
from smtp_wizard.engine.oauth.server import ClientSecret, OAuthFlow, OAuthServer

NEEDS = (
    "This takes a client id of your own, a quarter of an hour in the provider's console for developers, and an "
    "application that can sign in in the browser itself (OAuth)."
)
PROVES_NOTHING = (
    "If the application that will send takes only a user name and a password, as ServiceMonster does, this proves "
    "nothing for it. What works for such a one: another mailbox, a relay, or a local proxy that signs in in its place."
)
"""Said before the choice."""
CLIENT_ID_LACKING = phrase("Type the client id that the provider's console shows. The guide says how to get one.")
CLIENT_SECRET_LACKING = phrase("This provider gives a client secret along with the client id; type it too.")
PREFACE = "This is for whoever looks after your computers"
PREFACE_PROVES = (
    "It is of use only to an application that can sign in in a browser itself (OAuth). ServiceMonster cannot."
)
CONSOLE = "its page for developers"
THAT_IS_ME = "That is me: go on"
ANOTHER_WAY = "Choose another way"
QUESTIONS: Mapping[str, str] = {
    "preface": "Sign in in the browser, at {}",
    "client": "Which client id did {} give you?",
    "waiting": "Sign in on the page of {}.",
    "done": "You are signed in at {}.",
}
"""What is asked at each stage, by its name; the provider's stands in it."""
CLIENT_ID, CLIENT_SECRET, PASTED = "Client id", "Client secret", "Its last address"
CLIENT_ID_HINT = "from the provider's page for developers"
SECRET_OPTIONAL_HINT = "empty: there is none"
PASTED_HINT = "only if this goes on waiting"
WAY_VERBS: Mapping[OAuthFlow, str] = {
    OAuthFlow.DEVICE: "Sign in with a code",
    OAuthFlow.BROWSER: "Sign in in the browser",
}
WAY_NOTES: Mapping[OAuthFlow, str] = {
    OAuthFlow.DEVICE: "You type it on any device, your phone for example.",
    OAuthFlow.BROWSER: "On this computer, or through a tunnel to it.",
}
HOW = "How do you want to sign in?"
LONGEST_PAGE = 60
"""Characters of a web address that a person can be asked to type."""
NOT_SIGNED_IN = "You are not signed in"
UNTIL = "until you have signed in"
DONE = "You are signed in"
TUNNEL_FIRST = "The browser is on another computer? Run this there first, and leave it open:"
TUNNEL_ELSE = "Or paste below the address that the browser ended on; it says that it cannot reach it."
DONE_STAYS = "It stays so, and is renewed by itself."
PASTE_HINT = "The page that cannot be reached is the right one: copy its whole address, http://... and all."
DONE_WORDS = "You are signed in. It stays so, and is renewed by itself."
WAITING = "Waiting for the browser"


def question(stage: str, server: OAuthServer) -> str:
    """Return what is asked at a stage."""
    return QUESTIONS[stage].replace("{}", server.name)


def preface_needs(server: OAuthServer) -> str:
    """Say what it takes to sign in in the browser at all."""
    console = urlsplit(server.console).hostname or CONSOLE
    return (
        f"It takes a client id of your own, which {server.name} gives out at {console}: a quarter of an hour there. "
        "The guide shows each step."
    )


def client_words(server: OAuthServer) -> str:
    """Say what is typed."""
    if server.client_secret is ClientSecret.NEEDED:
        return f"Type the client id and the client secret that {server.name} gave you."
    return f"Type the client id that {server.name} gave you; there is no secret."


def left_words(ends: datetime, now: datetime) -> str:
    """Say how long is left, to the second."""
    seconds = max(0, round((ends - now).total_seconds()))
    return f"{WAITING}: {seconds // 60}:{seconds % 60:02} left."


def good_for(ends: datetime, now: datetime) -> str:
    """Say how long a code is still good, to the second."""
    seconds = max(0, round((ends - now).total_seconds()))
    return f"good for {seconds // 60} min {seconds % 60} s" if seconds >= 60 else f"good for {seconds} s"


def bare_page(url: str) -> str:
    """Return a web address as a person types it: 'microsoft.com/devicelogin'."""
    return url.removeprefix("https://").removeprefix("www.").rstrip("/")


def steps_of(attempt: PendingSignIn, address: str) -> tuple[str, ...]:
    """Say what the person does now, in order."""
    sign_in = f"Sign in as {shown(address, 80)}." if address else "Sign in."
    if attempt.code is not None:
        page = bare_page(attempt.code.page)
        return (f"Open {page}" if len(page) <= LONGEST_PAGE else "Open the page.", "Type the code.", sign_in)
    return ("Open the page in a browser.", sign_in, "This goes on by itself.")


def tunnel_command(port: int, environ: Mapping[str, str]) -> str:
    """Return the command that leads a port of the person's own computer here; empty where they sit at this one."""
    if "SSH_CONNECTION" not in environ:
        return ""
    parts = environ["SSH_CONNECTION"].split()
    host = parts[2] if len(parts) == 4 and all(ch.isalnum() or ch in ".:-%" for ch in parts[2]) else "HOST"
    user = environ.get("USER") or environ.get("LOGNAME") or ""
    who = f"{user}@" if user and all(ch.isalnum() or ch in "._-" for ch in user) else ""
    return f"ssh -L {port}:127.0.0.1:{port} {who}{host}"


def page_lines(attempt: PendingSignIn, environ: Mapping[str, str]) -> list[str]:
    """Say what the person does now. The address stands on a line of its own, in one piece."""
    if attempt.code is not None:
        return ["Open this page on any device:", attempt.code.page, f"and type this code: {attempt.code.user_code}"]
    lines = ["Open this page in a browser, and sign in:", attempt.url]
    tunnel = tunnel_command(attempt.port, environ) if attempt.port is not None else ""
    if tunnel:
        lines += [
            "The browser is on another computer? Either run this there first, and leave it open:",
            tunnel,
            "or sign in, and paste the address that the browser ended on; it says that it cannot reach it.",
        ]
    return lines
