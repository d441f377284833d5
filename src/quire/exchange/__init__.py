"""Content in and out: what other systems export, brought into the store."""
