"""The app's areas: how one gets to each by the menu, and back to where one was."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType

from smtp_wizard.app_styles import StyledApp
from smtp_wizard.engine.base.threads import in_thread
from smtp_wizard.runtime.expected_errors import EXPECTED_ERRORS
from smtp_wizard.screens.screen_context import ScreenContext
from smtp_wizard.screens.too_small import TooSmallScreen

if TYPE_CHECKING:
    from smtp_wizard.screens.menu import MenuPanel

HOME, SETUP, LIMITS = "home", "setup", "limits"


class AreasApp(StyledApp):
    """Opens the areas; Escape leads back to where one was."""

    context: ScreenContext
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f10,ctrl+p", "menu", "Menu", show=False),
        Binding("ctrl+q", "leave", "Quit"),
    ]

    def __init__(self, folder: Path, *, ansi_color: bool | None) -> None:
        super().__init__(folder, ansi_color=ansi_color)
        self.before: dict[str, str] = {}
        """For each area: where one was before it."""

    @abstractmethod
    def practise(self) -> None:
        """Go to the practice mailbox; what is being set up is put aside after a question."""

    @abstractmethod
    def open_tool(self, name: str) -> None:
        """Show a tool over the screen that is shown."""

    @abstractmethod
    def action_leave(self) -> None:
        """Quit; where something was entered and not saved, ask first."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key does what the screen says that it does, and nothing else."""
        return action == "leave_keeping" if isinstance(self._shown, TooSmallScreen) else True

    # -- areas ------------------------------------------------------------------------------------------------------

    def enter_area(self, mode: str) -> None:
        """Show an area; what was typed in the wizard stays."""
        if self.current_mode != mode:
            self.before[mode] = self.current_mode
            self.switch_mode(mode)

    def action_leave_area(self) -> None:
        """Back to where one was before this area; where one was nowhere, to the accounts."""
        self.switch_mode(self.before.pop(self.current_mode, HOME))

    def action_practise(self) -> None:
        """As `practise`."""
        self.practise()

    def action_explain(self) -> None:
        """Explain what an application says, over the step where one is."""
        from smtp_wizard.screens.menu import MenuItem

        self.open_tool(MenuItem.EXPLAIN)

    # -- the menu ---------------------------------------------------------------------------------------------------

    def action_menu(self) -> None:
        """Open the menu over the screen that is shown; Escape leaves everything as it was."""
        from smtp_wizard.screens.menu import MenuPanel

        if not isinstance(self.screen, MenuPanel):
            quickly = self.context.services.saved_accounts.are_quickly_read()
            panel = MenuPanel(self._accounts_words() if quickly else "")
            self.push_screen(panel, self._chosen)
            if not quickly:
                self._count_accounts(panel)

    @work(group="count")
    async def _count_accounts(self, panel: MenuPanel) -> None:
        """Say in the menu, which stands there already, how many accounts there are."""
        words = await in_thread(self._accounts_words)
        if panel.is_mounted:
            panel.tell_accounts(words)

    def _accounts_words(self) -> str:
        """Say how many accounts there are; '' where there are none, or they cannot be read."""
        try:
            count = len(self.context.services.saved_accounts.list())
        except EXPECTED_ERRORS:
            return ""
        return f"{count} saved" if count else ""

    def _chosen(self, item: str | None) -> None:
        from smtp_wizard.screens.menu import MenuItem

        match item:
            case MenuItem.ACCOUNTS:
                self.enter_area(HOME)
            case MenuItem.LIMITS:
                self.enter_area(LIMITS)
            case MenuItem.PRACTISE:
                self.practise()
            case MenuItem.LOOK:
                self.choose_look()
            case MenuItem.LEAVE:
                self.action_leave()
            case str():
                self.open_tool(item)

    def choose_look(self) -> None:
        """Ask which look the screens are to have."""
        from smtp_wizard.screens.menu import LookPanel

        def chosen(name: str | None) -> None:
            if name is not None:
                self.theme = name

        self.push_screen(LookPanel(self.theme), chosen)
