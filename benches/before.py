#!/usr/bin/env python3
"""Sets an engine of kgq beside an earlier state of it: both run by turns on the sets of compare.py, and their answers are compared.

    python3 benches/before.py BEFORE NOW [--runs 5] [--sets watdiv,sp2b,operators,cycles] [--scale small|large] [--shared DIR] [--work DIR]

BEFORE and NOW are executables of benches/engine.rs, as `cargo bench --bench engine --no-run` makes them in a checkout of each state.
A ratio is the median of the times now divided by the median of those before; times under 0.2 ms count as 0.2 ms.
"""

import argparse
import collections
import pathlib
import statistics
import subprocess
import sys

sys.dont_write_bytecode = True
import compare

# What is slower than this is listed.
SLOWER = 1.15


class Setting(compare.Setting):
    """Builds nothing: both engines are given."""

    def __init__(self, options):
        self.options = options
        self.shared, self.work = pathlib.Path(options.shared).resolve(), pathlib.Path(options.work).resolve()
        self.work.mkdir(parents=True, exist_ok=True)


def run(engine, data, queries):
    """The milliseconds and the answer of each query, or why it failed."""
    told = subprocess.run([engine, "--data", data, "--queries", queries], capture_output=True, text=True, check=True).stdout
    lines = [line.split("\t") for line in told.splitlines()]
    return {name: ((float(ms), (rows, digest)) if ms != "failed" else (None, rows)) for name, ms, rows, digest in lines}


def compare_set(setting, kind, runs):
    """The ratio of each query, and its medians before and now."""
    data = setting.data(setting.stem(kind))
    times, answers = collections.defaultdict(lambda: ([], [])), {}
    for number in range(runs):
        for which, engine in enumerate((setting.options.before, setting.options.now)):
            for query, (ms, answer) in run(engine, data, setting.folder(kind)).items():
                if ms is None:
                    print(f"- {kind} {query}: {('before', 'now')[which]} fails: {answer}")
                    continue
                times[query][which].append(ms)
                if answers.setdefault(query, answer) != answer:
                    print(f"- {kind} {query}: the answers differ")
        compare.note(f"{kind}: run {number + 1} of {runs}")
    medians = {query: [statistics.median(each) for each in both] for query, both in times.items() if all(both)}
    return {query: (max(now, compare.FLOOR) / max(before, compare.FLOOR), before, now) for query, (before, now) in medians.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before")
    parser.add_argument("now")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--sets", type=lambda text: text.split(","), default=list(compare.SCALES["small"]))
    parser.add_argument("--scale", choices=list(compare.SCALES), default="small")
    parser.add_argument("--shared", default=str(compare.HERE.parent.parent / "shared" / "bench"))
    parser.add_argument("--work", default="/tmp/kgq-bench")
    options = parser.parse_args()
    if unknown := [kind for kind in options.sets if kind not in compare.SCALES[options.scale]]:
        parser.error(f"{unknown[0]}: not one of {', '.join(compare.SCALES[options.scale])}")
    if missing := [engine for engine in (options.before, options.now) if not pathlib.Path(engine).is_file()]:
        parser.error(f"{missing[0]}: there is no such file")
    setting, all_ratios, rows = Setting(options), [], []
    for kind in options.sets:
        found = compare_set(setting, kind, options.runs)
        ratios = [ratio for ratio, _, _ in found.values()]
        all_ratios += ratios
        slower = sorted((item for item in found.items() if item[1][0] > SLOWER), key=lambda item: -item[1][0])
        told = ", ".join(f"{ratio:.2f} ({query}: {before:.3f}, now {now:.3f} ms)" for query, (ratio, before, now) in slower)
        rows.append(f"| {setting.stem(kind)}, {kind}, {len(ratios)} queries | {compare.mean(ratios):.2f} | {told} |")
    print("| now divided by before | geometric mean | over 1.15 |\n|---|---:|---|")
    print("\n".join(rows))
    print(f"| all {len(all_ratios)} | {compare.mean(all_ratios):.2f} | {sum(ratio > SLOWER for ratio in all_ratios)} |")


if __name__ == "__main__":
    main()
