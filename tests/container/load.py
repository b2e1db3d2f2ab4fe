"""Clients: one request for each connection, over and over, and what became of them."""
import socket
import threading

from engine import until


def get(address, path="/", timeout_s=15, port=8080):
    """The body of the answer. Errors: OSError, or ValueError for an answer that is none."""
    with socket.create_connection((address, port), timeout_s) as client:
        client.sendall(f"GET {path} HTTP/1.0\r\nHost: test\r\n\r\n".encode())
        answer = b""
        while chunk := client.recv(65536):
            answer += chunk
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise ValueError(f"answered {head[:80]!r}")
    return body


class Load:
    """with Load(addresses) as load: ... ; then load.answers and load.failures hold."""

    def __init__(self, addresses, threads=4):
        self.answers = {}
        self.failures = []
        self.attempts = [0] * threads
        self.lock = threading.Lock()
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=self.work, args=(i, addresses[i % len(addresses)]))
                        for i in range(threads)]

    def work(self, number, address):
        while not self.ended.is_set():
            self.attempts[number] += 1
            try:
                body = get(address).decode().strip()
                with self.lock:
                    self.answers[body] = self.answers.get(body, 0) + 1
            except (OSError, ValueError) as error:
                with self.lock:
                    self.failures.append(f"{address}: {error}")

    def count(self):
        with self.lock:
            return sum(self.answers.values())

    def lost_by(self, event):
        """What failed while the event took place, and of the attempts that had begun before its
        end."""
        before = len(self.failures)
        event()
        begun = list(self.attempts)
        until(lambda: all(now > then for now, then in zip(self.attempts, begun)),
              "each client's attempt to end")
        return self.failures[before:]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *error):
        self.ended.set()
        for thread in self.threads:
            thread.join()
