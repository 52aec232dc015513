'use strict';
// Every method of AdminUserGroups.

const assert = require('node:assert/strict');
const { after, before, test } = require('node:test');
const { AdminUserGroups, AdminUsers, Tokens } = require('ordercloud-javascript-sdk');
const { Server } = require('./support/server');
const { as, refused, signIn } = require('./support/ordercloud');

let server;
before(async () => {
  server = await Server.start();
  await signIn(server);
});
after(() => server.stop());

const user = (id) => ({ ID: id, Username: id, FirstName: 'F', LastName: 'L', Email: 'e@x.io', Active: true });
const pairs = (page) => page.Items.map((item) => `${item.UserGroupID}/${item.UserID}`);

test('a created group is complete, and found by its ID in any case', async () => {
  const sent = { ID: 'Created', Name: 'G 1', Description: 'd', xp: { a: 1, b: null, c: [1, 'x'], d: { e: true } } };
  const created = await AdminUserGroups.Create(sent);
  assert.deepEqual(created, sent);
  assert.deepEqual(await AdminUserGroups.Get('created'), sent);
});

test('unset fields are null', async () => {
  const created = await AdminUserGroups.Create({ ID: 'bare', Name: 'Bare' });
  assert.deepEqual(created, { ID: 'bare', Name: 'Bare', Description: null, xp: null });
});

test('an ID is generated if none is sent', async () => {
  const made = [];
  for (const ID of [undefined, '', null]) made.push((await AdminUserGroups.Create({ ID, Name: 'NoID' })).ID);
  made.forEach((id) => assert.match(id, /^[A-Za-z0-9_-]{1,100}$/));
  assert.equal(new Set(made).size, made.length);
});

test('unknown fields of a body are ignored', async () => {
  const created = await AdminUserGroups.Create({ ID: 'unknown', Name: 'N', OwnerID: 'x', FailedLoginAttempts: 0 });
  assert.deepEqual(Object.keys(created), ['ID', 'Name', 'Description', 'xp']);
});

test('Save creates a group with 200, and replaces it', async () => {
  const address = `${server.url}/v1/usergroups/saved`;
  const made = await fetch(address, {
    method: 'PUT',
    headers: { authorization: `Bearer ${Tokens.GetAccessToken()}`, 'content-type': 'application/json' },
    body: JSON.stringify({ Name: 'Saved', Description: 'd', xp: { a: 1 } }),
  });
  assert.equal(made.status, 200);
  assert.deepEqual(await AdminUserGroups.Save('saved', { Name: 'G' }), { ID: 'saved', Name: 'G', Description: null, xp: null });
});

test('Patch changes the fields it has, and merges xp', async () => {
  await AdminUserGroups.Create({ ID: 'patched', Name: 'P', Description: 'd', xp: { a: 1, d: { e: true, f: 1 } } });
  const merged = await AdminUserGroups.Patch('patched', { Description: null, xp: { b: 2, d: { e: false } } });
  assert.deepEqual(merged, { ID: 'patched', Name: 'P', Description: null, xp: { a: 1, d: { e: false, f: 1 }, b: 2 } });
  const nulled = await AdminUserGroups.Patch('patched', { xp: { a: null } });
  assert.deepEqual(nulled.xp, { a: null, d: { e: false, f: 1 }, b: 2 });
  assert.deepEqual(await AdminUserGroups.Patch('patched', {}), nulled);
  assert.equal((await AdminUserGroups.Patch('patched', { xp: null })).xp, null);
  await refused(AdminUserGroups.Patch('nobody', { Name: 'N' }), 404, 'NotFound');
});

test('Patch with another ID renames, and assignments follow', async () => {
  await AdminUserGroups.Create({ ID: 'old', Name: 'N' });
  await AdminUsers.Create(user('follower'));
  await AdminUserGroups.SaveUserAssignment({ UserGroupID: 'old', UserID: 'follower' });
  assert.equal((await AdminUserGroups.Patch('old', { ID: 'new' })).ID, 'new');
  await refused(AdminUserGroups.Get('old'), 404, 'NotFound');
  assert.equal((await AdminUserGroups.Get('new')).Name, 'N');
  assert.deepEqual(pairs(await AdminUserGroups.ListUserAssignments({ userID: 'follower' })), ['new/follower']);
});

test('Delete returns no body, and the group is gone', async () => {
  await AdminUserGroups.Create({ ID: 'gone', Name: 'N' });
  assert.equal(await AdminUserGroups.Delete('gone'), '');
  await refused(AdminUserGroups.Get('gone'), 404, 'NotFound');
  await refused(AdminUserGroups.Delete('gone'), 404, 'NotFound');
  assert.equal((await AdminUserGroups.Create({ ID: 'gone', Name: 'Again' })).Name, 'Again');
});

test('assignments are saved any number of times, listed, and deleted once', async () => {
  await AdminUserGroups.Create({ ID: 'ga', Name: 'A' });
  await AdminUserGroups.Create({ ID: 'gb', Name: 'B' });
  await AdminUsers.Create(user('ua'));
  await AdminUsers.Create(user('ub'));
  for (const [UserGroupID, UserID] of [['ga', 'ua'], ['ga', 'ua'], ['ga', 'ub'], ['gb', 'UA']]) {
    assert.equal(await AdminUserGroups.SaveUserAssignment({ UserGroupID, UserID }), '');
  }
  assert.deepEqual(pairs(await AdminUserGroups.ListUserAssignments({ userGroupID: 'ga' })), ['ga/ua', 'ga/ub']);
  assert.deepEqual(pairs(await AdminUserGroups.ListUserAssignments({ userID: 'ua' })), ['ga/ua', 'gb/ua']);
  const one = await AdminUserGroups.ListUserAssignments({ userGroupID: 'ga', userID: 'ua', page: 1, pageSize: 100 });
  assert.deepEqual(one.Items, [{ UserGroupID: 'ga', UserID: 'ua' }]);
  assert.deepEqual(one.Meta, { Page: 1, PageSize: 100, TotalCount: 1, TotalPages: 1, ItemRange: [1, 1], NextPageKey: null });
  const second = await AdminUserGroups.ListUserAssignments({ userGroupID: 'ga', page: 2, pageSize: 1 });
  assert.deepEqual(pairs(second), ['ga/ub']);
  assert.deepEqual((await AdminUserGroups.ListUserAssignments({ userGroupID: 'nobody' })).Items, []);

  assert.equal(await AdminUserGroups.DeleteUserAssignment('ga', 'ua'), '');
  await refused(AdminUserGroups.DeleteUserAssignment('ga', 'ua'), 404, 'NotFound');
  assert.deepEqual(pairs(await AdminUserGroups.ListUserAssignments({ userGroupID: 'ga' })), ['ga/ub']);
});

test('an assignment requires an existing group and user', async () => {
  await AdminUserGroups.Create({ ID: 'there', Name: 'N' });
  const noGroup = await refused(AdminUserGroups.SaveUserAssignment({ UserGroupID: 'x', UserID: 'y' }), 404, 'NotFound');
  assert.equal(noGroup.message, 'UserGroup x not found');
  const noUser = await refused(AdminUserGroups.SaveUserAssignment({ UserGroupID: 'there', UserID: 'y' }), 404, 'NotFound');
  assert.equal(noUser.message, 'User y not found');
  await refused(AdminUserGroups.SaveUserAssignment({ UserGroupID: 'there' }), 400, 'ValidationFailure');
});

test('GET /usergroups/assignments is a list, even if a group has that ID', async () => {
  await AdminUserGroups.Save('assignments', { Name: 'A trap' });
  assert.ok(Array.isArray((await AdminUserGroups.Get('assignments')).Items));
  assert.equal((await AdminUserGroups.Patch('assignments', { Description: 'd' })).ID, 'assignments');
  await AdminUserGroups.Delete('assignments');
});

test('a reader reads and does not write; a reader of users does not even read', async () => {
  await AdminUserGroups.Create({ ID: 'guarded', Name: 'N' });
  const reader = await as(server, { roles: ['AdminUserGroupReader'] });
  assert.equal((await AdminUserGroups.Get('guarded', reader)).Name, 'N');
  await AdminUserGroups.List({}, reader);
  await AdminUserGroups.ListUserAssignments({}, reader);
  const writes = [
    () => AdminUserGroups.Create({ Name: 'N' }, reader),
    () => AdminUserGroups.Save('guarded', { Name: 'N' }, reader),
    () => AdminUserGroups.Patch('guarded', { Name: 'N' }, reader),
    () => AdminUserGroups.Delete('guarded', reader),
    () => AdminUserGroups.SaveUserAssignment({ UserGroupID: 'guarded', UserID: 'x' }, reader),
    () => AdminUserGroups.DeleteUserAssignment('guarded', 'x', reader),
  ];
  for (const write of writes) await refused(write(), 403, 'Auth.InsufficientRoles');
  const other = await as(server, { roles: ['AdminUserReader'] });
  await refused(AdminUserGroups.List({}, other), 403, 'Auth.InsufficientRoles');
});
