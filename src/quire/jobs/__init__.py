"""Background jobs: requests enqueue them, a worker runs them."""
