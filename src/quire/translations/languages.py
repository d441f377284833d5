"""The languages of panel, site and mail: English, and each with a catalogue here."""

from pathlib import Path

ENGLISH = "en"
CATALOGUES = Path(__file__).parent
"""The folder of the catalogues, such as `de.po`."""
LANGUAGES = (ENGLISH, *sorted(path.stem for path in CATALOGUES.glob("*.po")))
"""Codes of the available languages."""
