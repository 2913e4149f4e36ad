#!/usr/bin/env python3
"""Writes a project of people, works, places and organisations that cite their sources, to time `kgq publish` with.

    python3 benches/things.py DIR [COUNT]

The same COUNT gives the same bytes.
"""
import random
import sys
from pathlib import Path

folder = Path(sys.argv[1])
count = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
dice = random.Random(1)
BASE = "https://things.example/"
HEADER = f"""@prefix : <{BASE}ontology#> .
@prefix cite: <{BASE}citation/> .
@prefix doc: <{BASE}document/> .
@prefix geo: <http://www.opengis.net/ont/geosparql#> .
@prefix oa: <http://www.w3.org/ns/oa#> .
@prefix org: <{BASE}organisation/> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix person: <{BASE}person/> .
@prefix place: <{BASE}place/> .
@prefix prov: <http://www.w3.org/ns/prov#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix wgs84: <http://www.w3.org/2003/01/geo/wgs84_pos#> .
@prefix work: <{BASE}work/> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .

"""
CLASSES = {"Person": "person", "Work": "work", "Place": "place", "Organisation": "org"}
PROPERTIES = [
    ("wrote", "Person", "Work"), ("knows", "Person", "Person"), ("bornIn", "Person", "Place"), ("worksFor", "Person", "Organisation"),
    ("publisher", "Work", "Organisation"), ("about", "Work", "Place"), ("cites", "Work", "Work"), ("seat", "Organisation", "Place"),
    ("partOf", "Organisation", "Organisation"), ("near", "Place", "Place"),
]
SYLLABLES = "an bei chong da e fu guang hai ji kun lan min ning pu qing ru shan tian wei xia yun zhe".split()
HAN = "安北重大鄂福广海吉昆兰民宁浦青如山天渭厦云浙"
citations = max(count // 50, 1)
kinds = [("Person", 0.4), ("Work", 0.3), ("Place", 0.15), ("Organisation", 0.15)]
own = count - citations - 1
sizes = {name: max(int(own * share), 2) for name, share in kinds}


def member(kind):
    return f"{CLASSES[kind]}:{dice.randrange(sizes[kind])}"


def name():
    picked = [dice.randrange(len(SYLLABLES)) for _ in range(dice.randrange(2, 5))]
    return "".join(SYLLABLES[i] for i in picked).capitalize(), "".join(HAN[i] for i in picked)


def fact(line):
    return f"    {line} {{| prov:wasDerivedFrom cite:{dice.randrange(citations)} |}} ;\n"


def ontology():
    out = [HEADER, f'<{BASE}ontology> a owl:Ontology ; rdfs:label "Things"@en .\n:Thing a owl:Class ; rdfs:label "Thing"@en .\n']
    for kind in CLASSES:
        out.append(f':{kind} a owl:Class ; rdfs:label "{kind}"@en ; rdfs:subClassOf :Thing ; rdfs:comment "A {kind.lower()}."@en .\n')
    for text, domain, range_ in PROPERTIES:
        out.append(f':{text} a owl:ObjectProperty ; rdfs:label "{text}"@en ; rdfs:domain :{domain} ; rdfs:range :{range_} .\n')
    out.append(':date a owl:DatatypeProperty ; rdfs:label "date"@en ; rdfs:domain :Work ; rdfs:range xsd:date .\n')
    for kind in CLASSES:
        own = [text for text, domain, _ in PROPERTIES if domain == kind]
        paths = " ; ".join(f"sh:property [ sh:path :{text} ; sh:order {i} ]" for i, text in enumerate(own))
        out.append(f"[] a sh:NodeShape ; sh:targetClass :{kind} ; {paths} .\n")
    return "".join(out)


def things(kind):
    yield HEADER
    for number in range(sizes[kind]):
        latin, han = name()
        out = [f'{CLASSES[kind]}:{number} a :{kind} ;\n    rdfs:label "{latin} {number}"@en, "{han}{number}"@zh ;\n']
        for text, domain, range_ in PROPERTIES:
            if domain == kind:
                out += [fact(f":{text} {member(range_)}") for _ in range(dice.randrange(3))]
        if kind == "Work":
            out.append(fact(f':date "{dice.randrange(1900, 2026)}-{dice.randrange(1, 13):02}-{dice.randrange(1, 29):02}"^^xsd:date'))
        if kind == "Place":
            out.append(f"    wgs84:lat {dice.uniform(18, 53):.4f} ; wgs84:long {dice.uniform(74, 134):.4f} ;\n")
        yield "".join(out) + ".\n\n"


def sources():
    out = [HEADER, 'doc:0 a :Document ; rdfs:label "The one source"@en .\n:Document a owl:Class ; rdfs:label "Document"@en .\n']
    out += [f":Citation a owl:Class ; rdfs:label \"Citation\"@en .\n"]
    out += [f"cite:{i} a :Citation ; oa:hasSource doc:0 ; oa:hasSelector [ oa:start {i * 100} ; oa:end {i * 100 + 90} ] .\n" for i in range(citations)]
    return "".join(out)


QUERIES = {
    "most-written": ("bar", "SELECT ?name (COUNT(?work) AS ?works) { ?person :wrote ?work ; rdfs:label ?name FILTER(LANG(?name) = 'en') } GROUP BY ?person ?name ORDER BY DESC(?works) ?name LIMIT 20"),
    "newest-works": ("timeline", "SELECT ?work ?title ?date { ?work :date ?date ; rdfs:label ?title FILTER(LANG(?title) = 'en') } ORDER BY DESC(?date) ?work LIMIT 100"),
    "seats": ("map", "SELECT ?org ?place { ?org :seat ?place } ORDER BY ?org ?place"),
    "who-knows-whom": ("graph", "SELECT ?a ?b { ?a :knows ?b . ?b :knows ?a } ORDER BY ?a ?b"),
    "towns-of-authors": ("table", "SELECT ?person ?place { ?person :bornIn ?place ; :wrote/:about ?place } ORDER BY ?person ?place"),
}
for part in ["ontology", "data", "queries"]:
    (folder / part).mkdir(parents=True, exist_ok=True)
prefixes = [line.split()[1:3] for line in HEADER.splitlines() if line]
toml = [f'name = "things"\ntitle = "{count:,} things"\nbase = "{BASE}"\n\n[prefixes]\n']
toml += [f'"{prefix[:-1]}" = "{iri[1:-1]}"\n' for prefix, iri in prefixes]
(folder / "kgq.toml").write_text("".join(toml))
(folder / "ontology/terms.ttl").write_text(ontology())
(folder / "data/sources.ttl").write_text(sources())
for kind, local in CLASSES.items():
    (folder / f"data/{local}.ttl").write_text("".join(things(kind)))
for key, (view, text) in QUERIES.items():
    (folder / f"queries/{key}.rq").write_text(f"#+ title: {key.replace('-', ' ').capitalize()}\n#+ view: {view}\n{text}\n")
