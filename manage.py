"""Commands for operators: `python manage.py --help`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "src"))

from quire.cli.main import main

if __name__ == "__main__":
    main()
