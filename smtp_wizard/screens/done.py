"""Done: what to type into the application, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget

from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.engine.wizard.steps import StepId
from smtp_wizard.screens.dialogs import GuideScreen
from smtp_wizard.screens.step import Kit, StepScreen
from smtp_wizard.text.wizard import (
    APPLICATION_GUIDE,
    PURPOSE,
    SCOPE_GUIDE,
    TYPE_THIS,
    application_rows,
    done_notes,
    grouped,
    saved_words,
)
from smtp_wizard.widgets.text import Plain


class DoneScreen(StepScreen):
    """The only place where the password is shown: on a key press, in groups of four, as it is typed by hand."""

    STEP = StepId.DONE
    HELP: ClassVar[str] = (
        f"{PURPOSE[StepId.DONE]} P shows the password, and G a guide that goes through the application's screen field "
        "by field."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "finish", "Finish", key_display="enter"),
        Binding("p", "password", "Password"),
        Binding("g", "guide", "The application's screen"),
        Binding("u", "scope", "Which mails?"),
    ]

    def __init__(self, kit: Kit, draft: Draft) -> None:
        super().__init__(kit, draft)
        self.password = Plain(self._hidden(), id="password")
        self._shown = False

    def body(self) -> Iterator[Widget]:
        yield Plain(Content.styled(saved_words(self.draft), "bold $text-success"), classes="question")
        if self.draft.connection.sandbox:
            yield Plain(
                "This was practice, on this computer alone. A real account works the same way: press Enter, then N, "
                "and type your own address.",
                classes="note",
            )
        yield Plain(Content.styled(TYPE_THIS, "bold"), classes="question")
        yield Plain(self._values(), id="values")
        yield self.password
        yield Plain(done_notes(self.draft), classes="note")

    def _values(self) -> str:
        return "\n".join(f"  {label:<19}{value}" for label, value in application_rows(self.draft))

    def _hidden(self) -> str:
        if self.draft.connection.auth is Auth.NONE:
            return ""
        return f"  {'Password':<19}press P to show it in groups of four"

    def action_password(self) -> None:
        """Show the password in groups of four, or hide it again."""
        if self.draft.secret is None:
            return
        self._shown = not self._shown
        text = f"  {'Password':<19}{grouped(self.draft.secret.reveal())}" if self._shown else self._hidden()
        self.password.update(text)

    def action_guide(self) -> None:
        """Show the guide to the application's own screen."""
        self.app.push_screen(GuideScreen(self.kit.shelf.get(APPLICATION_GUIDE)))

    def action_scope(self) -> None:
        """Show the guide to General Emails Only and For All Emails."""
        self.app.push_screen(GuideScreen(self.kit.shelf.get(SCOPE_GUIDE)))

    def action_finish(self) -> None:
        """Leave the wizard; the saved accounts come next."""
        self.go_on(self.draft)
