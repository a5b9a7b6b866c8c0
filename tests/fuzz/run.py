#!/usr/bin/env python3
"""Fuzz every parser of network input for a bounded time; a table says what came of it.

  run.py [--seconds N] [--json] BUILDDIR       (make fuzz FUZZ_SECONDS=N)

Each target starts from its corpus in tests/fuzz/corpus and its dictionary, if
it has one.  What is new stays in BUILDDIR; an input that crashes is left there
as crash-*, and belongs into the corpus once it is mended.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))


def targets(build):
    folder = os.path.join(build, "tests", "fuzz")
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    return [os.path.join(folder, n) for n in names
            if n.startswith("fuzz_") and os.access(os.path.join(folder, n), os.X_OK)]


def fuzz(path, seconds, found):
    name = os.path.basename(path)[len("fuzz_"):]
    corpus = os.path.join(HERE, "corpus", name)
    words = os.path.join(HERE, name + ".dict")
    argv = [path, f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=1024",
            "-print_final_stats=1", f"-artifact_prefix={os.path.dirname(path)}/"]
    argv += [f"-dict={words}"] if os.path.exists(words) else []
    argv += [found] + ([corpus] if os.path.isdir(corpus) else [])
    p = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, timeout=seconds + 120, check=False)
    text = p.stdout.decode(errors="replace")
    runs = re.search(r"stat::number_of_executed_units: (\d+)", text)
    cover = re.findall(r"cov: (\d+)", text)
    return {"target": name, "runs": int(runs.group(1)) if runs else 0,
            "coverage": int(cover[-1]) if cover else 0,
            "result": "clean" if p.returncode == 0 else "FOUND",
            "output": text if p.returncode else ""}


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("build")
    ap.add_argument("--seconds", type=int, default=60, help="for each target")
    ap.add_argument("--json", action="store_true")
    args = ap.parse_args()
    paths = targets(args.build)
    if not paths:
        sys.exit(f"no fuzz targets in {args.build}: configure --enable-fuzz CC=clang")
    rows = []
    if not args.json:
        print(f"{'parser':<12}{'runs':>10}  {'edges':>6}  in {args.seconds} s each")
    for path in paths:
        with tempfile.TemporaryDirectory() as found:
            rows.append(fuzz(path, args.seconds, found))
        r = rows[-1]
        if not args.json:
            print(f"{r['target']:<12}{r['runs']:>10,}  {r['coverage']:>6,}  {r['result']}", flush=True)
        if r["output"]:
            print(r["output"][-4000:], file=sys.stderr)
    if args.json:
        print(json.dumps([{k: v for k, v in r.items() if k != "output"} for r in rows]))
    sys.exit(any(r["result"] != "clean" for r in rows))


main()
