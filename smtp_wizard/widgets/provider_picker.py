"""Where a provider is chosen out of many."""

from __future__ import annotations

from textual.widgets import OptionList

from smtp_wizard.widgets.fault_containment import FaultContained


class PickerList(FaultContained, OptionList, can_focus=False):
    """The list under a filter. A real mark stands before the chosen row, so that it shows without colour."""

    def watch_highlighted(self, highlighted: int | None) -> None:
        super().watch_highlighted(highlighted)
        for at in range(self.option_count):
            option = self.get_option_at_index(at)
            text = str(option.prompt)
            wanted = ("> " if at == highlighted else "  ") + text[2:]
            if text != wanted:
                self.replace_option_prompt_at_index(at, wanted)
