"""Events of changes: the outbox, the queue of jobs, and the feed that others follow."""
