"""Starts the server: `python serve.py --help`."""

import gc
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "src"))
gc.disable()  # until everything is loaded (quire/serving/main.py): a start takes 1.25 s of CPU time instead of 1.40

from quire.serving.main import main  # noqa: E402

if __name__ == "__main__":
    main()
