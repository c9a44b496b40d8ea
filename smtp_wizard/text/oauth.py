"""What all faces say about a sign-in in the browser. Plain text; no toolkit is known here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.oauth.pending_sign_in import PendingSignIn
from smtp_wizard.engine.oauth.server import ClientSecret, Flow, OAuthServer

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
FLOW_TITLES: Mapping[Flow, str] = {
    Flow.DEVICE: "With a code, typed on any device",
    Flow.BROWSER: "In the browser on this computer",
    Flow.PASTE: "In a browser elsewhere, pasting the address that it ended on",
}
PASTE_HINT = "The page that cannot be reached is the right one: copy its whole address, http://... and all."
DONE_WORDS = "You are signed in. It stays so, and is renewed by itself."
WAITING = "Waiting for the browser"


def client_words(server: OAuthServer) -> str:
    """Say what is typed."""
    if server.client_secret is ClientSecret.NEEDED:
        return f"Type the client id and the client secret that {server.name} gave you."
    return f"Type the client id that {server.name} gave you; there is no secret."


def left_words(ends: datetime, now: datetime) -> str:
    """Say how long is left, to the second."""
    seconds = max(0, round((ends - now).total_seconds()))
    return f"{WAITING}: {seconds // 60}:{seconds % 60:02} left."


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
