"""What the program learns, in one file beside the accounts: results, renewals, sign-ins that count.

`accounts.json` holds what a person has said. What comes of the checks stands here, under ids that name nobody.
"""
