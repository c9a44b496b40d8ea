"""How long tests wait for what must happen."""

from __future__ import annotations

PATIENCE = 90.0
"""Seconds after which a test no longer believes that something will happen.

A test that passes never waits so long: it goes on with the event. A busy computer may take a good part of it.
"""
