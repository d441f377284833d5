"""A TCP proxy in tests, between a client and a server, that delays responses."""

import asyncio
import threading
from contextlib import contextmanager, suppress


class Proxy:
    """Listens on `port` for a server on `target`; delays its responses by `delay` seconds."""

    def __init__(self, target):
        self.target, self.port = target, 0
        self.delay = 0.0
        self._writers = set()

    async def serve(self, started):
        """Run until cancelled; `started` is set when it listens."""
        server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        try:
            async with server:
                await server.serve_forever()
        finally:
            for writer in self._writers:
                writer.transport.abort()

    async def _connect(self, reader, writer):
        try:
            there_reader, there = await asyncio.open_connection("127.0.0.1", self.target)
        except ConnectionRefusedError:
            writer.close()
            return
        self._writers |= {writer, there}
        await asyncio.gather(
            self._pass_on(reader, there, False), self._pass_on(there_reader, writer, True)
        )

    async def _pass_on(self, reader, writer, is_answer):
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                await asyncio.sleep(self.delay if is_answer else 0)
                writer.write(data)
                await writer.drain()
            writer.close()


@contextmanager
def proxied(target):
    """Run a proxy for the server on the port `target`, in a thread."""
    proxy, started, loop = Proxy(target), threading.Event(), asyncio.new_event_loop()
    task = loop.create_task(proxy.serve(started))

    def run():
        with suppress(asyncio.CancelledError):
            loop.run_until_complete(task)
        for one in asyncio.all_tasks(loop):
            one.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    started.wait(10)
    try:
        yield proxy
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join(10)
