"""What the product exists for: the SMTP dialogue, diagnosis, knowledge, and the wizard as a state machine."""
