'use strict';
// The pictures of docs/console/, which are made anew with UPDATE_SCREENSHOTS=1.

const { test } = require('node:test');
const { Console, MARTA, shoot, skip } = require('./support/browser');

const GROUPS = [
  ['after-sales-appliances', 'After-sales support, household appliances', 'Kundendienst Haushaltsgeräte', 12],
  ['support-contract-holders', 'All holders of a support contract', 'Alle mit Wartungsvertrag', 40],
  ['app-support-finance', 'Application support – Finance and controlling, month-end close', null, 6],
  ['support-amer', 'Customer support, Americas', 'Kundenservice Amerika', 31],
  ['support-emea', 'Customer support, Europe, Middle East and Africa', 'Kundendienst Europa, Naher Osten und Afrika', 24],
  ['deskside-lis', 'Desk-side support Lisbon', null, 3],
  ['support-gulf', null, null, 8, 'دعم العملاء – الخليج'],
  ['platform-support', 'Platform support engineers', null, 9],
  ['support-offshore', 'Remote support, ships and offshore sites', null, 5],
  ['support-rota-nights', 'Support rota, nights and public holidays', 'Bereitschaft, Nächte und Feiertage', 4],
  ['support', 'Support team', 'Support-Team', 14],
  ['office-harburg', 'Office Hamburg-Harburg, third floor', 'Büro Hamburg-Harburg, dritter Stock', 17],
];
const PEOPLE = [
  'Abdelrahman Al-Sayed', 'Ada Lindqvist', 'Anneliese von Hohenberg', 'Bram deWit', 'Chiamaka Nwosu', 'Diego Fernández',
  'Eilidh MacAskill', 'Fatoumata Diarra', 'Giulia Esposito', 'Henrik Aas', 'Jean-Baptiste Delacroix', 'Katarzyna Wiśniewska',
];

const wanted = process.env.UPDATE_SCREENSHOTS ? skip : 'UPDATE_SCREENSHOTS is not set';

test('the pictures of the documentation', { skip: wanted }, async (t) => {
  const own = await Console.start();
  t.after(() => own.stop());
  for (const [at, name] of PEOPLE.entries()) {
    const [firstName, lastName] = name.split(' ');
    const id = `p${at}-${lastName.normalize('NFD').replace(/[^A-Za-z]/g, '').toLowerCase()}`;
    await own.api('POST', '/users', { id, username: `${id}@example.org`, firstName, lastName, email: `${id}@example.org` });
  }
  const users = (await own.api('GET', '/users?limit=100')).items.map((user) => user.id).filter((id) => id.startsWith('p'));
  for (const [id, en, de, members, ar] of GROUPS) {
    const labels = { ...(en && { en }), ...(de && { de }), ...(ar && { ar }) };
    const communities = members % 2 ? ['a6dfbbee-4866-422a-8f83-6b8533375e7d'] : [];
    await own.api('POST', '/groups', { id, labels, communities, xp: { Dept: 'Customer care', CostCentre: 4711 } });
    await own.api('PATCH', `/groups/${id}/members`, { add: users.slice(0, members % users.length || 12) });
  }
  const { uid } = await own.api('GET', '/groups/support-emea');
  await own.api('PATCH', '/groups/support-emea', { labels: { de: 'Kundenbetreuung EMEA' }, description: 'Everyone who answers customers in the region.', xp: { CostCentre: 4712 } });
  await own.api('PATCH', '/groups/support-emea/members', { remove: users.slice(0, 2) });
  await own.api('POST', '/groups', { id: 'summer-party-2019', name: 'Summer party 2019' });
  await own.api('PATCH', '/groups/summer-party-2019/members', { add: users.slice(0, 9) });
  await own.api('DELETE', '/groups/summer-party-2019');
  await own.api('POST', '/clients', { name: 'Nightly HR sync', roles: ['AdminUserGroupAdmin', 'AdminUserAdmin'] });
  const person = (await own.api('GET', `/users/${users[3]}`)).uid;
  const deleted = (await own.api('GET', '/groups?deleted=true')).items[0].uid;
  const { operation } = (await own.api('GET', '/groups/support-emea/history')).changes[1];
  const pages = {
    groups: '?q=support', 'group-overview': `/${uid}`, 'group-members': `/${uid}/members`, 'group-add': `/${uid}/members/add`,
    'group-new': '/new', 'group-danger': `/${uid}/danger`, 'group-history': `/${uid}/history`,
  };
  const others = {
    users: 'users', user: `users/${person}`, 'user-access': `users/${person}/access`, changes: 'changes', operation: `operations/${operation}`,
    deleted: 'deleted', restore: `deleted/groups/${deleted}`, clients: 'clients', system: 'system', account: 'account',
  };
  for (const theme of ['light', 'dark']) {
    const page = await own.page(t, { theme });
    await page.goto(`${own.url}/console/sign-in`);
    await shoot(page, `sign-in-${theme}`);
    await own.signIn(page);
    for (const [name, path] of Object.entries(pages)) {
      await page.goto(`${own.url}/console/groups${path}`);
      await shoot(page, `${name}-${theme}`);
    }
    for (const [name, path] of Object.entries(others)) {
      await page.goto(`${own.url}/console/${path}`);
      await shoot(page, `${name}-${theme}`);
    }
    await page.goto(`${own.url}/console/groups`);
    await page.keyboard.press('Control+k');
    await page.keyboard.type('support');
    await page.locator('#palette a mark').first().waitFor();
    await shoot(page, `palette-${theme}`);
  }
  const phone = await own.page(t, { width: 360 });
  await own.signIn(phone, MARTA, '/console/groups?q=support');
  await shoot(phone, 'groups-phone');
  await phone.goto(`${own.url}/console/groups/${uid}/members`);
  await shoot(phone, 'group-members-phone');
  await phone.goto(`${own.url}/console/changes`);
  await shoot(phone, 'changes-phone');
  await phone.goto(`${own.url}/console/users/${person}`);
  await shoot(phone, 'user-phone');
});
