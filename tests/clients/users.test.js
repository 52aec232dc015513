'use strict';
// Every method of AdminUsers.

const assert = require('node:assert/strict');
const { after, before, test } = require('node:test');
const { AdminUserGroups, AdminUsers, Auth } = require('ordercloud-javascript-sdk');
const { PASSWORD, Server } = require('./support/server');
const { as, refused, signIn } = require('./support/ordercloud');

let server;
let publicClient;
before(async () => {
  server = await Server.start();
  await signIn(server);
  publicClient = await server.client({ roles: ['FullAccess'], isPublic: true });
});
after(() => server.stop());

const user = (id, more = {}) => ({
  ID: id, Username: id, Password: PASSWORD, FirstName: 'F', LastName: 'L', Email: 'e@x.io', Active: true, ...more,
});

test('a created user is complete, and its password is never returned', async () => {
  const created = await AdminUsers.Create(user('whole', { Phone: '1', TermsAccepted: '2020-01-02T03:04:05+00:00', xp: { a: 1 } }));
  assert.deepEqual(Object.keys(created).sort(), [
    'Active', 'AvailableRoles', 'CompanyID', 'DateCreated', 'Email', 'FailedLoginAttempts', 'FirstName', 'ID',
    'LastActive', 'LastName', 'Locale', 'PasswordLastSetDate', 'Phone', 'TermsAccepted', 'Username', 'xp',
  ].concat('Password' in created ? ['Password'] : []).sort());
  assert.equal(created.Password ?? null, null);
  assert.equal(created.FailedLoginAttempts, 0);
  assert.deepEqual(created.AvailableRoles, []);
  assert.match(created.DateCreated, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00$/);
  assert.equal(Date.parse(created.TermsAccepted), Date.UTC(2020, 0, 2, 3, 4, 5));
  assert.deepEqual(await AdminUsers.Get('WHOLE'), created);
});

test('read-only fields are ignored', async () => {
  const created = await AdminUsers.Create(user('ignored', {
    FailedLoginAttempts: 7, CompanyID: 'c', AvailableRoles: ['FullAccess'], DateCreated: '2001-01-01', Locale: { ID: 'x' },
  }));
  assert.deepEqual([created.FailedLoginAttempts, created.AvailableRoles], [0, []]);
  assert.ok(Date.parse(created.DateCreated) > Date.UTC(2020));
});

test('all missing fields are reported at once', async () => {
  const error = await refused(AdminUsers.Create({ ID: 'a b' }), 400, 'ValidationFailure');
  assert.equal(error.errors.length, 6);
});

test('a username is unique, whatever its case', async () => {
  await AdminUsers.Create(user('taken'));
  await refused(AdminUsers.Create(user('other', { Username: 'TAKEN' })), 409, 'User.UsernameMustBeUnique');
  await AdminUsers.Create(user('other'));
  await refused(AdminUsers.Patch('other', { Username: 'Taken' }), 409, 'User.UsernameMustBeUnique');
  await refused(AdminUsers.Create(user('Taken', { Username: 'free' })), 409, 'IdExists');
});

test('a weak password is refused, and the user is not created', async () => {
  await refused(AdminUsers.Create(user('weak', { Password: 'short' })), 400, 'PasswordReset.InsecurePassword');
  await refused(AdminUsers.Get('weak'), 404, 'NotFound');
});

test('Save replaces everything except the password', async () => {
  await AdminUsers.Create(user('saved', { Phone: '1', xp: { a: 1 } }));
  const { Password, ...rest } = user('saved', { Email: 'new@x.io' });
  const saved = await AdminUsers.Save('saved', rest);
  assert.deepEqual([saved.Phone, saved.xp, saved.Email], [null, null, 'new@x.io']);
  const granted = Auth.Login('saved', Password, publicClient.id);
  await refused(granted, 400, 'Auth.InsufficientRoles');
  assert.equal((await AdminUsers.Save('made-by-save', { ...rest, ID: undefined, Username: 'made' })).ID, 'made-by-save');
});

test('Patch changes the fields it has, and renames', async () => {
  await AdminUsers.Create(user('patched', { Phone: '1', xp: { a: 1 } }));
  const patched = await AdminUsers.Patch('patched', { Active: false, Phone: null, xp: { b: 2 } });
  assert.deepEqual([patched.Active, patched.Phone, patched.xp], [false, null, { a: 1, b: 2 }]);
  await AdminUsers.Patch('patched', { ID: 'renamed' });
  await refused(AdminUsers.Get('patched'), 404, 'NotFound');
  assert.equal((await AdminUsers.Get('renamed')).Username, 'patched');
});

test('Delete removes the assignments, too', async () => {
  await AdminUsers.Create(user('deleted'));
  await AdminUserGroups.Create({ ID: 'left', Name: 'N' });
  await AdminUserGroups.SaveUserAssignment({ UserGroupID: 'left', UserID: 'deleted' });
  assert.equal(await AdminUsers.Delete('deleted'), '');
  const error = await refused(AdminUsers.Get('deleted'), 404, 'NotFound');
  assert.equal(error.message, 'User deleted not found');
  assert.deepEqual((await AdminUserGroups.ListUserAssignments({ userGroupID: 'left' })).Items, []);
});

test('ten failures lock a user, and UnlockUserAccount unlocks it', async () => {
  await server.user({ id: 'locked', roles: ['AdminUserGroupReader'] });
  const login = (password) => Auth.Login('locked', password, publicClient.id);
  for (let failure = 0; failure < 10; failure++) await refused(login('wrong'), 400, 'Auth.InvalidUsernameOrPassword');
  await refused(login(PASSWORD), 400, 'Auth.InvalidUsernameOrPassword');
  assert.ok((await AdminUsers.Get('locked')).FailedLoginAttempts >= 10);
  assert.equal(await AdminUsers.UnlockUserAccount('locked'), '');
  assert.equal((await AdminUsers.Get('locked')).FailedLoginAttempts, 0);
  assert.ok((await login(PASSWORD)).access_token);
});

test('RevokeUserTokens ends tokens issued before', async () => {
  await server.user({ id: 'revoked', roles: ['AdminUserGroupReader'] });
  const { access_token: accessToken } = await Auth.Login('revoked', PASSWORD, publicClient.id);
  await AdminUserGroups.List({}, { accessToken });
  assert.equal(await AdminUsers.RevokeUserTokens('revoked'), '');
  await refused(AdminUserGroups.List({}, { accessToken }), 401, 'Auth.TokenRevoked');
  const again = await Auth.Login('revoked', PASSWORD, publicClient.id);
  await AdminUserGroups.List({}, { accessToken: again.access_token });
});

test('a reader reads and does not write', async () => {
  await AdminUsers.Create(user('guarded'));
  const reader = await as(server, { roles: ['AdminUserReader'] });
  assert.equal((await AdminUsers.Get('guarded', reader)).ID, 'guarded');
  await AdminUsers.List({ search: 'guarded' }, reader);
  const writes = [
    () => AdminUsers.Create(user('new'), reader),
    () => AdminUsers.Save('guarded', user('guarded'), reader),
    () => AdminUsers.Patch('guarded', {}, reader),
    () => AdminUsers.Delete('guarded', reader),
    () => AdminUsers.UnlockUserAccount('guarded', reader),
    () => AdminUsers.RevokeUserTokens('guarded', reader),
  ];
  for (const write of writes) await refused(write(), 403, 'Auth.InsufficientRoles');
});

test('nobody changes a user with more rights', async () => {
  await server.user({ id: 'mighty', roles: ['FullAccess'] });
  const admin = await as(server, { roles: ['AdminUserAdmin'] });
  await refused(AdminUsers.Patch('mighty', { Password: 'An0ther!!pass' }, admin), 403, 'Auth.InsufficientRoles');
});
