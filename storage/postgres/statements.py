"""Statements that stand for themselves: leases, epochs, the marks of living processes."""

from __future__ import annotations

from storage.postgres.flushing import columns_of

_NOW = "coalesce({0}::float8, extract(epoch FROM clock_timestamp())::float8)"
_OUTBOX = ", ".join(f'o."{name}"' for name in columns_of("outbox"))

# Free rows: the first of each lane, and all others; taken in the statement that finds them.
_HEADS = f"""
SELECT o.id FROM (SELECT min(id) AS id FROM outbox WHERE state = 0 AND lane = 1 GROUP BY conversation) AS h
JOIN outbox o ON o.id = h.id
WHERE o.state = 0 AND o.not_before <= {_NOW.format("$1")} AND o.lease_until <= {_NOW.format("$1")}
AND o.channel <> ALL($5::text[]) ORDER BY o.id LIMIT $2 FOR NO KEY UPDATE OF o SKIP LOCKED"""
_ASIDE = f"""
SELECT o.id FROM outbox o WHERE o.state = 0 AND o.lane = 0 AND o.not_before <= {_NOW.format("$1")}
AND o.lease_until <= {_NOW.format("$1")} AND $6::boolean
ORDER BY o.not_before LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED"""
LEASE_ROWS = f"""
WITH heads AS ({_HEADS}), aside AS ({_ASIDE}),
free AS (SELECT id FROM heads UNION ALL SELECT id FROM aside ORDER BY id LIMIT $2)
UPDATE outbox AS o SET lease_owner = $3, lease_until = {_NOW.format("$1")} + $4 FROM free WHERE o.id = free.id
RETURNING {_OUTBOX}"""
CHANNELS = "SELECT DISTINCT channel FROM outbox WHERE state = 0 AND lane = 1"
FREE_ROWS = "UPDATE outbox SET lease_owner = '', lease_until = 0 WHERE id = ANY($1::bigint[]) AND state = 0 AND lease_owner = $2"
TARGETS = "SELECT id, platform_ids FROM outbox WHERE id = ANY($1::bigint[])"
VERSIONS = "SELECT id, version FROM conversations WHERE id = ANY($1::bigint[])"
EPOCHS = "SELECT id, epoch FROM conversations WHERE id = ANY($1::bigint[])"
HOLD = f"""
INSERT INTO leases AS l (name, owner, epoch, until) VALUES ($2, $3, 1, {_NOW.format("$1")} + $4)
ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until,
epoch = l.epoch + CASE WHEN l.owner = excluded.owner THEN 0 ELSE 1 END
WHERE l.owner = excluded.owner OR l.until <= {_NOW.format("$1")} RETURNING epoch"""
RELEASE = "UPDATE leases SET owner = '', until = 0 WHERE name = $1 AND owner = $2"
NEXT_DUE = "SELECT min(due), extract(epoch FROM clock_timestamp())::float8 FROM timers WHERE due IS NOT NULL"
NOW = "SELECT extract(epoch FROM clock_timestamp())::float8"
INSTANCE = "INSERT INTO meta (name, value) VALUES ('instance', $1) ON CONFLICT (name) DO NOTHING"
META = "SELECT value FROM meta WHERE name = $1"
CHECKED = (
    "INSERT INTO meta (name, value) VALUES ('checked', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)
# Processes that ended without a word left their row, and nobody renewed it.
ALIVE = "SELECT name, until <= extract(epoch FROM clock_timestamp()) FROM leases WHERE name LIKE 'live:%'"
BURY = "DELETE FROM leases WHERE name = ANY($1::text[])"
# Every process that starts soon after one was killed must know: what killed it may kill the next.
BURY_OLD = f"{BURY} AND until <= extract(epoch FROM clock_timestamp()) - 60"
