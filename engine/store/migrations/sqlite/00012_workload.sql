-- +goose Up
ALTER TABLE credentials ADD COLUMN kind TEXT NOT NULL DEFAULT 'environment' CHECK (kind IN ('environment', 'aws-static',
    'aws-assume-role', 'aws-web-identity', 'azure-service-principal', 'azure-federated', 'gcp-service-account-key', 'gcp-workload-identity'));
ALTER TABLE credentials ADD COLUMN fields TEXT NOT NULL DEFAULT '{}'; -- JSON
ALTER TABLE credentials ADD COLUMN plan TEXT NOT NULL DEFAULT ''; -- JSON: fields and names of values; '' where plans have none of their own
ALTER TABLE credentials ADD COLUMN plan_secret BLOB; -- sealed
CREATE TABLE issuer_keys (
    number     BIGINT PRIMARY KEY,
    id         TEXT NOT NULL UNIQUE, -- RFC 7638
    private    BLOB NOT NULL, -- sealed
    created_at INTEGER NOT NULL,
    signs_at   INTEGER NOT NULL
);

-- +goose Down
DROP TABLE issuer_keys;
ALTER TABLE credentials DROP COLUMN plan_secret;
ALTER TABLE credentials DROP COLUMN plan;
ALTER TABLE credentials DROP COLUMN fields;
ALTER TABLE credentials DROP COLUMN kind;
