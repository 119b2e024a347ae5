"""Ask for known weaknesses of the pinned packages; where the advisory service cannot be asked, say so and go on."""

import json
import subprocess
import sys

COMMAND = ["pip_audit", "--requirement", "requirements/run.txt", "--require-hashes", "--disable-pip", "--timeout=5"]


def main() -> int:
    """0 when nothing is known against the packages, or nobody could be asked; 1 with a line for each weakness."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", *COMMAND, "--format=json", "--progress-spinner=off"],
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        packages = json.loads(done.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError, KeyError):
        packages = []
    asked = [package for package in packages if "vulns" in package]
    if not asked:
        print("dependency audit: SKIPPED, the advisory service does not answer here; run it where there is a network")
        return 0
    weak = [(package, weakness) for package in asked for weakness in package["vulns"]]
    for package, weakness in weak:
        fixed = ", ".join(weakness.get("fix_versions", [])) or "no release"
        print(f"{package['name']} {package['version']}: {weakness['id']}, mended in {fixed}")
    print(f"dependency audit: {len(asked)} packages, {len(weak)} known weaknesses")
    return 1 if weak else 0


if __name__ == "__main__":
    raise SystemExit(main())
