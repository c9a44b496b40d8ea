"""What goes on while the person reads and types: the server check, which belongs to the flow and not to a screen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from smtp_wizard.engine.base.endpoint import Endpoint
from smtp_wizard.engine.base.stages import Depth
from smtp_wizard.engine.checks.events import Emit, Event
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.services.checks import Checks
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.engine.wizard.trusted_servers import server_was_discovered
from smtp_wizard.runtime.expected_errors import EXPECTED_ERRORS
from smtp_wizard.runtime.fault_log import as_fault


class ServerWatch:
    """Checks the server of a draft, without a password, as soon as it is known; begins again when it changes."""

    def __init__(self, checks: Checks, catalog: Catalog, fault: Callable[[Exception], None]) -> None:
        """`fault` is told of a bug in the check; left to the event loop, its text would be printed."""
        self._checks = checks
        self._catalog = catalog
        self._fault = fault
        self._for: tuple[Endpoint | None, str | None, bool] | None = None
        self._task: asyncio.Task[None] | None = None
        self._listener: Emit | None = None
        self.events: list[Event] = []

    def watch(self, draft: Draft) -> None:
        """Begin checking the draft's server, unless that is being done or has been done already."""
        # One that was left alone because it leads inside is looked at once the person has said yes to it.
        wanted = (draft.connection.endpoint, draft.connection.sandbox, server_was_discovered(draft, self._catalog))
        if wanted == self._for:
            return
        self.stop()
        self._for = wanted
        if draft.connection.endpoint is not None:
            self._task = asyncio.ensure_future(self._run(draft))

    def stop(self) -> None:
        """Cancel what is running and forget what was found."""
        if self._task is not None:
            self._task.cancel()
        self._task, self._for = None, None
        self.events = []

    def listen(self, listener: Emit) -> Callable[[], None]:
        """Tell what has happened so far and what happens from now on; return how to end that."""
        self._listener = listener
        for event in list(self.events):
            listener(event)

        def end() -> None:
            if self._listener is listener:
                self._listener = None

        return end

    def _take(self, event: Event) -> None:
        self.events.append(event)
        if self._listener is not None:
            self._listener(event)

    async def _run(self, draft: Draft) -> None:
        try:
            await self._checks.check_draft(draft, Depth.SERVER, self._take)
        except EXPECTED_ERRORS:
            return  # said when the person asks for the sign-in, where it can be mended
        except asyncio.CancelledError as ended:
            if asyncio.current_task() is self._task:  # else it was stopped
                self._fault(as_fault(ended))
        except Exception as bug:
            self._fault(bug)
