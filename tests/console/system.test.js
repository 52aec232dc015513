'use strict';
// The state of the system, and the rotation of the signing keys.

const assert = require('node:assert/strict');
const { after, before, describe, test } = require('node:test');
const { Console, HOSTILE, MARTA, PASSWORD, checkAccessible, checkLayout, skip } = require('./support/browser');

const REFUSED = ['Failed to load resource'];
const COMMUNITY = 'a6dfbbee-4866-422a-8f83-6b8533375e7d';
const SYSTEM = '/console/system';

describe('the system', { skip }, () => {
  let own;
  before(async () => {
    own = await Console.start();
    await own.api('POST', '/groups', { id: 'one', name: 'One' });
    const client = await own.api('POST', '/clients', { name: 'Programs' });
    for (const [name, days] of [[HOSTILE[0], 12], ['Ends later', 300]]) {
      await own.api('POST', `/clients/${client.id}/tokens`, { name, days });
    }
    const users = [['audit', ['Auditor']], ['rita', ['AdminUserGroupReader']], ['lim', ['FullAccess'], [COMMUNITY]]];
    for (const [id, roles, communities] of users) await own.server.user({ id, roles, communities });
  });
  after(() => own.stop());

  const as = (username) => ({ username, password: PASSWORD });
  const keys = (page) => page.getByRole('table', { name: 'Signing keys' }).locator('tbody tr');

  test('shows what needs action, the numbers, the keys and the database', async (t) => {
    const page = await own.page(t);
    await own.signIn(page);
    await page.locator('.side nav').getByRole('link', { name: 'System' }).click();
    await page.getByRole('heading', { level: 1, name: 'System' }).waitFor();
    assert.deepEqual(await page.locator('.notice b').allInnerTexts(), [HOSTILE[0]]);
    await page.locator('.notice').getByText(/ends in 1[12] days/).waitFor();
    const { groups, users, memberships, changes } = (await own.api('GET', '/statistics')).items.at(-1);
    assert.deepEqual(await page.locator('.figures dd').allInnerTexts(), [groups, users, memberships].map(String));
    await page.getByText(`Today so far: ${changes}.`).waitFor();
    assert.match(await page.getByRole('img', { name: 'Changes a day' }).getAttribute('aria-label'), /^Changes a day over 90 days/);
    await page.locator('summary').filter({ hasText: 'As a table' }).click();
    const days = page.getByRole('table', { name: 'Numbers by day' }).locator('tbody tr');
    assert.equal(await days.count(), 90);
    assert.deepEqual(await days.first().locator('th, td').allInnerTexts(), ['Today', groups, users, memberships, changes].map(String));
    assert.match(await keys(page).first().innerText(), /Signs/);
    await page.locator('.facts').getByText(/^(SQLite|PostgreSQL) \d/).waitFor();
    await page.locator('.facts-list').getByText(/^\d+\.\d [KM]iB$/).waitFor();
    for (const link of ['Documents', 'Metrics']) {
      const href = await page.getByRole('link', { name: link }).getAttribute('href');
      assert.equal((await fetch(own.url + href)).status, 200, href);
    }
  });

  test('is accessible in both themes and narrow', async (t) => {
    for (const [theme, width] of [['light', 1280], ['dark', 1280], ['light', 360], ['dark', 320]]) {
      const page = await own.page(t, { theme, width });
      await own.signIn(page, MARTA, SYSTEM);
      await page.locator('summary').filter({ hasText: 'As a table' }).click();
      await checkAccessible(page);
      await checkLayout(page);
    }
  });

  test('a key is rotated without JavaScript', async (t) => {
    const page = await own.page(t, { javaScriptEnabled: false });
    await own.signIn(page, MARTA, SYSTEM);
    const before = await keys(page).count();
    await page.getByRole('button', { name: 'Rotate now' }).click();
    await page.getByRole('status').filter({ hasText: 'A new signing key was announced. It signs in 6 minutes.' }).waitFor();
    assert.equal(new URL(page.url()).pathname, SYSTEM);
    assert.equal(await keys(page).count(), before + 1);
    assert.match(await keys(page).first().innerText(), /Announced/);
    const { changes: [newest] } = await own.api('GET', '/changes?type=key.created&order=desc&limit=1');
    assert.deepEqual([newest.type, newest.channel], ['key.created', 'console']);
  });

  test('an auditor sees it and rotates nothing', async (t) => {
    const page = await own.page(t);
    await own.signIn(page, as('audit'), SYSTEM);
    await page.getByRole('heading', { level: 1, name: 'System' }).waitFor();
    assert.equal(await page.getByRole('button', { name: 'Rotate now' }).count(), 0);
    const before = await keys(page).count();
    const cookie = (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
    const headers = { cookie, origin: own.url };
    const response = await fetch(`${own.url}${SYSTEM}/rotate`, { method: 'POST', headers, redirect: 'manual', body: new URLSearchParams() });
    assert.equal(response.status, 403);
    await page.reload();
    assert.equal(await keys(page).count(), before);
  });

  test('others have no link to it and may not see it', async (t) => {
    for (const username of ['rita', 'lim']) {
      const page = await own.page(t, { expected: REFUSED });
      await own.signIn(page, as(username));
      assert.equal(await page.getByRole('link', { name: 'System' }).count(), 0, username);
      assert.equal((await page.goto(own.url + SYSTEM)).status(), 403, username);
      await page.getByRole('heading', { name: 'You may not see this page' }).waitFor();
    }
  });
});
