"""The audit log for people: each event as a sentence, with what the values were before and after."""
