-- The schema on SQLite, dumped by TestSchemaIsDumped. PostgreSQL has the same tables and columns.

CREATE TABLE approvals (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id  TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    by_user TEXT NOT NULL,
    role    TEXT NOT NULL,
    verdict TEXT NOT NULL CHECK (verdict IN ('approved', 'discarded')),
    digest  TEXT NOT NULL,
    comment TEXT NOT NULL,
    at      INTEGER NOT NULL
);

CREATE UNIQUE INDEX approvals_once ON approvals (run_id, by_user, digest) WHERE verdict = 'approved';

CREATE INDEX approvals_run ON approvals (run_id, id);

CREATE TABLE artifacts (
    step_id    TEXT NOT NULL REFERENCES steps (id) ON DELETE CASCADE,
    name       TEXT NOT NULL,
    data       BLOB NOT NULL, -- sealed
    created_at INTEGER NOT NULL,
    PRIMARY KEY (step_id, name)
);

CREATE TABLE audit_checkpoints (
    seq        INTEGER PRIMARY KEY,
    hash       TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    key_id     TEXT NOT NULL,
    signature  BLOB NOT NULL
);

CREATE TABLE audit_drops (
    to_seq     INTEGER PRIMARY KEY,
    from_seq   INTEGER NOT NULL,
    previous   TEXT NOT NULL,
    hash       TEXT NOT NULL,
    digest     TEXT NOT NULL, -- of the hashes of all of them
    created_at INTEGER NOT NULL,
    key_id     TEXT NOT NULL,
    signature  BLOB NOT NULL
);

CREATE TABLE audit_forwarders (
    name          TEXT PRIMARY KEY,
    kind          TEXT NOT NULL CHECK (kind IN ('syslog', 'http', 's3')),
    address       TEXT NOT NULL, -- without secrets, to be shown
    config        BLOB NOT NULL, -- sealed
    seq           INTEGER NOT NULL, -- the last event that was taken there
    paused        BOOLEAN NOT NULL,
    error         TEXT NOT NULL,
    failing_since INTEGER,
    sent_at       INTEGER,
    created_by    TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL
);

CREATE TABLE audit_head (
    id           INTEGER PRIMARY KEY CHECK (id = 1),
    installation TEXT NOT NULL, -- made up once
    seq          INTEGER NOT NULL, -- of the last event
    hash         TEXT NOT NULL
);

CREATE TABLE audit_keys (
    number     INTEGER PRIMARY KEY, -- from 1
    id         TEXT NOT NULL UNIQUE,
    public     BLOB NOT NULL,
    private    BLOB, -- sealed; NULL once it has retired
    by_key     TEXT NOT NULL, -- that vouches for it; '' for the first
    signature  BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    retired_at INTEGER
);

CREATE UNIQUE INDEX audit_keys_in_use ON audit_keys ((retired_at IS NULL)) WHERE retired_at IS NULL;

CREATE TABLE beats (
    part  TEXT PRIMARY KEY,
    count INTEGER NOT NULL
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

CREATE TABLE certificates (
    name       TEXT PRIMARY KEY,
    data       BLOB NOT NULL, -- sealed
    updated_at INTEGER NOT NULL
);

CREATE TABLE chores (
    name   TEXT PRIMARY KEY,
    due_at INTEGER NOT NULL
);

CREATE TABLE credentials (
    name         TEXT PRIMARY KEY,
    cloud        TEXT NOT NULL CHECK (cloud IN ('aws', 'azure', 'gcp', 'local')),
    description  TEXT NOT NULL,
    keys         TEXT NOT NULL,
    secret       BLOB NOT NULL, -- sealed
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL
, kind TEXT NOT NULL DEFAULT 'environment' CHECK (kind IN ('environment', 'aws-static',
    'aws-assume-role', 'aws-web-identity', 'azure-service-principal', 'azure-federated', 'gcp-service-account-key', 'gcp-workload-identity')), fields TEXT NOT NULL DEFAULT '{}', plan TEXT NOT NULL DEFAULT '', plan_secret BLOB);

CREATE TABLE data_keys (
    id         BIGINT PRIMARY KEY,
    wrapped    BLOB NOT NULL,
    created_at INTEGER NOT NULL
, purpose TEXT NOT NULL DEFAULT 'seal' CHECK (purpose IN ('seal', 'fingerprint')), master TEXT NOT NULL DEFAULT '', active_at INTEGER, retired_at INTEGER, destroyed_at INTEGER);

CREATE TABLE deliveries (
    id         TEXT PRIMARY KEY,
    webhook    TEXT NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    type       TEXT NOT NULL,
    body       TEXT NOT NULL,
    attempts   INTEGER NOT NULL,
    next_at    INTEGER, -- NULL once it is over
    status     INTEGER NOT NULL,
    error      TEXT NOT NULL,
    took       INTEGER NOT NULL, -- microseconds
    created_at INTEGER NOT NULL,
    done_at    INTEGER,
    CHECK ((next_at IS NULL) = (done_at IS NOT NULL))
);

CREATE INDEX deliveries_done ON deliveries (done_at) WHERE done_at IS NOT NULL;

CREATE INDEX deliveries_due ON deliveries (next_at) WHERE next_at IS NOT NULL;

CREATE INDEX deliveries_webhook ON deliveries (webhook, id);

CREATE TABLE device_logins (
    device_hash TEXT PRIMARY KEY,
    user_code   TEXT NOT NULL UNIQUE,
    client      TEXT NOT NULL,
    address     TEXT NOT NULL,
    status      TEXT NOT NULL CHECK (status IN ('pending', 'granted', 'denied')),
    user_name   TEXT NOT NULL DEFAULT '',
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    polled_at   INTEGER,
    CHECK (status <> 'granted' OR user_name <> '')
);

CREATE INDEX device_logins_expiry ON device_logins (expires_at);

CREATE TABLE directory (
    version BIGINT PRIMARY KEY -- the highest counts
);

CREATE TRIGGER events_stay BEFORE DELETE ON events WHEN OLD.seq > (SELECT coalesce(max(to_seq), 0) FROM audit_drops)
BEGIN
    SELECT RAISE(ABORT, 'an event stays in the audit log');
END;

CREATE TRIGGER events_stay_as_they_are BEFORE UPDATE ON events WHEN OLD.seq IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'an event in the audit log stays as it is');
END;

CREATE TABLE events (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL,
    actor   TEXT NOT NULL,
    action  TEXT NOT NULL,
    stack   TEXT NOT NULL,
    run_id  TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail  TEXT NOT NULL
, seq INTEGER, previous TEXT NOT NULL DEFAULT '', hash TEXT NOT NULL DEFAULT '', address TEXT NOT NULL DEFAULT '', request TEXT NOT NULL DEFAULT '', via TEXT NOT NULL DEFAULT '', before TEXT NOT NULL DEFAULT '', after TEXT NOT NULL DEFAULT '', project TEXT NOT NULL DEFAULT '');

CREATE INDEX events_action ON events (action, id);

CREATE INDEX events_actor ON events (actor, id);

CREATE INDEX events_address ON events (address, id) WHERE address <> '';

CREATE INDEX events_at ON events (at);

CREATE INDEX events_project ON events (project, id) WHERE project <> '';

CREATE INDEX events_request ON events (request) WHERE request <> '';

CREATE INDEX events_run ON events (run_id) WHERE run_id <> '';

CREATE UNIQUE INDEX events_seq ON events (seq) WHERE seq IS NOT NULL;

CREATE INDEX events_stack ON events (stack, id);

CREATE INDEX events_subject ON events (subject, id);

CREATE INDEX events_unchained ON events (id) WHERE seq IS NULL;

CREATE INDEX events_variables ON events (at) WHERE action IN ('variable.set', 'variable.unset',
    'variable-set.set', 'variable-set.unset', 'variable-set.put', 'variable-set.delete');

CREATE TABLE findings (
    id          TEXT PRIMARY KEY,
    stack       TEXT NOT NULL REFERENCES stacks (name) ON DELETE CASCADE,
    component   TEXT NOT NULL,
    subject     TEXT NOT NULL,
    change      TEXT NOT NULL,
    run_id      TEXT NOT NULL,
    first_seen  INTEGER NOT NULL,
    last_seen   INTEGER NOT NULL,
    resolved_at INTEGER
);

CREATE UNIQUE INDEX findings_open ON findings (stack, component, subject) WHERE resolved_at IS NULL;

CREATE INDEX findings_stack ON findings (stack, last_seen, id);

CREATE TABLE hook_calls (
    hook    TEXT NOT NULL REFERENCES hooks (id) ON DELETE CASCADE,
    message TEXT NOT NULL,
    sent_at TEXT NOT NULL, -- as it was signed
    at      INTEGER NOT NULL,
    run     TEXT NOT NULL,
    PRIMARY KEY (hook, message, sent_at)
);

CREATE INDEX hook_calls_at ON hook_calls (at);

CREATE TABLE hooks (
    id         TEXT PRIMARY KEY,
    stack      TEXT NOT NULL REFERENCES stacks (name) ON DELETE CASCADE,
    name       TEXT NOT NULL,
    kind       TEXT NOT NULL CHECK (kind IN ('apply', 'preview', 'drift')),
    secrets    BLOB NOT NULL, -- sealed
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (stack, name)
);

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
    keys_at     INTEGER,
    facts       BLOB, -- sealed
    facts_at    INTEGER,
    first_run   TEXT NOT NULL,
    last_run    TEXT NOT NULL,
    first_seen  INTEGER NOT NULL,
    last_seen   INTEGER NOT NULL,
    retired_at  INTEGER,
    retired_why TEXT NOT NULL
);

CREATE UNIQUE INDEX hosts_in_use ON hosts (stack, component, name) WHERE retired_at IS NULL;

CREATE TABLE idempotency_keys (
    user_name  TEXT NOT NULL,
    key        TEXT NOT NULL,
    request    TEXT NOT NULL,
    status     INTEGER NOT NULL, -- 0 while the request is being answered
    type       TEXT NOT NULL,
    body       BLOB, -- of the version before
    created_at INTEGER NOT NULL,
    answer     BLOB, -- sealed
    PRIMARY KEY (user_name, key)
);

CREATE TABLE identities (
    issuer    TEXT NOT NULL,
    subject   TEXT NOT NULL,
    user_name TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    linked_at INTEGER NOT NULL,
    PRIMARY KEY (issuer, subject)
);

CREATE INDEX identities_user ON identities (user_name);

CREATE TABLE issuer_keys (
    number     BIGINT PRIMARY KEY,
    id         TEXT NOT NULL UNIQUE, -- RFC 7638
    private    BLOB NOT NULL, -- sealed
    created_at INTEGER NOT NULL,
    signs_at   INTEGER NOT NULL
);

CREATE TABLE log_chunks (
    step_id TEXT NOT NULL REFERENCES steps (id) ON DELETE CASCADE,
    start   BIGINT NOT NULL,
    data    BLOB NOT NULL,
    PRIMARY KEY (step_id, start)
);

CREATE TABLE outbox (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    step_id TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    queue   TEXT NOT NULL
);

CREATE TABLE policies (
    project    TEXT PRIMARY KEY,
    source     TEXT NOT NULL, -- as it was written
    rule       TEXT NOT NULL,
    updated_by TEXT NOT NULL,
    updated_at INTEGER NOT NULL
);

CREATE TABLE projects (
    name        TEXT PRIMARY KEY,
    description TEXT NOT NULL
);

CREATE TABLE reseals (
    place    TEXT PRIMARY KEY, -- table.column
    key_id   BIGINT NOT NULL, -- data key that values are being sealed under
    last_row TEXT NOT NULL, -- key of the last row that was looked at
    finished BOOLEAN NOT NULL
);

CREATE TABLE revisions (
    stack      TEXT NOT NULL REFERENCES stacks (name) ON DELETE CASCADE,
    number     INTEGER NOT NULL CHECK (number > 0),
    digest     TEXT NOT NULL,
    author     TEXT NOT NULL,
    message    TEXT NOT NULL,
    blueprint  TEXT NOT NULL,
    sources    BLOB NOT NULL, -- sealed
    variables  BLOB NOT NULL, -- sealed
    created_at INTEGER NOT NULL, person TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (stack, number)
);

CREATE TABLE roles (
    name        TEXT PRIMARY KEY,
    description TEXT NOT NULL,
    permissions TEXT NOT NULL
);

CREATE TABLE runs (
    id          TEXT PRIMARY KEY,
    stack       TEXT NOT NULL REFERENCES stacks (name) ON DELETE CASCADE,
    revision    INTEGER NOT NULL,
    kind        TEXT NOT NULL CHECK (kind IN ('apply', 'destroy', 'preview', 'drift')),
    status      TEXT NOT NULL CHECK (status IN ('pending', 'planning', 'planned', 'approved', 'applying',
                    'succeeded', 'failed', 'discarded', 'cancelled', 'blocked', 'interrupted')),
    reason      TEXT NOT NULL,
    started_by  TEXT NOT NULL,
    message     TEXT NOT NULL,
    rule        TEXT NOT NULL,
    digest      TEXT NOT NULL,
    cancel_by   TEXT NOT NULL,
    kill        BOOLEAN NOT NULL,
    expires_at  INTEGER, -- of a plan that waits for approval
    created_at  INTEGER NOT NULL,
    planning_at INTEGER,
    planned_at  INTEGER,
    approved_at INTEGER,
    applying_at INTEGER,
    finished_at INTEGER, purged_at INTEGER, partial BOOLEAN NOT NULL DEFAULT false, resources TEXT NOT NULL DEFAULT '{}', origin TEXT NOT NULL DEFAULT '', cause TEXT NOT NULL DEFAULT 'manual' CHECK (cause IN ('manual', 'schedule', 'drift', 'upstream')), starters TEXT NOT NULL DEFAULT '[]', authors TEXT NOT NULL DEFAULT '[]', covered TEXT NOT NULL DEFAULT '[]', glass TEXT NOT NULL DEFAULT '{}', release_at INTEGER, applier TEXT NOT NULL DEFAULT '',
    -- Nothing reaches real infrastructure without a plan that was looked at.
    CHECK (status NOT IN ('planned', 'approved', 'applying') OR digest <> ''),
    -- Previews and drift checks never get that far.
    CHECK (kind IN ('apply', 'destroy') OR status NOT IN ('planned', 'approved', 'applying'))
);

CREATE UNIQUE INDEX runs_active ON runs (stack)
    WHERE kind IN ('apply', 'destroy') AND status IN ('planning', 'planned', 'approved', 'applying');

CREATE INDEX runs_expiry ON runs (expires_at) WHERE expires_at IS NOT NULL;

CREATE UNIQUE INDEX runs_origin ON runs (stack, origin) WHERE origin <> '';

CREATE INDEX runs_release ON runs (release_at) WHERE release_at IS NOT NULL;

CREATE INDEX runs_stack ON runs (stack, id);

CREATE INDEX runs_status ON runs (status, id);

CREATE TABLE schedules (
    id          TEXT PRIMARY KEY,
    stack       TEXT NOT NULL REFERENCES stacks (name) ON DELETE CASCADE,
    name        TEXT NOT NULL,
    kind        TEXT NOT NULL CHECK (kind IN ('apply', 'destroy', 'preview', 'drift')),
    cron        TEXT NOT NULL,
    timezone    TEXT NOT NULL,
    paused      BOOLEAN NOT NULL,
    next_run_at INTEGER NOT NULL,
    last_run_at INTEGER,
    last_run    TEXT NOT NULL,
    created_by  TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    UNIQUE (stack, name)
);

CREATE INDEX schedules_due ON schedules (next_run_at) WHERE NOT paused;

CREATE TABLE sessions (
    hash       TEXT PRIMARY KEY,
    user_name  TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    csrf       TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
, seen_at INTEGER, address TEXT NOT NULL DEFAULT '', agent TEXT NOT NULL DEFAULT '', via TEXT NOT NULL DEFAULT '');

CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE INDEX sessions_user ON sessions (user_name);

CREATE TABLE set_variables (
    set_name   TEXT NOT NULL REFERENCES variable_sets (name) ON DELETE CASCADE,
    kind       TEXT NOT NULL CHECK (kind IN ('input', 'environment')),
    name       TEXT NOT NULL,
    secret     BOOLEAN NOT NULL,
    value      BLOB NOT NULL, -- sealed
    updated_by TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (set_name, kind, name)
);

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

CREATE TABLE stacks (
    name        TEXT PRIMARY KEY,
    description TEXT NOT NULL,
    labels      TEXT NOT NULL,
    latest      INTEGER NOT NULL,
    applied     INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
, hold_by TEXT NOT NULL DEFAULT '', hold_reason TEXT NOT NULL DEFAULT '', hold_at INTEGER, changed_run TEXT NOT NULL DEFAULT '');

CREATE TABLE state_locks (
    stack      TEXT NOT NULL REFERENCES stacks (name) ON DELETE CASCADE,
    component  TEXT NOT NULL,
    id         TEXT NOT NULL,
    holder     TEXT NOT NULL,
    reason     TEXT NOT NULL,
    step_id    TEXT NOT NULL,
    info       BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (stack, component)
);

CREATE TABLE state_versions (
    id         TEXT PRIMARY KEY,
    stack      TEXT NOT NULL REFERENCES stacks (name) ON DELETE CASCADE,
    component  TEXT NOT NULL,
    serial     BIGINT NOT NULL,
    lineage    TEXT NOT NULL,
    size       INTEGER NOT NULL,
    resources  INTEGER NOT NULL,
    run_id     TEXT NOT NULL,
    by_user    TEXT NOT NULL,
    digest     TEXT NOT NULL, -- of the state, keyed
    data       BLOB NOT NULL, -- sealed
    created_at INTEGER NOT NULL,
    UNIQUE (stack, component, serial)
);

CREATE TABLE steps (
    id               TEXT PRIMARY KEY,
    run_id           TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    position         INTEGER NOT NULL,
    stack            TEXT NOT NULL,
    address          TEXT NOT NULL,
    component        TEXT NOT NULL,
    needs            TEXT NOT NULL,
    revision         INTEGER NOT NULL,
    destroy          BOOLEAN NOT NULL,
    status           TEXT NOT NULL CHECK (status IN ('waiting', 'queued', 'planning', 'planned', 'unchanged', 'deferred',
                         'approved', 'applying', 'applied', 'failed', 'skipped', 'cancelled', 'interrupted')),
    reason           TEXT NOT NULL,
    attempt          INTEGER NOT NULL,
    lost             INTEGER NOT NULL,
    worker           TEXT NOT NULL,
    queue            TEXT NOT NULL,
    lease_until      INTEGER,
    ready_at         INTEGER,
    token_hash       TEXT NOT NULL,
    state_hash       TEXT NOT NULL,
    plan_hash        TEXT NOT NULL,
    changes_hash     TEXT NOT NULL,
    approved_changes TEXT NOT NULL,
    summary          TEXT NOT NULL,
    applied          TEXT NOT NULL,
    notes            TEXT NOT NULL,
    inputs           TEXT NOT NULL,
    predicted        TEXT NOT NULL,
    actual           TEXT NOT NULL,
    log_size         BIGINT NOT NULL DEFAULT 0,
    queued_at        INTEGER,
    started_at       INTEGER,
    ended_at         INTEGER, walls TEXT NOT NULL DEFAULT '',
    UNIQUE (run_id, position),
    -- A step has a lease exactly while a runner has it in hand.
    CHECK ((status IN ('planning', 'applying')) = (lease_until IS NOT NULL)),
    CHECK (ready_at IS NULL OR status IN ('queued', 'approved'))
);

CREATE INDEX steps_deployed ON steps (stack, address, id);

CREATE INDEX steps_lease ON steps (lease_until) WHERE lease_until IS NOT NULL;

CREATE INDEX steps_ready ON steps (ready_at) WHERE ready_at IS NOT NULL;

CREATE INDEX steps_token ON steps (token_hash) WHERE token_hash <> '';

CREATE TABLE team_members (
    team      TEXT NOT NULL,
    user_name TEXT NOT NULL,
    source    TEXT NOT NULL, -- who says so: an identity provider, or '' for people here
    PRIMARY KEY (team, user_name, source)
);

CREATE TABLE teams (
    name        TEXT PRIMARY KEY,
    description TEXT NOT NULL
);

CREATE TABLE tokens (
    id         TEXT PRIMARY KEY,
    user_name  TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    name       TEXT NOT NULL,
    hash       TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    used_at    INTEGER
, permissions TEXT NOT NULL DEFAULT '[]', project TEXT NOT NULL DEFAULT '', stack TEXT NOT NULL DEFAULT '', used_from TEXT NOT NULL DEFAULT '');

CREATE INDEX tokens_user ON tokens (user_name);

CREATE TABLE users (
    name          TEXT PRIMARY KEY,
    role          TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'approver', 'admin')),
    password_hash TEXT NOT NULL,
    disabled      BOOLEAN NOT NULL,
    created_at    INTEGER NOT NULL
, kind TEXT NOT NULL DEFAULT 'person' CHECK (kind IN ('person', 'service')), owner TEXT NOT NULL DEFAULT '', must_change BOOLEAN NOT NULL DEFAULT FALSE, failures INTEGER NOT NULL DEFAULT 0, locked_until INTEGER);

CREATE TABLE variable_sets (
    name        TEXT PRIMARY KEY,
    description TEXT NOT NULL,
    stacks      TEXT NOT NULL, -- names and patterns
    updated_by  TEXT NOT NULL,
    updated_at  INTEGER NOT NULL
);

CREATE TABLE variables (
    stack      TEXT NOT NULL REFERENCES stacks (name) ON DELETE CASCADE,
    kind       TEXT NOT NULL CHECK (kind IN ('input', 'environment')),
    name       TEXT NOT NULL,
    secret     BOOLEAN NOT NULL,
    value      BLOB NOT NULL, -- sealed
    updated_by TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (stack, kind, name)
);

CREATE TABLE webhook_cursor (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    event INTEGER NOT NULL
);

CREATE TABLE webhooks (
    id            TEXT PRIMARY KEY,
    name          TEXT NOT NULL UNIQUE,
    project       TEXT NOT NULL,
    stack         TEXT NOT NULL,
    url           TEXT NOT NULL,
    events        TEXT NOT NULL, -- JSON
    secrets       BLOB NOT NULL, -- sealed
    disabled_why  TEXT NOT NULL,
    failing_since INTEGER,
    created_by    TEXT NOT NULL,
    created_at    INTEGER NOT NULL
);
