"""A configuration of nginx around the lines under test, so that it runs in a folder of its own."""

import os

FRAME = """
{user}
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {server}
}}
"""


def nginx_configuration(folder, server):
    """Return a complete configuration with `server` as its server section."""
    user = "user root;" if os.geteuid() == 0 else ""
    return FRAME.format(folder=folder, server=server, user=user)
