-- Times are microseconds since 1970-01-01 UTC. Columns that end in _key contain folded text, written by the program;
-- every comparison, search and sort uses them. Rows with a value in "deleted" are tombstones.

CREATE TABLE settings (
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Counts that would otherwise need a table scan: live groups, live users, memberships of live users in live groups, and
-- the changes of the journal, each of a batch by itself.
CREATE TABLE counters (
    name TEXT NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO counters (name, value) VALUES ('groups', 0), ('users', 0), ('memberships', 0), ('changes', 0);

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
    members INTEGER NOT NULL,
    members_version INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX groups_id ON groups (id_key) WHERE deleted IS NULL;
-- "deleted" is a column of the index, so that a scan does not look up the table: that halves the cost of a step.
CREATE INDEX groups_name ON groups (name_key, id_key, deleted) WHERE deleted IS NULL;
-- For pages in order of the number: the index skips tombstones.
CREATE INDEX groups_live ON groups (uid, deleted) WHERE deleted IS NULL;
-- For the list of deleted groups, newest first.
CREATE INDEX groups_tombstones ON groups (deleted, uid) WHERE deleted IS NOT NULL;
-- For walks by cursor: with the number, an index gives the whole order of a walk, and a range of it any page.
CREATE INDEX groups_created ON groups (created, uid, deleted) WHERE deleted IS NULL;
CREATE INDEX groups_updated ON groups (updated, uid, deleted) WHERE deleted IS NULL;
CREATE INDEX groups_members ON groups (members, uid, deleted) WHERE deleted IS NULL;
-- A user's groups are counted without deleted ones, which are few compared with all groups.
CREATE INDEX groups_deleted ON groups (uid, deleted) WHERE deleted IS NOT NULL;

-- The tables of derived rows below contain rows of live entities only. A tombstone keeps everything that it needs in
-- its own row.
CREATE TABLE group_communities (
    community TEXT NOT NULL,
    owner INTEGER NOT NULL,
    PRIMARY KEY (community, owner)
) STRICT, WITHOUT ROWID;
CREATE INDEX group_communities_owner ON group_communities (owner);

-- One row for each label, with the lower-case tag of its language. text: the first 200 characters; rest: the remaining
-- ones. Statements read labels through the view, as they read the values in xp.
CREATE TABLE group_labels (
    owner INTEGER NOT NULL,
    tag TEXT NOT NULL,
    text TEXT NOT NULL,
    rest TEXT NOT NULL,
    PRIMARY KEY (owner, tag)
) STRICT, WITHOUT ROWID;
CREATE INDEX group_labels_text ON group_labels (tag, text, rest, owner);
CREATE VIEW group_label_entries AS
SELECT owner, tag AS path, 2 AS kind, text, rest, NULL AS number, '' AS number_rest, NULL AS instant, 1 AS least
FROM group_labels;

-- One row for each distinct value at a path of xp. kind: 0 array or object, 1 number, 2 text. text: the first 200
-- characters; rest: the remaining ones. number and number_rest: the exact value, split in the same way, in a form that
-- compares byte by byte as numbers do; also for text that reads as a number. instant: set for text that reads as a
-- date. least: 1 for the value by which the entity is sorted at that path.
--
-- The indexes contain all columns that lists read, so that no row is looked up in the table.
CREATE TABLE group_xp (
    owner INTEGER NOT NULL,
    path TEXT NOT NULL,
    kind INTEGER NOT NULL,
    text TEXT NOT NULL,
    rest TEXT NOT NULL,
    number TEXT,
    number_rest TEXT NOT NULL,
    instant INTEGER,
    least INTEGER NOT NULL,
    PRIMARY KEY (owner, path, kind, text, rest)
) STRICT, WITHOUT ROWID;
CREATE INDEX group_xp_text ON group_xp (path, kind, text, rest, owner, least, number, number_rest, instant);
CREATE INDEX group_xp_number ON group_xp (path, number, number_rest, owner, kind, least, text, rest)
    WHERE number IS NOT NULL;
CREATE INDEX group_xp_instant ON group_xp (path, instant) WHERE instant IS NOT NULL;

-- Substring search: terms of three or more characters use trigrams. Terms of one and two characters use n-grams of that
-- length; the token of an n-gram includes the fields of the entity that contain it.
CREATE VIRTUAL TABLE group_text USING fts5 (
    id_key, name_key, description_key,
    content = '', contentless_delete = 1, tokenize = 'trigram case_sensitive 1 remove_diacritics 0'
);
CREATE VIRTUAL TABLE group_ngrams USING fts5 (
    ngrams, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii'
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
    version INTEGER NOT NULL,
    erased INTEGER
) STRICT;
CREATE UNIQUE INDEX users_id ON users (id_key) WHERE deleted IS NULL;
CREATE UNIQUE INDEX users_username ON users (username_key) WHERE deleted IS NULL;
CREATE INDEX users_last_name ON users (last_name_key, first_name_key, id_key, deleted) WHERE deleted IS NULL;
CREATE INDEX users_live ON users (uid, deleted) WHERE deleted IS NULL;
CREATE INDEX users_first_name ON users (first_name_key, uid, deleted) WHERE deleted IS NULL;
CREATE INDEX users_email ON users (email_key, uid, deleted) WHERE deleted IS NULL;
CREATE INDEX users_created ON users (created, uid, deleted) WHERE deleted IS NULL;
CREATE INDEX users_last_active ON users (last_active, uid, deleted) WHERE deleted IS NULL;
CREATE INDEX users_password_set ON users (password_set, deleted) WHERE deleted IS NULL;

CREATE INDEX users_tombstones ON users (deleted, uid) WHERE deleted IS NOT NULL;
-- Few users have roles.
CREATE INDEX users_roles ON users (roles, deleted) WHERE deleted IS NULL AND roles <> 0;
-- Few users are locked.
CREATE INDEX users_locked ON users (locked_until, deleted) WHERE deleted IS NULL AND locked_until IS NOT NULL;

CREATE TABLE user_communities (
    community TEXT NOT NULL,
    owner INTEGER NOT NULL,
    PRIMARY KEY (community, owner)
) STRICT, WITHOUT ROWID;
CREATE INDEX user_communities_owner ON user_communities (owner);

CREATE TABLE user_xp (
    owner INTEGER NOT NULL,
    path TEXT NOT NULL,
    kind INTEGER NOT NULL,
    text TEXT NOT NULL,
    rest TEXT NOT NULL,
    number TEXT,
    number_rest TEXT NOT NULL,
    instant INTEGER,
    least INTEGER NOT NULL,
    PRIMARY KEY (owner, path, kind, text, rest)
) STRICT, WITHOUT ROWID;
CREATE INDEX user_xp_text ON user_xp (path, kind, text, rest, owner, least, number, number_rest, instant);
CREATE INDEX user_xp_number ON user_xp (path, number, number_rest, owner, kind, least, text, rest)
    WHERE number IS NOT NULL;
CREATE INDEX user_xp_instant ON user_xp (path, instant) WHERE instant IS NOT NULL;

CREATE VIRTUAL TABLE user_text USING fts5 (
    id_key, username_key, first_name_key, last_name_key, email_key,
    content = '', contentless_delete = 1, tokenize = 'trigram case_sensitive 1 remove_diacritics 0'
);
CREATE VIRTUAL TABLE user_ngrams USING fts5 (
    ngrams, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii'
);

-- user_key is the user's id_key, stored here so that the members of a group can be read in order. live is 1 unless
-- the user is deleted. The deletion of a group changes none of its rows, because they are reached only through the group;
-- they and groups.members follow the deletion of users as those of a live group do. So the group can be restored as it is.
-- change: the number of the journal entry that gave the membership; NULL = unknown.
CREATE TABLE memberships (
    group_uid INTEGER NOT NULL,
    user_uid INTEGER NOT NULL,
    user_key TEXT NOT NULL,
    live INTEGER NOT NULL,
    added INTEGER NOT NULL,
    change INTEGER,
    PRIMARY KEY (group_uid, user_uid)
) STRICT, WITHOUT ROWID;
CREATE INDEX memberships_group ON memberships (group_uid, user_key) WHERE live = 1;
-- Every index of the table ends with its primary key, so this one has the order of time, then of the user's number.
CREATE INDEX memberships_added ON memberships (group_uid, added) WHERE live = 1;
CREATE INDEX memberships_user ON memberships (user_uid);
-- The deleted users of a group, who are few: a restored group tells how many of them are gone.
CREATE INDEX memberships_hidden ON memberships (group_uid) WHERE live = 0;

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
    refresh_rotation INTEGER NOT NULL,
    enabled INTEGER NOT NULL,
    strict_members INTEGER NOT NULL,
    max_removal_percent INTEGER,
    generation INTEGER NOT NULL,
    long_lived_generation INTEGER NOT NULL,
    secret_hash TEXT,
    secret_set INTEGER,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    deleted INTEGER,
    version INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX clients_id ON clients (id_key) WHERE deleted IS NULL;
CREATE INDEX clients_user ON clients (user_uid) WHERE deleted IS NULL;

-- name: the jti of a token, or the name of a family of refresh tokens. The end of a family ends all its access tokens.
CREATE TABLE ended_tokens (
    name TEXT NOT NULL PRIMARY KEY,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX ended_tokens_expires ON ended_tokens (expires);

-- The answers to requests with an idempotency key, until the key expires. scope: the caller. fingerprint: the digest of the
-- request, without passwords. body: NULL if it was too long.
CREATE TABLE idempotency_keys (
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    operation TEXT NOT NULL,
    expires INTEGER NOT NULL,
    status INTEGER NOT NULL,
    location TEXT,
    tag TEXT,
    content_type TEXT,
    body TEXT,
    PRIMARY KEY (scope, key)
) STRICT;
CREATE INDEX idempotency_keys_expires ON idempotency_keys (expires);

-- used: the time of the first use; NULL if unused.
CREATE TABLE refresh_tokens (
    hash TEXT NOT NULL PRIMARY KEY,
    family TEXT NOT NULL,
    salt TEXT NOT NULL,
    user_uid INTEGER NOT NULL,
    client_uid INTEGER NOT NULL,
    user_generation INTEGER NOT NULL,
    client_generation INTEGER NOT NULL,
    scope INTEGER,
    expires INTEGER NOT NULL,
    used INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX refresh_tokens_expires ON refresh_tokens (expires);
-- Those of an erased user are deleted.
CREATE INDEX refresh_tokens_user ON refresh_tokens (user_uid);

-- The sessions of people who signed in to the console. hash: SHA-256 of the secret. generation: that of the user at the
-- sign-in; a later one ends the session. seen: the last use, at most a minute late.
CREATE TABLE sessions (
    hash TEXT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL,
    user_uid INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    created INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_user ON sessions (user_uid, created);
CREATE INDEX sessions_expires ON sessions (expires);

-- The codes with which the first administrator is made. hash: SHA-256 of the code.
CREATE TABLE setup_codes (
    hash TEXT NOT NULL PRIMARY KEY,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Tokens for programs that cannot use the token endpoint. hash: SHA-256 of the token. deleted: the time of the revocation.
-- A token has also ended if its client or user is deleted or has another generation. last_used: in whole hours.
CREATE TABLE long_lived_tokens (
    uid INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    id_key TEXT NOT NULL,
    hash TEXT NOT NULL,
    name TEXT NOT NULL,
    client_uid INTEGER NOT NULL,
    client_generation INTEGER NOT NULL,
    user_uid INTEGER,
    user_generation INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    last_used INTEGER,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    deleted INTEGER,
    version INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX long_lived_tokens_id ON long_lived_tokens (id_key) WHERE deleted IS NULL;
CREATE UNIQUE INDEX long_lived_tokens_hash ON long_lived_tokens (hash);
CREATE INDEX long_lived_tokens_client ON long_lived_tokens (client_uid, uid) WHERE deleted IS NULL;
CREATE INDEX long_lived_tokens_expires ON long_lived_tokens (expires, uid) WHERE deleted IS NULL;

-- Who signed in, or tried to, for some months. client_uid: also of an attempt of which nobody knows the user. source: the
-- address of the client. reason: why it was refused. count: 1; more for attempts with unknown names, of which one row counts
-- those of a minute and source. tally: the key of such a row; NULL for others.
CREATE TABLE sign_ins (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    type TEXT NOT NULL,
    channel TEXT NOT NULL,
    user_uid INTEGER,
    client_uid INTEGER,
    source TEXT,
    count INTEGER NOT NULL,
    reason TEXT,
    tally TEXT
) STRICT;
-- Each index ends with seq, the key of the table: it gives the rows of a user, a client or a source in their order.
CREATE INDEX sign_ins_at ON sign_ins (at);
CREATE INDEX sign_ins_user ON sign_ins (user_uid) WHERE user_uid IS NOT NULL;
CREATE INDEX sign_ins_client ON sign_ins (client_uid) WHERE client_uid IS NOT NULL;
CREATE INDEX sign_ins_source ON sign_ins (source) WHERE source IS NOT NULL;
CREATE UNIQUE INDEX sign_ins_tally ON sign_ins (tally) WHERE tally IS NOT NULL;

CREATE TABLE signing_keys (
    kid TEXT NOT NULL PRIMARY KEY,
    pem TEXT NOT NULL,
    signs_from INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- kind: group, user, membership, members (several of one group), client, token, key or batch. subject: the number of the
-- entity, 0 for a key and a batch; for memberships, the number of the group. member: the user of a single membership.
CREATE TABLE journal (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    operation TEXT NOT NULL,
    at INTEGER NOT NULL,
    actor_user INTEGER,
    actor_client INTEGER,
    channel TEXT NOT NULL,
    reason TEXT,
    operator_user TEXT,
    operator_host TEXT,
    undoes TEXT,
    kind TEXT NOT NULL,
    change TEXT NOT NULL,
    subject INTEGER NOT NULL,
    member INTEGER,
    before TEXT,
    after TEXT
) STRICT;
-- Each index ends with seq, the key of the table. So it gives the entries of an entity, of a user's memberships and of
-- an operation in their order.
CREATE INDEX journal_subject ON journal (kind, subject);
CREATE INDEX journal_member ON journal (member) WHERE member IS NOT NULL;
CREATE INDEX journal_operation ON journal (operation);
CREATE INDEX journal_at ON journal (at);
-- The few entities that were restored: their rows do not tell that they were deleted for a while.
CREATE INDEX journal_restored ON journal (kind, at) WHERE change = 'restored';

-- The users of each entry of the kind members. position: the number of the change in the entry, from 0: first the removed
-- users, then the added ones, as the entry lists them. added: 1, or 0 for a removed user.
CREATE TABLE journal_members (
    user_uid INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    position INTEGER NOT NULL,
    added INTEGER NOT NULL,
    PRIMARY KEY (user_uid, seq)
) STRICT, WITHOUT ROWID;

-- The index of batches: which entries of batches touched which groups and users. kind: what the entries did. segment:
-- the number of the group or user divided by 65,536. level: 0 for one entry, otherwise a node unites sixteen of the level
-- below. numbers: the remainders of the numbers, as a Roaring bitmap in base64. merged: 1 if the node is united with
-- others at the level above.
CREATE TABLE batch_index (
    kind TEXT NOT NULL,
    segment INTEGER NOT NULL,
    level INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    merged INTEGER NOT NULL,
    numbers TEXT NOT NULL,
    PRIMARY KEY (kind, segment, level, first_seq)
) STRICT;
CREATE INDEX batch_index_roots ON batch_index (kind, segment, level, first_seq, last_seq) WHERE merged = 0;
-- Nodes of entries that are no longer kept are deleted.
CREATE INDEX batch_index_last ON batch_index (last_seq);

-- The counters as they were last seen on a day, which is the number of days since 1970-01-01 UTC.
CREATE TABLE daily_counts (
    day INTEGER PRIMARY KEY,
    groups INTEGER NOT NULL,
    users INTEGER NOT NULL,
    memberships INTEGER NOT NULL,
    changes INTEGER NOT NULL
) STRICT;
