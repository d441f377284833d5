"""The version of this release, shown by serve.py, manage.py, the API root and exports, and that of
the package."""

VERSION = "0.2.0"
