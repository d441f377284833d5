"""The server of serve.py: sockets, processes, threads and HTTP below Flask."""
