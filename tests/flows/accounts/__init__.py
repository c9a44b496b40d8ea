"""Tests of the saved accounts without a face."""
