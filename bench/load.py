"""A small closed-loop HTTP client: some connections, each sending its next request when the last is answered.

A process of its own, so that its work is not counted as the server's. Reads a plan from standard input as JSON:
{"port", "connections", "seconds", "requests": [raw request text, …]}; writes latencies as JSON.
"""

import json
import selectors
import socket
import sys
import time


def main() -> None:
    """Run the plan and print {"latencies_s": […], "errors": n, "seconds": s}."""
    plan = json.load(sys.stdin)
    requests = [r.encode() for r in plan["requests"]]
    selector, sent_at, buffers = selectors.DefaultSelector(), {}, {}
    latencies, errors, turn = [], 0, 0
    started = time.perf_counter()
    end = started + plan["seconds"]

    def send(connection: socket.socket) -> None:
        nonlocal turn
        buffers[connection] = b""
        sent_at[connection] = time.perf_counter()
        connection.sendall(requests[turn % len(requests)])
        turn += 1

    for _ in range(plan["connections"]):
        connection = socket.create_connection(("127.0.0.1", plan["port"]))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(connection, selectors.EVENT_READ)
        send(connection)
    while time.perf_counter() < end and (plan.get("once") is None or len(latencies) < len(requests)):
        for key, _mask in selector.select(timeout=1):
            connection = key.fileobj
            assert isinstance(connection, socket.socket)
            data = connection.recv(262_144)
            buffers[connection] += data
            head, found, body = buffers[connection].partition(b"\r\n\r\n")
            if not data or not found:
                if not data:
                    sys.exit("the server closed a connection")
                continue
            length = next(int(h[15:]) for h in head.lower().split(b"\r\n") if h.startswith(b"content-length:"))
            if len(body) < length:
                continue
            latencies.append(time.perf_counter() - sent_at[connection])
            errors += not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 303"))
            send(connection)
    json.dump({"latencies_s": latencies, "errors": errors, "seconds": time.perf_counter() - started}, sys.stdout)


if __name__ == "__main__":
    main()
