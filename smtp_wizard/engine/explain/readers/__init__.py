"""Readers of what people paste: each knows one way of writing, and turns it into evidence or into plainer text."""
