-- +goose Up
-- Who let an approved plan be applied, which none of those behind it might.
ALTER TABLE runs ADD COLUMN applier TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE runs DROP COLUMN applier;
