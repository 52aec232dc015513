'use strict';
// The token endpoint, as the vendor's client asks it.

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

test('ClientCredentials gives a token that can be read as a JWT', async () => {
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

test('scope cuts the roles, and unknown ones count for nothing', async () => {
  const cut = await Auth.ClientCredentials(ADMIN.secret, ADMIN.id, ['AdminUserReader', 'Shopper']);
  assert.deepEqual(roles(cut.access_token), ['AdminUserReader']);
  await AdminUsers.List({}, { accessToken: cut.access_token });
  await refused(AdminUserGroups.List({}, { accessToken: cut.access_token }), 403, 'Auth.InsufficientRoles');
  await refused(Auth.ClientCredentials(ADMIN.secret, ADMIN.id, ['Shopper']), 400, 'Auth.InsufficientRoles');
});

test('Login gives the roles of the user, cut to those of the client', async () => {
  const { id } = await server.client({ roles: ['AdminUserGroupAdmin', 'AdminUserAdmin'], isPublic: true });
  const granted = await Auth.Login(USERNAME, PASSWORD, id);
  assert.deepEqual(roles(granted.access_token), ['AdminUserGroupAdmin']);
  assert.equal(payload(granted.access_token).usr, USERNAME);
  await AdminUserGroups.List({}, { accessToken: granted.access_token });
});

test('Login with nothing but custom roles fails clearly', async () => {
  const { id } = await server.client({ roles: ['FullAccess'], isPublic: true });
  await refused(Auth.Login(USERNAME, PASSWORD, id, undefined, ['MyRole']), 400, 'Auth.InsufficientRoles');
});

test('an unknown user, a wrong password and an inactive user get one answer', async () => {
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

test('ElevatedLogin takes the secret, where the client has one', async () => {
  const { id, secret } = await server.client({ roles: ['FullAccess'] });
  const granted = await Auth.ElevatedLogin(secret, USERNAME, PASSWORD, id, ['AdminUserReader']);
  assert.deepEqual(roles(granted.access_token), ['AdminUserReader']);
  await refused(Auth.ElevatedLogin('not-the-secret-of-it', USERNAME, PASSWORD, id), 400, 'Auth.OauthError');
  await refused(Auth.Login(USERNAME, PASSWORD, id), 400, 'Auth.OauthError');
});

test('RefreshToken works once; used again, it ends what came of it', async () => {
  const { id } = await server.client({ roles: ['FullAccess'], isPublic: true, refreshMinutes: 60 });
  const first = await Auth.Login(USERNAME, PASSWORD, id);
  const second = await Auth.RefreshToken(first.refresh_token, id);
  await AdminUserGroups.List({}, { accessToken: second.access_token });
  assert.notEqual(second.refresh_token, first.refresh_token);
  const reuse = await Auth.RefreshToken(first.refresh_token, id).catch((error) => error);
  assert.equal(reuse.status, 400);
  const ended = await Auth.RefreshToken(second.refresh_token, id).catch((error) => error);
  assert.equal(ended.status, 400);
});

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

test('a call without a token is told so', async () => {
  const error = await refused(AdminUserGroups.List(), 401, 'InvalidToken');
  assert.equal(error.message, 'Access token is invalid or expired.');
});

test('a token endpoint answer is not to be kept, and its errors come in both forms', async () => {
  const ask = (body) => fetch(`${Configuration.Get().baseApiUrl}/oauth/token`, { method: 'POST', body: new URLSearchParams(body) });
  const granted = await ask({ grant_type: 'client_credentials', client_id: ADMIN.id, client_secret: ADMIN.secret });
  assert.equal(granted.headers.get('cache-control'), 'no-store');
  const failed = await ask({ grant_type: 'password', client_id: ADMIN.id, client_secret: ADMIN.secret, username: 'x', password: 'y' });
  assert.equal(failed.status, 400);
  const body = await failed.json();
  assert.equal(body.error, 'invalid_grant');
  assert.equal(body.Errors[0].ErrorCode, 'Auth.InvalidUsernameOrPassword');
});
