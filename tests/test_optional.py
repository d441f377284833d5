"""What a start does not load: it would stand in the memory of every process."""

import subprocess
import sys

HEAVY = (
    "PIL",
    "cryptography",
    "babel",
    "celery",
    "kombu",
    "segno",
    "openpyxl",
    "alembic",
    "webauthn",
    "obstore",
)


def test_a_start_loads_nothing_that_few_need():
    words = (
        "import sys; from quire.app import create_app; create_app('testing'); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, check=True)
    loaded = set(done.stdout.decode().split())
    assert "quire.admin.views" in loaded
    assert loaded & set(HEAVY) == set()
