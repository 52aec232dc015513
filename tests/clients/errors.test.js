'use strict';
// The server's errors as the vendor's client reports them.

const assert = require('node:assert/strict');
const { after, before, test } = require('node:test');
const { AdminUserGroups, Tokens } = require('ordercloud-javascript-sdk');
const { Server } = require('./support/server');
const { as, refused, signIn } = require('./support/ordercloud');

let server;
before(async () => {
  server = await Server.start();
  await signIn(server);
});
after(() => server.stop());

test('NotFound names the resource', async () => {
  const error = await refused(AdminUserGroups.Get('nobody'), 404, 'NotFound');
  assert.equal(error.message, 'UserGroup nobody not found');
  assert.deepEqual(error.errors, [
    { ErrorCode: 'NotFound', Message: 'Object not found.', Data: { ObjectType: 'UserGroup', ObjectID: 'nobody' } },
  ]);
  assert.equal(error.statusText, 'Not Found');
  assert.equal((await refused(AdminUserGroups.Get(), 404, 'NotFound')).message, 'UserGroup undefined not found');
});

test('a path that is no route is NotFound, with Data that the client can read', async () => {
  const error = await refused(AdminUserGroups.Get(''), 404, 'NotFound');
  assert.deepEqual(error.errors[0].Data, { ObjectType: 'Route', ObjectID: '/v1/usergroups/' });
});

test('IdExists', async () => {
  await AdminUserGroups.Create({ ID: 'taken', Name: 'N' });
  const error = await refused(AdminUserGroups.Create({ ID: 'TAKEN', Name: 'N' }), 409, 'IdExists');
  assert.equal(error.errors[0].Data.ObjectType, 'UserGroup');
  await AdminUserGroups.Create({ ID: 'free', Name: 'N' });
  await refused(AdminUserGroups.Patch('free', { ID: 'taken' }), 409, 'IdExists');
});

test('ValidationFailure reports every invalid field', async () => {
  const bad = { ID: 'a b', Name: ' ', Description: 'x'.repeat(2001), xp: [] };
  const error = await refused(AdminUserGroups.Create(bad), 400, 'ValidationFailure');
  assert.equal(error.errors.length, 4);
  assert.ok(error.errors.every((own) => own.ErrorCode === 'ValidationFailure'));
  const each = [
    { Name: 'x'.repeat(101) }, { Name: 1 }, { Name: null }, {}, { Name: 'N', ID: 'x'.repeat(101) }, { Name: 'N', ID: 'a.b' },
    { Name: 'N', Description: 1 }, { Name: 'N', xp: 'x' }, { Name: 'N', xp: { a: 'x'.repeat(8000) } },
  ];
  for (const body of each) await refused(AdminUserGroups.Create(body), 400, 'ValidationFailure');
});

test('a body that is no object', async () => {
  await refused(AdminUserGroups.Create('{'), 400, 'Request.InvalidRequestBody');
  await refused(AdminUserGroups.Create([]), 400, 'Request.InvalidRequestBody');
});

test('403 names the required roles', async () => {
  const reader = await as(server, { roles: ['AdminUserGroupReader'] });
  const error = await refused(AdminUserGroups.Create({ Name: 'N' }, reader), 403, 'Auth.InsufficientRoles');
  assert.deepEqual(error.errors[0].Data, {
    SufficientRoles: ['FullAccess', 'AdminUserGroupAdmin'],
    AssignedRoles: ['AdminUserGroupReader'],
  });
});

test('401 comes before 403, 404 and 400', async () => {
  const wrong = { accessToken: Tokens.GetAccessToken().slice(0, -6) + 'AAAAAA' };
  await refused(AdminUserGroups.Get('nobody', wrong), 401, 'InvalidToken');
  await refused(AdminUserGroups.Create({}, wrong), 401, 'InvalidToken');
});

test('an unknown method and a body of another type get the same envelope', async () => {
  const send = (method, path, headers = {}, body = undefined) => fetch(`${server.url}${path}`, {
    method, body, headers: { authorization: `Bearer ${Tokens.GetAccessToken()}`, ...headers },
  });
  const code = async (response) => `${response.status} ${(await response.json()).Errors[0].ErrorCode}`;
  assert.equal(await code(await send('DELETE', '/v1/usergroups')), '405 Request.MethodNotAllowed');
  assert.equal(await code(await send('GET', '/v1/nothing')), '404 NotFound');
  const text = await send('POST', '/v1/usergroups', { 'content-type': 'text/plain' }, '{"Name":"N"}');
  assert.equal(await code(text), '415 Request.InvalidContentType');
});
