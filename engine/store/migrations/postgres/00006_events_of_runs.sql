-- +goose Up
CREATE INDEX events_run ON events (run_id) WHERE run_id <> '';

-- +goose Down
DROP INDEX events_run;
