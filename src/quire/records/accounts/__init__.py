"""The email links, known devices and second factors of an account."""
