#!/usr/bin/env python3
"""Tries kgq on folders of RDF that other people keep, and says what it took and what it refused.

    python3 benches/repositories.py FOLDER [--kgq PROGRAM] [--only NAME,…] [--minutes N]

FOLDER holds one folder for each repository. Each is copied, `kgq init` writes the kgq.toml that fits where there is none, and
these run one after another: load, info, check, fmt twice (the second must change nothing), export --canonical, publish. A line
of the table has the processor's seconds and the exit code of each, the most memory that any took, and the findings of `check` by
code. Seconds are the processor's, so that a machine with other work gives the same table.
Nothing is written into FOLDER.
"""

import argparse
import collections
import json
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile

ENDINGS = {".ttl", ".trig", ".nt", ".nq", ".rdf", ".owl", ".xml", ".jsonld", ".n3", ".rq", ".sparql", ".shacl", ".toml", ".ttls"}


class Ran:
    """What one command took and said."""

    def __init__(self, code, seconds, peak, out, err):
        self.code, self.seconds, self.peak, self.out, self.err = code, seconds, peak, out, err

    def cell(self):
        return f"{self.seconds:.2f}" + ("" if self.code == 0 else f" ({self.code})")


def run(program, arguments, folder, minutes):
    """Runs one command to its end, or for so many minutes of the processor; its peak is that of its process alone."""
    most = max(1, int(60 * minutes))
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen([program, *arguments], cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (most, most)))
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = code = os.waitstatus_to_exitcode(status)
        seconds, peak = usage.ru_utime + usage.ru_stime, usage.ru_maxrss
        out.seek(0), err.seek(0)
        return Ran(code, seconds, peak // 1024, out.read(1 << 26).decode("utf-8", "replace"), err.read(1 << 22).decode("utf-8", "replace"))


def copy(source, target):
    """The files that kgq reads, and no others: a repository holds much else."""
    count = 0
    for path in source.rglob("*"):
        if path.is_file() and not path.is_symlink() and path.suffix in ENDINGS and ".git" not in path.parts:
            to = target / path.relative_to(source)
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, to)
            count += 1
    return count


def try_repository(program, source, work, minutes):
    folder = work / source.name
    folder.mkdir()
    files = copy(source, folder)
    row = {"repository": source.name, "files": files}
    notes = []
    if not (folder / "kgq.toml").exists():
        init = run(program, ["init"], folder, minutes)
        if init.code:
            notes.append(f"init: {first_line(init)}")
    steps = {
        "load": ["load"],
        "info": ["info"],
        "check": ["check", "--format", "json"],
        "fmt": ["fmt"],
        "fmt again": ["fmt", "--check"],
        "canonical": ["export", "--canonical", "--output", "canonical.nq"],
        "publish": ["publish", "--output", str(work / (source.name + "-site"))],
    }
    peak = 0
    for name, arguments in steps.items():
        ran = run(program, arguments, folder, minutes)
        peak = max(peak, ran.peak)
        row[name] = ran.cell()
        if name == "check":
            row["findings"] = findings(ran.out)
        elif ran.code:
            notes.append(f"{name}: {first_line(ran)}")
        if ran.code in (70, 101) or ran.code < 0 or "panicked" in ran.err:
            notes.append(f"{name}: CRASHED: {first_line(ran)}")
    row["MiB"] = peak
    return row, notes


def first_line(ran):
    lines = [line for line in (ran.err or ran.out).splitlines() if line.strip()]
    return (lines[0] if lines else "no word")[:200] + (f" (and {len(lines) - 1} lines)" if len(lines) > 1 else "")


def findings(text):
    try:
        found = json.loads(text)
    except json.JSONDecodeError:
        return "not JSON"
    listed = found["findings"] if isinstance(found, dict) else found
    counts = collections.Counter(finding["code"] for finding in listed)
    return ", ".join(f"{code} {count}" for code, count in counts.most_common()) or "none"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--kgq", default=str(pathlib.Path(__file__).resolve().parent.parent / "target/release/kgq"))
    parser.add_argument("--only", default="", help="names of repositories, with commas between them")
    parser.add_argument("--minutes", type=float, default=5, help="most that one command may take of the processor")
    arguments = parser.parse_args()
    wanted = set(filter(None, arguments.only.split(",")))
    sources = sorted(path for path in arguments.folder.iterdir() if path.is_dir() and (not wanted or path.name in wanted))
    if not sources:
        sys.exit(f"no repository in {arguments.folder}")
    columns = ["repository", "files", "load", "info", "check", "fmt", "fmt again", "canonical", "publish", "MiB", "findings"]
    print("| " + " | ".join(columns) + " |\n|" + "---|" * len(columns), flush=True)
    said = []
    with tempfile.TemporaryDirectory() as work:
        for source in sources:
            row, notes = try_repository(arguments.kgq, source, pathlib.Path(work), arguments.minutes)
            print("| " + " | ".join(str(row.get(column, "")) for column in columns) + " |", flush=True)
            said += [f"- {source.name}: {note}" for note in notes]
    print("\nSeconds of the processor; in brackets the exit code where it is not 0.\n" + "\n".join(said))


if __name__ == "__main__":
    main()
