"""A catalogue: products in a tree of classes, with features, labels in many languages, offers with prices and dates, and
reviews with ratings and texts. About 25 triples a product."""

import random

BASE = "http://example.com/catalogue/"
LANGUAGES = ["en", "de", "fr", "es", "it", "pt", "nl", "pl", "ja", "zh", "ar", "fi", "sv", "en-GB", "pt-BR", "de-AT"]
WORDS = """amber basin cedar delta ember fable grove harbor island jasper kettle lantern meadow nectar orchard pebble quarry
ribbon saddle timber umbra velvet willow yonder zephyr arbor beacon copper dapple echo""".split()
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
XSD = "http://www.w3.org/2001/XMLSchema#"


def write(path, products):
    dice = random.Random(20261128)
    iri = lambda kind, at: f"<{BASE}{kind}{at}>"
    text = lambda least, most: " ".join(dice.choice(WORDS) for _ in range(dice.randint(least, most)))
    day = lambda: f"20{dice.randint(15, 26)}-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}"
    typed = lambda value, name: f'"{value}"^^<{XSD}{name}>'
    classes, features, vendors, people = 151, 997, 71, products // 5 + 1
    with open(path, "w", encoding="utf-8") as out:

        def say(subject, predicate, *objects):
            for object in objects:
                out.write(f"{subject} {predicate} {object} .\n")

        own = lambda name: f"<{BASE}{name}>"
        a, label = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>", f"<{RDFS}label>"
        for at in range(classes):
            say(iri("Class", at), label, f'"{text(1, 2)}"@en')
            if at:
                say(iri("Class", at), f"<{RDFS}subClassOf>", iri("Class", (at - 1) // 3))
        for at in range(features):
            say(iri("feature", at), label, *(f'"{text(1, 2)}"@{language}' for language in LANGUAGES[:3]))
        for at in range(vendors):
            say(iri("vendor", at), own("country"), iri("country", at % 13))
            say(iri("vendor", at), label, f'"{text(2, 3)}"')
        for at in range(people):
            say(iri("person", at), own("name"), f'"{text(2, 2)} {at}"')
            for _ in range(dice.randint(0, 2)):
                say(iri("person", at), own("follows"), iri("person", int(people * dice.random() ** 2)))
        reviews = offers = 0
        for at in range(products):
            product = iri("product", at)
            say(product, a, iri("Class", int(classes * dice.random() ** 1.5)))
            say(product, label, *(f'"{text(2, 4)} {at}"@{language}' for language in dice.sample(LANGUAGES, dice.randint(1, 3))))
            say(product, own("description"), f'"{text(8, 20)}"')
            say(product, own("feature"), *{iri("feature", int(features * dice.random() ** 2)) for _ in range(4)})
            if at % 50 == 0:
                say(product, own("discontinued"), typed("true", "boolean"))
            if at % 7 == 0:
                say(product, own("similar"), iri("product", dice.randrange(products)))
            for _ in range(dice.randint(0, 2)):
                offers += 1
                offer = iri("offer", offers)
                say(offer, own("product"), product)
                say(offer, own("vendor"), iri("vendor", int(vendors * dice.random() ** 2)))
                say(offer, own("price"), typed(f"{dice.lognormvariate(3, 1):.2f}", "decimal"))
                say(offer, own("validFrom"), typed(day(), "date"))
            for _ in range(dice.randint(0, 2)):
                reviews += 1
                review = iri("review", reviews) if reviews % 9 else f"_:review{reviews}"
                say(review, own("about"), product)
                say(review, own("by"), iri("person", int(people * dice.random() ** 2)))
                say(review, own("rating"), typed(dice.randint(1, 10), "integer"))
                say(review, own("written"), typed(f"{day()}T{dice.randint(0, 23):02}:00:00Z", "dateTime"))
                say(review, own("text"), f'"{text(10, 30)}"@{dice.choice(LANGUAGES[:6])}')
