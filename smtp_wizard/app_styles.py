"""The app whose style sheet is read once: the toolkit reads all of it again for each area that is gone to."""

from __future__ import annotations

from collections.abc import Mapping

from smtp_wizard.type_ahead import TypeAheadApp


class StyledApp(TypeAheadApp):
    """Reads its style sheet again only where a colour of it has changed, by another look."""

    _colours: Mapping[str, str] = {}
    """The values with which the style sheet is, or will be, read."""

    def begin_with(self, look: str) -> None:
        """Take a look before the program runs: later, everything would be read and painted a second time."""
        self.theme = look
        self._colours = self.get_css_variables()
        self.stylesheet.set_variables(dict(self._colours))

    def refresh_css(self, animate: bool = True) -> None:
        """As `App.refresh_css`, which the toolkit also calls where nothing but the screen is another."""
        colours = self.get_css_variables()
        if colours != self._colours:
            self._colours = colours
            super().refresh_css(animate)
            return
        for screen in self.screen_stack:  # another look may have been chosen while these were out of sight
            self.stylesheet.update(screen, animate=animate)
