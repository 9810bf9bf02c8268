"""People who sign in: passwords, second factors, sessions, guesses, and what happens when somebody's rights end."""
