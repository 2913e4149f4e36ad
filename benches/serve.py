#!/usr/bin/env python3
"""Floods servers of SPARQL with the same questions, one server after another: `kgq serve`, and where they are installed Oxigraph's server
(PyPI `oxigraph`) and Virtuoso's (`virtuoso-t`).

    python3 benches/serve.py DATA.nt [--kgq PROGRAM] [--seconds N] [--clients 1,16,64]

Each server loads the same file. A look-up asks for what one subject says, another each time; a heavy query joins and counts. A line of
the table has the answers a second, the median and the 99th of a hundred times in milliseconds, answers that were refused (429, 503), those
that were wrong, and the most memory that the server has held. Every answer is compared: look-ups with the file, the heavy query with what
the server said first, alone, and that with kgq's.
"""

import argparse
import collections
import http.client
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

HEAVY = "SELECT (COUNT(*) AS ?n) WHERE { ?a ?p ?b . ?b ?q ?c }"


def lookup(subject):
    return f"SELECT ?p ?o WHERE {{ {subject} ?p ?o }}"


class Server:
    """A server that runs, until it is stopped."""

    def __init__(self, name, command, port, path, folder):
        self.name, self.port, self.path = name, port, path
        self.log = open(pathlib.Path(folder) / f"{name}.log", "wb")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, cwd=folder)

    def ask(self, query, connection=None, timeout=600):
        own = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        address = f"{self.path}query={urllib.parse.quote(query)}"
        own.request("GET", address, headers={"Accept": "text/csv"})
        response = own.getresponse()
        body = response.read()
        if connection is None:
            own.close()
        return response.status, body

    def wait(self):
        for _ in range(1200):
            try:
                if self.ask("ASK { ?s ?p ?o }", timeout=5)[0] == 200:
                    return
            except OSError:
                pass
            if self.process.poll() is not None:
                raise SystemExit(f"{self.name} ended: see {self.log.name}")
            time.sleep(0.5)
        raise SystemExit(f"{self.name} does not answer")

    def memory(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.log.close()


def rows(body):
    return sorted(body.decode().replace("\r\n", "\n").strip().split("\n")[1:])


def servers(data, kgq, folder):
    """Each server as a function that starts it, so that only one runs."""
    kgq, data = os.path.abspath(kgq), os.path.abspath(data)
    yield "kgq", lambda: Server("kgq", [kgq, "serve", "-d", data, "--listen", "127.0.0.1:7911", "--log", "none"], 7911, "/sparql?", folder)
    oxigraph = shutil.which("oxigraph")
    if oxigraph:

        def start():
            store = pathlib.Path(folder) / "oxigraph"
            subprocess.run([oxigraph, "load", "--location", store, "--file", data], check=True, capture_output=True)
            return Server("oxigraph", [oxigraph, "serve", "--location", store, "--bind", "127.0.0.1:7912"], 7912, "/query?", folder)

        yield "oxigraph", start
    virtuoso, isql = shutil.which("virtuoso-t"), shutil.which("isql-vt") or shutil.which("isql-virtuoso") or shutil.which("isql")
    if virtuoso and isql:

        def start():
            home = pathlib.Path(folder) / "virtuoso"
            home.mkdir()
            (home / "virtuoso.ini").write_text(
                f"[Database]\nDatabaseFile={home}/v.db\nErrorLogFile={home}/v.log\nTransactionFile={home}/v.trx\n"
                f"[TempDatabase]\nDatabaseFile={home}/t.db\nTransactionFile={home}/t.trx\n"
                f"[Parameters]\nServerPort=7914\nDirsAllowed={pathlib.Path(data).parent}\nNumberOfBuffers=170000\n"
                "MaxDirtyBuffers=130000\n[HTTPServer]\nServerPort=7913\nServerThreads=80\n[SPARQL]\nResultSetMaxRows=1000000\n"
            )
            # Its default graph has what it says of itself, too.
            path = "/sparql?default-graph-uri=http%3A%2F%2Fg%2F&"
            server = Server("virtuoso", [virtuoso, "-f", "-c", str(home / "virtuoso.ini")], 7913, path, home)
            server.wait()
            load = f"ld_dir('{pathlib.Path(data).parent}', '{pathlib.Path(data).name}', 'http://g/'); rdf_loader_run(); checkpoint;"
            subprocess.run([isql, "7914", "dba", "dba", f"exec={load}"], check=True, capture_output=True)
            return server

        yield "virtuoso", start


def flood(server, clients, seconds, question):
    """So many clients ask without a pause. Times of right answers, refusals, wrong answers."""
    times, counts, lock = [], collections.Counter(), threading.Lock()
    over = time.monotonic() + seconds

    def client(number):
        generator = random.Random(number)
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)
        own, counted = [], collections.Counter()
        while time.monotonic() < over:
            query, expected = question(generator)
            started = time.monotonic()
            try:
                status, body = server.ask(query, connection)
            except (OSError, http.client.HTTPException):
                counted["wrong"] += 1
                connection.close()
                continue
            if status in (429, 503):
                counted["refused"] += 1
                time.sleep(0.05)
            elif status == 200 and expected(body):
                own.append(time.monotonic() - started)
            else:
                counted["wrong"] += 1
        with lock:
            times.extend(own)
            counts.update(counted)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # What was begun in time is waited for, and counted with the time that it took.
    return sorted(times), counts, time.monotonic() - over + seconds


def part(times, share):
    return 1000 * times[min(len(times) - 1, int(len(times) * share))] if times else float("nan")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="N-Triples")
    parser.add_argument("--kgq", default="target/release/kgq")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--clients", default="1,16,64")
    arguments = parser.parse_args()
    counts = collections.Counter()
    for line in open(arguments.data, encoding="utf-8"):
        if line.startswith("<"):
            counts[line.split(" ", 1)[0]] += 1
    subjects = sorted(counts)
    failed, heavy_of_all = False, {}
    print(f"{'server':10}{'question':10}{'clients':>8}{'a second':>10}{'p50 ms':>10}{'p99 ms':>10}{'refused':>9}{'wrong':>7}{'MiB':>8}")
    with tempfile.TemporaryDirectory() as folder:
        for name, start in servers(arguments.data, arguments.kgq, folder):
            server = start()
            try:
                server.wait()
                heavy = rows(server.ask(HEAVY)[1])
                heavy_of_all[name] = heavy

                def light(generator):
                    subject = generator.choice(subjects)
                    return lookup(subject), lambda body: len(rows(body)) == counts[subject]

                def joined(_):
                    return HEAVY, lambda body: rows(body) == heavy

                for kind, question in [("look-up", light), ("heavy", joined)]:
                    for clients in map(int, arguments.clients.split(",")):
                        times, ends, taken = flood(server, clients, arguments.seconds, question)
                        failed |= ends["wrong"] > 0 and name == "kgq"
                        print(
                            f"{name:10}{kind:10}{clients:8}{len(times) / taken:10.1f}{part(times, 0.5):10.1f}"
                            f"{part(times, 0.99):10.1f}{ends['refused']:9}{ends['wrong']:7}{server.memory():8.0f}",
                            flush=True,
                        )
            finally:
                server.stop()
    if len({tuple(heavy) for heavy in heavy_of_all.values()}) > 1:
        print(f"the servers do not agree on the heavy query: {heavy_of_all}")
        failed = True
    sys.exit(failed)


if __name__ == "__main__":
    main()
