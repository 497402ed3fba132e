-- +goose Up
-- The rules over the stacks of a project; those of project '' are over all stacks.
CREATE TABLE policies (
    project    TEXT PRIMARY KEY,
    source     TEXT NOT NULL, -- as it was written
    rule       TEXT NOT NULL,
    updated_by TEXT NOT NULL,
    updated_at INTEGER NOT NULL
);
ALTER TABLE revisions ADD COLUMN person TEXT NOT NULL DEFAULT ''; -- behind the author
ALTER TABLE runs ADD COLUMN starters TEXT NOT NULL DEFAULT '[]';
ALTER TABLE runs ADD COLUMN authors TEXT NOT NULL DEFAULT '[]';
ALTER TABLE runs ADD COLUMN covered TEXT NOT NULL DEFAULT '[]';
ALTER TABLE runs ADD COLUMN glass TEXT NOT NULL DEFAULT '{}';
ALTER TABLE runs ADD COLUMN release_at INTEGER; -- when the freeze ends that an approved plan waits for
CREATE INDEX runs_release ON runs (release_at) WHERE release_at IS NOT NULL;
-- Who changes what a stack is planned with is an author of the plan.
CREATE INDEX events_variables ON events (at) WHERE action IN ('variable.set', 'variable.unset',
    'variable-set.set', 'variable-set.unset', 'variable-set.put', 'variable-set.delete');

-- +goose Down
DROP INDEX events_variables;
DROP INDEX runs_release;
ALTER TABLE runs DROP COLUMN release_at;
ALTER TABLE runs DROP COLUMN glass;
ALTER TABLE runs DROP COLUMN covered;
ALTER TABLE runs DROP COLUMN authors;
ALTER TABLE runs DROP COLUMN starters;
ALTER TABLE revisions DROP COLUMN person;
DROP TABLE policies;
