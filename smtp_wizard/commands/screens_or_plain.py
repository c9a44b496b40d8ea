"""Which face opens: the screens, or the same wizard in lines of text."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from smtp_wizard.commands.invocation import Invocation
from smtp_wizard.commands.process import drop_screen_settings
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.runtime.early_keys import hide_typing
from smtp_wizard.runtime.exit_codes import CommandError
from smtp_wizard.runtime.questions import can_ask
from smtp_wizard.runtime.signals import usual_end

if TYPE_CHECKING:
    from smtp_wizard.engine.wizard.draft import Draft


def open_screens(invocation: Invocation) -> int:
    """Open the saved accounts, or the wizard where there are none.

    Where screens cannot be drawn, or are not wanted: in lines of text. Raises `CommandError` without a terminal.
    """
    saved = invocation.saved_accounts
    # Of many accounts the list itself is read while it stands there, and says where it cannot be.
    return open_wizard(invocation, "home" if not saved.are_quickly_read() or saved.holds_any() else "setup", None)


def open_wizard(invocation: Invocation, start: str, draft: Draft | None) -> int:
    """Open the screens, or the same in lines of text; return the exit code. Raises `CommandError`, `Interrupted`."""
    face = run_screens if can_draw() and not invocation.plain else run_plain_wizard
    return face(invocation, start, draft)


def can_draw() -> bool:
    """Whether screens can be drawn: somebody can be asked, the terminal can move its cursor, and nobody minds."""
    dumb = ("dumb", "unknown") if sys.platform == "win32" else ("", "dumb", "unknown")
    return can_ask() and os.environ.get("TERM", "") not in dumb and not prefers_lines(os.environ)


def prefers_lines(environ: Mapping[str, str]) -> bool:
    """Whether lines of text are wanted in place of screens: a screen reader is at work, or nobody looks at a screen.

    ACCESSIBLE is what other programs with questions go by as well.
    """
    return environ.get("ACCESSIBLE", "") not in ("", "0") or environ.get("CI", "") not in ("", "0", "false")


def run_screens(invocation: Invocation, start: str, draft: Draft | None) -> int:
    """Open the screens; return their exit code."""
    with hide_typing():
        drop_screen_settings(invocation.environ)
        from smtp_wizard.app import run_app

        with usual_end():
            return run_app(
                invocation.services,
                invocation.guides,
                foreground=invocation.foreground,
                start=start,
                draft=draft,
                mouse=invocation.use_mouse(),
            )


def run_plain_wizard(invocation: Invocation, start: str, draft: Draft | None) -> int:
    """Ask and answer in lines of text; return the exit code. Raises `CommandError`, `Interrupted`."""
    from smtp_wizard.plain.terminal import Terminal
    from smtp_wizard.plain.wizard import run_plain

    terminal = Terminal.opened()
    if terminal is None:
        raise cannot_draw()
    return run_plain(invocation.services, invocation.guides, terminal, start=start, draft=draft)


def cannot_draw() -> CommandError:
    """Return the error for where there is no terminal."""
    return CommandError(
        "cannot-draw",
        phrase("The screens cannot be drawn here, and nobody can be asked: standard input is no terminal."),
        phrase("Use 'smtp-wizard setup' with options instead; 'smtp-wizard setup --help' lists them."),
    )
