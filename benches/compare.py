#!/usr/bin/env python3
"""Sets kgq beside other engines on the same data and queries, in one run, compares their answers, and prints the tables of
benches/README.md.

    python3 benches/compare.py [--parts queries,build,open,budget,growth,large] [--sets watdiv,sp2b,operators,cycles]
                               [--peers oxigraph,oxilite,maplib,sparq,virtuoso] [--queries REGEX] [--timeout 60]
                               [--memory 8] [--scale large|small] [--copies 19] [--shared DIR] [--work DIR] [--resume FILE]
                               [--engine EXECUTABLE]

Every engine loads the data in a process of its own. Then each query is asked of one engine after the other, so that what else
the machine does troubles all alike; it is answered warm, the median of the runs counts, the whole answer read. An engine that
takes longer than the time-out, or more than the memory limit (GiB), is killed and started again, and the query marked. With
--resume, results are kept in a file, and what stands there is not measured again.

The peers are Python packages (pip install pyoxigraph oxilite maplib sparq-rdf), but for Virtuoso, which is a Debian
package (virtuoso-opensource); one that is not installed is left out and named.
"""

import argparse
import json
import math
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import time

# Nothing is to be left in the source folder.
sys.dont_write_bytecode = True
import cycles
import peers
import saved
from engines import Engine

HERE = pathlib.Path(__file__).resolve().parent
FLOOR = 0.2
SCALES = {
    "large": {"watdiv": "watdiv-50", "sp2b": "sp2b-1m", "operators": "sp2b-1m", "cycles": "cycles-3m"},
    "small": {"watdiv": "watdiv-10", "sp2b": "sp2b-250k", "operators": "sp2b-250k", "cycles": "cycles-300k"},
}
FOLDERS = {"watdiv": "watdiv/queries", "sp2b": "sp2b/queries", "operators": "sp2b/operator-queries"}
BASELINES = {"watdiv": "watdiv/baseline.tsv", "sp2b": "sp2b/baseline.tsv", "operators": "sp2b/operator-baseline.tsv"}
PARTS = ["queries", "build", "open", "budget", "growth"]
# Asked for by name alone: 19 copies of the data are 100 million triples, of which the files and the snapshot take 3 GB.
LARGE = "large"


def note(text):
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


class Setting:
    """What the parts share: the options, the data, the programs."""

    def __init__(self, options):
        self.options = options
        self.work = pathlib.Path(options.work).resolve()
        self.shared = pathlib.Path(options.shared).resolve()
        self.work.mkdir(parents=True, exist_ok=True)
        metadata = ["cargo", "metadata", "--no-deps", "--format-version=1"]
        self.target = json.loads(self.output(metadata))["target_directory"]
        self.kgq = f"{self.target}/release/kgq"
        self.bench = options.engine or self.build()

    def build(self):
        """Makes the program and the engine's benchmark; the latter's path."""
        note("building kgq")
        self.output(["cargo", "build", "--release", "--quiet"])
        out = self.output(["cargo", "bench", "--quiet", "--no-run", "--bench", "engine", "--message-format=json"])
        messages = [json.loads(line) for line in out.splitlines()]
        return next(m["executable"] for m in messages if m.get("executable") and m["target"]["name"] == "engine")

    def output(self, command):
        return subprocess.run(command, cwd=HERE.parent, stdout=subprocess.PIPE, text=True, check=True).stdout

    def stem(self, kind):
        """The name of a set's data."""
        return SCALES[self.options.scale][kind]

    def data(self, name):
        """A data set as N-Triples without compression, made where it is missing."""
        path = self.work / f"{name}.nt"
        if not path.exists():
            note(f"making {path}")
            unfinished = path.with_suffix(".part")
            if name.startswith("cycles"):
                cycles.write(unfinished, 3_000_000 if name.endswith("3m") else 300_000)
            else:
                packed = self.shared / name.split("-")[0] / f"{name}.nt.zst"
                subprocess.run(["zstd", "-dqf", str(packed), "-o", str(unfinished)], check=True)
            unfinished.rename(path)
        return path

    def folder(self, kind):
        """Where the queries of a set are."""
        return cycles.queries(self.work) if kind == "cycles" else self.shared / FOLDERS[kind]

    def queries(self, kind):
        wanted = re.compile(self.options.queries or "")
        return [path for path in sorted(self.folder(kind).glob("*.rq")) if wanted.search(path.stem)]

    def engine(self, name, data):
        if name == "kgq":
            command = [self.bench, "--data", str(data), "--timeout", str(self.options.timeout)]
        else:
            folder = self.work / "peers" / f"{data.stem}-{name}"
            command = [sys.executable, str(HERE / "peers.py"), name, str(data), str(folder)]
        return Engine(name, command, self.options.memory * 2**30)


class Results:
    """By data set, query and engine; kept in a file if one is named."""

    def __init__(self, file):
        self.found, self.file = {}, None
        if file:
            self.file = open(file, "a+")
            self.file.seek(0)
            for line in self.file:
                record = json.loads(line)
                self.found[tuple(record["of"])] = record["result"]

    def get(self, *of):
        return self.found.get(of)

    def put(self, result, *of):
        self.found[of] = result
        if self.file:
            print(json.dumps({"of": of, "result": result}), file=self.file, flush=True)
        return result


def measure(setting, kind, results):
    """Every query of a set, asked of one engine after the other."""
    names = ["kgq", *setting.options.peers]
    stem = setting.stem(kind)
    engines, done = {}, 0
    queries = setting.queries(kind)
    try:
        for query in queries:
            for name in names:
                if results.get(stem, kind, query.stem, name):
                    continue
                if name not in engines:
                    engines[name] = setting.engine(name, setting.data(stem))
                    note(f"{name} loads {stem}")
                    engines[name].start()
                    note(f"{name}: {engines[name].unavailable or f'loaded in {engines[name].load_seconds:.1f} s'}")
                result = engines[name].ask(query, setting.options.timeout)
                results.put(result, stem, kind, query.stem, name)
            done += 1
            shown = " ".join(f"{n} {shown_time(results.get(stem, kind, query.stem, n))}" for n in names)
            note(f"{kind} {done}/{len(queries)} {query.stem}: {shown}")
        for name, engine in engines.items():
            if not engine.unavailable:
                results.put({"load": engine.load_seconds, "peak": engine.peak()}, stem, kind, "", name)
    finally:
        for engine in engines.values():
            engine.stop()


def shown_time(result):
    return f"{result['ms']:.3f}" if "ms" in result else result["failed"][:12]


def agrees(own, other):
    """Whether two answers are the same; one that gives no digest is compared by its rows alone."""
    if "failed" in own or "failed" in other or own["rows"] != other["rows"]:
        return False
    return other["digest"] is None or own["digest"] == other["digest"]


def mean(ratios):
    return math.exp(statistics.fmean(math.log(r) for r in ratios)) if ratios else float("nan")


def baseline(setting, kind):
    """What the engines agreed on before, at the large scale: a query's rows, or the value of an answer that is one."""
    if kind not in BASELINES or setting.options.scale != "large":
        return {}
    lines = (setting.shared / BASELINES[kind]).read_text().splitlines()[1:]
    return {line.split("\t")[0]: line.split("\t")[1] for line in lines}


def meets(result, expected):
    """Whether an answer has so many rows, or is this value; for ASK 0 or 1."""
    if expected in (None, "", "-") or "failed" in result:
        return True
    possible = [expected.lower(), {"0": "false", "1": "true"}.get(expected, "")]
    try:
        possible.append(peers.number(expected))
    except ValueError:
        pass
    return str(result["rows"]) == expected or result["rows"] == 1 and result["digest"] in [peers.digest([p]) for p in possible]


def print_queries(setting, kind, results):
    names = setting.options.peers
    stem = setting.stem(kind)
    print(f"\n### {kind}: {stem}\n")
    print("| query | rows | kgq | " + " | ".join(names) + " | to best | to Oxigraph |")
    print("|---|---:|---:|" + "---:|" * (len(names) + 2))
    best, oxigraph, remarks, lookups = {}, {}, [], []
    expected = baseline(setting, kind)
    for query in setting.queries(kind):
        own = results.get(stem, kind, query.stem, "kgq") or {"failed": "not measured"}
        times, cells, wrong = {}, [], []
        for name in names:
            other = results.get(stem, kind, query.stem, name) or {"failed": "not measured"}
            if "failed" in other:
                cells.append(other["failed"] if other["failed"] in ("timeout", "memory") else "–")
                if other["failed"] not in ("timeout", "memory"):
                    remarks.append(f"{query.stem}: {name} fails: {other['failed']}")
                continue
            if agrees(own, other):
                times[name] = max(other["ms"], FLOOR)
                cells.append(f"{other['ms']:.3f}")
            else:
                cells.append(f"*{other['ms']:.3f}*")
                wrong.append(f"{name} {other['rows']}")
        if wrong and "failed" not in own:
            agreeing = ", ".join(times) or "no peer"
            remarks.append(f"{query.stem}: other answers than kgq's {own['rows']} rows, with which {agreeing} agrees: {', '.join(wrong)} rows")
        if not meets(own, expected.get(query.stem)):
            remarks.append(f"{query.stem}: the baseline has {expected[query.stem]}, not {own['rows']} rows")
        if "failed" in own:
            remarks.append(f"{query.stem}: kgq fails: {own['failed']}")
            print(f"| {query.stem} | – | {own['failed'][:20]} | " + " | ".join(cells) + " | – | – |")
            continue
        ms = max(own["ms"], FLOOR)
        if kind == "watdiv" and query.stem[0] in "LSF":
            lookups.append(own["ms"])
        if times:
            best[query.stem] = ms / min(times.values())
        if "oxigraph" in times:
            oxigraph[query.stem] = ms / times["oxigraph"]
        show = lambda ratios: f"{ratios[query.stem]:.2g}" if query.stem in ratios else "–"
        print(f"| {query.stem} | {own['rows']} | {own['ms']:.3f} | " + " | ".join(cells) + f" | {show(best)} | {show(oxigraph)} |")
    print("\nMilliseconds; times *in italics* are of answers that are not kgq's, and count nowhere.")
    summary(kind, best, oxigraph)
    if lookups:
        print(f"The median of the look-ups (L, S, F) is {statistics.median(lookups):.3f} ms.")
    for name in ["kgq", *names]:
        if found := results.get(stem, kind, "", name):
            print(f"{name} loaded the file in {found['load']:.1f} s.")
    for remark in remarks:
        print(f"- {remark}")
    return {f"{kind} {name}": r for name, r in best.items()}, {f"{kind} {name}": r for name, r in oxigraph.items()}


def summary(what, best, oxigraph):
    if best:
        worst = max(best, key=best.get)
        print(f"\n**{what}**: to the best correct peer, geometric mean {mean(best.values()):.3f}, worst {best[worst]:.3f} ({worst}); "
              f"to Oxigraph in memory, geometric mean {mean(oxigraph.values()):.4f}. "
              f"{sum(r > 1 for r in best.values())} of {len(best)} queries are slower than the best.")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = lambda text: [item for item in text.split(",") if item]
    parser.add_argument("--parts", type=parts, default=PARTS)
    parser.add_argument("--sets", type=parts, default=list(SCALES["large"]))
    parser.add_argument("--peers", type=parts, default=list(peers.PEERS))
    parser.add_argument("--queries")
    parser.add_argument("--timeout", type=float, default=60)
    parser.add_argument("--memory", type=float, default=8)
    parser.add_argument("--scale", choices=list(SCALES), default="large")
    parser.add_argument("--shared", default=str(HERE.parent.parent / "shared" / "bench"))
    parser.add_argument("--work", default="/tmp/kgq-bench")
    parser.add_argument("--resume")
    parser.add_argument("--copies", type=int, default=19, help="of the data, for `--parts large`")
    parser.add_argument("--engine", help="an executable of benches/engine.rs, to build nothing")
    options = parser.parse_args()
    for given, known in [(options.parts, [*PARTS, LARGE]), (options.sets, SCALES["large"]), (options.peers, peers.PEERS)]:
        if unknown := [item for item in given if item not in known]:
            parser.error(f"{unknown[0]}: not one of {', '.join(known)}")
    if not shutil.which("zstd"):
        parser.error("zstd is needed to unpack the data")
    setting = Setting(options)
    results = Results(options.resume)
    best, oxigraph = {}, {}
    if "queries" in options.parts:
        for kind in options.sets:
            measure(setting, kind, results)
            to_best, to_oxigraph = print_queries(setting, kind, results)
            best |= to_best
            oxigraph |= to_oxigraph
        summary("all sets", best, oxigraph)
    watdiv = SCALES[options.scale]["watdiv"]
    if "build" in options.parts:
        saved.print_build(setting, watdiv)
    if "open" in options.parts:
        saved.print_open(setting, watdiv)
    if "budget" in options.parts:
        saved.print_budget(setting, watdiv)
    if "growth" in options.parts:
        saved.print_growth(setting)
    if LARGE in options.parts:
        saved.print_large(setting, watdiv, options.copies)


if __name__ == "__main__":
    main()
