-- +goose Up
-- Events that are of no stack may be of a project, whose auditors see them.
ALTER TABLE events ADD COLUMN project TEXT NOT NULL DEFAULT '';
CREATE INDEX events_project ON events (project, id) WHERE project <> '';

-- +goose Down
DROP INDEX events_project;
ALTER TABLE events DROP COLUMN project;
