"""Where each screen is found. A screen is loaded when it is gone to for the first time: the first one opens sooner."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

if TYPE_CHECKING:
    from textual.screen import Screen

    from smtp_wizard.engine.wizard.draft import Draft
    from smtp_wizard.flows.areas.mailing import MailingField
    from smtp_wizard.screens.page import StepPage
    from smtp_wizard.screens.screen_context import ScreenContext

T = TypeVar("T")


class WhenNeeded(Mapping[str, T], Generic[T]):
    """Classes by name, each loaded when it is asked for."""

    def __init__(self, places: Mapping[str, str]) -> None:
        """`places`: for each name the module in `screens/` and the class, 'address:AddressScreen'."""
        self._places = dict(places)

    def __getitem__(self, name: str) -> T:
        module, _, kind = self._places[name].partition(":")
        return cast(T, getattr(import_module(f"smtp_wizard.screens.{module}"), kind))

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


SCREENS: WhenNeeded[Callable[[ScreenContext, Draft], StepPage[Any, Any]]] = WhenNeeded(
    {
        "address": "address:AddressScreen",
        "provider": "provider:ProviderScreen",
        "signin": "sign_in:SignInScreen",
        "server": "server:ServerScreen",
        "oauth": "browser:BrowserScreen",
        "connect": "connect:ConnectScreen",
        "testmail": "test_mail:TestMailScreen",
        "review": "save:SaveScreen",
        "done": "done:DoneScreen",
    }
)
"""The screen of each step."""
READINESS: WhenNeeded[Callable[[ScreenContext, str, Mapping[MailingField, str]], Screen[None]]] = WhenNeeded(
    {"readiness": "areas.readiness:ReadinessScreen"}
)
"""The screen that a plan leads to, for a provider and with what was typed for it."""
TOOL_SCREENS: WhenNeeded[Callable[[ScreenContext], Screen[None]]] = WhenNeeded(
    {
        "explain": "areas.explain:ExplainScreen",
        "bounces": "areas.bounces:BouncesScreen",
        "inbox": "areas.inbox:InboxScreen",
        "domain": "areas.domain:DomainScreen",
        "unsubscribe": "areas.unsubscribe:UnsubscribeScreen",
        "guides": "areas.guides:GuideListScreen",
        "calendar": "areas.calendar:CalendarScreen",
    }
)
"""What the menu opens over the screen that is shown."""
AREAS: WhenNeeded[Callable[[ScreenContext], Screen[None]]] = WhenNeeded(
    {"home": "accounts.home:HomeScreen", "limits": "areas.limits:LimitsScreen"}
)
"""What stands for itself, with a stack of screens of its own."""
