"""The mailbox behind an account, read over IMAP and left as it is."""
