"""What a person reads about what went wrong."""

from __future__ import annotations

from smtp_wizard.engine.base.endpoint import Endpoint
from smtp_wizard.engine.base.shown import NO_WORDS, Shown
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A failure in words: what is wrong, who must act, what to do next."""

    code: str
    """Id of the cause: stable, in the taxonomy of data/diagnosis.yaml."""
    broadly: str = ""
    """The cause that this one is a special case of, for those who know only the main causes; often `code` itself."""
    title: Shown
    explanation: Shown
    who: Who
    steps: tuple[Shown, ...]
    """What to do, one action a step, in order."""
    guide: str | None = None
    """Id of the guide that helps."""
    server_said: Shown = NO_WORDS
    """The server's own words, with codes; empty when it said nothing."""
    forward: Shown | None = None
    """A message ready to send to who must act, when that is not the person in front of the screen."""
    fix: Endpoint | None = None
    """An endpoint to try instead, with one key."""
    warning: bool = False
    """The check goes on; the verdict is 'warn'."""
