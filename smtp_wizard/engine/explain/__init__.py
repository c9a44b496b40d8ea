"""Explaining a pasted error, log or bounce."""
