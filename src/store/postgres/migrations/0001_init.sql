-- Times are microseconds since 1970-01-01 UTC. Columns that end in _key hold folded text, written by the program:
-- every comparison, search and order uses them. Rows with a value in "deleted" are tombstones.
--
-- All text is COLLATE "C": it compares by code points whatever locale the database was made with.
--
-- Lists put nulls lowest (first ascending, last descending), which is NULLS FIRST for an index on a nullable column;
-- for columns without nulls the default serves both directions.
--
-- An entry of a B-tree holds at most 2,704 bytes. Folding makes at most 12 bytes of a character (U+1D160 and its
-- neighbours become three of four bytes each): 1,200 of a name, 2,400 of an email address. The longest entries are
-- those of users_last_name (1,200 + 1,200 + 100 of an ID, with their lengths 2,520) and users_email (2,412).

CREATE TABLE settings (
    key TEXT COLLATE "C" PRIMARY KEY,
    value TEXT COLLATE "C" NOT NULL
);

-- Numbers that would be a scan to count: live groups, live users, memberships of both. Each is the sum of its slots,
-- and a change goes to any one of them: changes at once do not queue up behind one row. Half of every page stays
-- free for the next versions of its rows, which then leave the index alone.
CREATE TABLE counters (
    name TEXT COLLATE "C" NOT NULL,
    slot SMALLINT NOT NULL,
    value BIGINT NOT NULL,
    PRIMARY KEY (name, slot)
) WITH (fillfactor = 50);
INSERT INTO counters (name, slot, value)
SELECT name, slot, 0 FROM unnest(ARRAY['groups', 'users', 'memberships']) AS name, generate_series(0, 63) AS slot;

-- Numbers are drawn from sequences, which no rollback turns back: gaps are allowed, reuse is not. fillfactor leaves
-- room beside a row for the change of "members" that comes with each membership.
CREATE TABLE groups (
    uid BIGINT PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL,
    id_key TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    name_key TEXT COLLATE "C" NOT NULL,
    labels TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C",
    description_key TEXT COLLATE "C",
    xp TEXT COLLATE "C",
    communities TEXT COLLATE "C" NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    deleted BIGINT,
    version BIGINT NOT NULL,
    members BIGINT NOT NULL
) WITH (fillfactor = 90);
CREATE SEQUENCE groups_uid OWNED BY groups.uid;
CREATE UNIQUE INDEX groups_id ON groups (id_key) WHERE deleted IS NULL;
CREATE INDEX groups_name ON groups (name_key, id_key) WHERE deleted IS NULL;
-- Pages by number skip any run of tombstones at once.
CREATE INDEX groups_live ON groups (uid) WHERE deleted IS NULL;

-- The side tables below hold rows of live things alone; a tombstone keeps what it needs in its own row.
CREATE TABLE group_communities (
    community TEXT COLLATE "C" NOT NULL,
    owner BIGINT NOT NULL,
    PRIMARY KEY (community, owner)
);

-- One row a different value at a path of xp. kind: 0 array or object, 1 number, 2 text. text: the first 200
-- characters, rest: those after them. number is also set for text that reads as a number, instant for text that
-- reads as a date. least: 1 for the value by which the owner is sorted at that path, else 0.
--
-- No primary key: rest can be longer than an index entry. An entry of the longest index is a path of 300 bytes and a
-- text of 800, with their lengths 1,124. Rows without a number (or instant) are in its index too: a comparison asks
-- for rows by number, and by text for those that have none.
CREATE TABLE group_xp (
    owner BIGINT NOT NULL,
    path TEXT COLLATE "C" NOT NULL,
    kind SMALLINT NOT NULL,
    text TEXT COLLATE "C" NOT NULL,
    rest TEXT COLLATE "C" NOT NULL,
    number DOUBLE PRECISION,
    instant BIGINT,
    least SMALLINT NOT NULL
);
CREATE INDEX group_xp_owner ON group_xp (owner, path);
CREATE INDEX group_xp_text ON group_xp (path, text);
CREATE INDEX group_xp_number ON group_xp (path, number, text);
CREATE INDEX group_xp_instant ON group_xp (path, instant, text);

-- Substring search: three characters and more by trigrams, one and two by grams of that length, each a number made
-- of the field and the code points.
CREATE INDEX groups_text ON groups
    USING gin (id_key gin_trgm_ops, name_key gin_trgm_ops, description_key gin_trgm_ops) WHERE deleted IS NULL;
CREATE TABLE group_grams (
    owner BIGINT PRIMARY KEY,
    grams BIGINT[] NOT NULL
);
CREATE INDEX group_grams_grams ON group_grams USING gin (grams);

-- fillfactor leaves room beside a row for the traces of signing in.
CREATE TABLE users (
    uid BIGINT PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL,
    id_key TEXT COLLATE "C" NOT NULL,
    username TEXT COLLATE "C" NOT NULL,
    username_key TEXT COLLATE "C" NOT NULL,
    first_name TEXT COLLATE "C" NOT NULL,
    first_name_key TEXT COLLATE "C" NOT NULL,
    last_name TEXT COLLATE "C" NOT NULL,
    last_name_key TEXT COLLATE "C" NOT NULL,
    email TEXT COLLATE "C" NOT NULL,
    email_key TEXT COLLATE "C" NOT NULL,
    phone TEXT COLLATE "C",
    phone_key TEXT COLLATE "C",
    terms_accepted BIGINT,
    active SMALLINT NOT NULL,
    xp TEXT COLLATE "C",
    roles SMALLINT NOT NULL,
    communities TEXT COLLATE "C" NOT NULL,
    generation BIGINT NOT NULL,
    password_hash TEXT COLLATE "C",
    password_set BIGINT,
    last_active BIGINT,
    failed_attempts BIGINT NOT NULL,
    locked_until BIGINT,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    deleted BIGINT,
    version BIGINT NOT NULL
) WITH (fillfactor = 90);
CREATE SEQUENCE users_uid OWNED BY users.uid;
CREATE UNIQUE INDEX users_id ON users (id_key) WHERE deleted IS NULL;
CREATE UNIQUE INDEX users_username ON users (username_key) WHERE deleted IS NULL;
CREATE INDEX users_last_name ON users (last_name_key, first_name_key, id_key) WHERE deleted IS NULL;
CREATE INDEX users_first_name ON users (first_name_key) WHERE deleted IS NULL;
CREATE INDEX users_email ON users (email_key) WHERE deleted IS NULL;
CREATE INDEX users_created ON users (created) WHERE deleted IS NULL;
CREATE INDEX users_last_active ON users (last_active NULLS FIRST) WHERE deleted IS NULL;
CREATE INDEX users_password_set ON users (password_set NULLS FIRST) WHERE deleted IS NULL;

CREATE TABLE user_xp (
    owner BIGINT NOT NULL,
    path TEXT COLLATE "C" NOT NULL,
    kind SMALLINT NOT NULL,
    text TEXT COLLATE "C" NOT NULL,
    rest TEXT COLLATE "C" NOT NULL,
    number DOUBLE PRECISION,
    instant BIGINT,
    least SMALLINT NOT NULL
);
CREATE INDEX user_xp_owner ON user_xp (owner, path);
CREATE INDEX user_xp_text ON user_xp (path, text);
CREATE INDEX user_xp_number ON user_xp (path, number, text);
CREATE INDEX user_xp_instant ON user_xp (path, instant, text);

CREATE INDEX users_text ON users USING gin (
    id_key gin_trgm_ops, username_key gin_trgm_ops, first_name_key gin_trgm_ops, last_name_key gin_trgm_ops,
    email_key gin_trgm_ops
) WHERE deleted IS NULL;
CREATE TABLE user_grams (
    owner BIGINT PRIMARY KEY,
    grams BIGINT[] NOT NULL
);
CREATE INDEX user_grams_grams ON user_grams USING gin (grams);

-- user_key is the user's id_key, kept here so that the members of a group are read in their order; live is 1 until
-- the user is deleted. Rows of a deleted group stay as they are: nothing reaches them but through the group.
--
-- live is a column of the index, not its condition: statements compare it with a parameter, and a plan made for any
-- value of it could not use a partial index.
CREATE TABLE memberships (
    group_uid BIGINT NOT NULL,
    user_uid BIGINT NOT NULL,
    user_key TEXT COLLATE "C" NOT NULL,
    live SMALLINT NOT NULL,
    added BIGINT NOT NULL,
    PRIMARY KEY (group_uid, user_uid)
);
CREATE INDEX memberships_group ON memberships (group_uid, live, user_key);
CREATE INDEX memberships_user ON memberships (user_uid);

CREATE TABLE clients (
    uid BIGINT PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL,
    id_key TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    roles SMALLINT NOT NULL,
    communities TEXT COLLATE "C" NOT NULL,
    user_uid BIGINT,
    access_minutes BIGINT NOT NULL,
    refresh_minutes BIGINT NOT NULL,
    enabled SMALLINT NOT NULL,
    generation BIGINT NOT NULL,
    secret_hash TEXT COLLATE "C",
    secret_set BIGINT,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    deleted BIGINT,
    version BIGINT NOT NULL
);
CREATE SEQUENCE clients_uid OWNED BY clients.uid;
CREATE UNIQUE INDEX clients_id ON clients (id_key) WHERE deleted IS NULL;

CREATE TABLE ended_tokens (
    jti TEXT COLLATE "C" PRIMARY KEY,
    expires BIGINT NOT NULL
);
CREATE INDEX ended_tokens_expires ON ended_tokens (expires);

CREATE TABLE refresh_tokens (
    hash TEXT COLLATE "C" PRIMARY KEY,
    family TEXT COLLATE "C" NOT NULL,
    user_uid BIGINT NOT NULL,
    client_uid BIGINT NOT NULL,
    user_generation BIGINT NOT NULL,
    client_generation BIGINT NOT NULL,
    scope SMALLINT,
    expires BIGINT NOT NULL,
    used SMALLINT NOT NULL
);
CREATE INDEX refresh_tokens_family ON refresh_tokens (family);
CREATE INDEX refresh_tokens_expires ON refresh_tokens (expires);

CREATE TABLE signing_keys (
    kid TEXT COLLATE "C" PRIMARY KEY,
    pem TEXT COLLATE "C" NOT NULL,
    signs_from BIGINT NOT NULL
);

-- kind: group, user, membership, client or batch; subject: its number, 0 of a batch; member: the user of a membership.
--
-- Transactions commit in another order than they draw seq in, so a reader that went by seq alone could pass a number
-- whose row is not there yet. xid is the transaction: all rows of those below pg_snapshot_xmin() are there for good,
-- and a reader goes by (xid, seq) up to that horizon.
--
-- seq is drawn after the change's locks were taken: of one subject, a later change has the higher number.
CREATE SEQUENCE journal_seq;
CREATE TABLE journal (
    seq BIGINT PRIMARY KEY DEFAULT nextval('journal_seq'),
    xid XID8 NOT NULL DEFAULT pg_current_xact_id(),
    operation TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    actor_user BIGINT,
    actor_client BIGINT,
    door TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    change TEXT COLLATE "C" NOT NULL,
    subject BIGINT NOT NULL,
    member BIGINT,
    before TEXT COLLATE "C",
    after TEXT COLLATE "C"
);
ALTER SEQUENCE journal_seq OWNED BY journal.seq;
CREATE INDEX journal_settled ON journal (xid, seq);
-- Whether a commit took place whose answer was lost is asked by operation.
CREATE INDEX journal_operation ON journal (operation);

-- Of a column that PostgreSQL has not looked at it guesses that one row in 200 is null: it would plan the lists of a
-- directory that was just filled as if nearly all of it were deleted. So it looks once at some things that live, which
-- go again; they are too few for it to look a second time before there are others.
INSERT INTO groups (uid, id, id_key, name, name_key, labels, communities, created, updated, version, members)
SELECT n, n, n, 'Name', 'name', '{"en":"Name"}', '[]', 0, 0, 1, 0 FROM generate_series(1, 20) AS n;
INSERT INTO users (
    uid, id, id_key, username, username_key, first_name, first_name_key, last_name, last_name_key, email, email_key,
    active, roles, communities, generation, failed_attempts, created, updated, version
)
SELECT n, n, n, n, n, 'First', 'first', 'Last', 'last', 'a@example.com', 'a@example.com', 1, 0, '[]', 0, 0, 0, 0, 1
FROM generate_series(1, 20) AS n;
ANALYZE groups (deleted), users (deleted);
DELETE FROM groups;
DELETE FROM users;
