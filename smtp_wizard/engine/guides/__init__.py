"""Guides: the prose of the product, one Markdown file each in data/guides/."""
