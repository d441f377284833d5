"""The interface for editors: Flask-Admin views on the same records, rules and store as the API."""
