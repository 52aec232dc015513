'use strict';
// Search, order, filters and pages, in the form that the vendor's client sends.

const assert = require('node:assert/strict');
const { after, before, test } = require('node:test');
const { AdminUserGroups, AdminUsers, Tokens } = require('ordercloud-javascript-sdk');
const { Server } = require('./support/server');
const { refused, signIn } = require('./support/ordercloud');

const GROUPS = [
  { ID: 'ops', Name: 'Admin Ops', Description: 'foo bar', xp: { Dept: 'IT', Color: 'red', N: 5, M: 3, Geo: { Lat: 11, Tags: ['a', 'b'] }, Flag: false, Zero: 0 } },
  { ID: 'dev', Name: 'Dev', xp: { Dept: 'IT', Color: 'green', N: 10, M: 2, Geo: { Lat: 9, Tags: ['a'] }, Flag: true, Zero: 1, Rank: 2 } },
  { ID: 'hr', Name: 'HR', Description: 'people', xp: { Dept: 'HR', Color: 'blue', N: 4, Rank: 1 } },
  { ID: 'bare', Name: 'Bare' },
  { ID: 'odd', Name: "a&b=c+d e/é~'()#*%", Description: '100%' },
  { ID: 'pipe', Name: 'one|two', Description: '!x' },
];
const PAGED = Array.from({ length: 25 }, (_, at) => `page-${String(at).padStart(2, '0')}`);

let server;
before(async () => {
  server = await Server.start();
  await signIn(server);
  for (const group of GROUPS) await AdminUserGroups.Create(group);
  for (const ID of PAGED) await AdminUserGroups.Create({ ID, Name: `Paged ${ID}`, xp: { Paged: true } });
});
after(() => server.stop());

/** The IDs of the listed groups, without those created for the pages, in ascending order. */
async function ids(listOptions) {
  const page = await AdminUserGroups.List({ pageSize: 100, ...listOptions });
  assert.equal(page.Meta.TotalCount, page.Items.length);
  return page.Items.map((group) => group.ID).filter((id) => !id.startsWith('page-')).sort();
}
const filtered = (filters) => ids({ filters });

test('a page describes its position', async () => {
  const paged = { 'xp.Paged': true };
  const middle = await AdminUserGroups.List({ filters: paged, sortBy: ['ID'], page: 2, pageSize: 10 });
  assert.deepEqual(middle.Items.map((group) => group.ID), PAGED.slice(10, 20));
  assert.deepEqual(middle.Meta, { Page: 2, PageSize: 10, TotalCount: 25, TotalPages: 3, ItemRange: [11, 20], NextPageKey: null });
  assert.deepEqual((await AdminUserGroups.List({ filters: paged, page: 3, pageSize: 10 })).Meta.ItemRange, [21, 25]);
  const past = await AdminUserGroups.List({ filters: paged, page: 9, pageSize: 10 });
  assert.deepEqual([past.Items, past.Meta.TotalCount, past.Meta.ItemRange], [[], 25, [0, 0]]);
  const none = await AdminUserGroups.List({ filters: { Name: 'nobody' } });
  assert.deepEqual(none.Meta, { Page: 1, PageSize: 20, TotalCount: 0, TotalPages: 0, ItemRange: [0, 0], NextPageKey: null });
  assert.equal((await AdminUserGroups.List()).Items.length, 20);
});

test('page settings out of range are errors', async () => {
  await refused(AdminUserGroups.List({ pageSize: 101 }), 400, 'List.InvalidPageSize');
  await refused(AdminUserGroups.List({ pageSize: -1 }), 400, 'List.InvalidPageSize');
  await refused(AdminUserGroups.List({ page: -1 }), 400, 'InvalidRequest');
  const raw = await fetch(`${server.url}/v1/usergroups?page=0`, {
    headers: { authorization: `Bearer ${Tokens.GetAccessToken()}` },
  });
  assert.equal(raw.status, 400);
});

test('pages by the last ID list every group once', async () => {
  const seen = [];
  for (let last = ''; ; ) {
    const filters = last ? { ID: `>${last}` } : {};
    const { Items } = await AdminUserGroups.List({ sortBy: ['ID'], filters, page: 1, pageSize: 7 });
    if (Items.length === 0) break;
    seen.push(...Items.map((group) => group.ID));
    last = seen.at(-1);
  }
  assert.deepEqual(seen, [...GROUPS.map((group) => group.ID), ...PAGED].sort());
});

test('the default order is Name, then ID', async () => {
  const names = async (sortBy) => (await AdminUserGroups.List({ search: 'r', searchOn: ['ID', 'Name'], sortBy })).Items.map((group) => group.Name);
  assert.deepEqual(await names(undefined), ['Bare', 'HR']);
  assert.deepEqual(await names(['!Name']), ['HR', 'Bare']);
  const ranked = await AdminUserGroups.List({ sortBy: ['!xp.Rank', 'Name'], pageSize: 3 });
  assert.deepEqual(ranked.Items.map((group) => group.ID), ['dev', 'hr', 'odd']);
  await refused(AdminUserGroups.List({ sortBy: ['Description'] }), 400, 'List.InvalidSortProperty');
  await refused(AdminUserGroups.List({ sortBy: ['Nothing'] }), 400, 'List.InvalidProperty');
});

test('search finds any part of ID, Name and Description', async () => {
  assert.deepEqual(await ids({ search: 'OPS' }), ['ops']);
  assert.deepEqual(await ids({ search: 'foo bar' }), ['ops']);
  assert.deepEqual(await ids({ search: 'e', searchOn: ['Description'] }), ['hr']);
  assert.deepEqual(await ids({ search: '*' }), ['odd']);
  assert.deepEqual(await ids({ search: '%' }), ['odd']);
  assert.deepEqual(await ids({ search: 'É' }), ['odd']);
  assert.deepEqual(await ids({ search: 'it', searchOn: ['xp.Dept'] }), ['dev', 'ops']);
  await refused(AdminUserGroups.List({ search: 'x', searchOn: ['Nothing'] }), 400, 'List.InvalidSearchProperty');
});

test('the recorded list request with all parameters', async () => {
  const page = await AdminUserGroups.List({
    filters: { Name: 'Adm*|*ops', Description: '!*' },
    search: 'foo bar', searchOn: ['ID', 'Name'], sortBy: ['!Name', 'ID'], page: 2, pageSize: 50,
  });
  assert.deepEqual([page.Meta.Page, page.Meta.PageSize, page.Meta.TotalCount], [2, 50, 0]);
});

test('text filters', async () => {
  assert.deepEqual(await filtered({ Name: 'admin ops' }), ['ops']);
  assert.deepEqual(await filtered({ Name: 'Adm*|HR' }), ['hr', 'ops']);
  assert.deepEqual(await filtered({ Name: '*e*', 'xp.Paged': '!*' }), ['bare', 'dev', 'odd', 'pipe']);
  assert.deepEqual(await filtered({ ID: ['!page*', '!ops', '!dev'] }), ['bare', 'hr', 'odd', 'pipe']);
  assert.deepEqual(await filtered({ Name: "a&b=c+d e/é~'()#\\*%" }), ['odd']);
  assert.deepEqual(await filtered({ Name: 'one\\|two' }), ['pipe']);
  assert.deepEqual(await filtered({ Description: '\\!x' }), ['pipe']);
  assert.deepEqual(await filtered({ Description: '*' }), ['hr', 'odd', 'ops', 'pipe']);
  assert.deepEqual(await filtered({ Description: '!*', 'xp.Paged': '!*' }), ['bare', 'dev']);
  assert.deepEqual(await filtered({ Description: '!people', 'xp.Paged': '!true' }), ['bare', 'dev', 'odd', 'ops', 'pipe']);
  assert.deepEqual(await filtered({ name: 'hr' }), ['hr']);
});

test('xp filters', async () => {
  assert.deepEqual(await filtered({ 'xp.Dept': 'it' }), ['dev', 'ops']);
  assert.deepEqual(await filtered({ xp: { Color: ['!red', '!blue'], N: '>=5', M: '!<3' } }), []);
  assert.deepEqual(await filtered({ xp: { Color: ['!blue', '!green'], N: '>=5', M: '!<3' } }), ['ops']);
  assert.deepEqual(await filtered({ xp: { N: '>4' } }), ['dev', 'ops']);
  assert.deepEqual(await filtered({ xp: { N: ['>4', '<10'] } }), ['ops']);
  assert.deepEqual(await filtered({ xp: { Geo: { Lat: '>10', Tags: ['a', 'b'] }, Flag: false, Zero: 0 } }), ['ops']);
  assert.deepEqual(await filtered({ xp: { Color: '!red' }, ID: '!page*' }), ['bare', 'dev', 'hr', 'odd', 'pipe']);
  assert.deepEqual(await filtered({ xp: { Color: '!*' }, ID: '!page*' }), ['bare', 'odd', 'pipe']);
  assert.deepEqual(await filtered({ 'xp.nobody.has.this': 'x' }), []);
  assert.deepEqual(await filtered({ 'xp.dept': 'IT' }), []);
});

test('an unknown property cannot be filtered by', async () => {
  await refused(AdminUserGroups.List({ filters: { Nothing: 'x' } }), 400, 'List.InvalidProperty');
  await refused(AdminUserGroups.List({ filters: { 'Name|ID': 'x' } }), 400, 'List.InvalidProperty');
  await refused(AdminUserGroups.List({ pageKey: 'abc', searchType: 'AnyTerm' }), 400, 'List.InvalidProperty');
});

test('users are listed by dates and booleans too', async () => {
  const user = (id, Active) => ({ ID: id, Username: id, FirstName: 'F', LastName: id, Email: `${id}@x.io`, Active });
  await AdminUsers.Create(user('active', true));
  await AdminUsers.Create(user('inactive', false));
  const listed = async (options) => (await AdminUsers.List(options)).Items.map((own) => own.ID);
  assert.deepEqual(await listed({ filters: { DateCreated: '>2015-01-01T00:00:00+05:30', Active: true } }), ['active']);
  assert.deepEqual(await listed({ filters: { DateCreated: '<2015-01-01' } }), []);
  assert.deepEqual(await listed({ filters: { Active: false } }), ['inactive']);
  assert.deepEqual(await listed({ search: 'ACTIVE@x', searchOn: ['Email'], sortBy: ['!Username'] }), ['inactive', 'active']);
  await refused(AdminUsers.List({ filters: { Active: 'perhaps' } }), 400, 'List.InvalidType');
});
