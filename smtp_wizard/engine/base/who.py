"""Who must act on a finding."""

from __future__ import annotations

from enum import StrEnum


class Who(StrEnum):
    """Who must act on a finding."""

    YOU = "you"
    PROVIDER = "provider"
    ADMIN = "admin"
    HOST = "host"
    NETWORK = "network"
    APP = "app"
    RECIPIENT = "recipient"
