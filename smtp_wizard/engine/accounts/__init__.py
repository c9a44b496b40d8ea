"""Saved accounts, their file, and the guard against being locked out."""
