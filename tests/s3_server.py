"""A bucket for tests: moto's server, which works like S3, and functions to inspect it."""

import logging
from importlib import import_module

KEY = "testing"


class Store:
    """A server with one bucket, on a free port."""

    def __init__(self, name="quire-files"):
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self.name = name
        # they take 10 MB of a process, and most processes of a run start no server
        boto3, moto = import_module("boto3"), import_module("moto.server")
        self._server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._server.start()
        self.address = "http://{}:{}".format(*self._server.get_host_and_port())
        keys = {"aws_access_key_id": KEY, "aws_secret_access_key": KEY, "region_name": "us-east-1"}
        self.client = boto3.client("s3", endpoint_url=self.address, **keys)
        self.client.create_bucket(Bucket=name)

    def settings(self, **more):
        """Return the settings that point to the bucket."""
        return {
            "S3_BUCKET": self.name, "S3_ENDPOINT": self.address, "S3_REGION": "us-east-1",
            "S3_ACCESS_KEY": KEY, "S3_SECRET_KEY": KEY, **more,
        }  # fmt: skip

    def names(self):
        """Return the names of all objects in the bucket."""
        found = self.client.list_objects_v2(Bucket=self.name)
        return sorted(one["Key"] for one in found.get("Contents", ()))

    def clear(self):
        """Empty the bucket."""
        for name in self.names():
            self.client.delete_object(Bucket=self.name, Key=name)

    def stop(self):
        """Stop the server."""
        self.client.close()
        self._server.stop()
