-- +goose Up
-- Certificates of an authority, with their keys, and answers to its challenges.
CREATE TABLE certificates (
    name       TEXT PRIMARY KEY,
    data       BLOB NOT NULL, -- sealed
    updated_at INTEGER NOT NULL
);

CREATE TABLE webhooks (
    id            TEXT PRIMARY KEY,
    name          TEXT NOT NULL UNIQUE,
    project       TEXT NOT NULL,
    stack         TEXT NOT NULL,
    url           TEXT NOT NULL,
    events        TEXT NOT NULL, -- JSON
    secrets       BLOB NOT NULL, -- sealed
    disabled_why  TEXT NOT NULL,
    failing_since INTEGER,
    created_by    TEXT NOT NULL,
    created_at    INTEGER NOT NULL
);

CREATE TABLE deliveries (
    id         TEXT PRIMARY KEY,
    webhook    TEXT NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    type       TEXT NOT NULL,
    body       TEXT NOT NULL,
    attempts   INTEGER NOT NULL,
    next_at    INTEGER, -- NULL once it is over
    status     INTEGER NOT NULL,
    error      TEXT NOT NULL,
    took       INTEGER NOT NULL, -- microseconds
    created_at INTEGER NOT NULL,
    done_at    INTEGER,
    CHECK ((next_at IS NULL) = (done_at IS NOT NULL))
);
CREATE INDEX deliveries_due ON deliveries (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX deliveries_webhook ON deliveries (webhook, id);
CREATE INDEX deliveries_done ON deliveries (done_at) WHERE done_at IS NOT NULL;

-- The event up to which messages were made. Who makes them holds the row.
CREATE TABLE webhook_cursor (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    event INTEGER NOT NULL
);

CREATE TABLE hooks (
    id         TEXT PRIMARY KEY,
    stack      TEXT NOT NULL REFERENCES stacks (name) ON DELETE CASCADE,
    name       TEXT NOT NULL,
    kind       TEXT NOT NULL CHECK (kind IN ('apply', 'preview', 'drift')),
    secrets    BLOB NOT NULL, -- sealed
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (stack, name)
);

-- Calls of hooks within the time in which they could come again.
CREATE TABLE hook_calls (
    hook    TEXT NOT NULL REFERENCES hooks (id) ON DELETE CASCADE,
    message TEXT NOT NULL,
    sent_at TEXT NOT NULL, -- as it was signed
    at      INTEGER NOT NULL,
    run     TEXT NOT NULL,
    PRIMARY KEY (hook, message, sent_at)
);
CREATE INDEX hook_calls_at ON hook_calls (at);

-- +goose Down
DROP TABLE hook_calls;
DROP TABLE hooks;
DROP TABLE webhook_cursor;
DROP TABLE deliveries;
DROP TABLE webhooks;
DROP TABLE certificates;
