"""Sending limits across the catalogue, and how a mailing fits them."""
