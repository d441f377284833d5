"""The front door for editors: Flask-Admin views on the same records, rules and store as the API."""

from quire.optional import left_out

with left_out("PIL"):  # for upload fields that this panel has none of
    import flask_admin.form.upload  # noqa: F401
