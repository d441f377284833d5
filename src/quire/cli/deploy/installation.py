"""The values that deployment files need of this installation: paths, addresses and sizes, no secrets."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from quire.config.settings import ROOT
from quire.web.body_limits import max_body_bytes

ADDRESS_WITHOUT_URL = "http://localhost"
"""The placeholder for PUBLIC_URL if it is not set."""


@dataclass(frozen=True)
class Installation:
    """Values for the templates; paths are those of this machine."""

    root: str
    python: str
    instance: str
    user: str
    public_url: str
    port: int
    processes: int
    threads: int
    body_megabytes: int
    python_version: str
    folder: str
    certificate: str | None = None
    key: str | None = None

    @property
    def host(self) -> str:
        """The public host name."""
        return urlsplit(self.public_url).hostname or "localhost"

    @property
    def is_https(self) -> bool:
        """Whether the public URL is https."""
        return self.public_url.startswith("https://")

    @property
    def body_bytes(self) -> int:
        """The largest body of a request, in bytes."""
        return self.body_megabytes * 1024 * 1024

    def path(self, *names: str) -> str:
        """Return a path below Quire's folder, in the notation of that path."""
        return _join(self.root, *names)

    def file(self, name: str) -> str:
        """Return the path of another of these files."""
        return _join(self.folder, name)


def this_installation(config: Mapping[str, Any], **options: Any) -> Installation:
    """Return the installation that runs this.

    `options` are port, processes, the files of a certificate, and the folder for the files.
    """
    instance = Path(config["QUIRE_INSTANCE"])
    return Installation(
        root=str(ROOT),
        python=sys.executable,
        instance=str(instance),
        user=_owner(instance),
        public_url=config["PUBLIC_URL"] or ADDRESS_WITHOUT_URL,
        threads=config["THREADS"],
        body_megabytes=-(-max_body_bytes(config) // 2**20) + 1,
        python_version=f"{sys.version_info.major}.{sys.version_info.minor}",
        **options,
    )


def _join(folder: str, *names: str) -> str:
    separator = "\\" if "\\" in folder else "/"
    return separator.join((folder, *names))


def _owner(folder: Path) -> str:
    """Return the owner of the instance folder, whose account the service has to use."""
    return "quire" if os.name == "nt" else folder.owner()
