'use strict';
// The token endpoint, with the requests of the vendor's client.

const assert = require('node:assert/strict');
const { after, before, test } = require('node:test');
const { AdminUserGroups, AdminUsers, Auth, Configuration, Tokens } = require('ordercloud-javascript-sdk');
const { ADMIN, PASSWORD, Server } = require('./support/server');
const { connect, refused } = require('./support/ordercloud');

let server;
before(async () => {
  server = await Server.start();
  connect(server);
  await server.user({ id: 'ada', username: 'admin 01@x & é', roles: ['AdminUserGroupAdmin', 'AdminUserReader'] });
});
after(() => server.stop());

const USERNAME = 'admin 01@x & é';
const payload = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString());
const roles = (token) => [].concat(payload(token).role).sort();

test('ClientCredentials returns a token that is a readable JWT', async () => {
  const granted = await Auth.ClientCredentials(ADMIN.secret, ADMIN.id, ['FullAccess']);
  assert.equal(granted.token_type, 'bearer');
  assert.ok(granted.expires_in > 0 && Number.isInteger(granted.expires_in));
  assert.equal(granted.refresh_token, undefined);
  const { exp, cid } = payload(granted.access_token);
  assert.ok(exp > Date.now() / 1000);
  assert.equal(cid, ADMIN.id);
  await AdminUserGroups.List({}, { accessToken: granted.access_token });
});

test('a client ID is found in any case, a wrong secret is refused', async () => {
  await Auth.ClientCredentials(ADMIN.secret, ADMIN.id.toUpperCase());
  await refused(Auth.ClientCredentials('not-the-secret-of-it', ADMIN.id), 400, 'Auth.OauthError');
  await refused(Auth.ClientCredentials(ADMIN.secret, 'nobody'), 400, 'Auth.OauthError');
  await refused(Auth.Anonymous(ADMIN.id, ['Shopper']), 400, 'Auth.OauthError');
});

test('scope limits the roles, and unknown ones are ignored', async () => {
  const cut = await Auth.ClientCredentials(ADMIN.secret, ADMIN.id, ['AdminUserReader', 'Shopper']);
  assert.deepEqual(roles(cut.access_token), ['AdminUserReader']);
  await AdminUsers.List({}, { accessToken: cut.access_token });
  await refused(AdminUserGroups.List({}, { accessToken: cut.access_token }), 403, 'Auth.InsufficientRoles');
  await refused(Auth.ClientCredentials(ADMIN.secret, ADMIN.id, ['Shopper']), 400, 'Auth.InsufficientRoles');
});

test('Login grants the roles of the user, limited to those of the client', async () => {
  const { id } = await server.client({ roles: ['AdminUserGroupAdmin', 'AdminUserAdmin'], isPublic: true });
  const granted = await Auth.Login(USERNAME, PASSWORD, id);
  assert.deepEqual(roles(granted.access_token), ['AdminUserGroupAdmin']);
  assert.equal(payload(granted.access_token).usr, USERNAME);
  await AdminUserGroups.List({}, { accessToken: granted.access_token });
});

test('Login with custom roles only fails with a clear error', async () => {
  const { id } = await server.client({ roles: ['FullAccess'], isPublic: true });
  await refused(Auth.Login(USERNAME, PASSWORD, id, undefined, ['MyRole']), 400, 'Auth.InsufficientRoles');
});

test('an unknown user, a wrong password and an inactive user get the same response', async () => {
  const { id } = await server.client({ roles: ['FullAccess'], isPublic: true });
  const admin = await Auth.ClientCredentials(ADMIN.secret, ADMIN.id);
  await server.user({ id: 'idle', roles: ['FullAccess'] });
  await AdminUsers.Patch('idle', { Active: false }, { accessToken: admin.access_token });
  const messages = [];
  for (const [user, password] of [['nobody', PASSWORD], [USERNAME, 'wrong'], ['idle', PASSWORD]]) {
    messages.push((await refused(Auth.Login(user, password, id), 400, 'Auth.InvalidUsernameOrPassword')).message);
  }
  assert.deepEqual(new Set(messages), new Set(['Invalid username or password.']));
});

test('ElevatedLogin requires the secret, if the client has one', async () => {
  const { id, secret } = await server.client({ roles: ['FullAccess'] });
  const granted = await Auth.ElevatedLogin(secret, USERNAME, PASSWORD, id, ['AdminUserReader']);
  assert.deepEqual(roles(granted.access_token), ['AdminUserReader']);
  await refused(Auth.ElevatedLogin('not-the-secret-of-it', USERNAME, PASSWORD, id), 400, 'Auth.OauthError');
  await refused(Auth.Login(USERNAME, PASSWORD, id), 400, 'Auth.OauthError');
});

test('RefreshToken returns a new access token each time', async () => {
  const { id } = await server.client({ roles: ['FullAccess'], isPublic: true, refreshMinutes: 60 });
  const first = await Auth.Login(USERNAME, PASSWORD, id);
  for (let renewal = 0; renewal < 3; renewal++) {
    const renewed = await Auth.RefreshToken(first.refresh_token, id);
    assert.equal(renewed.refresh_token, first.refresh_token);
    await AdminUserGroups.List({}, { accessToken: renewed.access_token });
  }
});

test('RefreshToken of a client with rotation returns the next refresh token', async () => {
  const { id } = await server.client({ roles: ['FullAccess'], isPublic: true, refreshMinutes: 60, refreshRotation: true });
  const first = await Auth.Login(USERNAME, PASSWORD, id);
  const second = await Auth.RefreshToken(first.refresh_token, id);
  assert.notEqual(second.refresh_token, first.refresh_token);
  const third = await Auth.RefreshToken(second.refresh_token, id);
  await AdminUserGroups.List({}, { accessToken: third.access_token });
});

for (const isPublic of [true, false]) {
  const kind = isPublic ? 'a public client' : 'a client with a secret';
  const signIn = async (options) => {
    const { id, secret } = await server.client({ roles: ['FullAccess'], isPublic, ...options });
    const granted = isPublic ? await Auth.Login(USERNAME, PASSWORD, id) : await Auth.ElevatedLogin(secret, USERNAME, PASSWORD, id);
    Tokens.SetAccessToken(granted.access_token);
    Tokens.SetRefreshToken(granted.refresh_token);
  };
  const signOut = () => {
    Tokens.RemoveAccessToken();
    Tokens.RemoveRefreshToken();
  };

  test(`the SDK renews tokens of ${kind} five times at once, and three times in a row`, async (t) => {
    t.after(signOut);
    await signIn({ refreshMinutes: 60 });
    for (let renewal = 0; renewal < 3; renewal++) {
      const before = Tokens.GetAccessToken();
      await later(t, 600 * 60, async () => {
        const pages = await Promise.all(Array.from({ length: 5 }, () => AdminUserGroups.List()));
        assert.equal(pages.length, 5);
      });
      assert.notEqual(Tokens.GetAccessToken(), before);
    }
  });

  test(`the SDK renews one-minute tokens of ${kind} for an hour`, async (t) => {
    t.after(signOut);
    await signIn({ accessMinutes: 1, refreshMinutes: 61 });
    const seen = new Set([Tokens.GetAccessToken()]);
    for (let minute = 1; minute <= 60; minute++) {
      await later(t, 60, () => AdminUserGroups.List());
      seen.add(Tokens.GetAccessToken());
    }
    assert.equal(seen.size, 61, 'a new access token each minute');
  });
}

/** Runs `work` with the clock of this process advanced, so that tokens of this lifetime have expired: the SDK renews them ten seconds later. */
async function later(t, seconds, work) {
  const now = Date.now;
  const ahead = t.mock.method(Date, 'now', () => now() + (seconds + 12) * 1000);
  try {
    await work();
  } finally {
    ahead.mock.restore();
  }
}

test('the client refreshes an expired token by itself', async () => {
  const { id } = await server.client({ roles: ['FullAccess'], isPublic: true, refreshMinutes: 60 });
  const granted = await Auth.Login(USERNAME, PASSWORD, id);
  const encode = (part) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const expired = `${encode({ alg: 'RS256' })}.${encode({ exp: 1, cid: id })}.c2ln`;
  Tokens.SetAccessToken(expired);
  await refused(AdminUserGroups.List(), 401, 'InvalidToken');
  Tokens.SetRefreshToken(granted.refresh_token);
  assert.ok((await AdminUserGroups.List()).Meta);
  assert.notEqual(Tokens.GetAccessToken(), expired);
  Tokens.RemoveAccessToken();
  Tokens.RemoveRefreshToken();
});

test('a call without a token is refused with the reason', async () => {
  const error = await refused(AdminUserGroups.List(), 401, 'InvalidToken');
  assert.equal(error.message, 'Access token is invalid or expired.');
});

test('a response of the token endpoint is not cached, and its errors have both forms', async () => {
  const send = (body) => fetch(`${Configuration.Get().baseApiUrl}/oauth/token`, { method: 'POST', body: new URLSearchParams(body) });
  const granted = await send({ grant_type: 'client_credentials', client_id: ADMIN.id, client_secret: ADMIN.secret });
  assert.equal(granted.headers.get('cache-control'), 'no-store');
  const failed = await send({ grant_type: 'password', client_id: ADMIN.id, client_secret: ADMIN.secret, username: 'x', password: 'y' });
  assert.equal(failed.status, 400);
  const body = await failed.json();
  assert.equal(body.error, 'invalid_grant');
  assert.equal(body.Errors[0].ErrorCode, 'Auth.InvalidUsernameOrPassword');
});
