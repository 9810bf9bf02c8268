#!/bin/sh
# Installs what the tests need of the system and is missing: Chromium (web chat), Redis (only the bench, on request).
set -eu
want=""
command -v chromium >/dev/null 2>&1 || want="chromium"
if [ "${1:-}" = redis ]; then command -v redis-server >/dev/null 2>&1 || want="$want redis-server"; fi
[ -z "$want" ] && exit 0
sudo=""
[ "$(id -u)" = 0 ] || sudo="sudo"
echo "installing: $want"
$sudo apt-get update -qq
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $want >/dev/null
