"""Starts the server: `python serve.py --help`."""

import gc
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "src"))
gc.disable()  # what is being loaded is no garbage; looking for some takes a sixth of the start

from quire.launch import main  # noqa: E402

if __name__ == "__main__":
    main()
