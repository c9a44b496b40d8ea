"""What all faces say. Plain text; no toolkit is known here."""
