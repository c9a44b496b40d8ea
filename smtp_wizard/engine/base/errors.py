"""What a person typed, and cannot be used."""

from __future__ import annotations


class InputError(ValueError):
    """What a person typed cannot be used. The text is one sentence that says why and what to do."""
