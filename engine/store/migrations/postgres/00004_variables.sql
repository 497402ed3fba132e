-- +goose Up
CREATE TABLE variables (
    stack      TEXT NOT NULL REFERENCES stacks (name) ON DELETE CASCADE,
    kind       TEXT NOT NULL CHECK (kind IN ('input', 'environment')),
    name       TEXT NOT NULL,
    secret     BOOLEAN NOT NULL,
    value      BYTEA NOT NULL, -- sealed
    updated_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (stack, kind, name)
);
ALTER TABLE runs ADD COLUMN partial BOOLEAN NOT NULL DEFAULT false; -- of some components only
ALTER TABLE runs ADD COLUMN resources TEXT NOT NULL DEFAULT '{}'; -- that are to be replaced, or alone are meant

-- +goose Down
ALTER TABLE runs DROP COLUMN resources;
ALTER TABLE runs DROP COLUMN partial;
DROP TABLE variables;
