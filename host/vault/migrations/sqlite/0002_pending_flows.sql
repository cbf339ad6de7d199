-- Flows that wait for a user: of an account, or of a connection, as it was at `version`. What a row is
-- found by is the hash of its state token, which is nowhere. A flow goes with the row that it is of.
CREATE TABLE pending_flows (
    hash       TEXT   PRIMARY KEY NOT NULL, -- SHA-256, hexadecimal
    account    TEXT   REFERENCES accounts (id) ON DELETE CASCADE,
    connection TEXT   REFERENCES connections (id) ON DELETE CASCADE,
    version    BIGINT NOT NULL,
    origins    TEXT   NOT NULL,
    content    BLOB   NOT NULL,
    sealed_by  BIGINT NOT NULL,
    ends_at    BIGINT NOT NULL,
    CHECK ((account IS NULL) <> (connection IS NULL))
);
CREATE INDEX pending_flows_by_account ON pending_flows (account);
CREATE INDEX pending_flows_by_connection ON pending_flows (connection);
CREATE INDEX pending_flows_by_end ON pending_flows (ends_at);
