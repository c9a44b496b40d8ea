"""The name of another computer, as it is handed to ssh."""

from __future__ import annotations

import re

from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.shown import phrase, shown

_HOST = re.compile(r"[^\s\x00-\x1f\x7f-][^\s\x00-\x1f\x7f]{0,254}")


def parse_remote_host(text: str) -> str:
    """Take [user@]HOST as typed, as ssh takes it: a name, an address, an entry of its configuration.

    What begins with a hyphen would be an option of ssh's. Raises `InputError`.
    """
    host = text.strip()
    user, at, computer = host.rpartition("@")
    named = computer and not computer.startswith("-") and (user or not at)
    if not (named and _HOST.fullmatch(host)):
        raise InputError(phrase("'{}' is no computer that ssh could go to: type HOST or user@HOST.", shown(text, 60)))
    return host
