"""Checking a server: the target, the events, the runner, the second look at a certificate, the test message."""
