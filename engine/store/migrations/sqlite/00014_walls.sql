-- +goose Up
-- What the sandbox held around the step's last phase, in words.
ALTER TABLE steps ADD COLUMN walls TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE steps DROP COLUMN walls;
