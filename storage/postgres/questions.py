"""What is asked for a group of units: locks, then what they protect. `loading` says when."""

from __future__ import annotations

from storage.postgres.flushing import columns_of

LANE_AHEAD = 2  # rows of a lane that are loaded behind the one that gets its verdict

_STATE = "c.id, c.version, c.epoch, c.client, c.state"
_OUTBOX = ", ".join(f'o."{name}"' for name in columns_of("outbox"))
_INBOX = ", ".join(f'i."{name}"' for name in columns_of("inbox"))
_TEXTS, _IDS = "::text[]", "::bigint[]"
NOW = "extract(epoch FROM clock_timestamp())::float8"

LOCK_CHATS = f"""
SELECT k.n, {_STATE} FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS k(channel, account, chat, n),
LATERAL (SELECT * FROM conversations c WHERE c.channel = k.channel AND c.account = k.account AND c.chat = k.chat
FOR NO KEY UPDATE SKIP LOCKED) c"""
LOCK_HOMES = f"""
SELECT {_STATE} FROM unnest($1::bigint[]) AS k(id),
LATERAL (SELECT * FROM conversations c WHERE c.id = k.id FOR NO KEY UPDATE) c"""
_NOT_LOCKED = "SELECT id FROM conversations WHERE id = r.conversation FOR NO KEY UPDATE SKIP LOCKED"
_GIVEN = f"coalesce($1::float8, {NOW})"
# The oldest first, looked for among the oldest events only, so that it costs the same however many wait behind them; locked
# ones are another worker's. The second value is how many events were looked at.
CLAIM = f"""
WITH w AS MATERIALIZED (SELECT id, conversation FROM inbox WHERE state = 0 AND attempts >= 0 ORDER BY id LIMIT $3)
SELECT ARRAY(SELECT c.id FROM (
  SELECT w.conversation, min(w.id) AS first FROM w GROUP BY w.conversation ORDER BY first
) AS r, LATERAL ({_NOT_LOCKED}) c WHERE NOT EXISTS (
  SELECT FROM inbox i WHERE i.conversation = r.conversation AND i.state = 0 AND i.not_before > {_GIVEN}
) LIMIT $2), (SELECT count(*) FROM w)"""
# Among all events.
CLAIM_ANY = f"""
SELECT c.id FROM (
  SELECT i.conversation, min(i.id) AS first FROM inbox i WHERE i.state = 0 GROUP BY i.conversation
  HAVING max(i.not_before) <= {_GIVEN} ORDER BY first
) AS r, LATERAL ({_NOT_LOCKED}) c LIMIT $2"""
CLAIM_ONLY = "SELECT c.id FROM conversations c WHERE c.id = ANY($1::bigint[]) FOR NO KEY UPDATE SKIP LOCKED"
STATES = f"SELECT {_STATE} FROM conversations c WHERE c.id = ANY($1::bigint[])"
PENDING = f"""
SELECT {_INBOX} FROM unnest($1::bigint[]) AS k(conversation),
LATERAL (SELECT * FROM inbox i WHERE i.conversation = k.conversation AND i.state = 0 ORDER BY i.id LIMIT $2) i"""
_FOLLOWING = f"""unnest({{}}) AS k(conversation),
LATERAL (SELECT * FROM outbox o WHERE o.conversation = k.conversation AND o.state = 0 AND o.lane = 1
AND o.id <> ALL({{}}) ORDER BY o.id LIMIT {LANE_AHEAD}) o"""
LANES = f"SELECT {_OUTBOX} FROM {_FOLLOWING.format(f'$1{_IDS}', f'$2{_IDS}')}"
ROWS = f"SELECT {_OUTBOX} FROM outbox o WHERE o.id = ANY($1::bigint[]) ORDER BY o.id"
# Numbers are taken here, after the locks: within a conversation they grow.
_LOAD = f"""
SELECT {NOW},
ARRAY(SELECT (SELECT i.conversation FROM inbox i
  WHERE i.channel = k.channel AND i.account = k.account AND i.external_id = k.external_id)
  FROM unnest({{}}, {{}}, {{}}) AS k(channel, account, external_id)),
ARRAY(SELECT (SELECT c.id FROM conversations c WHERE c.channel = k.channel AND c.account = k.account AND c.chat = k.chat)
  FROM unnest({{}}, {{}}, {{}}) AS k(channel, account, chat)),
ARRAY(SELECT (SELECT i.client FROM identities i
  WHERE i.channel = k.channel AND i.account = k.account AND i.sender = k.sender)
  FROM unnest({{}}, {{}}, {{}}) AS k(channel, account, sender)),
ARRAY(SELECT EXISTS (SELECT 1 FROM inbox i WHERE i.conversation = k.id AND i.state = 0) FROM unnest({{}}) AS k(id)),
ARRAY(SELECT (SELECT c.card FROM clients c WHERE c.id = k.id) FROM unnest({{}}) AS k(id)),
ARRAY(SELECT CASE WHEN k.id > 0
  THEN (SELECT o.state FROM outbox o WHERE o.id = k.id FOR NO KEY UPDATE)
  ELSE (SELECT o.id FROM outbox o WHERE o.conversation = k.conversation AND o.state = 0 AND o.lane = 1
    ORDER BY o.id LIMIT 1 FOR NO KEY UPDATE) END
  FROM unnest({{}}, {{}}) AS k(conversation, id)),
ARRAY(SELECT nextval('inbox_id_seq') FROM generate_series(1, {{}})),
ARRAY(SELECT nextval('outbox_id_seq') FROM generate_series(1, {{}}))"""


def _load(events: str, chats: str, senders: str, homes: str, clients: str, held: str, counts: str) -> str:
    """`_LOAD` with its values; several of one kind have spaces between."""
    channels, accounts, names = chats.split()
    who = (channels, accounts, senders)
    return _LOAD.format(
        *events.split(), channels, accounts, names, *who, homes, clients, *held.split(), *counts.split()
    )


LOAD = _load(
    " ".join(f"${n}{_TEXTS}" for n in (1, 2, 3)),
    " ".join(f"${n}{_TEXTS}" for n in (4, 5, 6)),
    f"$7{_TEXTS}",
    f"$8{_IDS}",
    f"$9{_IDS}",
    f"$10{_IDS} $11{_IDS}",
    "$12::int $13::int",
)
FIRST_CONTACTS = """
SELECT ARRAY(SELECT nextval('conversations_id_seq') FROM generate_series(1, $1::int)),
ARRAY(SELECT nextval('clients_id_seq') FROM generate_series(1, $2::int))"""

# Writers find every row by a key. A plan made while a table was empty would read the whole of it, and is kept as it grows.
BY_KEYS = (
    "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_material = off;"
    " SET enable_bitmapscan = off;"  # what is oldest is read along its index, as far as it is wanted
)

# The first three questions in one, as a function of the session's own. A function that may write sees in each of its
# statements what was committed before that statement began, as if they had been asked one by one.
PREPARE = f"SELECT * FROM pg_temp.frontline_prepare({', '.join(f'${n}' for n in range(1, 14))})"
MAKE_PREPARE = f"""{BY_KEYS}
CREATE OR REPLACE FUNCTION pg_temp.frontline_prepare(
  channels text[], accounts text[], chats text[], senders text[],
  event_channels text[], event_accounts text[], event_keys text[],
  settled_homes bigint[], settled_ids bigint[], marked_homes bigint[], marked_ids bigint[], inbox_count int, outbox_count int,
  OUT places bigint[], OUT homes bigint[], OUT versions bigint[], OUT epochs bigint[], OUT clients bigint[], OUT states bytea[],
  OUT clock float8, OUT seen bigint[], OUT known_homes bigint[], OUT known_clients bigint[], OUT flags boolean[],
  OUT cards bytea[], OUT held bigint[], OUT inbox_ids bigint[], OUT outbox_ids bigint[], OUT following bigint[]
) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  new_channels text[] := '{{}}'; new_accounts text[] := '{{}}'; new_chats text[] := '{{}}'; new_senders text[] := '{{}}';
  held_homes bigint[] := settled_homes; held_ids bigint[] := settled_ids;
BEGIN
  IF cardinality(chats) > 0 THEN
    SELECT array_agg(l.n), array_agg(l.id), array_agg(l.version), array_agg(l.epoch), array_agg(l.client), array_agg(l.state)
    INTO places, homes, versions, epochs, clients, states FROM ({LOCK_CHATS}) AS l;
    IF cardinality(chats) > coalesce(cardinality(places), 0) THEN
      SELECT array_agg(k.channel ORDER BY k.n), array_agg(k.account ORDER BY k.n), array_agg(k.chat ORDER BY k.n),
        array_agg(k.sender ORDER BY k.n) INTO new_channels, new_accounts, new_chats, new_senders
      FROM unnest(channels, accounts, chats, senders) WITH ORDINALITY AS k(channel, account, chat, sender, n)
      WHERE k.n <> ALL(coalesce(places, '{{}}'));
    END IF;
    SELECT array_agg(h.home), array_agg(h.number) INTO held_homes, held_ids FROM (
      SELECT s.home, s.number FROM unnest(settled_homes, settled_ids) AS s(home, number)
      UNION ALL SELECT l.home, 0 FROM unnest(homes) AS l(home) ORDER BY 1, 2) AS h;
  END IF;
  {
    _load(
        "event_channels event_accounts event_keys",
        "new_channels new_accounts new_chats",
        "new_senders",
        "homes",
        "clients",
        "held_homes held_ids",
        "inbox_count outbox_count",
    )
} INTO clock, seen, known_homes, known_clients, flags, cards, held, inbox_ids, outbox_ids;
  IF cardinality(marked_ids) > 0 THEN
    following := ARRAY(SELECT o.id FROM {_FOLLOWING.format("marked_homes", "marked_ids")});
  END IF;
END $$"""
