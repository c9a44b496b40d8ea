"""smtp-wizard: gets any mailbox sending mail for any business application, and keeps it sending."""

__version__ = "0.1.0"
