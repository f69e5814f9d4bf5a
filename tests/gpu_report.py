#!/usr/bin/env python3
"""Writes gpu_report.json and gpu_report.md of what tests/gpu.sh did: see there."""
import argparse
import json
import pathlib
import subprocess


def said(*command):
    try:
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=60).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""


def read(file):
    return file.read_text() if file.exists() else ""


def failures(file):
    """Names of the tests that failed, with their first words."""
    if not file.exists():
        return []
    found = []
    for suite in json.loads(file.read_text())["testsuites"]:
        for test in suite["testsuite"]:
            for failure in test.get("failures", [])[:1]:
                found.append({"test": "%s.%s" % (suite["name"], test["name"]), "says": failure["failure"][:300]})
    return found


def parts(file):
    """Milliseconds of each part that benchmarks timed."""
    if not file.exists():
        return {}
    return {b["name"]: 1e3 * b["each"] for b in json.loads(file.read_text())["benchmarks"] if "each" in b}


def collect(steps, out):
    report = {
        "device": said("nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"),
        "torch": said("python3", "-c", "from importlib import metadata; print(metadata.version('torch'))"),
        "nvcc": (said("nvcc", "--version") or said("/usr/local/cuda/bin/nvcc", "--version")).split("\n")[-1],
        "commit": said("git", "rev-parse", "HEAD") or read(pathlib.Path("COMMIT")).strip(),
        "steps": [dict(zip(("name", "status", "seconds"), line.split("\t"))) for line in read(steps / "steps.tsv").splitlines()],
        "failures": failures(steps / "agreement.json") + failures(steps / "operators.json"),
        "golden": read(steps / "golden.txt").splitlines(),
        "bench": [],
        "parts": parts(out / "benchmarks.json"),
    }
    for line in read(steps / "bench.tsv").splitlines():
        name, row = line.split("\t", 1)
        report["bench"].append(dict(json.loads(row), name=name))
    return report


def markdown(report):
    lines = ["# GPU report", "", "%s; torch %s; %s; commit %s" % (report["device"] or "no GPU", report["torch"], report["nvcc"],
                                                                   report["commit"]), ""]
    lines += ["| step | result | s |", "|---|---|---|"]
    lines += ["| %s | %s | %s |" % (s["name"], "ok" if s["status"] == "0" else "FAILED: " + s["status"], s["seconds"]) for s in report["steps"]]
    if report["bench"]:
        lines += ["", "| net | size | median ms | min ms | first ms | load ms | proposals | detections | nodes on the host |",
                  "|---|---|---|---|---|---|---|---|---|"]
        for b in report["bench"]:
            on_host = ", ".join("%s %d" % item for item in b["on_host"].items())
            lines.append("| %s | %s | %.2f | %.2f | %.0f | %.0f | %s | %s | %s |" % (
                b["name"], "x".join(map(str, b["size"])), b["median_ms"], b["min_ms"], b["first_ms"], b["load_ms"], b["proposals"],
                b["detections"], on_host or "none"))
        for b in report["bench"]:
            lines += ["", "%s, each operator waited for:" % b["name"], ""]
            lines += ["- %s %.3f ms" % (o["type"], o["ms"]) for o in b["operators"]]
    if report["parts"]:
        lines += ["", "| part | ms |", "|---|---|"] + ["| %s | %.4f |" % part for part in report["parts"].items()]
    if report["failures"]:
        lines += ["", "Failed tests:", ""]
        lines += ["- %s: %s" % (f["test"], " ".join(f["says"].split())) for f in report["failures"]]
    if report["golden"]:
        lines += ["", "Golden nets:", ""] + ["    " + line for line in report["golden"]]
    return "\n".join(lines) + "\n"


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--steps", type=pathlib.Path, required=True, help="what the steps left")
    p.add_argument("--out", type=pathlib.Path, required=True)
    a = p.parse_args()
    report = collect(a.steps, a.out)
    (a.out / "gpu_report.json").write_text(json.dumps(report, indent=1) + "\n")
    (a.out / "gpu_report.md").write_text(markdown(report))


if __name__ == "__main__":
    main()
