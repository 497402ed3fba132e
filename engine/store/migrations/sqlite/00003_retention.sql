-- +goose Up
ALTER TABLE stacks ADD COLUMN hold_by TEXT NOT NULL DEFAULT '';
ALTER TABLE stacks ADD COLUMN hold_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE stacks ADD COLUMN hold_at INTEGER; -- NULL without a legal hold
ALTER TABLE runs ADD COLUMN purged_at INTEGER; -- when log and plan were removed
CREATE TABLE chores (
    name   TEXT PRIMARY KEY,
    due_at INTEGER NOT NULL
);

-- +goose Down
DROP TABLE chores;
ALTER TABLE runs DROP COLUMN purged_at;
ALTER TABLE stacks DROP COLUMN hold_at;
ALTER TABLE stacks DROP COLUMN hold_reason;
ALTER TABLE stacks DROP COLUMN hold_by;
