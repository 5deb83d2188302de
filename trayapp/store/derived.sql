-- The board: folded from the operations, dropped and folded anew whenever this file changes.
-- Rows are those of forum/rows.py; numbers are op.rid.

DROP TABLE IF EXISTS post;
CREATE TABLE post (
    rid INTEGER PRIMARY KEY,
    level INTEGER NOT NULL,
    parent INTEGER,
    at INTEGER NOT NULL,
    hlc INTEGER NOT NULL,
    a INTEGER NOT NULL,
    state INTEGER NOT NULL,
    shown INTEGER NOT NULL,
    conflict INTEGER NOT NULL,
    twin INTEGER
) STRICT;
CREATE INDEX post_place ON post (parent, at, hlc, a, state) WHERE parent IS NOT NULL;
CREATE INDEX post_subnet ON post (rid) WHERE level = 1;
CREATE INDEX post_twin ON post (twin) WHERE twin IS NOT NULL;

DROP TABLE IF EXISTS thread;
CREATE TABLE thread (
    rid INTEGER PRIMARY KEY,
    subnet INTEGER,
    listed INTEGER NOT NULL,
    replies INTEGER NOT NULL,
    unread INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    last_hlc INTEGER NOT NULL,
    last INTEGER NOT NULL
) STRICT;
-- What the conditions name stands in the indexes too: SQLite counts from them alone then.
CREATE INDEX thread_in_subnet ON thread (subnet, last_at, last_hlc, listed) WHERE listed;
CREATE INDEX thread_recent ON thread (last_at, last_hlc) WHERE listed;
CREATE INDEX thread_unread ON thread (subnet, listed, unread) WHERE listed AND unread > 0;

DROP TABLE IF EXISTS version;
CREATE TABLE version (
    post INTEGER NOT NULL,
    rid INTEGER NOT NULL,
    bases BLOB NOT NULL,            -- the ids it replaces, 32 bytes each
    head INTEGER NOT NULL,
    PRIMARY KEY (post, rid)
) STRICT, WITHOUT ROWID;

DROP TABLE IF EXISTS reaction;
CREATE TABLE reaction (
    ref8 INTEGER NOT NULL,
    a INTEGER NOT NULL,
    emoji TEXT NOT NULL,
    ref BLOB NOT NULL,
    given INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    hlc INTEGER NOT NULL,
    id BLOB NOT NULL,
    PRIMARY KEY (ref8, a, emoji, ref)
) STRICT, WITHOUT ROWID;

DROP TABLE IF EXISTS person;
CREATE TABLE person (
    a INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    bio TEXT NOT NULL,
    seq INTEGER NOT NULL,
    hlc INTEGER NOT NULL,
    id BLOB NOT NULL
) STRICT;

DROP TABLE IF EXISTS source;
CREATE TABLE source (               -- live imported posts
    rid INTEGER PRIMARY KEY,
    h INTEGER NOT NULL,             -- 8 bytes of the hash of (site, post)
    site TEXT NOT NULL,
    post TEXT NOT NULL
) STRICT;
CREATE INDEX source_key ON source (h);

DROP TABLE IF EXISTS unindexed;
CREATE TABLE unindexed (            -- posts whose words search does not know yet
    rid INTEGER PRIMARY KEY
) STRICT;

-- No text, no positions, no sizes of its own: 80 to 150 bytes a post instead of 350 to 650, and half
-- the time. Row numbers are `day << 31 | rid`: see search.py.
DROP TABLE IF EXISTS search;
CREATE VIRTUAL TABLE search USING fts5 (
    words, content = '', detail = none, columnsize = 0,
    tokenize = 'unicode61 remove_diacritics 2'
);
