"""What the panel does not load."""

import subprocess
import sys


def test_a_start_loads_no_pillow():
    words = "import sys; from quire.app import create_app; create_app('testing'); print('PIL' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, check=True)
    assert done.stdout.strip() == b"False"
