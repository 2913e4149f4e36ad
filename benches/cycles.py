"""A skewed graph with one predicate, and the queries that join it with itself in cycles."""

import pathlib
import random

EDGE = "<http://example.com/edge>"
QUERIES = {
    "triangle": "?a e: ?b . ?b e: ?c . ?c e: ?a .",
    "transitive": "?a e: ?b . ?b e: ?c . ?a e: ?c .",
    "square": "?a e: ?b . ?b e: ?c . ?c e: ?d . ?d e: ?a .",
    "clique4": "?a e: ?b . ?a e: ?c . ?a e: ?d . ?b e: ?c . ?b e: ?d . ?c e: ?d .",
    "diamond": "?a e: ?b . ?a e: ?c . ?b e: ?d . ?c e: ?d . ?b e: ?c .",
}


def write(path, edges):
    """About that many distinct edges: the lower a node's number, the more edges it has, outwards and inwards alike."""
    dice = random.Random(20261123)
    nodes = edges // 6
    # The density of a node's number x falls as x to the power of -SKEW.
    skew = 0.4
    exponent = 1 / (1 - skew)
    with open(path, "w") as out:
        for _ in range(edges):
            a, b = (int(nodes * dice.random() ** exponent) for _ in range(2))
            if a != b:
                out.write(f"<http://example.com/n{a}> {EDGE} <http://example.com/n{b}> .\n")


def queries(work):
    """The folder with the queries, which is made."""
    folder = pathlib.Path(work) / "cycles-queries"
    folder.mkdir(exist_ok=True)
    for name, pattern in QUERIES.items():
        (folder / f"{name}.rq").write_text(f"PREFIX e: {EDGE}\nSELECT (COUNT(*) AS ?n) WHERE {{ {pattern} }}\n")
    return folder
