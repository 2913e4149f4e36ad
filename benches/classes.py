#!/usr/bin/env python3
"""Asks queries of every class over any data sets, beside the engines of compare.py, and prints which classes are worst.

    python3 benches/classes.py [DATA…] [--queries REGEX] [--processor] [--peers …] [--timeout 10] [--engine EXECUTABLE]
                               [--work DIR] [--resume FILE] [--write-only]

DATA is a file of N-Triples, or a folder or file of other RDF, which `kgq export` turns into N-Triples; or one of `catalogue`
(generated) and the names of compare.py: watdiv-10, watdiv-50, sp2b-250k, sp2b-1m, cycles-300k. About a hundred queries are written
from the statistics of each (dataset.py, class_queries.py). Answers are compared as compare.py does; what differs is told.

With --processor a time is what an engine had of the processor in all its threads, not what a clock says: on a machine that does
other work at the same time nothing else can be compared.
"""

import argparse
import collections
import pathlib
import re
import subprocess
import sys

sys.dont_write_bytecode = True
import catalogue
import class_queries
import compare
import peers
from dataset import Statistics

SETS = ["watdiv-10", "sp2b-1m", "cycles-300k", "catalogue"]
PRODUCTS = 20_000


class Setting(compare.Setting):
    """The queries of a set are written from its data."""

    def stem(self, kind):
        return pathlib.Path(kind).stem

    def data(self, name):
        path = self.work / f"{name}.nt"
        given = next((pathlib.Path(one) for one in self.options.data if self.stem(one) == name), None)
        if given and given.suffix == ".nt":
            return given.resolve()
        if path.exists():
            return path
        unfinished = path.with_suffix(".part")
        if name == "catalogue":
            catalogue.write(unfinished, PRODUCTS)
        elif given and given.exists():
            command = [self.kgq, "export", "--quiet", "--data", str(given), "--format", "ntriples", "--output", str(unfinished)]
            subprocess.run(command, check=True)
        else:
            return super().data(name)
        unfinished.rename(path)
        return path

    def queries(self, kind):
        name = self.stem(kind)
        folder = self.work / f"{name}-queries"
        if not (folder / "whole").exists():
            compare.note(f"writing queries for {name}")
            folder.mkdir(exist_ok=True)
            for query, text in class_queries.Writer(Statistics(self.data(name))).all().items():
                (folder / f"{query}.rq").write_text(text)
            (folder / "whole").touch()
        wanted = re.compile(self.options.queries or "")
        return [path for path in sorted(folder.glob("*.rq")) if wanted.search(path.stem)]


class Compared:
    """A query of a set: kgq's time, the best peer's whose answer agrees, and what goes against them."""

    def __init__(self, setting, kind, path, results):
        self.set, self.query = setting.stem(kind), path.stem
        self.of, _, self.what = path.stem.partition("--")
        time = "cpu" if setting.options.processor else "ms"
        result = lambda name: results.get(self.set, kind, self.query, name) or {"failed": "not measured"}
        self.own = result("kgq")
        rows_only = "# rows" in path.read_text()
        self.times, self.others, self.remarks = {}, {}, []
        for name in setting.options.peers:
            other = result(name)
            self.others[name] = other
            if "failed" in other:
                continue
            if compare.agrees(self.own, {**other, "digest": None} if rows_only else other):
                self.times[name] = max(other[time], compare.FLOOR)
            else:
                self.remarks.append(f"{name} {other['rows']} rows")
        self.time = max(self.own.get(time, 0.0), compare.FLOOR)
        failed = "failed" in self.own
        self.best = min(self.times, key=self.times.get) if self.times and not failed else None
        self.ratio = self.time / self.times[self.best] if self.best else None


def print_table(compared):
    known = [one for one in compared if one.ratio]
    classes = collections.defaultdict(list)
    for one in known:
        classes[one.of].append(one)
    worst = lambda of: max(classes[of], key=lambda one: one.ratio)
    print("\n| class | queries | geometric mean | over 1 | worst | query |\n|---|---:|---:|---:|---:|---|")
    for of in sorted(classes, key=lambda of: -worst(of).ratio):
        ratios = [one.ratio for one in classes[of]]
        one = worst(of)
        print(f"| {of} | {len(ratios)} | {compare.mean(ratios):.2f} | {sum(r > 1 for r in ratios)} | {one.ratio:.2g} | {one.set} {one.what}, beside {one.best} |")
    ratios = [one.ratio for one in known]
    print(f"| **all** | {len(ratios)} | {compare.mean(ratios):.3f} | {sum(r > 1 for r in ratios)} | {max(ratios, default=0):.2g} | |")


def print_slower(compared, most):
    slower = sorted((one for one in compared if one.ratio and one.ratio > 1), key=lambda one: -one.ratio)
    print("\nSlower than the best:\n\n| set | query | kgq | best | ratio |\n|---|---|---:|---:|---:|")
    for one in slower[:most]:
        print(f"| {one.set} | {one.query} | {one.time:.2f} | {one.best} {one.times[one.best]:.2f} | {one.ratio:.2g} |")


def print_remarks(compared):
    print()
    for one in compared:
        if "failed" in one.own:
            print(f"- {one.set} {one.query}: kgq fails: {one.own['failed']}")
        elif one.remarks and not one.times:
            print(f"- {one.set} {one.query}: kgq's {one.own['rows']} rows are nobody's: {', '.join(one.remarks)}")
    alone = sum(not one.times and "failed" not in one.own for one in compared)
    print(f"\n{alone} queries of {len(compared)} no peer answered as kgq does, or at all. Oxigraph differs from kgq in:")
    for one in compared:
        other = one.others.get("oxigraph", {"failed": ""})
        if "failed" not in other and "failed" not in one.own and "oxigraph" not in one.times:
            print(f"- {one.set} {one.query}: {one.own['rows']} rows, oxigraph {other['rows']}")


def print_to_oxigraph(compared, timeout):
    """kgq's times divided by Oxigraph's: of all queries on which both agree; and with those that Oxigraph did not end in time, of which it is
    only known that they take it longer than the time-out, if kgq's answer is another peer's too."""
    ended, all_of = {}, collections.defaultdict(list)
    for one in compared:
        other = one.others.get("oxigraph", {})
        if "oxigraph" in one.times:
            ended[one] = one.time / one.times["oxigraph"]
            all_of[one.set].append(ended[one])
        elif other.get("failed") == "timeout" and one.times and "failed" not in one.own:
            all_of[one.set].append(one.time / (timeout * 1000))
    if not ended:
        return
    every = [ratio for ratios in all_of.values() for ratio in ratios]
    print(f"\nTo Oxigraph in memory: geometric mean {compare.mean(ended.values()):.4f} of the {len(ended)} queries that it ended in time; "
          f"{compare.mean(every):.4f} of {len(every)}, if the others count as {timeout:g} s. "
          + ", ".join(f"{name} {compare.mean(ratios):.4f}" for name, ratios in all_of.items()) + ".")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = lambda text: [item for item in text.split(",") if item]
    parser.add_argument("data", nargs="*", default=SETS)
    parser.add_argument("--peers", type=parts, default=["oxigraph", "maplib", "sparq", "virtuoso"])
    parser.add_argument("--queries")
    parser.add_argument("--processor", action="store_true")
    parser.add_argument("--timeout", type=float, default=10)
    parser.add_argument("--memory", type=float, default=4)
    parser.add_argument("--most", type=int, default=60, help="how many slower queries are listed")
    parser.add_argument("--shared", default=str(compare.HERE.parent.parent / "shared" / "bench"))
    parser.add_argument("--work", default="/tmp/kgq-bench")
    parser.add_argument("--resume")
    parser.add_argument("--engine", help="an executable of benches/engine.rs, to build nothing")
    parser.add_argument("--write-only", action="store_true", help="write the queries, ask nobody")
    options = parser.parse_args()
    options.scale = "small"
    if unknown := [item for item in options.peers if item not in peers.PEERS]:
        parser.error(f"{unknown[0]}: not one of {', '.join(peers.PEERS)}")
    if options.write_only:
        options.engine = options.engine or "none"
    setting = Setting(options)
    results = compare.Results(options.resume)
    compared = []
    for kind in options.data:
        if options.write_only:
            compare.note(f"{setting.stem(kind)}: {len(setting.queries(kind))} queries")
            continue
        compare.measure(setting, kind, results)
        compared += [Compared(setting, kind, path, results) for path in setting.queries(kind)]
    if compared:
        print_table(compared)
        print_slower(compared, options.most)
        print_to_oxigraph(compared, options.timeout)
        print_remarks(compared)


if __name__ == "__main__":
    main()
