-- +goose Up
CREATE TABLE beats (
    part  TEXT PRIMARY KEY,
    count BIGINT NOT NULL
);

-- +goose Down
DROP TABLE beats;
