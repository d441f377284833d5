"""The version of this release: said by serve.py, manage.py, the API root and exports, and the package's own."""

VERSION = "0.2.0"
