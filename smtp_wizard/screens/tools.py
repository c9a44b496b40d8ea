"""Tools: what arrived at the practice server, and every guide to read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from smtp_wizard.engine.base.file_ownership import UnsafeFile
from smtp_wizard.engine.base.mail_message import MailMessage
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.base.threads import in_thread
from smtp_wizard.engine.sandbox.mailbox import SandboxMessage, clear, messages, read, readable
from smtp_wizard.engine.services.checks import PRACTICE_FOLDER
from smtp_wizard.screens.dialogs import ConfirmScreen, Dialog, HelpScreen
from smtp_wizard.screens.step import Kit
from smtp_wizard.widgets.banner import Banner
from smtp_wizard.widgets.choices import Choice, Choices
from smtp_wizard.widgets.fault_containment import FaultContained
from smtp_wizard.widgets.key_hints import KeyHints
from smtp_wizard.widgets.provider_picker import PickerList
from smtp_wizard.widgets.text import Plain

HELP = (
    "Paste an error here, and read what it means and who must act. The practice mailbox holds what was sent to the "
    "practice server on this computer; nothing of it ever left. The guides can be read here without a setup."
)


LINK_NOTE = "for mailings: link, HTML, headers; a template looked through"


class Tool(StrEnum):
    """One of the tools."""

    EXPLAIN = "explain"
    MAILBOX = "mailbox"
    UNSUBSCRIBE = "unsubscribe"
    GUIDES = "guides"


LONGEST = 20_000
"""Characters of a message that are shown."""


@dataclass
class OpenTool(Message):
    """One of the tools is wanted."""

    tool: Tool


class ToolsScreen(FaultContained, Screen[None]):
    """One list of tools."""

    AUTO_FOCUS = "#tools"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.accounts", "Accounts"),
        Binding("f1,question_mark", "help", "Help", key_display="f1"),
        Binding("ctrl+q", "app.leave", "Quit"),
    ]

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self.kit = kit
        self.choices = Choices(
            [
                Choice(Tool.EXPLAIN, "Explain an error", "paste an error, a log or a returned message"),
                Choice(Tool.MAILBOX, "Practice mailbox", "what was sent to the practice server"),
                Choice(Tool.UNSUBSCRIBE, "Unsubscribe link", LINK_NOTE),
                Choice(Tool.GUIDES, "Guides", "step by step, for every way in"),
            ],
            id="tools",
        )

    def compose(self) -> ComposeResult:
        yield Plain(Content.styled("Tools", "bold"), classes="title")
        with VerticalScroll(id="body", can_focus=False):
            yield Plain("What do you want to do?", classes="question")
            yield self.choices
        yield KeyHints()

    @on(Choices.Taken)
    def _taken(self) -> None:
        self.post_message(OpenTool(self.choices.selected))

    def action_help(self) -> None:
        """Say what this screen is for."""
        self.app.push_screen(HelpScreen("Tools", HELP))


class ListScreen(Dialog[None]):
    """A list of things to read: arrows choose, Enter opens."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back"),
        Binding("enter", "open", "Read", key_display="enter"),
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
        Binding("pageup", "move(-8)", show=False),
        Binding("pagedown", "move(8)", show=False),
    ]
    HEADING: ClassVar[str] = ""
    EMPTY: ClassVar[str] = ""

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self.kit = kit
        self.banner = Banner()
        self.list = PickerList(compact=True, markup=False, id="picked")
        self.empty = Plain(self.EMPTY, classes="question")

    def compose(self) -> ComposeResult:
        yield Plain(Content.styled(self.HEADING, "bold"), classes="title")
        with VerticalScroll(id="body", can_focus=False):
            yield self.empty
            yield self.list
        yield self.banner
        yield KeyHints()

    def on_mount(self) -> None:
        self.reload()

    def rows(self) -> Sequence[Option]:
        """Return the rows, each with an id."""
        raise LookupError("a list says what is in it")

    def open(self, row_id: str) -> None:
        """Show one of the things."""
        raise LookupError("a list says how it is read")

    def reload(self) -> None:
        """Read the things again."""
        self.fill(self.rows())

    def fill(self, rows: Sequence[Option]) -> None:
        """Show these rows."""
        self.list.set_options(rows)
        self.list.display = bool(rows)
        self.empty.display = not rows
        if rows:
            self.list.highlighted = 0

    def action_move(self, by: int) -> None:
        """Choose another row."""
        at = self.list.highlighted
        if at is not None:
            self.list.highlighted = min(max(at + by, 0), self.list.option_count - 1)

    def action_open(self) -> None:
        """Read what is chosen."""
        option = self.list.highlighted_option
        if option is not None and option.id is not None:
            self.open(option.id)

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        if event.option.id is not None:
            self.open(event.option.id)


class MailboxScreen(ListScreen):
    """What arrived at the practice server, newest first."""

    HEADING = "Practice mailbox"
    EMPTY = "Nothing has arrived yet. Send a test message in the wizard, with the practice server as the provider."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d,delete", "empty", "Empty it"),
        Binding("f5", "reload", "Look again"),
    ]

    def reload(self) -> None:
        self._look()

    def open(self, row_id: str) -> None:
        self._read(row_id)

    @work(exclusive=True, group="look")
    async def _look(self) -> None:
        """Beside the screen: there may be hundreds of messages, each of any length."""
        try:
            found = await in_thread(lambda: messages(self.kit.desk.folder / PRACTICE_FOLDER))
        except OSError as problem:
            self.banner.say(_why(problem))
            found = ()
        self.fill([Option(f"  {_row(message)}", id=message.key) for message in found])

    @work(exclusive=True, group="read")
    async def _read(self, key: str) -> None:
        try:
            message = await in_thread(lambda: read(self.kit.desk.folder / PRACTICE_FOLDER, key))
        except KeyError:
            self.banner.say("That message is not there any more.")
            self.reload()
            return
        except OSError as problem:
            self.banner.say(_why(problem))
            return
        self.app.push_screen(MessageScreen(message, await in_thread(lambda: message_text(message))))

    def action_reload(self) -> None:
        """Look for new messages."""
        self.reload()

    def action_empty(self) -> None:
        """Throw all practice messages away, after asking."""

        def answered(yes: bool | None) -> None:
            if yes:
                try:
                    clear(self.kit.desk.folder / PRACTICE_FOLDER)
                except OSError as problem:
                    self.banner.say(_why(problem))
                self.reload()

        if self.list.option_count:
            question = "Throw away every message of the practice mailbox?"
            self.app.push_screen(ConfirmScreen(question, yes="Throw them away", no="Keep them"), answered)


class MessageScreen(Dialog[None]):
    """One message: its headers, and its text."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "dismiss(None)", "Close", show=False)]

    def __init__(self, message: MailMessage, text: str) -> None:
        """`text`: what can be read of it, cleaned."""
        super().__init__()
        self.message = message
        self.text = text

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog"):
            for name in ("From", "To", "Reply-To", "Subject", "Date", "Message-ID"):
                for value in self.message.head.all(name.lower())[:1]:
                    yield Plain(Content.assemble((f"{name + ':':<12}", "bold"), shown(readable(value), 300)))
            yield Plain(f"\n{self.text}")
        yield KeyHints()


def _why(problem: OSError) -> str:
    """Say why the mailbox cannot be looked into."""
    if isinstance(problem, UnsafeFile):
        return str(problem)
    return f"The practice mailbox could not be read: {shown(problem.strerror or 'unknown reason', 100)}."


def _row(message: SandboxMessage) -> str:
    to = ", ".join(message.recipients)
    return shown(f"{message.when.astimezone():%Y-%m-%d %H:%M}  {to[:30]:<31}{message.subject}", 200)


def message_text(message: MailMessage) -> str:
    """Return the readable text of a message, each line cleaned, bounded."""
    part = message.shown("text/plain", "text/html")
    if part is None:
        return "(no text in it)"
    text = part.text()
    lines = text[:LONGEST].splitlines()
    return "\n".join(shown(line, 1000) for line in lines) + ("\n..." if len(text) > LONGEST else "")
