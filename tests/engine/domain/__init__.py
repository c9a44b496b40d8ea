"""Tests of what domains publish."""
