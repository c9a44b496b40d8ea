"""Bash cuts the line at '=' and ':' too (COMP_WORDBREAKS) before it asks; here the words are put together again."""

from __future__ import annotations

import os
import re
from typing import Any

from click.shell_completion import BashComplete, CompletionItem, split_arg_string

_BREAKS = re.compile("[=:]")


class BashCompletion(BashComplete):
    """As click's, for words with a '=' or ':' in them."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """As `BashComplete.get_completion_args`."""
        at = int(os.environ["COMP_CWORD"])
        pieces = [*split_arg_string(os.environ["COMP_WORDS"]), ""][: at + 1]
        words = joined(pieces)
        return words[1:-1], words[-1]

    def format_completion(self, item: CompletionItem[Any]) -> str:
        """Return the part that stands behind the last cut: bash puts it in the place of what is typed there."""
        cuts = self._cuts()
        return f"{item.type},{_BREAKS.split(item.value, maxsplit=cuts)[-1] if cuts else item.value}"

    def _cuts(self) -> int:
        """Return at how many places of the word bash has cut; behind '--option=' it is the value alone."""
        _, typed = self.get_completion_args()
        value = typed.partition("=")[2] if typed.startswith("-") else typed
        return len(_BREAKS.findall(value))


def joined(pieces: list[str]) -> list[str]:
    """Return words from the pieces that bash has cut them into: 'cust', ':', 's' is 'cust:s'."""
    words: list[str] = []
    open_end = False
    for piece in pieces:
        cut = bool(piece) and not piece.strip("=:")
        if words and (cut or open_end):
            words[-1] += piece
        else:
            words.append(piece)
        open_end = cut
    return words
