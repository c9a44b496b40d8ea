"""The steps after the sign-in: the test message, saving, and what is typed into the application."""
