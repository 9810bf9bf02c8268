#!/bin/sh
# Installs what the tests need of the system and is missing: Chromium (web chat), PostgreSQL, PgBouncer, Redis (many workers),
# faketime (clocks that jump), nginx and systemd (they read what deploy/ gives them). Tests start servers of their own; none is
# left running as a service.
set -eu
# PostgreSQL's programs are not in the search path on Debian, PgBouncer is where only root looks.
has() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || [ -n "$(ls /usr/lib/postgresql/*/bin/"$1" 2>/dev/null)" ]; }
want=""
has chromium || want="$want chromium"
has initdb || want="$want postgresql"
has pgbouncer || want="$want pgbouncer"
has redis-server || want="$want redis-server"
has faketime || want="$want faketime"
has nginx || want="$want nginx-light"
has systemd-analyze || want="$want systemd"
[ -z "$want" ] && exit 0
sudo=""
[ "$(id -u)" = 0 ] || sudo="sudo"
echo "installing:$want"
# Without these two the packages would make a database of their own and start their servers at once.
common=/etc/postgresql-common
[ -e $common/createcluster.conf ] || { $sudo mkdir -p $common && echo "create_main_cluster = false" | $sudo tee $common/createcluster.conf >/dev/null; }
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
	trap '$sudo rm -f $policy' EXIT
	printf '#!/bin/sh\nexit 101\n' | $sudo tee $policy >/dev/null
	$sudo chmod +x $policy
fi
$sudo apt-get update -qq
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends -o Dpkg::Options::=--force-confold $want >/dev/null
