'use strict';
// The Core API over plain fetch, as the vendor has no client for it, and both APIs on one directory.

const assert = require('node:assert/strict');
const { after, before, test } = require('node:test');
const { AdminUserGroups, AdminUsers } = require('ordercloud-javascript-sdk');
const { PASSWORD, Server } = require('./support/server');
const { signIn } = require('./support/ordercloud');

const GROUPS = '/api/admin/v1/users-groups';
const OWN = 'a6dfbbee-4866-422a-8f83-6b8533375e7d';
const FOREIGN = '00000000-0000-4000-8000-000000000001';

let server;
before(async () => {
  server = await Server.start();
  await signIn(server);
  await server.user({ id: 'ada', roles: ['AdminUserGroupAdmin'] });
  await server.user({ id: 'reader', roles: ['AdminUserGroupReader'] });
  await server.user({ id: 'nobody' });
  await server.user({ id: 'limited', roles: ['AdminUserGroupAdmin'], communities: [OWN] });
});
after(() => server.stop());

/** Sends a request to the Core API; returns status, headers and body. */
async function call(method, path, { token, body, headers = {} } = {}) {
  const response = await fetch(server.url + path, {
    method,
    headers: {
      ...(token && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    body: typeof body === 'string' || body === undefined ? body : JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

const logOn = (username, password = PASSWORD) => call('POST', '/api/admin/v1/user/logon', { body: { username, password } });
const tokenOf = async (username) => (await logOn(username)).body.Token;
const labels = (value) => JSON.stringify(value);

/** Adds a group; returns its ID. */
async function add(token, body) {
  const added = await call('POST', GROUPS, { token, body });
  assert.deepEqual([added.status, added.body], [200, { Success: true }]);
  const [, id] = /^\/api\/admin\/v1\/users-groups\/(\d+)$/.exec(added.headers.get('location'));
  return Number(id);
}

function failed(response, status, message) {
  assert.deepEqual(Object.keys(response.body), ['Success', 'Message', 'Description']);
  assert.deepEqual([response.status, response.body.Success, response.body.Message], [status, false, message]);
  return response;
}

test('logon starts a session, and logoff ends it', async () => {
  const { status, headers, body } = await logOn('ada');
  const { Token, ...rest } = body;
  assert.equal(status, 200);
  assert.equal(headers.get('cache-control'), 'no-store');
  assert.deepEqual(rest, {
    MustChangePassword: false, Roles: ['AdminUserGroupAdmin'], Name: 'First', Surname: 'Last', FullName: 'First Last', Language: 'en',
  });
  assert.equal((await call('GET', `${GROUPS}/list`, { token: Token })).status, 200);
  assert.equal((await fetch(`${server.url}/v1/usergroups`, { headers: { authorization: `Bearer ${Token}` } })).status, 200);
  assert.deepEqual((await call('POST', '/api/admin/v1/user/logoff', { token: Token })).body, { Success: true });
  const ended = failed(await call('GET', `${GROUPS}/list`, { token: Token }), 401, 'unauthorized');
  assert.equal(ended.headers.get('www-authenticate'), 'Bearer');
});

test('logon refuses wrong credentials', async () => {
  failed(await logOn('ada', 'wrong'), 401, 'invalid_credentials');
  failed(await logOn('unknown'), 401, 'invalid_credentials');
  failed(await logOn('nobody'), 403, 'cannot_access');
  failed(await logOn('nobody', 'wrong'), 401, 'invalid_credentials');
  const missing = failed(await call('POST', '/api/admin/v1/user/logon', { body: { username: ' ' } }), 400, 'invalid_data');
  assert.match(missing.body.Description, /username.*password/);
  failed(await call('POST', '/api/admin/v1/user/logon', { body: '[' }), 400, 'invalid_request');
});

test('a group is added, read, edited and deleted', async () => {
  const token = await tokenOf('ada');
  const id = await add(token, { Labels: labels({ it: 'Gruppo predefinito', en: 'Default Group' }) });
  const { body } = await call('GET', `${GROUPS}/${id}`, { token });
  assert.deepEqual(Object.keys(body), ['ID', 'CreatedDate', 'LastUpdated', 'Labels']);
  assert.equal(body.ID, id);
  assert.match(body.CreatedDate, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.equal(body.Labels, '{"en":"Default Group","it":"Gruppo predefinito"}');

  const edited = await call('POST', GROUPS, { token, body: { id, labels: labels({ en: 'Edited' }), Communities: null } });
  assert.deepEqual([edited.status, edited.body, edited.headers.get('location')], [200, { Success: true }, null]);
  assert.equal((await call('GET', `${GROUPS}/${id}`, { token })).body.Labels, '{"en":"Edited"}');

  assert.deepEqual((await call('DELETE', `${GROUPS}/${id}`, { token })).body, { Success: true });
  failed(await call('GET', `${GROUPS}/${id}`, { token }), 404, 'not_found');
  failed(await call('DELETE', `${GROUPS}/${id}`, { token }), 410, 'already_deleted');
  failed(await call('DELETE', `${GROUPS}/999999`, { token }), 404, 'not_found');
  failed(await call('POST', GROUPS, { token, body: { ID: id, Labels: labels({ en: 'E' }) } }), 400, 'invalid_data');
});

test('each error has its own code', async () => {
  const token = await tokenOf('ada');
  for (const id of ['0', '-1', '1.5', 'x', '9223372036854775808']) {
    failed(await call('GET', `${GROUPS}/${id}`, { token }), 400, 'invalid_request');
    failed(await call('DELETE', `${GROUPS}/${id}`, { token }), 400, 'invalid_request');
  }
  for (const body of ['', 'null', '[]', '{', '"x"']) {
    failed(await call('POST', GROUPS, { token, body }), 400, 'invalid_request');
  }
  const wrong = [
    [{}, /Labels/],
    [{ Labels: { en: 'A' } }, /Labels/],
    [{ Labels: '{"en":"A","EN":"B"}' }, /Labels/],
    [{ Labels: labels({ en: 'A' }), ID: '7' }, /ID/],
    [{ Labels: labels({ en: 'A' }), ID: -1 }, /ID/],
    [{ Labels: labels({ en: 'A' }), Communities: ['x'] }, /Communities/],
    [{ Labels: 1, ID: 1.5, Communities: {} }, /ID.*Communities.*Labels/],
  ];
  for (const [body, description] of wrong) {
    assert.match(failed(await call('POST', GROUPS, { token, body }), 400, 'invalid_data').body.Description, description);
  }
  failed(await call('POST', GROUPS, { token, body: '{}', headers: { 'content-type': 'text/plain' } }), 415, 'unsupported_media_type');
  failed(await call('PUT', GROUPS, { token }), 405, 'method_not_allowed');
  failed(await call('GET', '/api/admin/v1/nothing', { token }), 404, 'not_found');
  failed(await call('GET', `${GROUPS}/x`), 401, 'unauthorized');
  failed(await call('POST', GROUPS, { token: await tokenOf('reader'), body: '{' }), 403, 'cannot_access');
});

test('pages are linked, and list-all has them all', async () => {
  const token = await tokenOf('ada');
  const made = [];
  for (let at = 0; at < 5; at++) made.push(await add(token, { Labels: labels({ en: `Page ${at}` }) }));
  const all = await call('GET', `${GROUPS}/list-all`, { token });
  const ids = all.body.map((group) => group.ID);
  assert.deepEqual(ids, [...ids].sort((a, b) => a - b));
  assert.ok(made.every((id) => ids.includes(id)));

  const walked = [];
  for (let next = `${GROUPS}/list?pageSize=2`; next; ) {
    const page = await call('GET', next, { token });
    assert.equal(page.headers.get('x-total-count'), String(ids.length));
    walked.push(...page.body.map((group) => group.ID));
    next = /<([^>]*)>; rel="next"/.exec(page.headers.get('link'))?.[1];
  }
  assert.deepEqual(walked, ids);
  for (const query of ['page=0', 'pageSize=101', 'page=x', 'page=1&page=2']) {
    failed(await call('GET', `${GROUPS}/list?${query}`, { token }), 400, 'invalid_request');
  }
});

test('list-all is one complete array of any size', async () => {
  const token = await tokenOf('ada');
  const made = [];
  for (let batch = 0; batch < 22; batch++) {
    made.push(...(await Promise.all(Array.from({ length: 50 }, () => add(token, { Labels: labels({ en: 'One of many' }) })))));
  }
  const { headers, body } = await call('GET', `${GROUPS}/list-all`, { token });
  assert.match(headers.get('content-type'), /^application\/json/);
  assert.equal(headers.get('content-length'), null);
  const many = body.filter((group) => group.Labels === '{"en":"One of many"}').map((group) => group.ID);
  assert.deepEqual(many, made.sort((a, b) => a - b));
});

test('a limited administrator sees its communities and nothing else', async () => {
  const [token, limited] = [await tokenOf('ada'), await tokenOf('limited')];
  const [own, foreign] = [
    await add(token, { Labels: labels({ en: 'Own' }), Communities: [OWN.toUpperCase(), FOREIGN] }),
    await add(token, { Labels: labels({ en: 'Foreign' }), Communities: [FOREIGN] }),
  ];
  const seen = await call('GET', `${GROUPS}/list-all`, { token: limited });
  assert.deepEqual(seen.body.map((group) => group.ID), [own]);
  assert.equal((await call('GET', `${GROUPS}/list`, { token: limited })).headers.get('x-total-count'), '1');
  failed(await call('GET', `${GROUPS}/${foreign}`, { token: limited }), 404, 'not_found');
  failed(await call('DELETE', `${GROUPS}/${foreign}`, { token: limited }), 404, 'not_found');
  const edit = (body) => call('POST', GROUPS, { token: limited, body: { Labels: labels({ en: 'L' }), ...body } });
  failed(await edit({ ID: foreign }), 400, 'invalid_data');
  failed(await edit({}), 400, 'invalid_data');
  failed(await edit({ Communities: [] }), 400, 'invalid_data');
  failed(await edit({ Communities: [FOREIGN] }), 400, 'invalid_data');
  failed(await edit({ ID: own, Communities: [] }), 400, 'invalid_data');
  assert.equal((await edit({ ID: own, Communities: [OWN] })).status, 200);
  await add(limited, { Labels: labels({ en: 'New' }), Communities: [OWN] });
});

test('a group created in one API is complete in the other', async () => {
  const token = await tokenOf('ada');
  const id = await add(token, { Labels: labels({ it: 'Uno', en: 'One' }) });
  const { Items: [group] } = await AdminUserGroups.List({ filters: { Name: 'One' } });
  assert.deepEqual([group.Name, group.Description, group.xp], ['One', null, null]);

  await AdminUserGroups.Patch(group.ID, { Name: 'Two', xp: { a: 1 } });
  assert.equal((await call('GET', `${GROUPS}/${id}`, { token })).body.Labels, '{"en":"Two","it":"Uno"}');
  await call('POST', GROUPS, { token, body: { ID: id, Labels: labels({ it: 'Tre' }) } });
  const renamed = await AdminUserGroups.Get(group.ID);
  assert.deepEqual([renamed.Name, renamed.xp], ['Tre', { a: 1 }]);

  await AdminUsers.Create({ ID: 'member', Username: 'member', FirstName: 'F', LastName: 'L', Email: 'e@x.io', Active: true });
  await AdminUserGroups.SaveUserAssignment({ UserGroupID: group.ID, UserID: 'member' });
  const kept = failed(await call('DELETE', `${GROUPS}/${id}`, { token }), 409, 'has_users');
  assert.match(kept.body.Description, /1 user\b/);
  await AdminUserGroups.Delete(group.ID);
  failed(await call('DELETE', `${GROUPS}/${id}`, { token }), 410, 'already_deleted');

  await AdminUserGroups.Create({ ID: 'made-there', Name: 'Made there' });
  const { body } = await call('GET', `${GROUPS}/list-all`, { token });
  assert.equal(body.at(-1).Labels, '{"en":"Made there"}');
});
