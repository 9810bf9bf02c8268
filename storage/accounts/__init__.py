"""People of the deployment: users, sign-ins, tokens, guesses, the audit, answers kept under a key."""
