"""What is compiled into the packages: a text with all licences, and a bill of materials (CycloneDX 1.5) for machines."""

import argparse
import json
import pathlib
import re
import subprocess

TARGET = "x86_64-unknown-linux-gnu"
TEXTS = ("license", "licence", "copying", "notice", "unlicense", "copyright")
ROOT = pathlib.Path(__file__).resolve().parent.parent
RULE = "=" * 78


def cargo(*arguments):
    return subprocess.run(["cargo", *arguments], check=True, capture_output=True, text=True, cwd=ROOT).stdout


def packages():
    """The packages of crates.io that the wheel's one file is made of; the program alone has a few less."""
    metadata = json.loads(cargo("metadata", "--format-version", "1", "--locked", "--filter-platform", TARGET))
    told = cargo(
        "tree", "--locked", "--package", "kgq-python", "--features", "kgq-python/tables",
        "--edges", "normal", "--target", TARGET, "--prefix", "none", "--format", "{p}",
    )  # fmt: skip
    used = {tuple(line.split()[:2]) for line in told.splitlines() if line}
    found = [one for one in metadata["packages"] if one["source"] and (one["name"], f"v{one['version']}") in used]
    own = next(one for one in metadata["packages"] if one["name"] == "kgq")
    return own, sorted(found, key=lambda package: (package["name"], package["version"]))


def texts(package):
    folder = pathlib.Path(package["manifest_path"]).parent
    files = {path for path in folder.iterdir() if path.is_file() and path.name.lower().startswith(TEXTS)}
    if package.get("license_file"):
        files.add(folder / package["license_file"])
    return [path.read_text(encoding="utf-8", errors="replace").strip() for path in sorted(files)]


def generic(licence, carriers):
    """The usual text of a licence, for packages that name it only; the MIT licence begins with who gives it."""
    if licence == "Apache-2.0":
        return (ROOT / "LICENSE-APACHE").read_text(encoding="utf-8").strip("\n")
    text = (ROOT / "LICENSE-MIT").read_text(encoding="utf-8").strip()
    owners = sorted({f"Copyright (c) {', '.join(p['authors']) or 'the authors of ' + p['name']}" for p in carriers})
    text, replaced = re.subn(r"^Copyright .*$", "\n".join(owners).replace("\\", r"\\"), text, flags=re.MULTILINE)
    if replaced != 1:
        raise SystemExit("LICENSE-MIT has no line of copyright to put another in its place")
    return text


def without_text(bare):
    """Licences that packages name without a text of their own: licence → packages. Any other licence needs its text here."""
    named = {}
    for package in bare:
        usual = [one for one in ("MIT", "Apache-2.0") if one in re.split(r" OR |/", package["license"] or "")]
        if not usual:
            raise SystemExit(f"{package['name']} has no text of its licence, {package['license']}")
        for licence in usual:
            named.setdefault(licence, []).append(package)
    return named


def licences(found):
    """Each text once, below the names of all packages that carry it."""
    by_text = {}
    bare = []
    for package in found:
        carried = texts(package)
        if not carried:
            bare.append(package)
        for text in carried:
            by_text.setdefault(text, []).append(package)
    lines = ["kgq is made with these packages, each under its own licence, and with Rust's standard library (MIT OR Apache-2.0).", ""]
    lines += [f"{p['name']} {p['version']}  {p['license'] or 'see its text'}  {p['repository'] or ''}".rstrip() for p in found]
    for text, carriers in sorted(by_text.items(), key=lambda item: item[1][0]["name"]):
        lines += ["", RULE, ", ".join(f"{p['name']} {p['version']}" for p in carriers), RULE, "", text]
    rust = {"name": "Rust's standard library", "version": "", "authors": ["The Rust Project Contributors"], "license": "MIT OR Apache-2.0"}
    for licence, carriers in without_text([*bare, rust]).items():
        names = ", ".join(f"{p['name']} {p['version']}".rstrip() for p in carriers)
        told = f"{names}\n\nThese name the licence {licence} and their sources carry no text of it; this is the usual text."
        lines += ["", RULE, told, RULE, "", generic(licence, carriers)]
    return "\n".join(lines) + "\n"


def component(package):
    address = f"pkg:cargo/{package['name']}@{package['version']}"
    expression = (package["license"] or "").replace("/", " OR ")
    told = {"type": "library", "bom-ref": address, "name": package["name"], "version": package["version"], "purl": address}
    return told | ({"licenses": [{"expression": expression}]} if expression else {})


def bill(own, found):
    components = [component(package) for package in found]
    main = {"type": "application", "bom-ref": "kgq", "name": "kgq", "version": own["version"], "licenses": [{"expression": own["license"]}]}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": main},
        "components": components,
        "dependencies": [{"ref": "kgq", "dependsOn": [one["bom-ref"] for one in components]}],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--licences", type=pathlib.Path, required=True)
    parser.add_argument("--sbom", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    own, found = packages()
    arguments.licences.write_text(licences(found), encoding="utf-8")
    arguments.sbom.write_text(json.dumps(bill(own, found), indent=1) + "\n", encoding="utf-8")


main()
