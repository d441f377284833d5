"""The audit log for people: each event as a sentence, with the values before and after."""
