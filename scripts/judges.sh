#!/bin/sh
# Sees to the Nu HTML checker for the journeys (a jar in an npm package, run by Java); never fails: without it they say so.
set -u
target=.venv/judges
test -f "$target/vnu.jar" && exit 0
command -v java >/dev/null 2>&1 && command -v npm >/dev/null 2>&1 || { echo "No Java or no npm: the Nu checker will be skipped. Install both to have it."; exit 0; }
mkdir -p "$target" && cd "$target" || exit 0
npm pack --silent vnu-jar@26.9.27 >/dev/null 2>&1 && tar xzf vnu-jar-*.tgz && cp package/build/dist/vnu.jar . && rm -rf package vnu-jar-*.tgz && exit 0
echo "The Nu checker could not be fetched: its check will be skipped."
exit 0
