-- +goose Up
-- Who may do what: projects, teams, roles and who is given which.
CREATE TABLE directory (
    version BIGINT PRIMARY KEY -- the highest counts
);
CREATE TABLE projects (
    name        TEXT PRIMARY KEY,
    description TEXT NOT NULL
);
CREATE TABLE teams (
    name        TEXT PRIMARY KEY,
    description TEXT NOT NULL
);
CREATE TABLE team_members (
    team      TEXT NOT NULL,
    user_name TEXT NOT NULL,
    source    TEXT NOT NULL, -- who says so: an identity provider, or '' for people here
    PRIMARY KEY (team, user_name, source)
);
CREATE TABLE roles (
    name        TEXT PRIMARY KEY,
    description TEXT NOT NULL,
    permissions TEXT NOT NULL
);
CREATE TABLE bindings (
    kind    TEXT NOT NULL CHECK (kind IN ('user', 'team')),
    subject TEXT NOT NULL,
    role    TEXT NOT NULL,
    project TEXT NOT NULL, -- '' for the whole installation
    stack   TEXT NOT NULL,
    PRIMARY KEY (kind, subject, role, project, stack),
    CHECK (stack = '' OR project <> '')
);
-- The column role of users is not read any more. Who could approve could start runs, too.
INSERT INTO bindings (kind, subject, role, project, stack)
    SELECT 'user', name, CASE role WHEN 'approver' THEN 'operator' ELSE role END, '', '' FROM users;
INSERT INTO bindings (kind, subject, role, project, stack) SELECT 'user', name, 'approver', '', '' FROM users WHERE role = 'approver';
INSERT INTO bindings (kind, subject, role, project, stack) SELECT 'user', name, 'deployer', '', '' FROM users WHERE role = 'approver';
-- From now on the name of a stack says its project, up to the first dot.
INSERT INTO projects (name, description) SELECT DISTINCT substr(name, 1, instr(name, '.') - 1), '' FROM stacks WHERE instr(name, '.') > 0;

-- +goose Down
DROP TABLE bindings;
DROP TABLE roles;
DROP TABLE team_members;
DROP TABLE teams;
DROP TABLE projects;
DROP TABLE directory;
