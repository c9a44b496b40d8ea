"""Where secrets are kept: the keyring, an encrypted file, what a command prints, a file, a variable, or nowhere.

Each place is a module. What goes wrong in it becomes a `SecretError` with one sentence for a person; foreign exceptions
end there, and nothing of their text is shown, since some of them quote the secret.
"""
