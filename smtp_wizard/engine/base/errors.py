"""Errors whose text is for a person."""

from __future__ import annotations

from smtp_wizard.engine.base.shown import Shown


class ShownError(Exception):
    """An error whose text a face shows as it is: a sentence or two, never a secret."""

    def __init__(self, words: Shown) -> None:
        super().__init__(words)
        self.words = words


class InputError(ShownError, ValueError):
    """What a person typed cannot be used. The text is one sentence that says why and what to do."""
