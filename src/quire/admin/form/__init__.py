"""The form of a record: fields, saving, merging, drafts."""
