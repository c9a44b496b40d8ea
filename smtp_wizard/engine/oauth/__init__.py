"""Signing in in the browser (OAuth 2.0), and staying signed in.

`browser` and `device` are the two ways of asking the person, `attempt` is one of them from beginning to end, `exchange`
the one border to the authorization server, `grants` what is kept of it, `renewal` how it is renewed without two
processes killing it.
"""
