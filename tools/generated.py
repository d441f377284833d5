"""Regenerates the files that are generated from the code: `python tools/generated.py`, before each commit.

These are docs/openapi.json, docs/settings.md, .env.example and the translation catalogues. If texts are not translated,
it names them and exits with status 1.
"""

import sys
from pathlib import Path

import translations

from quire.app import create_app
from quire.cli.docs import document_text
from quire.config import docs

OPENAPI = Path(__file__).resolve().parents[1] / "docs" / "openapi.json"


def main() -> int:
    """Write all files; return 1 if texts remain to be translated."""
    with create_app("testing").app_context():
        OPENAPI.write_text(document_text(), encoding="utf-8", newline="\n")
    docs.write()
    return translations.main()


if __name__ == "__main__":
    sys.exit(main())
