-- +goose Up
-- Which stacks read the outputs of which, by their newest revisions.
CREATE TABLE stack_upstreams (
    stack    TEXT NOT NULL REFERENCES stacks (name) ON DELETE CASCADE,
    upstream TEXT NOT NULL,
    follows  BOOLEAN NOT NULL, -- starts a run when an output changes
    outputs  TEXT NOT NULL,
    seen     TEXT NOT NULL, -- keyed digest of each output
    seen_run TEXT NOT NULL, -- that last changed the upstream when it was looked at
    PRIMARY KEY (stack, upstream)
);
CREATE INDEX stack_upstreams_upstream ON stack_upstreams (upstream);
ALTER TABLE stacks ADD COLUMN changed_run TEXT NOT NULL DEFAULT ''; -- the last that changed it
ALTER TABLE runs ADD COLUMN origin TEXT NOT NULL DEFAULT ''; -- run that it follows from
CREATE UNIQUE INDEX runs_origin ON runs (stack, origin) WHERE origin <> '';
-- One more cause; as SQLite has to do it, so that dumps are alike.
ALTER TABLE runs ADD COLUMN cause_new TEXT NOT NULL DEFAULT 'manual' CHECK (cause_new IN ('manual', 'schedule', 'drift', 'upstream'));
UPDATE runs SET cause_new = cause;
ALTER TABLE runs DROP COLUMN cause;
ALTER TABLE runs RENAME COLUMN cause_new TO cause;

-- Machines that playbooks were run on.
CREATE TABLE hosts (
    id          TEXT PRIMARY KEY,
    stack       TEXT NOT NULL REFERENCES stacks (name) ON DELETE CASCADE,
    component   TEXT NOT NULL, -- whose inventory it is in
    name        TEXT NOT NULL,
    address     TEXT NOT NULL,
    port        INTEGER NOT NULL,
    user_name   TEXT NOT NULL,
    group_names TEXT NOT NULL,
    made_by     TEXT NOT NULL, -- Terraform component
    resource    TEXT NOT NULL,
    resource_id TEXT NOT NULL,
    host_keys   TEXT NOT NULL,
    keys_at     BIGINT,
    facts       BYTEA, -- sealed
    facts_at    BIGINT,
    first_run   TEXT NOT NULL,
    last_run    TEXT NOT NULL,
    first_seen  BIGINT NOT NULL,
    last_seen   BIGINT NOT NULL,
    retired_at  BIGINT,
    retired_why TEXT NOT NULL
);
CREATE UNIQUE INDEX hosts_in_use ON hosts (stack, component, name) WHERE retired_at IS NULL;

-- Values that stacks share.
CREATE TABLE variable_sets (
    name        TEXT PRIMARY KEY,
    description TEXT NOT NULL,
    stacks      TEXT NOT NULL, -- names and patterns
    updated_by  TEXT NOT NULL,
    updated_at  BIGINT NOT NULL
);
CREATE TABLE set_variables (
    set_name   TEXT NOT NULL REFERENCES variable_sets (name) ON DELETE CASCADE,
    kind       TEXT NOT NULL CHECK (kind IN ('input', 'environment')),
    name       TEXT NOT NULL,
    secret     BOOLEAN NOT NULL,
    value      BYTEA NOT NULL, -- sealed
    updated_by TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (set_name, kind, name)
);

-- +goose Down
DROP TABLE set_variables;
DROP TABLE variable_sets;
DROP TABLE hosts;
ALTER TABLE runs ADD COLUMN cause_old TEXT NOT NULL DEFAULT 'manual' CHECK (cause_old IN ('manual', 'schedule', 'drift'));
UPDATE runs SET cause_old = CASE cause WHEN 'upstream' THEN 'manual' ELSE cause END;
ALTER TABLE runs DROP COLUMN cause;
ALTER TABLE runs RENAME COLUMN cause_old TO cause;
DROP INDEX runs_origin;
ALTER TABLE runs DROP COLUMN origin;
ALTER TABLE stacks DROP COLUMN changed_run;
DROP TABLE stack_upstreams;
