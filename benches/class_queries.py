"""Queries of every class over a data set, written from its statistics: none knows the data that it is asked of.

A query that stands for a class has a name `class--what`. In one that gives no fixed rows, `# rows` says that only their number counts.
"""

from dataset import DATES, NUMERIC, STRING, TYPE

PREFIXES = "PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>\n"


def count(pattern, what="*"):
    return f"SELECT (COUNT({what}) AS ?n) WHERE {{ {pattern} }}"


class Writer:
    def __init__(self, statistics):
        self.data, self.queries = statistics, {}
        predicates = statistics.predicates
        self.large = [p for p in predicates if p.count * 60 >= statistics.count][:6] or predicates[:3]
        most = self.large[0].count
        self.small = [p for p in predicates if 5 <= p.count <= most / 50][:40]
        self.nodes = [p for p in predicates if p.kinds["iri"] + p.kinds["blank"] == p.count]

    def add(self, kind, what, text):
        self.queries[f"{kind}--{what}"] = PREFIXES + text

    def all(self):
        self.joins()
        self.shapes()
        self.closures()
        self.groups()
        self.orders()
        self.numbers()
        self.dates()
        self.texts()
        self.kinds()
        self.exports()
        self.lists()
        return self.queries

    def shared(self, a, others, side="subjects"):
        """Of the others, the predicate that shares most nodes with the first."""
        own = getattr(a, side)
        found = [(len(own & p.subjects), p) for p in others if p is not a]
        found = [pair for pair in found if pair[0]]
        return max(found, key=lambda pair: pair[0])[1] if found else None

    def joins(self):
        """Large and small predicates, of the same subject and from object to subject, in every kind of join."""
        large = self.large[0]
        pairs = {
            "large-small": (large, self.shared(large, self.small)),
            "large-large": (large, self.shared(large, self.large)),
        }
        second = next((p for p in self.large[1:] if self.shared(p, self.small)), None)
        if second:
            pairs["second-small"] = (second, self.shared(second, self.small))
        onward = next((p for p in self.nodes if self.shared(p, self.large, "objects")), None)
        if onward:
            pairs["object-subject"] = (onward, self.shared(onward, self.large, "objects"))
        for what, (a, b) in pairs.items():
            if not b:
                continue
            first, second = f"?s {a.name} ?a .", f"?s {b.name} ?b ."
            if what == "object-subject":
                first = f"?x {a.name} ?s ."
            self.add("join", what, count(first + second))
            self.add("optional", what, count(f"{first} OPTIONAL {{ {second} }}"))
            self.add("optional", what + "-bound", count(f"{first} OPTIONAL {{ {second} }} FILTER(BOUND(?b))"))
            self.add("exists", what, count(f"{first} FILTER EXISTS {{ {second} }}"))
            self.add("not-exists", what, count(f"{first} FILTER NOT EXISTS {{ {second} }}"))
            self.add("minus", what, count(f"{first} MINUS {{ {second} }}"))
            if what != "object-subject":
                self.add("optional", what + "-turned", count(f"{second} OPTIONAL {{ {first} }}"))
                self.add("union", what, count(f"{{ {first} }} UNION {{ {second} }}", "DISTINCT ?s"))
        some = self.data.some_iris(large.subjects, 3)
        if some:
            branches = " UNION ".join(f"{{ ?s {p.name} ?o }}" for p in self.large[:3])
            self.add("union", "filtered", f"SELECT * WHERE {{ {branches} FILTER(?s = {some[-1]}) }}")
            self.add("union", "joined", f"SELECT * WHERE {{ VALUES ?s {{ {' '.join(some)} }} {branches} }}")

    def shapes(self):
        """Stars, chains and cycles."""
        large = self.large[0]
        star = [large]
        common = set(large.subjects)
        for p in self.data.predicates:
            if p is not large and len(common & p.subjects) > 0.2 * len(common) and p.count < 3 * large.count:
                star.append(p)
                common &= p.subjects
            if len(star) == 5:
                break
        for size in {3, len(star)} & set(range(2, 6)):
            pattern = " ".join(f"?s {p.name} ?o{at} ." for at, p in enumerate(star[:size]))
            self.add("star", str(size), count(pattern))
            self.add("star", f"{size}-distinct", count(pattern, "DISTINCT ?s"))
        chain = next(((a, b) for a in self.nodes for b in self.nodes if len(a.objects & b.subjects) > 20), None)
        if chain:
            a, b = chain
            self.add("chain", "2", count(f"?a {a.name} ?b . ?b {b.name} ?c ."))
            self.add("chain", "2-distinct", count(f"?a {a.name} ?b . ?b {b.name} ?c .", "DISTINCT ?c"))
            if c := self.shared(b, self.data.predicates, "objects"):
                self.add("chain", "3", count(f"?a {a.name} ?b . ?b {b.name} ?c . ?c {c.name} ?d .", "DISTINCT ?b"))
        for p in [p for p in self.nodes if len(p.subjects & p.objects) > 20][:2]:
            name = p.name
            self.add("cycle", f"triangle-{self.nodes.index(p)}", count(f"?a {name} ?b . ?b {name} ?c . ?c {name} ?a ."))
            self.add("cycle", f"mutual-{self.nodes.index(p)}", count(f"?a {name} ?b . ?b {name} ?a ."))
        self.add("cycle", "same-object", count(f"?a {self.large[-1].name} ?o . ?b {self.large[-1].name} ?o . ?a {large.name} ?x .", "DISTINCT ?b"))

    def closures(self):
        """With each end free, bound or joined; over the smallest and the largest predicate that leads on."""
        steps = [p for p in self.nodes if len(p.subjects & p.objects) >= 3]
        for what, p in {"small": steps[-1:], "large": steps[:1]}.items():
            if not p:
                continue
            p = p[0]
            name = p.name
            self.add("closure", f"{what}-plus", count(f"?a {name}+ ?b"))
            self.add("closure", f"{what}-plus-distinct", count(f"?a {name}+ ?b", "DISTINCT ?b"))
            self.add("closure", f"{what}-maybe", count(f"?a {name}? ?b FILTER(?a != ?b)"))
            if p.count < 20_000:
                self.add("closure", f"{what}-star-pairs", count(f"?a {name}* ?b FILTER(?a != ?b)"))
            middle = self.data.some_iris(p.subjects & p.objects, 5)
            if middle:
                self.add("closure", f"{what}-from", count(f"{middle[0]} {name}* ?b"))
                self.add("closure", f"{what}-to", count(f"?a {name}+ {middle[-1]}"))
                if joined := self.shared(p, self.large, "objects"):
                    self.add("closure", f"{what}-joined-end", count(f"?a {name}+ ?b . ?b {joined.name} ?c"))
                into = [q for q in self.nodes if q is not p and len(q.objects & p.subjects) > 1]
                if into:
                    q = into[0]
                    self.add("closure", f"{what}-joined-to", count(f"?x {q.name} ?a . ?a {name}* {middle[-1]}"))
                    self.add("closure", f"{what}-joined-start", count(f"?x {q.name} ?a . ?a {name}+ ?b"))
                    self.add("closure", f"{what}-sequence", count(f"?x {q.name}/{name}* ?b", "DISTINCT ?b"))
        if len(steps) > 1:
            self.add("closure", "alternative", count(f"?a ({steps[-1].name}|{steps[-2].name})+ ?b"))

    def groups(self):
        by_multiplicity = sorted((p for p in self.large), key=lambda p: p.count / len(p.objects))
        for what, p in {"few-repetitions": by_multiplicity[0], "many-repetitions": by_multiplicity[-1]}.items():
            triple = f"?s {p.name} ?o ."
            self.add("distinct", f"count-{what}", count(triple, "DISTINCT ?o"))
            self.add("distinct", f"count-subjects-{what}", count(triple, "DISTINCT ?s"))
            self.add("group", f"top-{what}", f"SELECT ?o (COUNT(*) AS ?n) WHERE {{ {triple} }} GROUP BY ?o ORDER BY DESC(?n) ?o LIMIT 10")
            self.add("group", f"having-{what}", f"SELECT (COUNT(*) AS ?k) WHERE {{ SELECT ?o WHERE {{ {triple} }} GROUP BY ?o HAVING(COUNT(*) > 2) }}")
        a = self.large[0]
        if b := self.shared(a, self.large):
            both = f"?s {a.name} ?a . ?s {b.name} ?b ."
            self.add("distinct", "pairs", count(f"SELECT DISTINCT ?a ?b WHERE {{ {both} }}"))
            self.add("distinct", "joined", count(both, "DISTINCT ?b"))
            self.add("group", "joined", f"SELECT ?b (COUNT(DISTINCT ?a) AS ?n) WHERE {{ {both} }} GROUP BY ?b ORDER BY DESC(?n) ?b LIMIT 10")
            self.add("sub-select", "top-joined", f"SELECT ?s ?b WHERE {{ {{ SELECT ?s (COUNT(*) AS ?k) WHERE {{ ?s {a.name} ?a }} GROUP BY ?s ORDER BY DESC(?k) ?s LIMIT 20 }} ?s {b.name} ?b }}")
            self.add("sub-select", "group-joined", count(f"{{ SELECT ?s (COUNT(*) AS ?k) WHERE {{ ?s {a.name} ?a }} GROUP BY ?s }} ?s {b.name} ?b FILTER(?k > 1)"))
        self.add("group", "predicates", "SELECT ?p (COUNT(*) AS ?n) (COUNT(DISTINCT ?s) AS ?k) WHERE { ?s ?p ?o } GROUP BY ?p")
        self.add("distinct", "all-subjects", count("?s ?p ?o", "DISTINCT ?s"))
        self.add("distinct", "all-objects", count("?s ?p ?o", "DISTINCT ?o"))
        self.add("group", "types", f"SELECT ?t (COUNT(DISTINCT ?s) AS ?n) WHERE {{ ?s {TYPE} ?t . ?s ?p ?o }} GROUP BY ?t")

    def orders(self):
        a = self.large[0]
        self.add("order", "ids-limit", f"SELECT ?s ?o WHERE {{ ?s {a.name} ?o }} ORDER BY ?s ?o LIMIT 100")
        self.add("order", "ids-desc-limit", f"SELECT ?s ?o WHERE {{ ?s {a.name} ?o }} ORDER BY DESC(?o) DESC(?s) LIMIT 100")
        self.add("order", "ids-offset", f"# rows\nSELECT ?s ?o WHERE {{ ?s {a.name} ?o }} ORDER BY ?o ?s LIMIT 100 OFFSET 5000")
        text = max((p for p in self.data.predicates if p.texts), key=lambda p: p.texts, default=None)
        if text:
            self.add("order", "texts-limit", f"SELECT ?o WHERE {{ ?s {text.name} ?o }} ORDER BY STR(?o) LIMIT 100")
            if text.count <= 300_000:
                self.add("order", "texts-all", f"SELECT ?s ?o WHERE {{ ?s {text.name} ?o }} ORDER BY ?o ?s")

    def numbers(self):
        numeric = [p for p in self.data.predicates if p.share(NUMERIC) > 0.9]
        for p in numeric[:2]:
            values = sorted(float(v) for v in p.values if v.replace(".", "").replace("-", "").isdigit())
            if not values:
                continue
            triple, what = f"?s {p.name} ?v .", str(numeric.index(p))
            at = lambda share: f"{values[int((len(values) - 1) * share)]:.2f}"
            self.add("number", f"few-{what}", count(f"{triple} FILTER(?v > {at(0.98)})"))
            self.add("number", f"most-{what}", count(f"{triple} FILTER(?v >= {at(0.05)} && ?v != {at(0.5)})"))
            self.add("number", f"computed-{what}", count(f"{triple} FILTER(?v * 2 + 1 > {at(0.7)})"))
            self.add("number", f"aggregates-{what}", f"SELECT (MIN(?v) AS ?a) (MAX(?v) AS ?b) (SUM(?v) AS ?c) WHERE {{ {triple} }}")
            self.add("number", f"avg-{what}", f"SELECT (AVG(?v) AS ?a) WHERE {{ {triple} }}")
            self.add("number", f"cast-{what}", f"SELECT (SUM(xsd:double(STR(?v))) AS ?a) WHERE {{ {triple} }}")
            self.add("number", f"rounded-{what}", f"SELECT ?r (COUNT(*) AS ?n) WHERE {{ {triple} BIND(FLOOR(?v / 10) AS ?r) }} GROUP BY ?r")
            self.add("order", f"numbers-limit-{what}", f"SELECT ?v WHERE {{ {triple} }} ORDER BY DESC(?v) LIMIT 50")
            if q := self.shared(p, [q for q in self.large if q is not p]):
                self.add("number", f"joined-average-{what}", f"SELECT ?o (AVG(?v) AS ?a) WHERE {{ {triple} ?s {q.name} ?o }} GROUP BY ?o ORDER BY DESC(?a) ?o LIMIT 10")
                self.add("number", f"above-average-{what}", count(f"{triple} ?s {q.name} ?o . {{ SELECT ?o (AVG(xsd:float(?w)) AS ?m) WHERE {{ ?t {p.name} ?w . ?t {q.name} ?o }} GROUP BY ?o }} FILTER(?v > ?m)"))

    def dates(self):
        for p in [p for p in self.data.predicates if p.share(DATES) > 0.9][:2]:
            kind = max(p.datatypes, key=p.datatypes.get)
            values = sorted(p.values)
            triple, what = f"?s {p.name} ?v .", kind.rsplit("#")[-1]
            at = lambda share: f'"{values[int((len(values) - 1) * share)]}"^^<{kind}>'
            self.add("date", f"few-{what}", count(f"{triple} FILTER(?v > {at(0.98)})"))
            self.add("date", f"between-{what}", count(f"{triple} FILTER(?v > {at(0.3)} && ?v < {at(0.6)})"))
            self.add("date", f"years-{what}", f"SELECT ?y (COUNT(*) AS ?n) WHERE {{ {triple} BIND(YEAR(?v) AS ?y) }} GROUP BY ?y")
            self.add("date", f"month-{what}", count(f"{triple} FILTER(MONTH(?v) = 5)"))
            self.add("date", f"last-{what}", f"SELECT (MAX(?v) AS ?m) WHERE {{ {triple} }}")

    def texts(self):
        """Tests and functions of texts over the two largest columns of them."""
        with_texts = sorted((p for p in self.data.predicates if p.texts and p.values), key=lambda p: -p.texts)[:2]
        for p in with_texts:
            what = str(with_texts.index(p))
            value = sorted((v for v in p.values if v.isascii() and v.replace(" ", "").isalnum() and len(v) > 3), key=len)
            if not value:
                continue
            value = value[len(value) // 2]
            word = sorted(value.split(" "), key=len)[-1]
            triple = f"?s {p.name} ?o ."
            tests = {
                "starts": f'STRSTARTS(STR(?o), "{value[:3]}")', "ends": f'STRENDS(STR(?o), "{value[-2:]}")',
                "contains": f'CONTAINS(STR(?o), "{word[:5]}")', "contains-lower": f'CONTAINS(LCASE(STR(?o)), "{word[:5].lower()}")',
                "regex": f'REGEX(STR(?o), "{word[:4]}")', "regex-start": f'REGEX(STR(?o), "^{value[:2]}")',
                "regex-case": f'REGEX(STR(?o), "{word[:4]}", "i")', "regex-parts": f'REGEX(STR(?o), "{word[:3]}.*[a-e]$")',
                "length": "STRLEN(STR(?o)) > 12", "less": f'STR(?o) < "{value}"', "equal": f'STR(?o) = "{value}"',
                "language": 'LANG(?o) = "en"', "language-matches": 'LANGMATCHES(LANG(?o), "de")', "any-language": 'LANG(?o) != ""',
            }
            for name, test in tests.items():
                self.add("language" if "language" in name else "text", f"{name}-{what}", count(f"{triple} FILTER({test})"))
            functions = {
                "upper": "UCASE(STR(?o))", "sub": "SUBSTR(STR(?o), 2, 4)", "before": f'STRBEFORE(STR(?o), "{word[:1]}")',
                "after": f'STRAFTER(STR(?o), "{word[:1]}")', "concat": 'CONCAT(STR(?o), "-x")',
                "replace": f'REPLACE(STR(?o), "{word[:2]}", "+")', "encode": "ENCODE_FOR_URI(STR(?o))", "md5": "MD5(STR(?o))",
            }
            for name, function in functions.items():
                self.add("text-function", f"{name}-{what}", f"SELECT (SUM(STRLEN({function})) AS ?n) WHERE {{ {triple} }}")
            self.add("text-function", f"group-length-{what}", f"SELECT ?k (COUNT(*) AS ?n) WHERE {{ {triple} BIND(STRLEN(STR(?o)) AS ?k) }} GROUP BY ?k")
            self.add("language", f"group-{what}", f"SELECT ?k (COUNT(*) AS ?n) WHERE {{ {triple} BIND(LANG(?o) AS ?k) }} GROUP BY ?k")
        node = self.nodes[0] if self.nodes else None
        if node and (some := self.data.some_iris(node.objects, 1)):
            start = some[0][1:].rsplit("/", 1)[0]
            self.add("text", "iri-starts", count(f'?s {node.name} ?o . FILTER(STRSTARTS(STR(?o), "{start}"))'))
            self.add("text", "iri-contains", count(f'?s {node.name} ?o . FILTER(CONTAINS(STR(?s), "1"))'))

    def kinds(self):
        for test in ("isBlank(?s)", "isIRI(?o)", "isLiteral(?o)", "isBlank(?o)", "isNumeric(?o)"):
            self.add("kind", test.replace("(?", "-").strip(")"), count(f"?s ?p ?o FILTER({test})"))
        datatypes = {name for p in self.data.predicates for name in p.datatypes} - {STRING}
        for at, name in enumerate(sorted(datatypes)[:2]):
            self.add("kind", f"datatype-{at}", count(f"?s ?p ?o FILTER(DATATYPE(?o) = <{name}>)"))
        self.add("kind", "datatypes", "SELECT ?d (COUNT(*) AS ?n) WHERE { ?s ?p ?o FILTER(isLiteral(?o)) BIND(DATATYPE(?o) AS ?d) } GROUP BY ?d")

    def exports(self):
        a = self.large[0]
        self.add("export", "10", f"# rows\nSELECT ?s ?o WHERE {{ ?s {a.name} ?o }} LIMIT 10")
        self.add("export", "10000", f"# rows\nSELECT ?s ?p ?o WHERE {{ ?s ?p ?o }} LIMIT 10000")
        if a.count <= 1_000_000:
            self.add("export", "predicate", f"SELECT ?s ?o WHERE {{ ?s {a.name} ?o }}")
        if self.data.count <= 300_000:
            self.add("export", "all", "SELECT ?s ?p ?o WHERE { ?s ?p ?o }")

    def lists(self):
        a = self.large[0]
        for size in (1, 100, 10_000, 100_000):
            nodes = self.data.some_iris(a.subjects, size)
            if len(nodes) < size and size > 1 and len(nodes) < size / 5:
                continue
            self.add("values", str(size), count(f"VALUES ?s {{ {' '.join(nodes)} }} ?s {a.name} ?o"))
            self.add("in", str(size), count(f"?s {a.name} ?o FILTER(?s IN ({', '.join(nodes)}))"))
