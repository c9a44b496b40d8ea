"""Tests of the steps after the sign-in without a face."""
