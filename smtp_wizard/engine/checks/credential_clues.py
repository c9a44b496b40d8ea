"""What was typed is a clue where a sign-in is refused: how the user name and the password look, never what they are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from smtp_wizard.engine.base.shown import NO_WORDS, Shown, phrase

if TYPE_CHECKING:
    from smtp_wizard.engine.base.secret import Secret

_APP_PASSWORD = re.compile(r"[a-z]{16}|[a-z]{4}(?:[ -][a-z]{4}){3}")
"""Sixteen lower-case letters, perhaps in groups of four: so look the app passwords of the large providers."""


def typed_clue(username: str, secret: Secret | None) -> Shown:
    """Return the likeliest slip in what was typed: 'letters' (others than ASCII's in the password), 'blanks' (in the
    password), 'app-password' (it looks like one), 'idn' or 'plus' (in the user name); '' where nothing stands out.
    """
    password = secret.reveal() if secret else ""
    if not password.isascii():
        return phrase("letters")
    if _APP_PASSWORD.fullmatch(password):
        return phrase("app-password")
    if re.search(r"\s", password):
        return phrase("blanks")
    local, _, domain = username.partition("@")
    if not domain.isascii() or "xn--" in domain.lower():
        return phrase("idn")
    return phrase("plus") if "+" in local and domain else NO_WORDS
