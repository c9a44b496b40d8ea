"""The queue of many accounts that are tested: so many at once at a server, so many of a provider, one a mailbox.

Nothing here waits or knows the time: it is asked who may begin now, and told who has ended.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping

from smtp_wizard.engine.lazy_dataclass import dataclass

LOOKED_AT = 20
"""Waiting accounts of a server that are looked at for one that may begin; those before it have their mailbox in use."""


@dataclass(frozen=True, slots=True)
class QueuedCheck:
    """An account that waits to be tested, or is under test."""

    index: int
    """Its place among those that were asked for."""
    host: str
    mailbox: str
    """What two accounts of one mailbox have in common: a provider may take several sign-ins at once for an attack."""
    provider: str
    """'' where nothing is known of how many it lets in at once."""


class CheckQueue:
    """The accounts that wait, by server. The servers take turns, so that no long list of one holds the others up."""

    def __init__(self, *, per_host: int, per_provider: Mapping[str, int]) -> None:
        """`per_provider`: how many at once, of those providers that say so."""
        self._per_host = per_host
        self._per_provider = per_provider
        self._waiting: dict[str, deque[QueuedCheck]] = {}
        self._ring: deque[str] = deque()
        """The servers at which somebody may be able to begin."""
        self._in_ring: set[str] = set()
        self._held_up: dict[str, set[str]] = {}
        """By provider: the servers that left the ring because so many as it allows are under test."""
        self._at_host: Counter[str] = Counter()
        self._at_provider: Counter[str] = Counter()
        self._mailboxes: set[str] = set()

    def add(self, queued: QueuedCheck) -> None:
        """Let an account wait for its turn."""
        self._waiting.setdefault(queued.host, deque()).append(queued)
        self._enter(queued.host)

    def next(self) -> QueuedCheck | None:
        """Return an account that may begin now, and count it as begun; None where nobody may."""
        while self._ring:
            host = self._ring.popleft()
            self._in_ring.discard(host)
            found = self._first(host)
            if found is not None:
                self._begin(found)
                return found
        return None

    def ended(self, queued: QueuedCheck) -> None:
        """Say that an account is done with."""
        self._at_host[queued.host] -= 1
        self._mailboxes.discard(queued.mailbox)
        self._enter(queued.host)
        if queued.provider:
            self._at_provider[queued.provider] -= 1
            for host in self._held_up.pop(queued.provider, ()):
                self._enter(host)

    def _enter(self, host: str) -> None:
        if host not in self._in_ring and self._waiting.get(host) and self._at_host[host] < self._per_host:
            self._in_ring.add(host)
            self._ring.append(host)

    def _first(self, host: str) -> QueuedCheck | None:
        """Return the first account of a server that may begin, and take it from those that wait."""
        waiting = self._waiting[host]
        for place, queued in enumerate(waiting):
            if place == LOOKED_AT:
                break
            if self._is_full(queued.provider):
                self._held_up.setdefault(queued.provider, set()).add(host)
            elif queued.mailbox not in self._mailboxes:
                del waiting[place]
                return queued
        return None

    def _is_full(self, provider: str) -> bool:
        most = self._per_provider.get(provider)
        return most is not None and self._at_provider[provider] >= most

    def _begin(self, queued: QueuedCheck) -> None:
        self._at_host[queued.host] += 1
        self._mailboxes.add(queued.mailbox)
        if queued.provider:
            self._at_provider[queued.provider] += 1
        self._enter(queued.host)
