-- +goose Up
ALTER TABLE users ADD COLUMN kind TEXT NOT NULL DEFAULT 'person' CHECK (kind IN ('person', 'service'));
ALTER TABLE users ADD COLUMN owner TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN must_change BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE users ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN locked_until INTEGER;

ALTER TABLE tokens ADD COLUMN permissions TEXT NOT NULL DEFAULT '[]';
ALTER TABLE tokens ADD COLUMN project TEXT NOT NULL DEFAULT '';
ALTER TABLE tokens ADD COLUMN stack TEXT NOT NULL DEFAULT '';
ALTER TABLE tokens ADD COLUMN used_from TEXT NOT NULL DEFAULT '';

ALTER TABLE sessions ADD COLUMN seen_at INTEGER;
ALTER TABLE sessions ADD COLUMN address TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN agent TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN via TEXT NOT NULL DEFAULT '';
CREATE INDEX sessions_user ON sessions (user_name);

-- Who somebody is elsewhere: an issuer's subject never means another person.
CREATE TABLE identities (
    issuer    TEXT NOT NULL,
    subject   TEXT NOT NULL,
    user_name TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    linked_at INTEGER NOT NULL,
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX identities_user ON identities (user_name);

-- A command line that waits for a person to let it in from their browser.
CREATE TABLE device_logins (
    device_hash TEXT PRIMARY KEY,
    user_code   TEXT NOT NULL UNIQUE,
    client      TEXT NOT NULL,
    address     TEXT NOT NULL,
    status      TEXT NOT NULL CHECK (status IN ('pending', 'granted', 'denied')),
    user_name   TEXT NOT NULL DEFAULT '',
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    polled_at   INTEGER,
    CHECK (status <> 'granted' OR user_name <> '')
);
CREATE INDEX device_logins_expiry ON device_logins (expires_at);

-- +goose Down
DROP TABLE device_logins;
DROP TABLE identities;
DROP INDEX sessions_user;
ALTER TABLE sessions DROP COLUMN via;
ALTER TABLE sessions DROP COLUMN agent;
ALTER TABLE sessions DROP COLUMN address;
ALTER TABLE sessions DROP COLUMN seen_at;
ALTER TABLE tokens DROP COLUMN used_from;
ALTER TABLE tokens DROP COLUMN stack;
ALTER TABLE tokens DROP COLUMN project;
ALTER TABLE tokens DROP COLUMN permissions;
ALTER TABLE users DROP COLUMN locked_until;
ALTER TABLE users DROP COLUMN failures;
ALTER TABLE users DROP COLUMN must_change;
ALTER TABLE users DROP COLUMN owner;
ALTER TABLE users DROP COLUMN kind;
