"""Validates jobs and records against the schemas that `basin schema` prints, with Python's jsonschema.

    cargo build
    python -m venv /tmp/peers && /tmp/peers/bin/pip install jsonschema
    /tmp/peers/bin/python tests/peers/schema.py [path of basin, target/debug/basin by default] [more records and folders …]

Looks at the jobs of the bundled study, the records in tests/reference and what a few quick commands write. Prints how many
files it looked at, and fails with the first that does not fit; a damaged one must not fit.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from jsonschema import Draft202012Validator

ROOT = Path(__file__).resolve().parents[2]
BASIN = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT / "target/debug/basin"
IMAGES = ["--examples", "test:0..8"]
ATTACK = ["--attack-steps", "2"]
RUNS = {
    "evaluate": [*IMAGES, *ATTACK, "--attack", "pgd"],
    "attack": [*IMAGES, "--version", "apgd-ce"],
    "flatness": [*IMAGES, *ATTACK, "--draws", "2", "--per-layer"],
    "hessian": [*IMAGES, "--top", "1", "--density", "--tolerance", "0.5"],
    "landscape": [*IMAGES, "--loss", "clean", "--steps", "3", "--second", "random"],
    "relative-flatness": IMAGES,
}


def schema(name):
    value = json.loads(subprocess.run([BASIN, "schema", name], check=True, capture_output=True).stdout)
    Draft202012Validator.check_schema(value)
    return Draft202012Validator(value)


def check(validator, value, name):
    errors = sorted(validator.iter_errors(value), key=lambda error: len(error.absolute_path))
    if errors:
        from jsonschema.exceptions import best_match

        error = best_match(errors)
        sys.exit(f"{name}: {error.json_path}: {error.message[:400]}")


def main():
    jobs, records = schema("job"), schema("record")
    looked = 0
    for path in sorted(ROOT.glob("resources/study/*/job.json")):
        check(jobs, json.loads(path.read_text()), path)
        looked += 1
    found = [*ROOT.glob("tests/reference/records/*.json"), *ROOT.glob("tests/reference/jobs/*.json")]
    for given in sys.argv[2:]:
        found += Path(given).rglob("*.json") if Path(given).is_dir() else [Path(given)]
    with tempfile.TemporaryDirectory() as folder:
        for command, options in RUNS.items():
            out = Path(folder) / f"{command}.json"
            subprocess.run([BASIN, command, "bundled", *options, "--out", out], check=True, capture_output=True)
            found.append(out)
        for folder_of_training in sorted(ROOT.glob("resources/study/*/")):
            done = subprocess.run(
                [BASIN, "run", folder_of_training, "--json"], capture_output=True, cwd=folder, check=False
            )
            if done.returncode == 0:
                check(records, json.loads(done.stdout), folder_of_training)
                looked += 1
        for path in found:
            value = json.loads(path.read_text())
            if not isinstance(value, dict) or not {"job", "outcome", "format"} <= value.keys():
                continue
            check(records, value, path)
            check(jobs, value["job"], path)
            looked += 1
    damaged = {"kind": "flatness", "checkpoint": "x", "loss": "dirty", "case": "average", "radii": [0.5]}
    assert not jobs.is_valid(damaged), "a job with an unknown loss must not fit"
    print(f"{looked} jobs and records fit")


main()
