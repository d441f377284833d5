"""The front door for editors: Flask-Admin views on the same records, rules and store as the API."""

import sys

# Flask-Admin loads Pillow for upload fields that this panel has none of: megabytes in each process.
# What stands in sys.modules as None cannot be imported, and Flask-Admin does without (PEP 328).
if "PIL" not in sys.modules:
    sys.modules["PIL"] = None  # type: ignore[assignment]
    import flask_admin.form.upload  # noqa: F401

    del sys.modules["PIL"]
