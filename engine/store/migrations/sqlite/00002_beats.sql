-- +goose Up
CREATE TABLE beats (
    part  TEXT PRIMARY KEY,
    count INTEGER NOT NULL
);

-- +goose Down
DROP TABLE beats;
