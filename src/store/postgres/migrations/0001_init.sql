-- Times are microseconds since 1970-01-01 UTC. Columns that end in _key contain folded text, which the program writes:
-- every comparison, search and sort uses them. Rows with a value in "deleted" are tombstones.
--
-- All text is COLLATE "C": it compares by code points, independent of the locale of the database.
--
-- Lists sort nulls lowest (first if ascending, last if descending), so an index on a nullable column is NULLS FIRST.
-- For columns without nulls the default serves both directions.
--
-- An entry of a B-tree has at most 2,704 bytes. Folding expands a character to at most 12 bytes (U+1D160 and its
-- neighbours become three characters of four bytes each): 1,200 bytes for a name, 2,400 for an email address. The longest
-- entries are those of users_last_name (1,200 + 1,200 + 100 for an ID, 2,520 with their lengths) and users_email (2,420).

CREATE TABLE settings (
    key TEXT COLLATE "C" PRIMARY KEY,
    value TEXT COLLATE "C" NOT NULL
);

-- Counts that would otherwise need a scan: live groups, live users, memberships of both, and the changes of the journal,
-- each of a batch by itself. Each count is the sum of its slots, and a transaction changes any one of them, so concurrent
-- transactions do not wait for one row. fillfactor keeps half of every page free for new versions of its rows, so that
-- updates do not touch the index.
CREATE TABLE counters (
    name TEXT COLLATE "C" NOT NULL,
    slot SMALLINT NOT NULL,
    value BIGINT NOT NULL,
    PRIMARY KEY (name, slot)
) WITH (fillfactor = 50);
INSERT INTO counters (name, slot, value)
SELECT name, slot, 0
FROM unnest(ARRAY['groups', 'users', 'memberships', 'changes']) AS name, generate_series(0, 63) AS slot;

-- Numbers are drawn from sequences, which a rollback does not set back: gaps are allowed, reuse is not. fillfactor
-- leaves space in each page for new versions of rows, because each new membership updates "members".
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
    members BIGINT NOT NULL,
    members_version BIGINT NOT NULL
) WITH (fillfactor = 90);
CREATE SEQUENCE groups_uid OWNED BY groups.uid;
CREATE UNIQUE INDEX groups_id ON groups (id_key) WHERE deleted IS NULL;
CREATE INDEX groups_name ON groups (name_key, id_key) WHERE deleted IS NULL;
-- Lists in the order of numbers skip tombstones by this index.
CREATE INDEX groups_live ON groups (uid) WHERE deleted IS NULL;
-- For the list of deleted groups, newest first.
CREATE INDEX groups_tombstones ON groups (deleted, uid) WHERE deleted IS NOT NULL;
-- For walks by cursor: with the number, an index gives the whole order of a walk, and a range of it any page.
CREATE INDEX groups_created ON groups (created, uid) WHERE deleted IS NULL;
CREATE INDEX groups_updated ON groups (updated, uid) WHERE deleted IS NULL;

-- The member counts of live groups, for filters and sorting. They are not indexed in the table of groups, so that a new
-- member is a small update there, which changes no index.
CREATE TABLE group_sizes (
    owner BIGINT PRIMARY KEY,
    members BIGINT NOT NULL
) WITH (fillfactor = 90);
CREATE INDEX group_sizes_members ON group_sizes (members, owner);

-- The tables of derived rows below contain only rows of live entities; a tombstone has all its data in its own row.
CREATE TABLE group_communities (
    community TEXT COLLATE "C" NOT NULL,
    owner BIGINT NOT NULL,
    PRIMARY KEY (community, owner)
);
CREATE INDEX group_communities_owner ON group_communities (owner);

-- One row for each label, with the lower-case tag of its language. text: the first 200 characters; rest: the remaining
-- ones. Statements read labels through the view, as they read the values in xp.
CREATE TABLE group_labels (
    owner BIGINT NOT NULL,
    tag TEXT COLLATE "C" NOT NULL,
    text TEXT COLLATE "C" NOT NULL,
    rest TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (owner, tag)
);
CREATE INDEX group_labels_text ON group_labels (tag, text, rest, owner);
CREATE VIEW group_label_entries AS
SELECT owner, tag AS path, 2::SMALLINT AS kind, text, rest, NULL::TEXT COLLATE "C" AS number,
    ''::TEXT COLLATE "C" AS number_rest, NULL::BIGINT AS instant, 1::SMALLINT AS least
FROM group_labels;

-- One row per distinct value at a path of xp.
-- - kind: 0 array or object, 1 number, 2 text.
-- - text: the first 200 characters; rest: the characters after them.
-- - number and number_rest: likewise the exact number, as a text whose byte order is the numeric order. Set for numbers,
--   and for text that can be read as a number.
-- - instant: set for text that can be read as a date.
-- - least: 1 for the value by which the owner is sorted at that path, 0 for the others.
--
-- No primary key, because rest can be longer than an index entry. An entry of the longest index has a path of 300 bytes, a
-- number of 200 and a text of 800, with their lengths 1,328. Rows without a number (or instant) are in its index too,
-- because a comparison selects rows by number, and by text those without one.
CREATE TABLE group_xp (
    owner BIGINT NOT NULL,
    path TEXT COLLATE "C" NOT NULL,
    kind SMALLINT NOT NULL,
    text TEXT COLLATE "C" NOT NULL,
    rest TEXT COLLATE "C" NOT NULL,
    number TEXT COLLATE "C",
    number_rest TEXT COLLATE "C" NOT NULL,
    instant BIGINT,
    least SMALLINT NOT NULL
);
CREATE INDEX group_xp_owner ON group_xp (owner, path);
CREATE INDEX group_xp_text ON group_xp (path, text);
CREATE INDEX group_xp_number ON group_xp (path, number, text);
CREATE INDEX group_xp_instant ON group_xp (path, instant, text);

-- Substring search: terms of three and more characters use trigrams, terms of one and two characters use n-grams of that
-- length. An n-gram is stored as a number that encodes the field and the code points. The trigrams are those of
-- expressions: an index of the columns themselves also serves comparisons for equality, and the planner takes it for those
-- of thousands of values, where it is a thousand times as slow as the B-tree.
CREATE INDEX groups_text ON groups USING gin (
    (id_key || '') gin_trgm_ops, (name_key || '') gin_trgm_ops, (description_key || '') gin_trgm_ops
) WHERE deleted IS NULL;
-- The planner takes no statistics of expressions from a partial index.
CREATE STATISTICS groups_text_id ON (id_key || '') FROM groups;
CREATE STATISTICS groups_text_name ON (name_key || '') FROM groups;
CREATE STATISTICS groups_text_description ON (description_key || '') FROM groups;
CREATE TABLE group_ngrams (
    owner BIGINT PRIMARY KEY,
    ngrams BIGINT[] NOT NULL
);
CREATE INDEX group_ngrams_ngrams ON group_ngrams USING gin (ngrams);

-- fillfactor leaves space in each page for new versions of rows, because each sign-in updates its user.
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
    version BIGINT NOT NULL,
    erased BIGINT
) WITH (fillfactor = 90);
CREATE SEQUENCE users_uid OWNED BY users.uid;
CREATE UNIQUE INDEX users_id ON users (id_key) WHERE deleted IS NULL;
CREATE UNIQUE INDEX users_username ON users (username_key) WHERE deleted IS NULL;
CREATE INDEX users_last_name ON users (last_name_key, first_name_key, id_key) WHERE deleted IS NULL;
CREATE INDEX users_live ON users (uid) WHERE deleted IS NULL;
CREATE INDEX users_first_name ON users (first_name_key, uid) WHERE deleted IS NULL;
CREATE INDEX users_email ON users (email_key, uid) WHERE deleted IS NULL;
CREATE INDEX users_created ON users (created, uid) WHERE deleted IS NULL;
CREATE INDEX users_last_active ON users (last_active NULLS FIRST, uid) WHERE deleted IS NULL;
CREATE INDEX users_password_set ON users (password_set NULLS FIRST) WHERE deleted IS NULL;

CREATE INDEX users_tombstones ON users (deleted, uid) WHERE deleted IS NOT NULL;
-- Few users have roles.
CREATE INDEX users_roles ON users (roles) WHERE deleted IS NULL AND roles <> 0;
-- Few users are locked.
CREATE INDEX users_locked ON users (locked_until) WHERE deleted IS NULL AND locked_until IS NOT NULL;

CREATE TABLE user_communities (
    community TEXT COLLATE "C" NOT NULL,
    owner BIGINT NOT NULL,
    PRIMARY KEY (community, owner)
);
CREATE INDEX user_communities_owner ON user_communities (owner);

CREATE TABLE user_xp (
    owner BIGINT NOT NULL,
    path TEXT COLLATE "C" NOT NULL,
    kind SMALLINT NOT NULL,
    text TEXT COLLATE "C" NOT NULL,
    rest TEXT COLLATE "C" NOT NULL,
    number TEXT COLLATE "C",
    number_rest TEXT COLLATE "C" NOT NULL,
    instant BIGINT,
    least SMALLINT NOT NULL
);
CREATE INDEX user_xp_owner ON user_xp (owner, path);
CREATE INDEX user_xp_text ON user_xp (path, text);
CREATE INDEX user_xp_number ON user_xp (path, number, text);
CREATE INDEX user_xp_instant ON user_xp (path, instant, text);

CREATE INDEX users_text ON users USING gin (
    (id_key || '') gin_trgm_ops, (username_key || '') gin_trgm_ops, (first_name_key || '') gin_trgm_ops,
    (last_name_key || '') gin_trgm_ops, (email_key || '') gin_trgm_ops
) WHERE deleted IS NULL;
CREATE STATISTICS users_text_id ON (id_key || '') FROM users;
CREATE STATISTICS users_text_username ON (username_key || '') FROM users;
CREATE STATISTICS users_text_first_name ON (first_name_key || '') FROM users;
CREATE STATISTICS users_text_last_name ON (last_name_key || '') FROM users;
CREATE STATISTICS users_text_email ON (email_key || '') FROM users;
CREATE TABLE user_ngrams (
    owner BIGINT PRIMARY KEY,
    ngrams BIGINT[] NOT NULL
);
CREATE INDEX user_ngrams_ngrams ON user_ngrams USING gin (ngrams);

-- user_key is the user's id_key, stored here so that an index gives the members of a group in order. live is 1 unless
-- the user is deleted. The deletion of a group changes none of its rows, because they are read only through the group; they
-- and groups.members follow the deletion of users as those of a live group do. So the group can be restored as it is.
-- change: the number of the journal entry that gave the membership; null = unknown.
--
-- live is a column of the index, not its condition: statements compare it with a parameter, and a generic plan, which is
-- valid for any parameter, cannot use a partial index.
CREATE TABLE memberships (
    group_uid BIGINT NOT NULL,
    user_uid BIGINT NOT NULL,
    user_key TEXT COLLATE "C" NOT NULL,
    live SMALLINT NOT NULL,
    added BIGINT NOT NULL,
    change BIGINT,
    PRIMARY KEY (group_uid, user_uid)
);
CREATE INDEX memberships_group ON memberships (group_uid, live, user_key);
-- The sum is in no statement that looks up one membership. If the index had user_uid itself, the planner would take it for
-- such a look-up, as an index-only scan of the whole group, because it knows only the size of the average group.
CREATE INDEX memberships_added ON memberships (group_uid, live, added, (user_uid + 0));
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
    refresh_rotation SMALLINT NOT NULL,
    enabled SMALLINT NOT NULL,
    strict_members SMALLINT NOT NULL,
    max_removal_percent BIGINT,
    generation BIGINT NOT NULL,
    long_lived_generation BIGINT NOT NULL,
    secret_hash TEXT COLLATE "C",
    secret_set BIGINT,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    deleted BIGINT,
    version BIGINT NOT NULL
);
CREATE SEQUENCE clients_uid OWNED BY clients.uid;
CREATE UNIQUE INDEX clients_id ON clients (id_key) WHERE deleted IS NULL;
CREATE INDEX clients_user ON clients (user_uid) WHERE deleted IS NULL;

-- name: the jti of an access token, or the family of refresh tokens, which ends together with all its access tokens.
CREATE TABLE ended_tokens (
    name TEXT COLLATE "C" PRIMARY KEY,
    expires BIGINT NOT NULL
);
CREATE INDEX ended_tokens_expires ON ended_tokens (expires);

-- The answers to requests with an idempotency key, until the key expires. scope: the caller. fingerprint: the digest of the
-- request, without passwords. body: null if it was too long. A row is inserted before its change is made, and completed with
-- the answer in the same transaction: so it also is the lock of the key.
CREATE TABLE idempotency_keys (
    scope TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    fingerprint TEXT COLLATE "C" NOT NULL,
    operation TEXT COLLATE "C" NOT NULL,
    expires BIGINT NOT NULL,
    status BIGINT NOT NULL,
    location TEXT COLLATE "C",
    tag TEXT COLLATE "C",
    content_type TEXT COLLATE "C",
    body TEXT COLLATE "C",
    PRIMARY KEY (scope, key)
);
CREATE INDEX idempotency_keys_expires ON idempotency_keys (expires);

-- used: when the token was first used; null = not yet.
CREATE TABLE refresh_tokens (
    hash TEXT COLLATE "C" PRIMARY KEY,
    family TEXT COLLATE "C" NOT NULL,
    salt TEXT COLLATE "C" NOT NULL,
    user_uid BIGINT NOT NULL,
    client_uid BIGINT NOT NULL,
    user_generation BIGINT NOT NULL,
    client_generation BIGINT NOT NULL,
    scope SMALLINT,
    expires BIGINT NOT NULL,
    used BIGINT
);
CREATE INDEX refresh_tokens_expires ON refresh_tokens (expires);
-- Those of an erased user are deleted.
CREATE INDEX refresh_tokens_user ON refresh_tokens (user_uid);

-- The sessions of people who signed in to the console. hash: SHA-256 of the secret. generation: that of the user at the
-- sign-in; a later one ends the session. seen: the last use, at most a minute late.
CREATE TABLE sessions (
    hash TEXT COLLATE "C" PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL,
    user_uid BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    created BIGINT NOT NULL,
    seen BIGINT NOT NULL,
    expires BIGINT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_uid, created);
CREATE INDEX sessions_expires ON sessions (expires);

-- The codes with which the first administrator is made. hash: SHA-256 of the code.
CREATE TABLE setup_codes (
    hash TEXT COLLATE "C" PRIMARY KEY,
    expires BIGINT NOT NULL
);

-- Tokens for programs that cannot use the token endpoint. hash: SHA-256 of the token. deleted: the time of the revocation.
-- A token has also ended if its client or user is deleted or has another generation. last_used: in whole hours.
CREATE TABLE long_lived_tokens (
    uid BIGINT PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL,
    id_key TEXT COLLATE "C" NOT NULL,
    hash TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    client_uid BIGINT NOT NULL,
    client_generation BIGINT NOT NULL,
    user_uid BIGINT,
    user_generation BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    last_used BIGINT,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    deleted BIGINT,
    version BIGINT NOT NULL
);
CREATE SEQUENCE long_lived_tokens_uid OWNED BY long_lived_tokens.uid;
CREATE UNIQUE INDEX long_lived_tokens_id ON long_lived_tokens (id_key) WHERE deleted IS NULL;
CREATE UNIQUE INDEX long_lived_tokens_hash ON long_lived_tokens (hash);
CREATE INDEX long_lived_tokens_client ON long_lived_tokens (client_uid, uid) WHERE deleted IS NULL;
CREATE INDEX long_lived_tokens_expires ON long_lived_tokens (expires, uid) WHERE deleted IS NULL;

-- Who signed in, or tried to, for some months. client_uid: also of an attempt of which nobody knows the user. source: the
-- address of the client. reason: why it was refused. count: 1; more for attempts with unknown names, of which one row counts
-- those of a minute and source. tally: the key of such a row; null for others. Readers follow (xid, seq), as in the journal.
CREATE SEQUENCE sign_ins_seq;
CREATE TABLE sign_ins (
    seq BIGINT PRIMARY KEY DEFAULT nextval('sign_ins_seq'),
    xid XID8 NOT NULL DEFAULT pg_current_xact_id(),
    at BIGINT NOT NULL,
    type TEXT COLLATE "C" NOT NULL,
    channel TEXT COLLATE "C" NOT NULL,
    user_uid BIGINT,
    client_uid BIGINT,
    source TEXT COLLATE "C",
    count BIGINT NOT NULL,
    reason TEXT COLLATE "C",
    tally TEXT COLLATE "C"
);
ALTER SEQUENCE sign_ins_seq OWNED BY sign_ins.seq;
CREATE INDEX sign_ins_settled ON sign_ins (xid, seq);
CREATE INDEX sign_ins_at ON sign_ins (at);
CREATE INDEX sign_ins_user ON sign_ins (user_uid, xid, seq) WHERE user_uid IS NOT NULL;
CREATE INDEX sign_ins_client ON sign_ins (client_uid, xid, seq) WHERE client_uid IS NOT NULL;
CREATE INDEX sign_ins_source ON sign_ins (source, xid, seq) WHERE source IS NOT NULL;
CREATE UNIQUE INDEX sign_ins_tally ON sign_ins (tally) WHERE tally IS NOT NULL;

CREATE TABLE signing_keys (
    kid TEXT COLLATE "C" PRIMARY KEY,
    pem TEXT COLLATE "C" NOT NULL,
    signs_from BIGINT NOT NULL
);

-- kind: group, user, membership, members (several of one group), client, token, key or batch. subject: the number of the
-- entity, 0 for a key and a batch; for memberships, the number of the group. member: the user of a single membership.
--
-- Transactions do not commit in the order in which they draw seq, so a reader that follows seq alone could skip a row that
-- is committed later. xid is the transaction ID: all transactions below pg_snapshot_xmin() have ended, so no row can
-- appear below it any more. A reader follows (xid, seq) up to that horizon.
--
-- seq is drawn after the transaction has locked its entity: of two entries of one entity, the later one has the higher
-- seq.
CREATE SEQUENCE journal_seq;
CREATE TABLE journal (
    seq BIGINT PRIMARY KEY DEFAULT nextval('journal_seq'),
    xid XID8 NOT NULL DEFAULT pg_current_xact_id(),
    operation TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    actor_user BIGINT,
    actor_client BIGINT,
    channel TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C",
    operator_user TEXT COLLATE "C",
    operator_host TEXT COLLATE "C",
    undoes TEXT COLLATE "C",
    kind TEXT COLLATE "C" NOT NULL,
    change TEXT COLLATE "C" NOT NULL,
    subject BIGINT NOT NULL,
    member BIGINT,
    before TEXT COLLATE "C",
    after TEXT COLLATE "C"
);
ALTER SEQUENCE journal_seq OWNED BY journal.seq;
CREATE INDEX journal_settled ON journal (xid, seq);
CREATE INDEX journal_subject ON journal (kind, subject, seq);
CREATE INDEX journal_member ON journal (member, seq) WHERE member IS NOT NULL;
-- The look-up of a commit outcome also searches by operation.
CREATE INDEX journal_operation ON journal (operation);
CREATE INDEX journal_at ON journal (at);
-- The few entities that were restored: their rows do not tell that they were deleted for a while.
CREATE INDEX journal_restored ON journal (kind, at) WHERE change = 'restored';

-- The users of each entry of the kind members. position: the number of the change in the entry, from 0: first the removed
-- users, then the added ones, as the entry lists them. added: 1, or 0 for a removed user.
CREATE TABLE journal_members (
    user_uid BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    position BIGINT NOT NULL,
    added SMALLINT NOT NULL,
    PRIMARY KEY (user_uid, seq)
);

-- The index of batches: which entries of batches touched which groups and users. kind: what the entries did. segment:
-- the number of the group or user divided by 65,536. level: 0 for one entry, otherwise a node unites sixteen of the level
-- below. numbers: the remainders of the numbers, as a Roaring bitmap in base64. merged: 1 if the node is united with
-- others at the level above.
CREATE TABLE batch_index (
    kind TEXT COLLATE "C" NOT NULL,
    segment BIGINT NOT NULL,
    level SMALLINT NOT NULL,
    first_seq BIGINT NOT NULL,
    last_seq BIGINT NOT NULL,
    merged SMALLINT NOT NULL,
    numbers TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (kind, segment, level, first_seq)
);
CREATE INDEX batch_index_roots ON batch_index (kind, segment) WHERE merged = 0;
-- Nodes of entries that are no longer kept are deleted.
CREATE INDEX batch_index_last ON batch_index (last_seq);

-- Without statistics PostgreSQL assumes that one row in 200 is null in a column: it would plan the lists of a newly filled
-- directory as if nearly all entities were deleted. So some live entities are inserted, analyzed and deleted again. They
-- are too few to trigger another automatic ANALYZE before the directory has other entities.
INSERT INTO groups (
    uid, id, id_key, name, name_key, labels, communities, created, updated, version, members, members_version
)
SELECT n, n, n, 'Name', 'name', '{"en":"Name"}', '[]', 0, 0, 1, 0, 0 FROM generate_series(1, 20) AS n;
INSERT INTO users (
    uid, id, id_key, username, username_key, first_name, first_name_key, last_name, last_name_key, email, email_key,
    active, roles, communities, generation, failed_attempts, created, updated, version
)
SELECT n, n, n, n, n, 'First', 'first', 'Last', 'last', 'a@example.com', 'a@example.com', 1, 0, '[]', 0, 0, 0, 0, 1
FROM generate_series(1, 20) AS n;
ANALYZE groups (deleted), users (deleted);
DELETE FROM groups;
DELETE FROM users;

-- The counters as they were last seen on a day, which is the number of days since 1970-01-01 UTC.
CREATE TABLE daily_counts (
    day BIGINT PRIMARY KEY,
    groups BIGINT NOT NULL,
    users BIGINT NOT NULL,
    memberships BIGINT NOT NULL,
    changes BIGINT NOT NULL
);
