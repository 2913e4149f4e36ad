"""What a saved snapshot costs: to build, to open, to answer from within a memory budget, and with growing data."""

import os
import re
import resource
import statistics
import subprocess
import sys
import time

from engines import Engine, status_bytes

LOOK_UP = "SELECT ?p ?o WHERE { <http://db.uwaterloo.ca/~galuc/wsdbm/User1> ?p ?o }"
BUDGET = 512 << 20


def run(command, watched=None):
    """Runs a program; its seconds, its peak memory in bytes if it is watched, what it prints, how it ends.

    What is watched is a field of its status: VmHWM, or RssAnon, which leaves out the pages of mapped files, which the system takes
    back when it needs them. Watching a short run takes time of its own. What the system counts for an ended child would not do:
    that has the memory of the process that started it in it.
    """
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    peak = 0
    while watched and process.poll() is None:
        try:
            # Before it has become the program it has this one's memory.
            if os.readlink(f"/proc/{process.pid}/exe") != os.path.realpath(sys.executable):
                peak = max(peak, status_bytes(process.pid, watched))
        except OSError:
            break
        time.sleep(0.0002 if time.perf_counter() - started < 1 else 0.01)
    out = process.communicate()[0]
    return time.perf_counter() - started, peak, out.decode(), process.returncode


def processor_seconds():
    """Of the programs that ended so far."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def build(setting, stem, *options, watched="VmHWM"):
    output = setting.work / f"{stem}.kgq"
    output.unlink(missing_ok=True)
    data = setting.data(stem)
    # The source is read from memory, whatever ran before.
    with open(data, "rb") as file:
        while file.read(1 << 24):
            pass
    command = [setting.kgq, "build", "-d", str(data), "--lenient", "--output", str(output), *options]
    spent, peak, said, code = run(command, watched)
    if code != 0:
        raise RuntimeError(f"kgq build ends with {code}: {said}")
    return output, spent, peak


def count_lines(path):
    with open(path, "rb") as file:
        return sum(piece.count(b"\n") for piece in iter(lambda: file.read(1 << 24), b""))


def distinct(setting, snapshot):
    out = run([setting.kgq, "query", "--snapshot", str(snapshot), "--format", "csv", "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"])[2]
    return int(out.split()[-1])


def print_build(setting, stem):
    """`kgq build` of N-Triples."""
    lines = count_lines(setting.data(stem))
    times, peaks, processor = [], [], processor_seconds()
    for _ in range(3):
        output, spent, peak = build(setting, stem)
        times.append(spent)
        peaks.append(peak)
    processor = (processor_seconds() - processor) / 3
    triples = distinct(setting, output)
    size, spent, peak = output.stat().st_size, statistics.median(times), max(peaks)
    print(f"\n### Building: {stem}, {lines} lines, {triples} distinct triples\n")
    print("| | |\n|---|---:|")
    print(f"| seconds, median of 3 ({', '.join(f'{t:.2f}' for t in times)}) | {spent:.2f} |")
    print(f"| million triples a second | {lines / spent / 1e6:.2f} |")
    print(f"| seconds of a processor, mean | {processor:.2f} |")
    print(f"| peak memory, MB; bytes a triple | {peak / 1e6:.0f}; {peak / triples:.0f} |")
    print(f"| on disk, MB; bytes a triple | {size / 1e6:.0f}; {size / triples:.1f} |")


def evict(*paths):
    """Takes files out of the page cache, as far as nobody has them mapped."""
    for path in paths:
        with open(path, "rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def print_open(setting, stem):
    snapshot = setting.work / f"{stem}.kgq"
    if not snapshot.exists():
        build(setting, stem)
    command = [setting.kgq, "query", "--snapshot", str(snapshot), "--format", "csv", LOOK_UP]
    run(command)
    warm = [run(command) for _ in range(15)]
    cold = []
    for _ in range(5):
        evict(snapshot, setting.kgq)
        cold.append(run(command))
    print(f"\n### Opening: {stem}, from the program's start to the end of the first answer\n")
    resident = max(run(command, "VmHWM")[1] for _ in range(5))
    print("| | |\n|---|---:|")
    for name, runs in [("warm", warm), ("cold, snapshot and program out of the page cache", cold)]:
        print(f"| {name}, ms, median | {statistics.median(r[0] for r in runs) * 1000:.1f} |")
    print(f"| resident, MB | {resident / 1e6:.1f} |")


def served(setting, queries, *options):
    """Times and answers by query, and the peak memory of the process."""
    engine = Engine("kgq", [setting.bench, *options, "--timeout", str(setting.options.timeout)], 2**40)
    try:
        engine.start()
        if engine.unavailable:
            raise RuntimeError(engine.unavailable)
        found = {query.stem: engine.ask(query, setting.options.timeout * 2) for query in queries}
        return found, engine.peak()
    finally:
        engine.stop()


FLOOR = 0.2


def print_budget(setting, stem):
    output, spent, peak = build(setting, stem, watched="RssAnon")
    queries = setting.queries("watdiv")
    free, _ = served(setting, queries, "--data", str(setting.data(stem)))
    print(f"\n### Within `--max-memory`: {stem}\n")
    print("| budget | build, s | peak held by itself, MB | peak with mapped pages, MB |\n|---|---:|---:|---:|")
    print(f"| none | {spent:.2f} | {peak / 1e6:.0f} | |")
    for budget in ["512MiB", "256MiB", "128MiB", "64MiB"]:
        try:
            _, _, whole = build(setting, stem, "--max-memory", budget)
            output, spent, peak = build(setting, stem, "--max-memory", budget, watched="RssAnon")
            print(f"| {budget} | {spent:.2f} | {peak / 1e6:.0f} | {whole / 1e6:.0f} |")
        except RuntimeError as error:
            print(f"| {budget} | {str(error).strip().splitlines()[-1][:90]} | | |")
    if not output.exists():
        build(setting, stem, "--max-memory", "512MiB")
    within, held = served(setting, queries, "--snapshot", str(output), "--max-memory", str(BUDGET))
    wrong = [name for name, result in within.items() if "failed" in result or result["digest"] != free[name].get("digest")]
    ratios = [max(within[n]["ms"], FLOOR) / max(free[n]["ms"], FLOOR) for n in within if "ms" in within[n] and "ms" in free[n]]
    print(f"\nThe {len(within)} queries over the saved snapshot within 512 MiB take {statistics.geometric_mean(ratios):.2f} times as long as in memory "
          f"without a limit (geometric mean); failed or other answers: {', '.join(wrong) or 'none'}; the process's peak with what is "
          f"mapped of the snapshot is {held / 1e6:.0f} MB.")


# What each copy of WatDiv has of its own. Cities, countries, genres, topics, roles and the like are those of all copies.
COPIED = "User|Product|Review|Offer|Retailer|Website|Purchase"


def copies(setting, stem, count):
    """The data, and copies of it in which users, products and all that they make have other names; packed, one file each."""
    data, paths = setting.data(stem), []
    for number in range(count):
        path = setting.work / f"{stem}-copy{number}.nt.zst"
        if not path.exists():
            rename = f"s/wsdbm\\/({COPIED})([0-9]+)>/wsdbm\\/\\1\\2x{number}>/g" if number else ""
            unfinished = path.with_suffix(".part")
            with open(unfinished, "wb") as packed, open(data, "rb") as plain:
                renamed = subprocess.Popen(["sed", "-E", rename], stdin=plain, stdout=subprocess.PIPE, env={**os.environ, "LC_ALL": "C"})
                subprocess.run(["zstd", "-q", "-1"], stdin=renamed.stdout, stdout=packed, check=True)
                if renamed.wait() != 0:
                    raise RuntimeError(f"sed ends with {renamed.returncode}")
            unfinished.rename(path)
        paths.append(path)
    return paths


def touched(setting, snapshot, query):
    """The rows that the operators of a query's plan hand on, all together."""
    _, _, said, code = run([setting.kgq, "query", "--snapshot", str(snapshot), "--explain=analyze", query.read_text()])
    if code != 0:
        raise RuntimeError(f"{query.stem}: kgq query --explain=analyze ends with {code}: {said}")
    return sum(int(rows.replace(",", "")) for rows in re.findall(r"got ([0-9,]+) in ", said))


def print_large(setting, stem, count):
    """Many times the data, built within a budget and asked from the map; beside one copy of it, built and asked in the same way."""
    large = setting.work / f"{stem}-large.kgq"
    packed = copies(setting, stem, count)
    command = [setting.kgq, "build", "--lenient", "--max-memory", "2GiB", "--output", str(large), *map(str, packed)]
    spent, peak, said, code = run(command, "RssAnon")
    if code != 0:
        raise RuntimeError(f"kgq build ends with {code}: {said}")
    triples, size = distinct(setting, large), large.stat().st_size
    print(f"\n### Large: {count} copies of {stem}, {triples} distinct triples, packed by zstd\n")
    print("| | |\n|---|---:|")
    print(f"| seconds to build with `--max-memory 2GiB` | {spent:.1f} |")
    print(f"| million triples a second | {triples / spent / 1e6:.2f} |")
    print(f"| peak held by itself, MB | {peak / 1e6:.0f} |")
    print(f"| on disk, MB; bytes a triple | {size / 1e6:.0f}; {size / triples:.1f} |")
    small, _, _ = build(setting, stem)
    queries = setting.queries("watdiv")
    before, _ = served(setting, queries, "--snapshot", str(small))
    after, held = served(setting, queries, "--snapshot", str(large))
    print(f"\nThe process that answers holds {held / 1e6:.0f} MB at most, mapped pages included.\n")
    print(f"| class | ms | ms, {count} copies | times | rows of its operators | rows, {count} copies | times | time to rows |\n|---|---:|---:|---:|---:|---:|---:|---:|")
    for letter in "LSFC":
        asked = [q for q in queries if q.stem.startswith(letter) and "ms" in before[q.stem] and "ms" in after[q.stem]]
        if not asked:
            continue
        times = [sum(found[q.stem]["ms"] for q in asked) for found in (before, after)]
        rows = [sum(touched(setting, snapshot, q) for q in asked) for snapshot in (small, large)]
        slower, more = times[1] / times[0], rows[1] / max(rows[0], 1)
        print(f"| {letter} | {times[0]:.3f} | {times[1]:.3f} | {slower:.1f} | {rows[0]} | {rows[1]} | {more:.1f} | {slower / more:.2f} |")
    if missing := [q.stem for q in queries if "ms" not in before[q.stem] or "ms" not in after[q.stem]]:
        print(f"\nNot answered: {', '.join(missing)}.")


def print_growth(setting):
    queries = setting.queries("watdiv")
    small, _ = served(setting, queries, "--data", str(setting.data("watdiv-10")))
    large, _ = served(setting, queries, "--data", str(setting.data("watdiv-50")))
    print("\n### Growth: WatDiv at scale 10 and 50, the same queries\n")
    print("| class | ms at 10 | ms at 50 | times | rows at 10 | rows at 50 | times |\n|---|---:|---:|---:|---:|---:|---:|")
    for letter in "LSFC":
        names = [n for n in small if n.startswith(letter) and "ms" in small[n] and "ms" in large[n]]
        if not names:
            continue
        cells = []
        for field, form in [("ms", ".3f"), ("rows", "d")]:
            a, b = (sum(found[n][field] for n in names) for found in (small, large))
            cells += [f"{a:{form}}", f"{b:{form}}", f"{b / a:.1f}" if a else "–"]
        print(f"| {letter} | " + " | ".join(cells) + " |")
