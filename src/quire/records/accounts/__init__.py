"""What belongs to an account beside its record: links, devices, second factors."""
