"""The moderation queue: what is waiting for a decision, and the decisions."""
