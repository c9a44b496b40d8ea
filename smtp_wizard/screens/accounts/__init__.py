"""The saved accounts, and what can be done with them."""
