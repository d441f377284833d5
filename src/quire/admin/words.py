"""Words for what was done, in the past tense."""

PAST = {
    "create": "created",
    "update": "changed",
    "delete": "deleted",
    "publish": "published",
    "unpublish": "unpublished",
    "restore": "restored",
    "restore_revision": "set back to an older version",
    "draft": "began a draft of",
    "discard_draft": "threw away the draft of",
    "preview": "made a preview link to",
    "end_previews": "ended the preview links to",
    "approve": "approved",
    "spam": "marked as spam",
    "draw_again": "will be drawn again",
    "duplicate": "duplicated",
    "destroy": "deleted for good",
    "view_as": "began to view as",
    "stop_viewing": "stopped viewing as",
    "denied": "was refused",
    "export": "exported everything",
    "import": "imported a table",
    "undo_import": "took back the import of a table",
    "sign_in": "signed in",
    "sign_out": "signed out",
}


def past(action: str) -> str:
    """What somebody did, in words."""
    return PAST.get(action, action.replace("_", " "))
