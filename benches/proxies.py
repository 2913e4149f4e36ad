#!/usr/bin/env python3
"""Puts nginx and Caddy before `kgq serve` with the recipes of docs/for-operators.md, and asks through them by TLS.

    python3 benches/proxies.py [--kgq PROGRAM] [--all]

Through each: an answer comes; the server says its public address of itself; an answer that breaks off breaks off at the client too; clients
behind the proxy are told apart. `openssl` makes the certificate and `curl` asks. A proxy that is not installed, or a Caddy before 2.8, which hides
that an answer broke off, is named; with --all it is a failure.
"""

import argparse
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
NAME = "graph.example"
LONG = "SELECT * { ?a ?p ?x . ?b ?q ?y }"
HEAVY = "SELECT * { ?a ?p ?x . ?b ?q ?y . ?c ?r ?z } ORDER BY ?z ?y ?x"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def recipe(language):
    text = (HERE.parent / "docs/for-operators.md").read_text(encoding="utf-8")
    return re.search(rf"```{language}\n(.*?)```", text, re.S)[1]


def certificate(folder):
    made = [folder / "chain.pem", folder / "key.pem"]
    subject = ["-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}"]
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", made[1]]
    subprocess.run(["openssl", "req", "-x509", *key, "-days", "2", *subject, "-out", made[0]], check=True, capture_output=True)
    return made


def nginx(folder, port, behind, chain, key):
    server = recipe("nginx").replace("443", str(port)).replace("127.0.0.1:7878", behind)
    server = server.replace(f"/etc/ssl/{NAME}/chain.pem", str(chain)).replace(f"/etc/ssl/{NAME}/key.pem", str(key))
    ways = "".join(f"{way}_temp_path {folder}/{way};\n" for way in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"])
    (folder / "nginx.conf").write_text(
        f"daemon off;\npid {folder}/pid;\nerror_log {folder}/nginx.log;\nevents {{}}\nhttp {{\naccess_log off;\n{ways}{server}}}\n"
    )
    return ["nginx", "-p", folder, "-c", folder / "nginx.conf"]


def caddy(folder, port, behind, chain, key):
    site = recipe("caddy").replace(f"{NAME} {{", f"{NAME}:{port} {{\n    tls {chain} {key}").replace("127.0.0.1:7878", behind)
    settings = f"{{\n    admin off\n    auto_https disable_redirects\n    storage file_system {folder}/caddy\n}}\n"
    (folder / "Caddyfile").write_text(settings + site)
    return ["caddy", "run", "--config", folder / "Caddyfile", "--adapter", "caddyfile"]


def curl(port, chain, path, *options):
    """The status, the body, and how curl ended."""
    way = ["--resolve", f"{NAME}:{port}:127.0.0.1", "--cacert", chain, "-s", "-w", "\n%{http_code}"]
    done = subprocess.run(["curl", *way, *options, f"https://{NAME}:{port}{path}"], capture_output=True, text=True, timeout=300)
    body, _, status = done.stdout.rpartition("\n")
    return int(status or 0), body, done.returncode


def check(port, chain):
    """What is not as it should be."""
    ask = lambda query, *options: curl(port, chain, "/sparql", "-G", "--data-urlencode", f"query={query}", "-H", "Accept: text/csv", *options)
    status, body, _ = ask("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }")
    if (status, body.split()) != (200, ["n", "1000"]):
        yield f"a query: {status} {body}"
    status, body, _ = curl(port, chain, "/sparql", "-H", "Accept: application/n-triples")
    if f"<https://{NAME}/sparql>" not in body:
        yield f"the description: {status} {body}"
    # One client has worked long enough; another at the same proxy has not.
    ask(HEAVY, "--interface", "127.0.0.2", "--data", "timeout=1s")
    again = [ask("ASK {}", "--interface", address)[0] for address in ["127.0.0.2", "127.0.0.3"]]
    if again != [429, 200]:
        yield f"two clients: {again}"
    status, body, ended = ask(LONG, "--interface", "127.0.0.4")
    if status != 200 or ended == 0 or len(body) < 10_000:
        yield f"an answer that breaks off: {status}, {len(body)} bytes, curl ends with {ended}"


def missing(name):
    """Why a proxy cannot be asked through, if it cannot."""
    if shutil.which(name) is None:
        return "it is not installed"
    if name == "caddy":
        version = subprocess.run(["caddy", "version"], capture_output=True, text=True, check=True).stdout.split()[0]
        if tuple(int(part) for part in re.findall(r"\d+", version)[:2]) < (2, 8):
            return f"{version} hides that an answer broke off"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kgq", default="target/release/kgq")
    parser.add_argument("--all", action="store_true", help="fail where a proxy is not there")
    arguments = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        data = folder / "numbers.nt"
        data.write_text("".join(f'<http://e/{n}> <http://e/p> "{n}" .\n' for n in range(1_000)))
        chain, key = certificate(folder)
        for proxy in [nginx, caddy]:
            why = missing(proxy.__name__)
            if why:
                print(f"{proxy.__name__:8} left out: {why}")
                failed |= arguments.all
                continue
            options = ["--public", f"https://{NAME}/", "--proxy", "127.0.0.1", "--max-rows", "100000", "--per-client-time", "200ms"]
            command = [arguments.kgq, "serve", "-d", data, "--listen", "127.0.0.1:0", "--log", "none", *options]
            server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            before = None
            try:
                behind = server.stdout.readline().strip().removeprefix("http://").rstrip("/")
                port = free_port()
                log = open(folder / f"{proxy.__name__}.out", "wb")
                before = subprocess.Popen(proxy(folder, port, behind, chain, key), stdout=log, stderr=log)
                for _ in range(300):
                    if curl(port, chain, "/healthz")[0] == 200:
                        break
                    time.sleep(0.1)
                wrong = list(check(port, chain))
                print(f"{proxy.__name__:8} {'; '.join(wrong) or 'right'}")
                failed |= bool(wrong)
            finally:
                for process in filter(None, [before, server]):
                    process.terminate()
                    process.wait()
    sys.exit(failed)


if __name__ == "__main__":
    main()
