"""Who may do what: credentials, policies, secrets, and the record of it all."""
