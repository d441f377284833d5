"""Names in one normal form; tags and categories are unique regardless of case

Revision ID: 5c0e7a9d31f4
Revises: c3d81b7e4f06
Create Date: 2026-11-28 11:00:00
"""

import re
import unicodedata
from itertools import chain, count

import sqlalchemy as sa
from alembic import op

revision = "5c0e7a9d31f4"
down_revision = "c3d81b7e4f06"
branch_labels = None
depends_on = None

TEXTS = {
    "posts": ("title", "slug"),
    "pages": ("title", "slug"),
    "tags": ("name", "slug"),
    "categories": ("name", "slug"),
    "profiles": ("display_name", "location"),
    "redirects": ("path", "target"),
}
"""What is looked up or compared as a whole; other texts are normalised when they are next saved."""
UNIQUE = {"slug": (200, "-{}"), "name": (100, " ({})")}
"""The columns that no two rows share and that take a suffix: their length, the form of a suffix."""

_IGNORABLE = (
    r"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8"
)
"""Default_Ignorable_Code_Point up to U+FFFF: https://www.unicode.org/reports/tr44/#DerivedCoreProperties.txt"""
_SHAPERS = "\u180b-\u180d\u180f\u200c\u200d\ufe00-\ufe0f\U000e0100-\U000e01ef"
"""Joiners and variation selectors: they decide how the character before them looks."""
_SHAPED = rf"(?![{_IGNORABLE}])[\u0590-\U000dffff]|[\u00a9\u00ae]|[#*0-9](?=\ufe0f\u20e3)"
"""What they can shape: scripts from Hebrew on, symbols, emoji, the digits of keycaps."""
_MARKS = "\u061c\u200e\u200f"
_RIGHT_TO_LEFT = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff]")
_REGION = "\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f"
"""The flag of a region such as Scotland is spelled with tags behind a black flag."""
_INVISIBLE = re.compile(
    rf"({_REGION}|(?:{_SHAPED})[{_SHAPERS}]+)"
    rf"|([{_MARKS}])|[{_IGNORABLE}\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


def upgrade():
    """Apply this revision."""
    connection = op.get_bind()
    for table, columns in TEXTS.items():
        normalize_table(connection, table, columns)
    for table in ("tags", "categories"):
        # plain ALTER TABLE, which SQLite does in place without copying
        column = sa.Column("name_folded", sa.String(300), nullable=False, server_default="")
        op.add_column(table, column)
        fill_folded(connection, table)
        op.create_index(f"uq_{table}_name_folded", table, ["name_folded"], unique=True)


def downgrade():
    """Revert to the previous revision."""
    for table in ("tags", "categories"):
        op.drop_index(f"uq_{table}_name_folded", table_name=table)
        op.execute(f"ALTER TABLE {table} DROP COLUMN name_folded")


def normalize_table(connection, table, columns):
    """Put the texts of a table into Normalization Form C; if two become equal, keep both."""
    for name in columns:
        rows = connection.execute(sa.text(f"SELECT id, {name} FROM {table}"))
        wanted = {id: tidy(value) or str(id) for id, value in rows if value and tidy(value) != value}
        for id, value in sorted(wanted.items()):
            free = value
            if name in UNIQUE:
                free = first_free(connection, table, name, value, id)
            elif name == "path" and is_taken(connection, table, name, value, id):
                # only one of them can ever be found again
                connection.execute(sa.text("DELETE FROM redirects WHERE id = :id"), {"id": id})
                continue
            put(connection, table, name, id, free)


def fill_folded(connection, table):
    """Give each row its key; of two with the same key, rename the later one to `<name> (2)`."""
    rows = connection.execute(sa.text(f"SELECT id, name FROM {table} ORDER BY id")).all()
    taken = {fold(name) for _, name in rows}
    used = set()
    for id, name in rows:
        if fold(name) in used:
            name = next(n for n in numbered("name", name) if fold(n) not in taken | used)
            put(connection, table, "name", id, name)
        used.add(fold(name))
        put(connection, table, "name_folded", id, fold(name))


def first_free(connection, table, column, value, id):
    """Return `value`, or `value` with the lowest number that no other row has."""
    names = chain([value], numbered(column, value))
    return next(one for one in names if not is_taken(connection, table, column, one, id))


def numbered(column, value):
    """Return `value` with the numbers from 2 in the form of its column: words (2), words-2."""
    length, form = UNIQUE[column]
    endings = (form.format(number) for number in count(2))
    return (value[: length - len(ending)] + ending for ending in endings)


def is_taken(connection, table, column, value, id):
    """Return whether another row has this value."""
    wanted = sa.text(f"SELECT 1 FROM {table} WHERE {column} = :value AND id <> :id")
    return connection.execute(wanted, {"value": value, "id": id}).first() is not None


def put(connection, table, column, id, value):
    """Set one value of one row."""
    statement = sa.text(f"UPDATE {table} SET {column} = :value WHERE id = :id")
    connection.execute(statement, {"value": value, "id": id})


def tidy(text):
    """Return the text in Normalization Form C, without invisible characters."""
    if text.isascii():
        return text
    marks = r"\2" if _RIGHT_TO_LEFT.search(text) else ""
    return unicodedata.normalize("NFC", _INVISIBLE.sub(rf"\1{marks}", text))


def fold(text):
    """Return the case-insensitive key of a name (Unicode Standard, D145)."""
    return tidy(unicodedata.normalize("NFD", text).casefold())
