"""Pages of one's own account: sign-in, registration, profile, second factors, sessions."""
