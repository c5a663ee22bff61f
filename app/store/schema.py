"""The tables of `traces.db`, schema by schema, and the meaning of every number in them.

Conventions. Times are UTC microseconds (`_us`), money is nano-USD, unknown is NULL and never 0. Names, models,
providers and session ids are rows of `str`. Row ids are AUTOINCREMENT where a cache outside this file remembers them:
an id is never given twice. Payload bytes live in `body` and `item` only.
"""

from typing import Final

SPAN_INFERRED: Final = 1
"""span.flags: drawn from the wire by us, stated by nobody."""

CALL_STREAM: Final = 1
"""call.flags: the answer came as a stream (`timing` has its pieces)."""
CALL_RETRIED: Final = 2
"""call.flags: more than one attempt was made."""
CALL_ESTIMATED: Final = 4
"""call.flags: the token counts are ours, not the provider's."""
CALL_UNPRICED: Final = 8
"""call.flags: it ended, it cost something, and we do not know how much."""

TRACE_SESSION_STATED: Final = 1
"""trace.flags: the client said which session it belongs to."""

BODY_INLINE: Final = 0
"""body.form: `data` is the body; `tpl` 0 says as it is, else zstd with the dictionary zdict.id = tpl."""
BODY_SPLIT: Final = 1
"""body.form: `tpl` is the item id of the template; `data` list counts and item ids (see `references`)."""
BODY_EDIT: Final = 3
"""body.form: the body with id `tpl`, where bytes [start, end) became a text; `data`: varints start, end, then text."""
BODY_QUOTE: Final = 4
"""body.form: a JSON string's text: bytes [start, end) of the item `tpl`, unescaped; `data`: varints start, end."""

SCHEMA_1: Final = """
CREATE TABLE zdict (                   -- zstd dictionaries, versioned; never changed, never deleted
  id   INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,                  -- 'payload'
  data BLOB NOT NULL
) STRICT;

CREATE TABLE str (                     -- interned text: names, models, providers, sessions
  id INTEGER PRIMARY KEY,
  s  TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE item (                    -- pieces of bodies and their templates, each stored once
  id    INTEGER PRIMARY KEY AUTOINCREMENT,
  hash  BLOB    NOT NULL,              -- first 16 bytes of the sha256 of the piece
  enc   INTEGER NOT NULL,              -- 0 as it is, else zstd with the dictionary zdict.id = enc
  len   INTEGER NOT NULL,              -- bytes of the piece, uncompressed
  epoch INTEGER NOT NULL,              -- day (since 1970) of its last use; deleted by it, see `retention`
  data  BLOB    NOT NULL
) STRICT;
CREATE UNIQUE INDEX item_hash ON item(hash);
CREATE INDEX item_epoch ON item(epoch);

CREATE TABLE body (                    -- one payload: request, answer, attributes
  id   INTEGER PRIMARY KEY AUTOINCREMENT,
  form INTEGER NOT NULL,               -- BODY_INLINE, _SPLIT, _EDIT, _QUOTE (2 is kept for external files)
  tpl  INTEGER NOT NULL,               -- means what `form` says
  len  INTEGER NOT NULL,               -- bytes of the whole body, uncompressed
  data BLOB    NOT NULL
) STRICT;

CREATE TABLE trace (                   -- an aggregate of its spans, kept exact in every commit
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  tid        BLOB    NOT NULL UNIQUE,  -- 16 bytes
  session    INTEGER,                  -- str; newest one named by a call
  name       INTEGER,                  -- str
  root       INTEGER,                  -- span.id: the earliest span without a parent
  status     INTEGER NOT NULL,         -- models.span.Status: RUNNING while n_running > 0, else that of the root
  start_us   INTEGER NOT NULL,         -- earliest start of its spans
  end_us     INTEGER,                  -- latest end of its ended spans; NULL: none has ended
  n_spans    INTEGER NOT NULL,
  n_err      INTEGER NOT NULL,         -- spans of status ERROR
  n_calls    INTEGER NOT NULL,
  n_running  INTEGER NOT NULL,         -- calls that run
  n_unpriced INTEGER NOT NULL,         -- calls with CALL_UNPRICED
  n_models   INTEGER NOT NULL,         -- distinct models of its ended calls
  first_call INTEGER,                  -- call.id by (ts_us, id): its input preview and ttft stand for the trace
  last_call  INTEGER,                  -- call.id by (ts_us, id): its model, provider, key and output preview do
  tok_in     INTEGER,                  -- sums over the calls that know; NULL: none does
  tok_out    INTEGER,
  cost_nano  INTEGER,
  flags      INTEGER NOT NULL          -- TRACE_SESSION_STATED
) STRICT;
CREATE INDEX trace_start ON trace(start_us, id);
CREATE INDEX trace_session ON trace(session, start_us) WHERE session IS NOT NULL;

CREATE TABLE span (                    -- narrow: never a payload byte here
  id       INTEGER PRIMARY KEY AUTOINCREMENT,  -- arrival order
  trace    INTEGER NOT NULL,           -- trace.id
  sid      INTEGER NOT NULL,           -- the 8-byte span id as a signed integer
  psid     INTEGER,                    -- the parent's sid; it may come later, or never
  kind     INTEGER NOT NULL,           -- models.span.Kind
  name     INTEGER NOT NULL,           -- str
  status   INTEGER NOT NULL,           -- models.span.Status
  flags    INTEGER NOT NULL,           -- SPAN_INFERRED
  start_us INTEGER NOT NULL,
  dur_us   INTEGER,                    -- NULL: runs, or was interrupted
  inp      INTEGER,                    -- body.id; NULL for calls: theirs are in `call`
  outp     INTEGER,
  attrs    INTEGER                     -- body.id: see `attributes` for a call, else the span's own JSON object
) STRICT;
CREATE UNIQUE INDEX span_trace ON span(trace, sid);

CREATE TABLE call (                    -- one row a gateway call, id = span.id: every column a list or chart asks for
  id        INTEGER PRIMARY KEY,
  ts_us     INTEGER NOT NULL,          -- start
  trace     INTEGER NOT NULL,          -- trace.id
  session   INTEGER,                   -- str
  thread    INTEGER,                   -- sid of the first call of the chain this one extends; NULL: its own first
  model     INTEGER,                   -- str: as answered, else as asked
  provider  INTEGER,                   -- str
  key       INTEGER,                   -- vkey.id
  name      INTEGER,                   -- str
  path      INTEGER,                   -- str: what the client asked for, without its query
  status    INTEGER,                   -- HTTP status the client got; NULL: running, or it left before the head
  flags     INTEGER NOT NULL,          -- CALL_STREAM, CALL_RETRIED, CALL_ESTIMATED, CALL_UNPRICED
  dur_us    INTEGER,                   -- NULL: runs, or was interrupted
  ttft_us   INTEGER,                   -- start to the first byte of the answer's body
  tok_in    INTEGER,
  tok_out   INTEGER,
  tok_cache INTEGER,                   -- cache reads, part of tok_in
  cost_nano INTEGER,
  rid       TEXT    NOT NULL,          -- the request id the client was given
  req       INTEGER,                   -- body.id: what the client sent; NULL: nothing
  resp      INTEGER,                   -- body.id: what the client got; NULL: nothing
  up_req    INTEGER,                   -- body.id: what went upstream; NULL: the same as req
  up_resp   INTEGER,                   -- body.id: what came from upstream; NULL: the same as resp
  timing    BLOB                       -- see `timing`; NULL: no stream
) STRICT;
CREATE INDEX call_ts ON call(ts_us);
CREATE INDEX call_err ON call(ts_us) WHERE status >= 400;
CREATE INDEX call_thread ON call(thread) WHERE thread IS NOT NULL;

CREATE TABLE preview (                 -- what a list shows of a span's payloads; one line each, at most 200 characters
  id   INTEGER PRIMARY KEY,            -- span.id
  inp  TEXT NOT NULL,
  outp TEXT NOT NULL
) STRICT;

CREATE TABLE chain (                   -- how the next call of a conversation finds this one
  hash  INTEGER PRIMARY KEY,           -- Placement.chain_hash; the newest call with it wins
  call  INTEGER NOT NULL,              -- call.id
  enc   INTEGER NOT NULL,              -- of facts: 0 as they are, else zdict.id
  len   INTEGER NOT NULL,              -- of facts, uncompressed
  facts BLOB NOT NULL                  -- msgpack [n_messages, [[id, name, arguments] of the tool calls it answered]]
) STRICT;
CREATE INDEX chain_call ON chain(call);

CREATE TABLE item_use (                -- where a request's message ENTERS a thread: from a search hit to its call;
                                       -- nothing for bodies kept inline, nor for answers: read those of `fresh` spans
  item INTEGER NOT NULL,
  span INTEGER NOT NULL,
  PRIMARY KEY (item, span)
) STRICT, WITHOUT ROWID;
CREATE INDEX item_use_span ON item_use(span);

CREATE TABLE fresh (                   -- ended spans whose text search.db has not seen; the indexer deletes its rows
  span INTEGER PRIMARY KEY
) STRICT;

CREATE TABLE gone (                    -- items retention deleted that search.db may still list; the indexer clears it
  item INTEGER PRIMARY KEY
) STRICT;

CREATE TABLE vkey (                    -- virtual keys; the key itself is never kept
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  name         TEXT    NOT NULL,
  sha256       BLOB    NOT NULL UNIQUE,
  hint         TEXT    NOT NULL,
  created_us   INTEGER NOT NULL,
  revoked_us   INTEGER,
  last_used_us INTEGER
) STRICT;

CREATE TABLE tagged (
  tag  INTEGER NOT NULL,               -- str
  span INTEGER NOT NULL,
  PRIMARY KEY (tag, span)
) STRICT, WITHOUT ROWID;
CREATE TABLE score (
  span INTEGER NOT NULL, ev INTEGER NOT NULL, val REAL, label INTEGER, note INTEGER, PRIMARY KEY (span, ev)
) STRICT, WITHOUT ROWID;
CREATE TABLE run (
  id INTEGER PRIMARY KEY, exp INTEGER NOT NULL, example INTEGER NOT NULL, rep INTEGER NOT NULL, span INTEGER,
  err INTEGER, UNIQUE (exp, example, rep)
) STRICT;

CREATE TABLE colseg (                  -- sealed column segments of `call`, rebuildable; a late change of one of its
  seg  INTEGER PRIMARY KEY,            -- calls deletes the segment
  lo   INTEGER NOT NULL,               -- first and last call.id it covers
  hi   INTEGER NOT NULL,
  n    INTEGER NOT NULL,
  ver  INTEGER NOT NULL,
  cols BLOB NOT NULL
) STRICT;
CREATE TABLE skel (                    -- packed trees of big traces, rebuildable; a change of the trace deletes it
  trace INTEGER PRIMARY KEY,
  n     INTEGER NOT NULL,
  ver   INTEGER NOT NULL,
  cols  BLOB NOT NULL
) STRICT;
"""

SCHEMA_2: Final = """
CREATE TABLE response (                -- responses kept for providers that keep none; the bytes are the call's
  id           TEXT PRIMARY KEY,       -- as the client was told it
  call         INTEGER NOT NULL,       -- call.id
  owner        TEXT    NOT NULL,       -- who may ask for it
  previous     TEXT,                   -- response.id that it goes on from
  conversation TEXT                    -- conversation.id
) STRICT, WITHOUT ROWID;
CREATE INDEX response_call ON response(call);
CREATE INDEX response_conversation ON response(conversation) WHERE conversation IS NOT NULL;

CREATE TABLE conversation (
  id         TEXT PRIMARY KEY,
  owner      TEXT    NOT NULL,
  created_us INTEGER NOT NULL,
  used_us    INTEGER NOT NULL,         -- when something last came into it; it is forgotten by this
  metadata   TEXT    NOT NULL          -- a JSON object
) STRICT, WITHOUT ROWID;

CREATE TABLE conversation_item (       -- what a client put into a conversation itself, or took out of it
  conversation TEXT    NOT NULL,
  id           TEXT    NOT NULL,       -- the item's own
  ts_us        INTEGER NOT NULL,
  place        INTEGER NOT NULL,       -- among those that came together
  body         INTEGER,                -- body.id; NULL: the item, whoever put it there, was taken out
  PRIMARY KEY (conversation, id)
) STRICT, WITHOUT ROWID;
"""
