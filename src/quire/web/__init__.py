"""What applies to all requests and responses, whichever interface they belong to."""
