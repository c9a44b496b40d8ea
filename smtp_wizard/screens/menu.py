"""F10: everything that is no step, each with its letter; and the looks to choose from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from enum import StrEnum
from functools import partial

from textual.content import Content
from textual.widget import Widget

from smtp_wizard.flows.flow import Offer
from smtp_wizard.screens.panel import Panel
from smtp_wizard.widgets.chips import Chip, key_named
from smtp_wizard.widgets.lines import ACCENT, MUTED
from smtp_wizard.widgets.offers import OfferList


class MenuItem(StrEnum):
    """Where the menu leads."""

    ACCOUNTS = "accounts"
    LIMITS = "limits"
    EXPLAIN = "explain"
    BOUNCES = "bounces"
    DOMAIN = "domain"
    UNSUBSCRIBE = "unsubscribe"
    GUIDES = "guides"
    CALENDAR = "calendar"
    PRACTISE = "practise"
    INBOX = "inbox"
    LOOK = "look"
    LEAVE = "leave"


ITEMS: Sequence[Offer[MenuItem]] = (
    Offer(MenuItem.ACCOUNTS, "Your accounts", "saved, tested, changed", key="A"),
    Offer(MenuItem.LIMITS, "How much may I send?", "limits, and a plan for a mailing", key="L"),
    Offer(MenuItem.EXPLAIN, "Explain an error", "paste what your application says", key="X"),
    Offer(MenuItem.BOUNCES, "Mail that came back", "read from your own mailbox, and why", key="B"),
    Offer(MenuItem.DOMAIN, "Your domain", "SPF, DKIM, DMARC: out of junk", key="D"),
    Offer(MenuItem.UNSUBSCRIBE, "Unsubscribe link", "for your mailings", key="U"),
    Offer(MenuItem.GUIDES, "Guides", "step by step", key="G"),
    Offer(MenuItem.CALENDAR, "What will end", "certificates, sign-ins, ways in", key="E"),
    Offer(MenuItem.PRACTISE, "Practise", "a mailbox on this computer", key="F3", chip="Practise"),
    Offer(MenuItem.INBOX, "Practice inbox", "what you sent while practising", key="I"),
    Offer(MenuItem.LOOK, "Look", "dark, light, high contrast", key="K", chip="Choose a look"),
    Offer(MenuItem.LEAVE, "Leave", "what you typed is kept", key="Ctrl+Q", chip="Leave"),
)


class MenuList(OfferList[MenuItem]):
    """One row an item: its name, what it is, its key."""

    APART = False
    NAME, KEY = 24, 7

    def _item(self, offer: Offer[MenuItem], room: int) -> list[Content]:
        note = f"{offer.note:<{max(room - self.NAME - self.KEY, 0)}}" if room >= 60 else ""
        name = f"{offer.verb:<{self.NAME if note else max(room - self.KEY, 0)}}"
        return [Content.assemble(name, (note, MUTED), (f"{offer.key:>{self.KEY}}", ACCENT))]


class MenuPanel(Panel[MenuItem]):
    """The menu. Returns what was chosen, by Enter or by its own key."""

    def __init__(self, accounts: str) -> None:
        """`accounts` says what there is of them: '14 saved'; '' where that is told later, or is nothing."""
        super().__init__("Menu", "what you typed stays")
        self.menu = MenuList([_counted(each, accounts) for each in ITEMS], id="menu")

    def tell_accounts(self, accounts: str) -> None:
        """Say what there is of the accounts, once that is known; the mark stays where it is."""
        at = next((at for at, each in enumerate(self.menu.items) if each is self.menu.selected), 0)
        self.menu.offer([_counted(each, accounts) for each in ITEMS], selected=at)

    def body(self) -> Iterator[Widget]:
        yield self.menu

    def chips(self) -> Sequence[Chip]:
        """As `Panel.chips`: each item has its own key, which stands in its row."""
        own = [Chip(key_named(each.key), each.verb, partial(self.dismiss, each.id), shown=False) for each in ITEMS]
        return [self.menu.chip(), Chip("", "Choose"), *own, Chip("f10", "Close", self.close, shown=False)]

    def on_offer_list_chosen(self, message: OfferList.Chosen) -> None:
        """Return what was chosen."""
        self.dismiss(message.offer.id)


def _counted(offer: Offer[MenuItem], accounts: str) -> Offer[MenuItem]:
    """Return an item with how many accounts there are, and with what Enter does for it."""
    note = accounts if offer.id is MenuItem.ACCOUNTS and accounts else offer.note
    return replace(offer, note=note, chip=offer.chip or "Open")


LOOKS = {
    "dark": "Dark",
    "light": "Light",
    "high-contrast": "High contrast",
    "ansi": "The colours of this terminal",
}


class LookPanel(Panel[str]):
    """Which look the screens have. Returns the toolkit's name of the chosen one."""

    def __init__(self, now: str) -> None:
        super().__init__("Look", "for now; SMTP_WIZARD_THEME keeps it")
        names = list(LOOKS)
        offers = [Offer(name, words, chip="Take it") for name, words in LOOKS.items()]
        self.looks = OfferList(offers, selected=names.index(now) if now in names else 0, id="looks")

    def body(self) -> Iterator[Widget]:
        yield self.looks

    def chips(self) -> Sequence[Chip]:
        """As `Panel.chips`."""
        return [self.looks.chip(), Chip("", "Choose")]

    def on_offer_list_chosen(self, message: OfferList.Chosen) -> None:
        """Return what was chosen."""
        self.dismiss(message.offer.id)
