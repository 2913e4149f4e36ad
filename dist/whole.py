"""Looks whether what goes into the packages is whole, for `dist/build --check`: licences and bill of materials beside Cargo.lock, npm's folders, and
for each crate whether what is compiled into it goes along when it is packaged."""

import argparse
import json
import pathlib
import re
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDED = re.compile(r'include_(?:str|bytes)!\("([^"]+)"\)')


def fail(message):
    sys.exit(f"dist/build --check: {message}")


def bill(arguments):
    """Every component is a package of Cargo.lock with a licence, and is named in the text of licences."""
    locked = {(one["name"], one["version"]) for one in tomllib.loads((ROOT / "Cargo.lock").read_text("utf-8"))["package"]}
    told = json.loads(arguments.sbom.read_text("utf-8"))
    components = told["components"]
    text = arguments.licences.read_text("utf-8")
    if told["bomFormat"] != "CycloneDX" or told["metadata"]["component"]["version"] != arguments.version:
        fail("the bill of materials is not one of this version")
    if len(components) < 100:
        fail(f"the bill of materials has {len(components)} components")
    for one in components:
        name, version = one["name"], one["version"]
        if (name, version) not in locked:
            fail(f"{name} {version} of the bill of materials is not in Cargo.lock")
        if not one.get("licenses"):
            fail(f"{name} {version} has no licence in the bill of materials")
        if text.count(f"{name} {version}") < 2:
            fail(f"the licences name {name} {version}, but have no text of its licence")


def npm(arguments):
    """Both packages are of this version, name each other, and hold what they say they do."""
    main, platform = arguments.npm / "kgq", arguments.npm / "kgq-linux-x64"
    told = {folder: json.loads((folder / "package.json").read_text("utf-8")) for folder in (main, platform)}
    if {one["version"] for one in told.values()} != {arguments.version}:
        fail("a package for npm is not of this version")
    if told[main]["optionalDependencies"] != {"kgq-linux-x64": arguments.version}:
        fail("the package for npm does not want its platform's")
    if any("scripts" in one for one in told.values()):
        fail("a package for npm runs scripts when it is installed")
    wanted = [main / path for path in told[main]["bin"].values()] + [platform / "bin" / "kgq"]
    wanted += [folder / name for folder in told for name in told[folder]["files"]]
    for path in wanted:
        if not path.exists():
            fail(f"{path.relative_to(arguments.npm)} is not there")


def crate(name, listed):
    """What is compiled into a crate lies within it, and goes along."""
    folder = ROOT if name == "kgq" else ROOT / "crates" / name
    for wanted in ("Cargo.toml", "src/lib.rs"):
        if wanted not in listed:
            fail(f"{name} is packaged without {wanted}")
    for source in [path for path in listed if path.startswith("src/") and path.endswith(".rs")]:
        for included in INCLUDED.findall((folder / source).read_text("utf-8")):
            found = (folder / source).parent.joinpath(included).resolve()
            if not found.is_relative_to(folder) or str(found.relative_to(folder)) not in listed:
                fail(f"{name} is packaged without {included}, which {source} includes")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--licences", "--sbom", "--npm", "--files"):
        parser.add_argument(name, type=pathlib.Path)
    parser.add_argument("--version")
    parser.add_argument("--crate")
    arguments = parser.parse_args()
    if arguments.crate:
        crate(arguments.crate, set(arguments.files.read_text("utf-8").split("\n")))
    else:
        bill(arguments)
        npm(arguments)


main()
