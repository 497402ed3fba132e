-- +goose Up
-- Events form a chain: each holds the hash of the one before. One without a
-- number was written by an older version and has yet to be put into it.
ALTER TABLE events ADD COLUMN seq INTEGER; -- place in the chain, from 1
ALTER TABLE events ADD COLUMN previous TEXT NOT NULL DEFAULT '';
ALTER TABLE events ADD COLUMN hash TEXT NOT NULL DEFAULT '';
ALTER TABLE events ADD COLUMN address TEXT NOT NULL DEFAULT '';
ALTER TABLE events ADD COLUMN request TEXT NOT NULL DEFAULT '';
ALTER TABLE events ADD COLUMN via TEXT NOT NULL DEFAULT '';
ALTER TABLE events ADD COLUMN before TEXT NOT NULL DEFAULT ''; -- JSON; '' for nothing
ALTER TABLE events ADD COLUMN after TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX events_seq ON events (seq) WHERE seq IS NOT NULL;
CREATE INDEX events_unchained ON events (id) WHERE seq IS NULL;
CREATE INDEX events_actor ON events (actor, id);
CREATE INDEX events_action ON events (action, id);
CREATE INDEX events_subject ON events (subject, id);
CREATE INDEX events_at ON events (at);
CREATE INDEX events_request ON events (request) WHERE request <> '';
CREATE INDEX events_address ON events (address, id) WHERE address <> '';

-- The end of the chain. Who writes events holds this row until the commit.
CREATE TABLE audit_head (
    id           INTEGER PRIMARY KEY CHECK (id = 1),
    installation TEXT NOT NULL, -- made up once
    seq          INTEGER NOT NULL, -- of the last event
    hash         TEXT NOT NULL
);

-- What signs statements about the chain.
CREATE TABLE audit_keys (
    number     INTEGER PRIMARY KEY, -- from 1
    id         TEXT NOT NULL UNIQUE,
    public     BLOB NOT NULL,
    private    BLOB, -- sealed; NULL once it has retired
    by_key     TEXT NOT NULL, -- that vouches for it; '' for the first
    signature  BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    retired_at INTEGER
);
CREATE UNIQUE INDEX audit_keys_in_use ON audit_keys ((retired_at IS NULL)) WHERE retired_at IS NULL;

CREATE TABLE audit_checkpoints (
    seq        INTEGER PRIMARY KEY,
    hash       TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    key_id     TEXT NOT NULL,
    signature  BLOB NOT NULL
);

-- What was removed in order.
CREATE TABLE audit_drops (
    to_seq     INTEGER PRIMARY KEY,
    from_seq   INTEGER NOT NULL,
    previous   TEXT NOT NULL,
    hash       TEXT NOT NULL,
    digest     TEXT NOT NULL, -- of the hashes of all of them
    created_at INTEGER NOT NULL,
    key_id     TEXT NOT NULL,
    signature  BLOB NOT NULL
);

-- To where the log is sent on.
CREATE TABLE audit_forwarders (
    name          TEXT PRIMARY KEY,
    kind          TEXT NOT NULL CHECK (kind IN ('syslog', 'http', 's3')),
    address       TEXT NOT NULL, -- without secrets, to be shown
    config        BLOB NOT NULL, -- sealed
    seq           INTEGER NOT NULL, -- the last event that was taken there
    paused        BOOLEAN NOT NULL,
    error         TEXT NOT NULL,
    failing_since INTEGER,
    sent_at       INTEGER,
    created_by    TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL
);

-- Nobody changes or removes an event of the chain but in order.
-- +goose StatementBegin
CREATE TRIGGER events_stay_as_they_are BEFORE UPDATE ON events WHEN OLD.seq IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'an event in the audit log stays as it is');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER events_stay BEFORE DELETE ON events WHEN OLD.seq > (SELECT coalesce(max(to_seq), 0) FROM audit_drops)
BEGIN
    SELECT RAISE(ABORT, 'an event stays in the audit log');
END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER events_stay;
DROP TRIGGER events_stay_as_they_are;
DROP TABLE audit_forwarders;
DROP TABLE audit_drops;
DROP TABLE audit_checkpoints;
DROP TABLE audit_keys;
DROP TABLE audit_head;
DROP INDEX events_address;
DROP INDEX events_request;
DROP INDEX events_at;
DROP INDEX events_subject;
DROP INDEX events_action;
DROP INDEX events_actor;
DROP INDEX events_unchained;
DROP INDEX events_seq;
ALTER TABLE events DROP COLUMN after;
ALTER TABLE events DROP COLUMN before;
ALTER TABLE events DROP COLUMN via;
ALTER TABLE events DROP COLUMN request;
ALTER TABLE events DROP COLUMN address;
ALTER TABLE events DROP COLUMN hash;
ALTER TABLE events DROP COLUMN previous;
ALTER TABLE events DROP COLUMN seq;
