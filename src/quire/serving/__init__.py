"""What serve.py does: sockets, processes, threads and HTTP below Flask."""
