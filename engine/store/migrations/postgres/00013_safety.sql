-- +goose Up
-- Certificates of an authority, with their keys, and answers to its challenges.
CREATE TABLE certificates (
    name       TEXT PRIMARY KEY,
    data       BYTEA NOT NULL, -- sealed
    updated_at BIGINT NOT NULL
);

-- +goose Down
DROP TABLE certificates;
