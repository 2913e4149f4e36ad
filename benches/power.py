#!/usr/bin/env python3
"""Cuts the power while kgq edits a project's files, and says whether an edit was ever half there, or an acknowledged one lost.

    python3 benches/power.py [--kgq PROGRAM] [--cuts 200] [--seed 1] [--without-sync]

Needs root, loop devices and mkfs.ext4. A project lies on an ext4 of its own in a file. Updates run one after another, each over three
files; at a random moment, or shortly after the journal of an edit appears, the file system is shut down without flushing its log
(EXT4_IOC_SHUTDOWN), as if the machine had lost power: what was not synced is gone. It is mounted again, and the next start of kgq must
find all three files before or after the same edit, no edit lost whose command had ended with 0, and say what it finished. Every fourth
cut hits a server that had acknowledged its updates over HTTP.

`--without-sync` shows that the test can fail: fsync does nothing then, and edits are lost.
"""

import argparse
import fcntl
import hashlib
import os
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

SHUTDOWN = 0x8004587D
WITHOUT_FLUSHING = 2
THINGS = 200
MANIFEST = """name = "power"
data = ["**/*.ttl"]
[edit]
file = "log/all.ttl"
[prefixes]
a = "http://a/"
"""
HERE = pathlib.Path(__file__).resolve().parent
# Without this, ext4 writes the data of a file that replaces another before its name, and so hides that it was not synced.
OPTIONS = "loop,data=ordered,noauto_da_alloc"


def update(number):
    return f"DELETE {{ ?s a:p {number} }} INSERT {{ ?s a:p {number + 1} }} WHERE {{ ?s a:p {number} }} ; INSERT DATA {{ a:log a:n {number + 1} }}"


def blocks(name, number):
    things = "\n\n".join(f"a:{name}{at:03}\n    a:p {number} ;\n." for at in range(THINGS))
    return f"@prefix a: <http://a/> .\n\n{things}\n"


def log(number):
    if number == 0:
        return None
    facts = "".join(f"    a:n {at} ;\n" for at in range(1, number + 1))
    return f"@prefix a: <http://a/> .\n\na:log\n{facts}.\n"


class Machine:
    """A file system in a file, that loses power."""

    def __init__(self, folder):
        self.image, self.root = folder / "disk", folder / "mnt"
        self.root.mkdir()
        with open(self.image, "wb") as image:
            image.truncate(64 << 20)
        subprocess.run(["mkfs.ext4", "-q", "-F", self.image], check=True)
        self.start()

    def start(self):
        subprocess.run(["mount", "-t", "ext4", "-o", OPTIONS, self.image, self.root], check=True)

    def cut(self, fd):
        fcntl.ioctl(fd, SHUTDOWN, struct.pack("I", WITHOUT_FLUSHING))

    def stop(self):
        for _ in range(100):
            if subprocess.run(["umount", self.root], stderr=subprocess.DEVNULL).returncode == 0:
                return
            time.sleep(0.05)
        subprocess.run(["umount", self.root], check=True)


class Writer:
    """Runs updates one after another until one fails, and counts those that were acknowledged."""

    def __init__(self, program, root, environment, number, server):
        self.program, self.root, self.environment, self.server = program, root, environment, server
        self.acknowledged, self.process = number, None
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while self.served() if self.server else self.commanded():
            self.acknowledged += 1

    def commanded(self):
        self.process = subprocess.Popen([self.program, "update", "--write", update(self.acknowledged)], cwd=self.root, env=self.environment,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        _, said = self.process.communicate()
        self.said = said.decode("utf-8", "replace")
        return self.process.returncode == 0

    def served(self):
        request = urllib.request.Request(self.server.address + "/sparql", update(self.acknowledged).encode(), method="POST", headers={
            "Content-Type": "application/sparql-update", "Authorization": f"Bearer {self.server.token}"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status == 200
        except urllib.error.HTTPError as error:
            self.said = error.read().decode("utf-8", "replace")
        except OSError as error:
            self.said = str(error)
        return False


class Server:
    """kgq as a server of the project that takes updates."""

    def __init__(self, program, root, environment, folder):
        self.token = "of-power"
        tokens = folder / "tokens"
        tokens.write_text(f"power write {hashlib.sha256(self.token.encode()).hexdigest()}\n")
        self.process = subprocess.Popen([program, "serve", "--writable", "--tokens", tokens, "--listen", "127.0.0.1:0"], cwd=root,
                                        env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.address = self.process.stdout.readline().strip().rstrip("/")
        self.said = []
        self.readers = [threading.Thread(target=self.read, args=(stream,), daemon=True) for stream in (self.process.stdout, self.process.stderr)]
        for reader in self.readers:
            reader.start()

    def read(self, stream):
        for line in stream:
            self.said.append(line)

    def stop(self):
        self.process.kill()
        self.process.wait()
        for reader in self.readers:
            reader.join()


def files(root):
    """What the project's files hold."""
    texts = {}
    for name in ("c.ttl", "sub/d.ttl", "log/all.ttl"):
        path = root / name
        texts[name] = path.read_text() if path.exists() else None
    return texts


def after(number):
    return {"c.ttl": blocks("c", number), "sub/d.ttl": blocks("d", number), "log/all.ttl": log(number)}


def wait_for(what, root, writer, random, usual):
    """Waits for the moment of the cut. False if nothing is written any more."""
    if what == "time":
        time.sleep(random.uniform(0.05, 2.5) * usual)
        return writer.thread.is_alive()
    edits = random.randint(1, 3)
    until = time.monotonic() + 60 * usual + 60
    was = False
    while time.monotonic() < until and writer.thread.is_alive():
        if what == "journal":
            now = os.path.exists(root / ".kgq" / "journal")
        else:
            now = any(entry.name.endswith(".building") for entry in os.scandir(root))
        edits -= now and not was
        was = now
        if edits == 0:
            time.sleep(random.uniform(0, 0.03))
            return True
        time.sleep(0)
    return False


class Failed(Exception):
    """What must not be."""


def one(machine, program, environment, folder, random, number, usual, at, by_server):
    """One cut. How the next start found the project, and the number of the last edit that holds."""
    root = machine.root
    server = Server(program, root, environment, folder) if by_server else None
    writer = Writer(program, root, environment, number, server)
    fd = os.open(root, os.O_RDONLY)
    writer.thread.start()
    is_writing = wait_for(at, root, writer, random, usual)
    machine.cut(fd)
    os.close(fd)
    writer.thread.join()
    if server:
        server.stop()
    if not is_writing:
        raise Failed(f"an update failed before the cut: {writer.said}")
    machine.stop()
    machine.start()
    found, has_journal = files(root), (root / ".kgq" / "journal").exists()
    ran = subprocess.run([program, "query", "ASK { ?s a:p ?v }"], cwd=root, env=environment, capture_output=True, text=True)
    if ran.returncode != 0:
        raise Failed(f"the next start ends with {ran.returncode}: {ran.stderr}")
    now = files(root)
    fits = [last for last in (writer.acknowledged, writer.acknowledged + 1) if now == after(last)]
    if not fits:
        lost = [last for last in range(number, writer.acknowledged) if now == after(last)]
        raise Failed(f"{writer.acknowledged} was acknowledged, and {lost[0]} holds" if lost else f"half an edit: {sorted(now.items(), key=str)}")
    left = [name for name in now if now[name] != found[name]]
    if left and (not has_journal or any(name not in ran.stderr for name in ["finished an edit that was interrupted", *left])):
        raise Failed(f"{left} were finished, and it says: {ran.stderr}")
    how = "finished" if left else "done" if fits[0] > writer.acknowledged else "as before"
    return how, fits[0], writer.acknowledged - number


def run(arguments, machine, folder):
    dice = random.Random(arguments.seed)
    environment = {"HOME": str(folder), "PATH": os.environ["PATH"]}
    root = machine.root
    (root / "sub").mkdir()
    (root / "kgq.toml").write_text(MANIFEST)
    for name, text in after(0).items():
        if text is not None:
            (root / name).write_text(text)
    os.sync()
    if arguments.without_sync:
        library = folder / "faults.so"
        source = HERE.parent / "tests" / "it" / "edits" / "faults.c"
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source], check=True)
        environment |= {"LD_PRELOAD": str(library), "KGQ_WITHOUT_SYNC": "1"}
    started = time.monotonic()
    subprocess.run([arguments.kgq, "update", "--write", "--dry-run", update(0)], cwd=root, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    usual = time.monotonic() - started
    number, counts, acknowledged = 0, {}, 0
    for cut in range(arguments.cuts):
        at = ["time", "staging", "journal"][cut % 3]
        by_server = cut % 4 == 3
        try:
            how, number, new = one(machine, arguments.kgq, environment, folder, dice, number, usual, at, by_server)
        except Failed as failed:
            print(f"cut {cut} ({at}, {'server' if by_server else 'command'}, seed {arguments.seed}): {failed}", file=sys.stderr)
            return 1
        acknowledged += new
        counts[how, by_server] = counts.get((how, by_server), 0) + 1
    print(f"{arguments.cuts} cuts, {acknowledged} updates acknowledged, none lost, none half there")
    for by_server in (False, True):
        told = ", ".join(f"{how} {counts.get((how, by_server), 0)}" for how in ("as before", "done", "finished"))
        print(f"the edit under way, by the {'server' if by_server else 'command'}: {told}")
    if arguments.cuts >= 60 and not all(any(counts.get((how, by), 0) for by in (False, True)) for how in ("as before", "finished")):
        print("the cuts came all before an edit was decided, or all after: nothing is shown", file=sys.stderr)
        return 1
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kgq", default="kgq", type=lambda path: shutil.which(path) or path)
    parser.add_argument("--cuts", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--without-sync", action="store_true")
    arguments = parser.parse_args()
    arguments.kgq = str(pathlib.Path(arguments.kgq).resolve())
    if os.geteuid() != 0 or not os.path.exists("/dev/loop-control") or not shutil.which("mkfs.ext4"):
        print("power is cut by root alone, with loop devices and mkfs.ext4", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        machine = Machine(folder)
        try:
            return run(arguments, machine, folder)
        finally:
            machine.stop()


if __name__ == "__main__":
    sys.exit(main())
