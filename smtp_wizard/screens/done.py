"""Done: what to type into the application, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget

from smtp_wizard.engine.model import Auth, Security
from smtp_wizard.engine.wizard import Draft
from smtp_wizard.screens.dialogs import GuideScreen
from smtp_wizard.screens.step import Kit, StepScreen
from smtp_wizard.widgets import Plain

APPLICATION_GUIDE = "servicemonster-fields"
SCOPE_GUIDE = "scope"


class DoneScreen(StepScreen):
    """The only place where the password is shown: on a key press, in groups of four, as it is typed by hand."""

    STEP = "done"
    HELP: ClassVar[str] = (
        "These are the values that the application which sends your mail asks for. Type them there as they stand here; "
        "P shows the password. G opens a guide that goes through the application's screen field by field."
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
        yield Plain(
            Content.styled(f"'{self.draft.saved}' is saved and tested.", "bold $text-success"), classes="question"
        )
        if self.draft.sandbox:
            yield Plain(
                "This was practice, on this computer alone. A real account works the same way: press Enter, then N, "
                "and type your own address.",
                classes="note",
            )
        yield Plain(Content.styled("Type this into the application that sends your mail:", "bold"), classes="question")
        yield Plain(self._values(), id="values")
        yield self.password
        yield Plain(self._notes(), classes="note")

    def _values(self) -> str:
        draft, endpoint = self.draft, self.draft.endpoint
        assert endpoint is not None, "an account is saved with its server"
        box = (
            "leave it empty" if endpoint.security is Security.NONE else "tick it (one box stands for 465 and 587 alike)"
        )
        rows = [
            ("SMTP server", endpoint.host),
            ("Port", str(endpoint.port)),
            ("SSL/TLS box", box),
            ("Secure connection", endpoint.security.words),
            ("User name", draft.username or "none: the server asks for no sign-in"),
            ("From", str(draft.from_address)),
            ("Use for", draft.scope.words),
        ]
        return "\n".join(f"  {label:<19}{value}" for label, value in rows)

    def _hidden(self) -> str:
        if self.draft.auth is Auth.NONE:
            return ""
        return f"  {'Password':<19}press P to show it in groups of four"

    def _notes(self) -> str:
        return (
            "Proved from this computer, which may not be the one that sends. If the application says something else, "
            f"run 'smtp-wizard test \"{self.draft.saved}\"' there. Some applications do not let a password be pasted: "
            "type it by hand, without the blanks between the groups."
        )

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


def grouped(secret: str) -> str:
    """Return a secret in groups of four; where it holds blanks itself, a line says how they are shown."""
    shown = secret.replace(" ", "\u2423")
    groups = " ".join(shown[at : at + 4] for at in range(0, len(shown), 4))
    return f"{groups}   (\u2423 is a blank of the password)" if " " in secret else groups
