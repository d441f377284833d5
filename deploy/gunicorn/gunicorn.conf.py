"""Quire under gunicorn: gunicorn --config <this file>. The jobs run in quire-worker.service."""

bind = "127.0.0.1:8000"
wsgi_app = "quire.app:create_app()"
chdir = '/opt/quire'
pythonpath = '/opt/quire/src'
raw_env = ['QUIRE_INSTANCE=/opt/quire/instance', "JOB_THREADS=0"]
worker_class = "gthread"
workers = 2
threads = 4
timeout = 60
graceful_timeout = 30
keepalive = 30
limit_request_line = 8190
