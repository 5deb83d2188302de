-- What is true, and what is only known here. Never dropped. Prefixes (h, ref8) are hints: whole
-- values are always compared. What is folded from the operations lies in derived.sql.

CREATE TABLE key (
    a INTEGER PRIMARY KEY,
    pk BLOB NOT NULL UNIQUE
) STRICT;

CREATE TABLE op (
    rid INTEGER PRIMARY KEY,        -- the order of arrival
    id BLOB NOT NULL,
    h INTEGER NOT NULL,             -- the first 8 bytes of id
    ts INTEGER NOT NULL,            -- hlc >> 16
    log INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    a INTEGER NOT NULL,             -- the author, in key
    seq INTEGER NOT NULL,
    ref8 INTEGER NOT NULL,          -- the first 8 bytes of ref
    hdr BLOB NOT NULL,              -- 212 bytes, as signed
    body BLOB,                      -- NULL: erased
    seen INTEGER NOT NULL,          -- when it arrived, by our clock, in ms
    flags INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE UNIQUE INDEX op_order ON op (log, ts, id);   -- all that reconciling two machines reads
CREATE INDEX op_id ON op (h);
CREATE INDEX op_chain ON op (a, log, seq);
CREATE INDEX op_ref ON op (ref8);
CREATE INDEX op_front ON op (kind) WHERE log = 1 AND kind IN (16, 17);

CREATE TABLE digest (               -- the running count and sum of each log
    log INTEGER PRIMARY KEY,
    n INTEGER NOT NULL,
    sum BLOB NOT NULL               -- of the ids as little-endian numbers, mod 2^256, 32 bytes
) STRICT;
INSERT INTO digest VALUES (0, 0, zeroblob(32)), (1, 0, zeroblob(32));

CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Local: known on this machine alone.

CREATE TABLE mark (                 -- how far a thread is read
    thread INTEGER PRIMARY KEY,     -- op.rid
    at INTEGER NOT NULL,            -- the place of the last post read; -1: the opening post
    hlc INTEGER NOT NULL,
    upto INTEGER NOT NULL           -- what arrived later is unread wherever it stands
) STRICT;

CREATE TABLE draft (
    place TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    saved INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE ack (                  -- this device said that it holds this operation
    op INTEGER NOT NULL,
    device BLOB NOT NULL,
    PRIMARY KEY (op, device)
) STRICT, WITHOUT ROWID;

CREATE TABLE stream_cursor (        -- how far a first sync from a peer has come
    peer BLOB NOT NULL,
    log INTEGER NOT NULL,
    cursor BLOB NOT NULL,
    PRIMARY KEY (peer, log)
) STRICT, WITHOUT ROWID;

CREATE TABLE gone_import (          -- own imported posts that were deleted: not brought in again
    site TEXT NOT NULL,
    post TEXT NOT NULL,
    op INTEGER NOT NULL,
    PRIMARY KEY (site, post)
) STRICT, WITHOUT ROWID;

CREATE TABLE met (                  -- peers met: where, how, when last heard
    device BLOB NOT NULL,
    address TEXT NOT NULL,
    path TEXT NOT NULL,
    heard INTEGER NOT NULL,
    PRIMARY KEY (device, address)
) STRICT, WITHOUT ROWID;

CREATE TABLE invited (              -- addresses that came with the invite
    address TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TABLE html (                 -- what was rendered from a version at its first reading
    op INTEGER PRIMARY KEY,
    renderer INTEGER NOT NULL,
    html TEXT NOT NULL
) STRICT;

CREATE TABLE chore (                -- still owed after an erasure
    name TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
