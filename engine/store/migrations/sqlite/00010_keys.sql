-- +goose Up
ALTER TABLE data_keys ADD COLUMN purpose TEXT NOT NULL DEFAULT 'seal' CHECK (purpose IN ('seal', 'fingerprint'));
ALTER TABLE data_keys ADD COLUMN master TEXT NOT NULL DEFAULT ''; -- what it is sealed under
ALTER TABLE data_keys ADD COLUMN active_at INTEGER; -- from when on it seals
ALTER TABLE data_keys ADD COLUMN retired_at INTEGER; -- since when nothing is under it
ALTER TABLE data_keys ADD COLUMN destroyed_at INTEGER;
CREATE TABLE reseals (
    place    TEXT PRIMARY KEY, -- table.column
    key_id   BIGINT NOT NULL, -- data key that values are being sealed under
    last_row TEXT NOT NULL, -- key of the last row that was looked at
    finished BOOLEAN NOT NULL
);
ALTER TABLE idempotency_keys RENAME TO idempotency_keys_before;
CREATE TABLE idempotency_keys (
    user_name  TEXT NOT NULL,
    key        TEXT NOT NULL,
    request    TEXT NOT NULL,
    status     INTEGER NOT NULL, -- 0 while the request is being answered
    type       TEXT NOT NULL,
    body       BLOB, -- of the version before
    created_at INTEGER NOT NULL,
    answer     BLOB, -- sealed
    PRIMARY KEY (user_name, key)
);
INSERT INTO idempotency_keys (user_name, key, request, status, type, body, created_at)
    SELECT user_name, key, request, status, type, body, created_at FROM idempotency_keys_before;
DROP TABLE idempotency_keys_before;

-- +goose Down
ALTER TABLE idempotency_keys DROP COLUMN answer;
DROP TABLE reseals;
ALTER TABLE data_keys DROP COLUMN destroyed_at;
ALTER TABLE data_keys DROP COLUMN retired_at;
ALTER TABLE data_keys DROP COLUMN active_at;
ALTER TABLE data_keys DROP COLUMN master;
DELETE FROM data_keys WHERE purpose = 'fingerprint';
ALTER TABLE data_keys DROP COLUMN purpose;
