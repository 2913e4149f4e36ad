"""An engine in a process of its own, which is told queries and answers in lines of JSON (see peers.py), and killed when it hangs."""

import json
import os
import pathlib
import queue
import re
import signal
import subprocess
import threading
import time

# How long loading may take, and reading and checking an answer that was given in time, in seconds.
LOADING, CHECKING = 1800, 120


class Engine:
    """One engine in a process, which is killed and started again when it does not answer as it should. One that answers in copies of
    itself loses only the copy, and does not load again."""

    def __init__(self, name, command, memory):
        self.name, self.command, self.memory = name, command, memory
        self.process, self.lines, self.load_seconds, self.unavailable = None, None, None, None
        self.answers_in_copies = False

    def start(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True, start_new_session=True)
        self.lines = queue.Queue()
        threading.Thread(target=self.read, args=(self.process.stdout, self.lines), daemon=True).start()
        said = self.next(LOADING)
        if "ready" in said:
            self.load_seconds = self.load_seconds or said["ready"]
            self.answers_in_copies = said.get("forks", False)
        else:
            self.unavailable = said.get("unavailable") or f"while loading: {said['failed']}"
            self.stop()

    @staticmethod
    def read(stdout, lines):
        for line in stdout:
            if line.startswith("{"):
                lines.put(json.loads(line))
        lines.put({"failed": "ended by itself", "dead": True})

    def next(self, seconds):
        """What it says next, or why it had to be stopped."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                return self.lines.get(timeout=0.2)
            except queue.Empty:
                if self.resident() > self.memory:
                    return {"failed": "memory", "dead": True}
        return {"failed": "timeout", "dead": True}

    def ask(self, query, timeout):
        if self.unavailable:
            return {"failed": self.unavailable}
        if self.process is None:
            self.start()
            if self.unavailable:
                return {"failed": self.unavailable}
        try:
            self.process.stdin.write(f"{query}\n")
            self.process.stdin.flush()
            said = self.next(timeout)
            if "first" in said:
                said = self.next(CHECKING + 4 * timeout)
        except BrokenPipeError:
            said = {"failed": "ended by itself", "dead": True}
        if said.pop("dead", False):
            if self.answers_in_copies and self.process.poll() is None:
                self.end_copy()
            else:
                self.stop()
        return said

    def resident(self):
        """Its resident bytes. A copy shares the pages of the process that it was made of, so that these count once."""
        own = [] if self.answers_in_copies else [self.process.pid]
        return sum(status_bytes(one, "VmRSS") for one in [*own, *children(self.process.pid)])

    def peak(self):
        return status_bytes(self.process.pid, "VmHWM") if self.process else 0

    def stop(self):
        if self.process:
            kill([*children(self.process.pid), self.process.pid])
            self.process.wait()
            self.process = None

    def end_copy(self):
        """Kills the copy that answers; the process makes another. What the killed one said is not the next one's answer."""
        kill(children(self.process.pid))
        time.sleep(0.2)
        while not self.lines.empty():
            self.lines.get()


def kill(pids):
    for pid in pids:
        try:
            os.kill(int(pid), signal.SIGKILL)
        except ProcessLookupError:
            pass


def status_bytes(pid, field):
    try:
        found = re.search(rf"^{field}:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M)
        return int(found[1]) * 1024 if found else 0
    except OSError:
        return 0


def children(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
