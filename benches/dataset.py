"""What a file of N-Triples holds, by predicate: as much as is needed to write queries that suit it."""

import collections
import re

STATEMENT = re.compile(r"(\S+)\s+(\S+)\s+(.*?)\s*\.\s*$")
LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"(?:@([A-Za-z0-9-]+)|\^\^<([^>]*)>)?$')
XSD = "http://www.w3.org/2001/XMLSchema#"
NUMERIC = {XSD + name for name in ("integer", "int", "long", "short", "decimal", "double", "float", "nonNegativeInteger", "positiveInteger", "gYear")}
DATES = {XSD + "date", XSD + "dateTime"}
STRING = XSD + "string"
TYPE = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
# Values that are kept of each predicate.
KEPT = 4000


class Predicate:
    def __init__(self, name):
        self.name, self.count = name, 0
        self.subjects, self.objects = set(), set()
        self.kinds, self.datatypes, self.languages = collections.Counter(), collections.Counter(), collections.Counter()
        self.values, self.terms = [], []

    def add(self, subject, object, text):
        self.count += 1
        self.subjects.add(subject)
        self.objects.add(object)
        kept = self.count <= KEPT or self.count % 97 == 0 and len(self.terms) < 2 * KEPT
        if text[0] == "<":
            self.kinds["iri"] += 1
        elif text[0] == "_":
            self.kinds["blank"] += 1
            return
        else:
            self.kinds["literal"] += 1
            # Most are read to the end only where they are kept.
            end = text.rfind('"')
            tail = text[end + 1:]
            if tail.startswith("@"):
                self.languages[tail[1:]] += 1
            else:
                self.datatypes[tail[3:-1] or STRING] += 1
            if kept and (found := LITERAL.match(text)):
                self.values.append(found[1])
        if kept:
            self.terms.append(text)

    def share(self, names):
        """How much of it has one of these datatypes."""
        return sum(count for name, count in self.datatypes.items() if name in names) / self.count

    @property
    def texts(self):
        return self.datatypes[STRING] + sum(self.languages.values())


class Statistics:
    def __init__(self, path):
        numbers, predicates = {}, {}
        self.count, self.names = 0, []
        with open(path, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if not (found := STATEMENT.match(line)):
                    continue
                subject, predicate, object = found.groups()
                self.count += 1
                ids = [numbers.setdefault(term, len(numbers)) for term in (subject, object)]
                if predicate not in predicates:
                    predicates[predicate] = Predicate(predicate)
                predicates[predicate].add(*ids, object)
        self.names = list(numbers)
        self.predicates = sorted(predicates.values(), key=lambda p: (-p.count, p.name))

    def some_iris(self, ids, most):
        """Names of up to so many nodes, spread over all of them."""
        names = sorted(name for name in (self.names[at] for at in ids) if name.startswith("<"))
        step = max(1, len(names) // most)
        return names[::step][:most]
