-- Times are Unix milliseconds. What is sealed is a BLOB beside `sealed_by`, the number of the data key
-- that opens it. `origins` is a JSON list: the origins that the secrets of a row were given for.

-- One data key lies under as many master keys as may open it.
CREATE TABLE data_keys (
    number     BIGINT NOT NULL,
    master     TEXT   NOT NULL,
    wrapped    BLOB   NOT NULL,
    PRIMARY KEY (number, master)
);

-- One row. Versions of state, fencing numbers and the numbers of changes are drawn from it, so that
-- none ever comes again, whatever was deleted and made anew meanwhile.
CREATE TABLE counter (value BIGINT NOT NULL);
INSERT INTO counter (value) VALUES (0);

CREATE TABLE providers (
    identifier TEXT   PRIMARY KEY NOT NULL,
    id         TEXT   NOT NULL UNIQUE,
    version    BIGINT NOT NULL,
    payload    BLOB   NOT NULL,
    sealed_by  BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE connections (
    id         TEXT   PRIMARY KEY NOT NULL,
    name       TEXT   NOT NULL UNIQUE,
    provider   TEXT   NOT NULL REFERENCES providers (identifier),
    version    BIGINT NOT NULL,
    enabled    BIGINT NOT NULL,
    origins    TEXT   NOT NULL,
    settings   BLOB   NOT NULL,
    sealed_by  BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX connections_by_provider ON connections (provider);

CREATE TABLE accounts (
    id           TEXT   PRIMARY KEY NOT NULL,
    connection   TEXT   NOT NULL REFERENCES connections (id),
    identifier   TEXT   NOT NULL,
    version      BIGINT NOT NULL,
    status       TEXT   NOT NULL,
    auth_type    TEXT   NOT NULL,
    origins      TEXT   NOT NULL,
    details      BLOB   NOT NULL,
    sealed_by    BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    last_used_at BIGINT,
    UNIQUE (connection, identifier)
);

-- What a flow has learnt: of an account, or for `shared/` of a connection. It lies under the origins
-- of the row that it belongs to.
CREATE TABLE states (
    owner      TEXT   PRIMARY KEY NOT NULL,
    version    BIGINT NOT NULL,
    state      BLOB   NOT NULL,
    sealed_by  BIGINT NOT NULL,
    renew_at   BIGINT,
    expires_at BIGINT,
    updated_at BIGINT NOT NULL
);

-- Who may run a flow. A holder who lives counts `beats` up.
CREATE TABLE claims (
    owner  TEXT   PRIMARY KEY NOT NULL,
    fence  BIGINT NOT NULL,
    holder TEXT,
    beats  BIGINT NOT NULL
);

CREATE TABLE clients (
    id          TEXT   PRIMARY KEY NOT NULL,
    name        TEXT   NOT NULL,
    secret_hash TEXT   NOT NULL, -- SHA-256, hexadecimal
    roles       TEXT   NOT NULL, -- a JSON list
    connections TEXT,            -- a JSON list of names; NULL for all
    identifiers TEXT,            -- a JSON list; NULL for all
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    revoked_at  BIGINT
);

CREATE TABLE tokens (
    hash       TEXT   PRIMARY KEY NOT NULL, -- SHA-256, hexadecimal
    client     TEXT   NOT NULL REFERENCES clients (id),
    expires_at BIGINT NOT NULL
);
CREATE INDEX tokens_by_client ON tokens (client);
CREATE INDEX tokens_by_expiry ON tokens (expires_at);

-- What was changed, for the caches of all processes, and by which of them. Numbers are in the order of
-- the commits. Only the newest are kept, and there always is one: who has seen any that is kept has
-- missed none.
CREATE TABLE changes (
    number BIGINT PRIMARY KEY NOT NULL,
    kind   TEXT   NOT NULL,
    name   TEXT   NOT NULL,
    node   TEXT   NOT NULL
);
INSERT INTO changes (number, kind, name, node) VALUES (0, 'begin', '', '');

-- Processes that cache, and the last change that each has evicted. Whoever writes waits for them.
CREATE TABLE nodes (
    node TEXT   PRIMARY KEY NOT NULL,
    seen BIGINT NOT NULL
);

-- Who changed what, in the change's own transaction. Never a value.
CREATE TABLE audit (
    id      TEXT   PRIMARY KEY NOT NULL,
    at      BIGINT NOT NULL,
    client  TEXT   NOT NULL,
    request TEXT   NOT NULL,
    action  TEXT   NOT NULL,
    subject TEXT   NOT NULL
);
