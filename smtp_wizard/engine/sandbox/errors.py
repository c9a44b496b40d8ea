"""What can go wrong with the practice server. Loads nothing of it, for those who only want to know its faults."""

from __future__ import annotations

from smtp_wizard.engine.base.errors import ShownError


class SandboxError(ShownError):
    """The practice server cannot run. The text is a sentence for a person."""
