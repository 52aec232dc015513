-- Times are microseconds since 1970-01-01 UTC. Columns that end in _key hold folded text, written by the program:
-- every comparison, search and order uses them. Rows with a value in "deleted" are tombstones.

CREATE TABLE settings (
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Numbers that would be a scan to count: live groups, live users, memberships of both.
CREATE TABLE counters (
    name TEXT NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO counters (name, value) VALUES ('groups', 0), ('users', 0), ('memberships', 0);

CREATE TABLE groups (
    uid INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    id_key TEXT NOT NULL,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    labels TEXT NOT NULL,
    description TEXT,
    description_key TEXT,
    xp TEXT,
    communities TEXT NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    deleted INTEGER,
    version INTEGER NOT NULL,
    members INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX groups_id ON groups (id_key) WHERE deleted IS NULL;
-- With "deleted" in it, the index alone answers for it: half of what a step along it costs.
CREATE INDEX groups_name ON groups (name_key, id_key, deleted) WHERE deleted IS NULL;
-- Pages by number skip any run of tombstones at once.
CREATE INDEX groups_live ON groups (uid, deleted) WHERE deleted IS NULL;
-- A user's groups are counted without those that are deleted: beside all, these are few.
CREATE INDEX groups_deleted ON groups (uid, deleted) WHERE deleted IS NOT NULL;

-- The side tables below hold rows of live things alone; a tombstone keeps what it needs in its own row.
CREATE TABLE group_communities (
    community TEXT NOT NULL,
    owner INTEGER NOT NULL,
    PRIMARY KEY (community, owner)
) STRICT, WITHOUT ROWID;

-- One row a different value at a path of xp. kind: 0 array or object, 1 number, 2 text. text: the first 200
-- characters, rest: those after them. number is also set for text that reads as a number, instant for text that
-- reads as a date. least: the value by which the owner is sorted at that path.
--
-- The indexes hold all that lists ask of a row, so that none is looked up.
CREATE TABLE group_xp (
    owner INTEGER NOT NULL,
    path TEXT NOT NULL,
    kind INTEGER NOT NULL,
    text TEXT NOT NULL,
    rest TEXT NOT NULL,
    number REAL,
    instant INTEGER,
    least INTEGER NOT NULL,
    PRIMARY KEY (owner, path, kind, text, rest)
) STRICT, WITHOUT ROWID;
CREATE INDEX group_xp_text ON group_xp (path, kind, text, rest, owner, least, number, instant);
CREATE INDEX group_xp_number ON group_xp (path, number, owner, kind, least, text, rest) WHERE number IS NOT NULL;
CREATE INDEX group_xp_instant ON group_xp (path, instant) WHERE instant IS NOT NULL;

-- Substring search: three characters and more by trigrams, one and two by grams of that length, each a token with the
-- fields in which the thing has it.
CREATE VIRTUAL TABLE group_text USING fts5 (
    id_key, name_key, description_key,
    content = '', contentless_delete = 1, tokenize = 'trigram case_sensitive 1 remove_diacritics 0'
);
CREATE VIRTUAL TABLE group_grams USING fts5 (
    grams, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii'
);

CREATE TABLE users (
    uid INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    id_key TEXT NOT NULL,
    username TEXT NOT NULL,
    username_key TEXT NOT NULL,
    first_name TEXT NOT NULL,
    first_name_key TEXT NOT NULL,
    last_name TEXT NOT NULL,
    last_name_key TEXT NOT NULL,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    phone TEXT,
    phone_key TEXT,
    terms_accepted INTEGER,
    active INTEGER NOT NULL,
    xp TEXT,
    roles INTEGER NOT NULL,
    communities TEXT NOT NULL,
    generation INTEGER NOT NULL,
    password_hash TEXT,
    password_set INTEGER,
    last_active INTEGER,
    failed_attempts INTEGER NOT NULL,
    locked_until INTEGER,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    deleted INTEGER,
    version INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX users_id ON users (id_key) WHERE deleted IS NULL;
CREATE UNIQUE INDEX users_username ON users (username_key) WHERE deleted IS NULL;
CREATE INDEX users_last_name ON users (last_name_key, first_name_key, id_key, deleted) WHERE deleted IS NULL;
CREATE INDEX users_first_name ON users (first_name_key, deleted) WHERE deleted IS NULL;
CREATE INDEX users_email ON users (email_key, deleted) WHERE deleted IS NULL;
CREATE INDEX users_created ON users (created, deleted) WHERE deleted IS NULL;
CREATE INDEX users_last_active ON users (last_active, deleted) WHERE deleted IS NULL;
CREATE INDEX users_password_set ON users (password_set, deleted) WHERE deleted IS NULL;

CREATE TABLE user_xp (
    owner INTEGER NOT NULL,
    path TEXT NOT NULL,
    kind INTEGER NOT NULL,
    text TEXT NOT NULL,
    rest TEXT NOT NULL,
    number REAL,
    instant INTEGER,
    least INTEGER NOT NULL,
    PRIMARY KEY (owner, path, kind, text, rest)
) STRICT, WITHOUT ROWID;
CREATE INDEX user_xp_text ON user_xp (path, kind, text, rest, owner, least, number, instant);
CREATE INDEX user_xp_number ON user_xp (path, number, owner, kind, least, text, rest) WHERE number IS NOT NULL;
CREATE INDEX user_xp_instant ON user_xp (path, instant) WHERE instant IS NOT NULL;

CREATE VIRTUAL TABLE user_text USING fts5 (
    id_key, username_key, first_name_key, last_name_key, email_key,
    content = '', contentless_delete = 1, tokenize = 'trigram case_sensitive 1 remove_diacritics 0'
);
CREATE VIRTUAL TABLE user_grams USING fts5 (
    grams, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii'
);

-- user_key is the user's id_key, kept here so that the members of a group are read in their order; live is 1 until
-- the user is deleted. Rows of a deleted group stay as they are: nothing reaches them but through the group.
CREATE TABLE memberships (
    group_uid INTEGER NOT NULL,
    user_uid INTEGER NOT NULL,
    user_key TEXT NOT NULL,
    live INTEGER NOT NULL,
    added INTEGER NOT NULL,
    PRIMARY KEY (group_uid, user_uid)
) STRICT, WITHOUT ROWID;
CREATE INDEX memberships_group ON memberships (group_uid, user_key) WHERE live = 1;
CREATE INDEX memberships_user ON memberships (user_uid);

CREATE TABLE clients (
    uid INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    id_key TEXT NOT NULL,
    name TEXT NOT NULL,
    roles INTEGER NOT NULL,
    communities TEXT NOT NULL,
    user_uid INTEGER,
    access_minutes INTEGER NOT NULL,
    refresh_minutes INTEGER NOT NULL,
    enabled INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    secret_hash TEXT,
    secret_set INTEGER,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    deleted INTEGER,
    version INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX clients_id ON clients (id_key) WHERE deleted IS NULL;

CREATE TABLE ended_tokens (
    jti TEXT NOT NULL PRIMARY KEY,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX ended_tokens_expires ON ended_tokens (expires);

CREATE TABLE refresh_tokens (
    hash TEXT NOT NULL PRIMARY KEY,
    family TEXT NOT NULL,
    user_uid INTEGER NOT NULL,
    client_uid INTEGER NOT NULL,
    user_generation INTEGER NOT NULL,
    client_generation INTEGER NOT NULL,
    scope INTEGER,
    expires INTEGER NOT NULL,
    used INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX refresh_tokens_family ON refresh_tokens (family);
CREATE INDEX refresh_tokens_expires ON refresh_tokens (expires);

CREATE TABLE signing_keys (
    kid TEXT NOT NULL PRIMARY KEY,
    pem TEXT NOT NULL,
    signs_from INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- kind: group, user, membership, client or batch; subject: its number, 0 of a batch; member: the user of a membership.
CREATE TABLE journal (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    operation TEXT NOT NULL,
    at INTEGER NOT NULL,
    actor_user INTEGER,
    actor_client INTEGER,
    door TEXT NOT NULL,
    kind TEXT NOT NULL,
    change TEXT NOT NULL,
    subject INTEGER NOT NULL,
    member INTEGER,
    before TEXT,
    after TEXT
) STRICT;
