"""The list of a record type: columns, filters, cells that are edited in place, export."""
