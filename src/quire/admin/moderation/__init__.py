"""The moderation queue: what waits for a decision, and the decisions."""
