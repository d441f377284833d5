"""The version of this release and of the package, shown by serve.py, manage.py, the API root and exports."""

VERSION = "0.2.0"
