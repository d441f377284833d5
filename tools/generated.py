"""Writes anew what is generated from the code: `python tools/generated.py`, before a commit.

These are docs/openapi.json, docs/settings.md, .env.example and the catalogues of translations. It ends with 1 where
texts are not translated, and names them.
"""

import sys
from pathlib import Path

import translations

from quire.app import create_app
from quire.cli.docs import document_text
from quire.config import docs

OPENAPI = Path(__file__).resolve().parents[1] / "docs" / "openapi.json"


def main() -> int:
    """Write all of it; 1 where something is left to translate."""
    with create_app("testing").app_context():
        OPENAPI.write_text(document_text(), encoding="utf-8", newline="\n")
    docs.write()
    return translations.main()


if __name__ == "__main__":
    sys.exit(main())
