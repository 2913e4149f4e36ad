"""The engines beside which kgq is set, each in a process of its own: `peers.py NAME DATA FOLDER` loads the data and then answers
the queries whose files it is told on standard input, one a line, with lines of JSON.

It says `{"ready": seconds}` when the data is loaded. A query is answered with `{"first": ms}` as soon as its whole answer is
read for the first time, then with `{"ms": …, "cpu": …, "rows": …, "digest": …}`, or with `{"failed": why}`; `cpu` are
milliseconds of the processor, in all threads.
"""

import hashlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.parse

NUMERIC = {"integer", "decimal", "double", "float", "int", "long"}
XSD = "http://www.w3.org/2001/XMLSchema#"
# A query is repeated while this is not spent, at least RUNS times, so that short ones are not judged by one hiccup.
REPEATED_MS, RUNS, MOST_RUNS = 100, 3, 30
# One that takes this long is not run again: its first time stands.
LONG_MS = 8000


def number(text):
    mantissa, exponent = f"{float(text):.8e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def canonical(term):
    """A term of a JSON result as every engine must mean it; the same text as benches/engine.rs makes."""
    if term is None:
        return ""
    kind, value = term["type"], term["value"]
    if kind == "uri":
        return f"<{value}>"
    if kind == "bnode":
        return "_"
    if term.get("datatype", "").removeprefix(XSD) in NUMERIC:
        try:
            return number(value)
        except ValueError:
            pass
    language = term.get("xml:lang")
    return f'"{value}"@{language.lower()}' if language else f'"{value}"'


def digest(rows):
    """Of the rows as a multiset: it does not depend on their order."""
    total = 0
    for row in rows:
        total += int.from_bytes(hashlib.md5(row.encode("utf-8", "surrogatepass")).digest()[:8], "little")
    return f"{total & 0xFFFFFFFFFFFFFFFF:016x}"


def checked_json(answer):
    """The number of rows and the digest of an answer in SPARQL's JSON format."""
    document = json.loads(answer)
    if "boolean" in document:
        return 1, digest([str(document["boolean"]).lower()])
    names = sorted(document["head"]["vars"])
    rows = document["results"]["bindings"]
    if names == ["__ask_retval"]:
        # So Virtuoso answers ASK: with a row for yes.
        return 1, digest([str(bool(rows)).lower()])
    return len(rows), digest("\t".join(canonical(row.get(name)) for name in names) for row in rows)


class Oxigraph:
    """In memory. It has no threads, so a copy of the process can answer."""

    forks = True

    def __init__(self, data, _folder):
        import pyoxigraph

        self.ox = pyoxigraph
        self.store = pyoxigraph.Store()
        self.load(data)

    def load(self, data):
        self.store.bulk_load(path=data, format=self.ox.RdfFormat.N_TRIPLES, lenient=True)

    def run(self, text):
        return self.store.query(text).serialize(format=self.ox.QueryResultsFormat.JSON)

    def check(self, answer):
        return checked_json(answer)


class Oxilite(Oxigraph):
    """In one SQLite file, which a restart opens again."""

    forks = False

    def __init__(self, data, folder):
        import oxilite

        self.ox = oxilite
        file = pathlib.Path(folder) / "oxilite.sqlite"
        whole = file.with_suffix(".whole")
        if not whole.exists():
            for old in file.parent.glob("oxilite.sqlite*"):
                old.unlink()
        self.store = oxilite.Store(str(file))
        if not whole.exists():
            self.load(data)
            whole.touch()


class Sparq:
    def __init__(self, data, _folder):
        import sparq

        self.graph = sparq.Graph.load(data)

    def run(self, text):
        return self.graph.query_json(text)

    def check(self, answer):
        return checked_json(answer)


class Maplib:
    """Its data frames lose what tells terms apart: the number of rows is compared, and the number in an answer that is one."""

    def __init__(self, data, _folder):
        import maplib

        self.model = maplib.Model()
        self.model.read(data, format="ntriples")

    def run(self, text):
        return self.model.query(text)

    def check(self, answer):
        if answer.height == 1 and answer.width == 1:
            try:
                return 1, digest([number(answer.row(0)[0])])
            except (TypeError, ValueError):
                pass
        return answer.height, None


class Virtuoso:
    """A server of its own over HTTP on loopback; the time of an empty round trip is taken off every answer's."""

    GRAPH = "http://localhost/bench"

    def __init__(self, data, folder):
        if not shutil.which("virtuoso-t"):
            raise RuntimeError("not installed (Debian: virtuoso-opensource)")
        self.folder = pathlib.Path(folder)
        # Of its own, so that no other server is taken for this one.
        self.http, self.sql = free_port(), free_port()
        whole = self.folder / "virtuoso.whole"
        if not whole.exists():
            for old in self.folder.glob("virtuoso.*"):
                old.unlink()
        # A server that was killed leaves it, and the next would not start.
        (self.folder / "virtuoso.lck").unlink(missing_ok=True)
        source = pathlib.Path(data)
        (self.folder / "virtuoso.ini").write_text(self.settings(source.parent))
        command = ["virtuoso-t", "+foreground", "+configfile", "virtuoso.ini"]
        # It ends with this process, however that ends.
        self.server = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                       preexec_fn=end_with_parent)
        self.wait()
        if not whole.exists():
            self.isql(f"ld_dir('{source.parent}', '{source.name}', '{self.GRAPH}');", "rdf_loader_run();", "checkpoint;")
            whole.touch()
        self.connection = None

    def empty(self):
        """Milliseconds of a round trip without work, just now."""
        times = []
        for _ in range(9):
            started = time.perf_counter()
            self.ask("SELECT (1 AS ?x) {}")
            times.append((time.perf_counter() - started) * 1000)
        return statistics.median(times)

    def settings(self, data):
        return f"""[Database]
DatabaseFile = virtuoso.db
ErrorLogFile = virtuoso.log
LockFile = virtuoso.lck
TransactionFile = virtuoso.trx
xa_persistent_file = virtuoso.pxa
FileExtend = 200
MaxCheckpointRemap = 2000
[TempDatabase]
DatabaseFile = virtuoso.temp.db
TransactionFile = virtuoso.temp.trx
[Parameters]
ServerPort = {self.sql}
DirsAllowed = ., {data}
NumberOfBuffers = 340000
MaxDirtyBuffers = 250000
MaxQueryMem = 4G
ThreadsPerQuery = 2
CheckpointInterval = 0
[HTTPServer]
ServerPort = {self.http}
ServerRoot = .
MaxKeepAlives = 10
KeepAliveTimeout = 600
[SPARQL]
ResultSetMaxRows = 100000000
MaxQueryCostEstimationTime = 0
MaxQueryExecutionTime = 0
"""

    def isql(self, *statements):
        command = ["isql-vt", str(self.sql), "dba", "dba", "ERRORS=STDOUT", "VERBOSE=OFF"]
        command += [f"EXEC={statement}" for statement in statements]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"isql: {(done.stdout + done.stderr).strip()[:100]}")
        return done.stdout

    def wait(self):
        for _ in range(600):
            try:
                return self.isql("SELECT 1;")
            except RuntimeError:
                if self.server.poll() is not None:
                    raise RuntimeError("the server ends at once; see virtuoso.log") from None
                time.sleep(0.2)
        raise RuntimeError("the server does not answer")

    def ask(self, text):
        if not self.connection:
            self.connection = http.client.HTTPConnection("localhost", self.http)
        body = urllib.parse.urlencode({"query": text, "default-graph-uri": self.GRAPH, "format": "application/sparql-results+json"})
        try:
            self.connection.request("POST", "/sparql", body, {"Content-Type": "application/x-www-form-urlencoded"})
            response = self.connection.getresponse()
            answer = response.read()
        except (http.client.HTTPException, OSError):
            self.connection = None
            if self.server.poll() is not None:
                sys.exit("the server has ended")
            raise
        if response.status != 200:
            raise RuntimeError(answer.decode(errors="replace").strip().split("\n")[0])
        return answer

    def run(self, text):
        return self.ask(text)

    def processor(self):
        """Seconds of the processor that the server's threads have had."""
        spent = 0
        for task in pathlib.Path(f"/proc/{self.server.pid}/task").iterdir():
            try:
                spent += int((task / "schedstat").read_text().split()[0])
            except OSError:
                pass
        return spent / 1e9

    def check(self, answer):
        return checked_json(answer)


PEERS = {"oxigraph": Oxigraph, "oxilite": Oxilite, "maplib": Maplib, "sparq": Sparq, "virtuoso": Virtuoso}


def free_port():
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


def end_with_parent():
    import ctypes

    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def say(**what):
    print(json.dumps(what), flush=True)


def answer(engine, text):
    processor = engine.processor if hasattr(engine, "processor") else time.process_time
    started, worked = time.perf_counter(), processor()
    found = engine.run(text)
    first, first_work = (time.perf_counter() - started) * 1000, (processor() - worked) * 1000
    say(first=first)
    rows, checksum = engine.check(found)
    del found
    times, work, spent = [first] if first > LONG_MS else [], [first_work] if first > LONG_MS else [], 0.0
    while not times or (first <= LONG_MS and (len(times) < RUNS or spent < REPEATED_MS) and len(times) < MOST_RUNS):
        started, worked = time.perf_counter(), processor()
        engine.run(text)
        times.append((time.perf_counter() - started) * 1000)
        work.append((processor() - worked) * 1000)
        spent += times[-1]
    empty = engine.empty() if hasattr(engine, "empty") else 0.0
    say(ms=max(statistics.median(times) - empty, 0.0), cpu=statistics.median(work), rows=rows, digest=checksum)


def main():
    name, data, folder = sys.argv[1:]
    os.makedirs(folder, exist_ok=True)
    started = time.perf_counter()
    try:
        engine = PEERS[name](data, folder)
    except Exception as error:
        return say(unavailable=str(error).split("\n")[0][:120])
    forks = getattr(engine, "forks", False)
    say(ready=time.perf_counter() - started, forks=forks)
    if forks:
        serve_in_copies(engine)
    else:
        serve(engine)


def serve(engine):
    for line in sys.stdin:
        try:
            answer(engine, pathlib.Path(line.strip()).read_text())
        except Exception as error:  # an engine's own failure is its result
            say(failed=str(error).split("\n")[0][:80] or type(error).__name__)


def serve_in_copies(engine):
    """Serves in a copy of this process, and in a new one whenever one was killed: the data stay loaded."""
    while True:
        copy = os.fork()
        if copy == 0:
            end_with_parent()
            serve(engine)
            os._exit(0)
        ended = os.waitstatus_to_exitcode(os.waitpid(copy, 0)[1])
        if ended == 0:
            return
        if ended != -signal.SIGKILL:
            say(failed="ended by itself")


if __name__ == "__main__":
    main()
