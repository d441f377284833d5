"""Quire with a Windows Python: `WIN_PYTHON=command python tests/windows/smoke.py`.

The command runs Windows' python.exe with the arguments it is given, and with `--exe PATH` another executable. A virtual
environment is created, requirements.txt installed, and journey.py run in it.
"""

import os
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
VENV = os.environ.get("WIN_VENV", "C:/quire-smoke")


def run(*arguments):
    """Run a command, show its output, and stop everything if it fails."""
    print("+", *arguments, flush=True)
    status = subprocess.run(arguments, cwd=ROOT, check=False).returncode
    if status:
        sys.exit(status)


def main():
    """Create the environment and run the journey."""
    python = shlex.split(os.environ.get("WIN_PYTHON", ""))
    if not python:
        print("Skipped: WIN_PYTHON does not say how to run a Windows Python.")
        return
    inside = [*python, "--exe", f"{VENV}/Scripts/python.exe"]
    run(*python, "-m", "venv", VENV)
    pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run(*inside, *pip, "-r", "requirements.txt")
    run(*inside, "tests/windows/journey.py")


if __name__ == "__main__":
    main()
