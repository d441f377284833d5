"""Links from a record to others, as far as the actor finds those in the panel."""

from flask import url_for

from quire.actor import Actor
from quire.admin.addresses import endpoint, record_url
from quire.admin.cells import Address
from quire.declare.record import Record


def address_for(actor: Actor) -> Address:
    """A function that answers the details page of a record, None where the panel is closed."""

    def address(record: Record, id: int) -> str | None:
        if record.allows(actor, "panel") is not True:
            return None
        return record_url(record, "details_view", id)

    return address


def lookup_url(record: Record, name: str) -> str:
    """Where the picker of the field `name` searches."""
    return url_for(endpoint(record, "ajax_lookup"), field=name)
