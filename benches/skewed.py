#!/usr/bin/env python3
"""Makes a skewed graph, and queries for the cycles in it: what joins that go pattern by pattern cannot answer quickly.

    python3 benches/skewed.py FOLDER [--edges 3000000] [--nodes 500000]

writes FOLDER/skewed.nt and FOLDER/queries/*.rq, always the same ones. Both ends of an edge are drawn so that the k-th node has
about k^-0.6 times the edges of the first; an edge that was drawn before, or leads to itself, is drawn again.
"""

import argparse
import pathlib
import random

SKEW = 2.5
EDGE = "<http://example.org/knows>"
QUERIES = {
    "triangles": "?a e ?b . ?b e ?c . ?a e ?c",
    "squares": "?a e ?b . ?b e ?c . ?c e ?d . ?d e ?a",
    "cliques": "?a e ?b . ?a e ?c . ?a e ?d . ?b e ?c . ?b e ?d . ?c e ?d",
    "diamonds": "?a e ?b . ?a e ?c . ?b e ?c . ?b e ?d . ?c e ?d",
}


def edges(count, nodes):
    draw = random.Random(1).random
    seen = set()
    while len(seen) < count:
        edge = int(nodes * draw() ** SKEW), int(nodes * draw() ** SKEW)
        if edge[0] != edge[1] and edge not in seen:
            seen.add(edge)
            yield edge


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--edges", type=int, default=3_000_000)
    parser.add_argument("--nodes", type=int, default=500_000)
    options = parser.parse_args()
    queries = options.folder / "queries"
    queries.mkdir(parents=True, exist_ok=True)
    for name, patterns in QUERIES.items():
        patterns = patterns.replace(" e ", f" {EDGE} ")
        (queries / f"{name}.rq").write_text(f"SELECT (COUNT(*) AS ?count) WHERE {{ {patterns} }}\n")
    # A node's number says nothing of its degree: names are spread.
    names = list(range(options.nodes))
    random.Random(2).shuffle(names)
    with open(options.folder / "skewed.nt", "w") as out:
        for a, b in edges(options.edges, options.nodes):
            out.write(f"<http://example.org/{names[a]}> {EDGE} <http://example.org/{names[b]}> .\n")


if __name__ == "__main__":
    main()
