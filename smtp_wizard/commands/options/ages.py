"""How long ago something was, as it is typed: 30m, 12h, 2d, 1w."""

from __future__ import annotations

import re
from datetime import timedelta

from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.shown import phrase, shown

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_AGE = re.compile(r"([1-9][0-9]{0,3})([mhdw])")


def parse_age(text: str) -> timedelta:
    """Take a number and a unit: m, h, d or w. Raises `InputError`."""
    found = _AGE.fullmatch(text.strip().lower())
    if found is None:
        raise InputError(phrase("'{}' is no age; type a number with m, h, d or w: 30m, 12h, 2d, 1w.", shown(text, 30)))
    return timedelta(**{_UNITS[found[2]]: int(found[1])})
