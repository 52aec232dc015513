'use strict';
// Groups: the list, the fields of a group, its members, its end.

const assert = require('node:assert/strict');
const { after, before, describe, test } = require('node:test');
const { Console, HOSTILE, MARTA, PASSWORD, checkAccessible, checkLayout, skip } = require('./support/browser');

const REFUSED = ['Failed to load resource'];
const COMMUNITY = 'a6dfbbee-4866-422a-8f83-6b8533375e7d';

describe('groups', { skip }, () => {
  let own;
  before(async () => {
    own = await Console.start();
    for (const id of ['ada', 'bram', 'chiamaka', 'diego']) {
      await own.api('POST', '/users', { id, username: `${id}@example.org`, firstName: id, lastName: 'Example', email: `${id}@example.org` });
    }
    for (let at = 0; at < 120; at += 1) {
      const name = `Office ${String(at).padStart(3, '0')}`;
      await own.api('POST', '/groups', { id: `office-${at}`, name, xp: { Floor: at % 5 }, ...(at % 2 && { labels: { en: name, de: `Büro ${at}` } }) });
    }
    for (const name of HOSTILE) await own.api('POST', '/groups', { name, description: name });
    await own.api('POST', '/groups', { id: 'limited', name: 'Within a community', communities: [COMMUNITY] });
  });
  after(() => own.stop());

  const names = (page) => page.locator('#list tbody th').allInnerTexts();

  test('the list finds as one types, and back keeps its place', async (t) => {
    const page = await own.page(t);
    await own.signIn(page);
    await page.getByRole('status').filter({ hasText: '125 groups' }).waitFor();
    assert.equal((await names(page)).length, 50);
    await page.getByRole('link', { name: 'Next' }).click();
    await page.getByText('Rows 51 to 100 of 125').waitFor();
    const second = await names(page);
    await page.locator('#list tbody a').first().click();
    await page.getByRole('heading', { level: 1, name: second[0] }).waitFor();
    await page.goBack();
    await page.getByText('Rows 51 to 100 of 125').waitFor();
    assert.deepEqual(await names(page), second);
    await page.getByRole('link', { name: 'Previous' }).click();
    await page.getByText('Rows 1 to 50 of 125').waitFor();
    await page.getByRole('link', { name: 'Next' }).click();
    await page.getByText('Rows 51 to 100 of 125').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('office 00');
    await page.getByRole('status').filter({ hasText: '10 groups match' }).waitFor();
    assert.equal(new URL(page.url()).searchParams.get('q'), 'office 00');
    assert.equal(new URL(page.url()).searchParams.get('after'), null);
    await page.getByLabel('Search groups').fill('nothing has this name');
    await page.getByRole('heading', { name: 'No group matches' }).waitFor();
    await page.getByLabel('Search groups').fill('office 119');
    await page.getByRole('status').filter({ hasText: '1 group matches' }).waitFor();
    await page.reload();
    assert.deepEqual(await names(page), ['Office 119']);
  });

  test('filters and order stand in the address, with and without JavaScript', async (t) => {
    for (const javaScriptEnabled of [true, false]) {
      const page = await own.page(t, { javaScriptEnabled });
      await own.signIn(page);
      await page.locator('summary').filter({ hasText: 'Filter' }).click();
      const missing = page.getByRole('group', { name: 'Label missing in a language' });
      await missing.getByRole('textbox').fill('de');
      await missing.getByRole('button', { name: 'Add' }).click();
      await page.waitForURL((url) => url.searchParams.get('labels.de') === '!*');
      await page.getByRole('status').filter({ hasText: '65 groups match' }).waitFor();
      await page.getByRole('link', { name: 'No.' }).click();
      await page.waitForURL((url) => url.searchParams.get('sort') === 'uid');
      assert.equal((await names(page))[0], 'Office 000');
      await page.getByRole('link', { name: 'Remove the filter' }).click();
      await page.getByRole('status').filter({ hasText: '125 groups' }).waitFor();
      await page.goto(`${own.url}/console/groups?xp.Floor=3&lang=de`);
      await page.getByRole('status').filter({ hasText: '24 groups match' }).waitFor();
      assert.ok((await names(page)).some((name) => name.startsWith('Büro')));
    }
  });

  test('a group is made and filled with three members, and a removal is undone', async (t) => {
    const page = await own.page(t);
    await own.signIn(page);
    await page.getByRole('link', { name: 'New group' }).first().click();
    await page.getByLabel('English').fill('Support team');
    await page.getByLabel('ID').fill('support');
    await page.getByRole('button', { name: 'Create group' }).click();
    await page.getByText('Support team was created.').waitFor();
    await page.getByRole('link', { name: 'Add from a list' }).click();
    await page.getByLabel('One person a line').fill('ada\nbram@example.org, chiamaka\nnobody-has-this-id\nADA\nMüller');
    await page.getByRole('button', { name: 'Preview' }).click();
    await page.getByText('1 line names somebody again.').waitFor();
    assert.deepEqual(await page.locator('.figures dd').allInnerTexts(), ['3', '0', '2']);
    assert.deepEqual(await page.locator('section li code').allInnerTexts(), ['nobody-has-this-id', 'Müller']);
    assert.equal((await own.api('GET', '/groups/support')).memberCount, 0);
    await checkAccessible(page);
    await page.getByRole('button', { name: 'Add 3 people' }).click();
    await page.getByText('3 people were added. 2 are unknown and were skipped.').waitFor();
    assert.equal((await names(page)).length, 3);
    await page.getByLabel('Select ada Example').check();
    await page.getByRole('button', { name: 'Remove selected' }).click();
    await page.getByText('1 person was removed.').waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByText('1 change was undone.').waitFor();
    assert.equal((await names(page)).length, 3);
  });

  test('a wrong form says where, keeps what was typed and saves nothing', async (t) => {
    const page = await own.page(t, { expected: REFUSED });
    const group = await own.api('POST', '/groups', { id: 'form', name: 'Form' });
    await own.signIn(page, MARTA, `/console/groups/${group.uid}`);
    await page.getByLabel('Extra data (xp)').fill('{"Floor": 4\n "Dept": "IT"}');
    await page.getByLabel('Description').fill('Kept');
    await page.getByRole('button', { name: 'Save changes' }).click();
    await page.getByText('does not follow JSON').waitFor();
    assert.equal(await page.getByLabel('Description').inputValue(), 'Kept');
    assert.equal((await own.api('GET', '/groups/form')).version, 1);
    await page.getByLabel('Extra data (xp)').fill('{"Floor": 4, "Dept": "IT"}');
    await page.getByRole('button', { name: 'Save changes' }).click();
    await page.getByText('Form was changed.').waitFor();
    assert.deepEqual((await own.api('GET', '/groups/form')).xp, { Floor: 4, Dept: 'IT' });
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByText('1 change was undone.').waitFor();
    assert.deepEqual((await own.api('GET', '/groups/form')).xp, {});
  });

  test('of two tabs the slower one sees both versions and loses nothing', async (t) => {
    const group = await own.api('POST', '/groups', { id: 'tabs', name: 'Tabs' });
    const [first, second] = [await own.page(t), await own.page(t, { expected: REFUSED })];
    for (const page of [first, second]) await own.signIn(page, MARTA, `/console/groups/${group.uid}`);
    await first.getByLabel('Description').fill('theirs');
    await first.getByRole('button', { name: 'Save changes' }).click();
    await first.getByText('Tabs was changed.').waitFor();
    await second.getByLabel('Description').fill('mine');
    await second.getByRole('button', { name: 'Save changes' }).click();
    await second.getByText('Somebody else was faster.').first().waitFor();
    const row = second.locator('.diff tbody tr').filter({ hasText: 'Description' });
    assert.deepEqual((await row.locator('td').allInnerTexts()).map((text) => text.trim()), ['theirs', 'mine']);
    assert.equal((await own.api('GET', '/groups/tabs')).description, 'theirs');
    await checkAccessible(second);
    await second.getByRole('button', { name: 'Save changes' }).click();
    await second.getByText('Tabs was changed.').waitFor();
    assert.equal((await own.api('GET', '/groups/tabs')).description, 'mine');
  });

  test('a group is renamed, deleted with what it means, and restored from its address', async (t) => {
    const group = await own.api('POST', '/groups', { id: 'danger', name: 'Danger' });
    await own.api('PATCH', '/groups/danger/members', { add: ['ada', 'bram'] });
    const page = await own.page(t, { expected: REFUSED });
    await own.signIn(page, MARTA, `/console/groups/${group.uid}/danger`);
    await page.getByLabel('ID', { exact: true }).fill('office-1');
    await page.getByRole('button', { name: 'Change the ID' }).click();
    await page.getByText('Another group has the ID office-1').waitFor();
    await page.getByLabel('ID', { exact: true }).fill('peril');
    await page.getByRole('button', { name: 'Change the ID' }).click();
    await page.getByText('The ID is peril now.').waitFor();
    await page.getByRole('link', { name: 'Rename or delete' }).click();
    await page.getByText('2 people are no longer in it.').waitFor();
    await checkAccessible(page);
    await page.getByRole('button', { name: 'Delete group' }).click();
    await page.getByText('Danger was deleted.').waitFor();
    await page.goto(`${own.url}/console/groups/${group.uid}`);
    await page.getByText('This group was deleted').waitFor();
    await checkAccessible(page);
    await page.getByRole('link', { name: 'Restore group' }).click();
    await page.getByRole('button', { name: 'Restore group' }).click();
    await page.getByText('Danger was restored as peril, with 2 members.').waitFor();
  });

  test('who is limited to a community sees its groups and no number of the others', async (t) => {
    await own.server.user({ id: 'lena', roles: ['AdminUserGroupAdmin'], communities: [COMMUNITY] });
    const page = await own.page(t, { expected: REFUSED });
    await own.signIn(page, { username: 'lena', password: PASSWORD });
    await page.getByRole('status').filter({ hasText: '1 group' }).waitFor();
    assert.deepEqual(await names(page), ['Within a community']);
    const other = await own.api('GET', '/groups/office-1');
    for (const path of ['', '/members', '/danger']) {
      const response = await page.goto(`${own.url}/console/groups/${other.uid}${path}`);
      assert.equal(response.status(), 404, path);
    }
  });

  test('a reader sees no way to change anything', async (t) => {
    await own.server.user({ id: 'rita', roles: ['AdminUserGroupReader'] });
    const page = await own.page(t, { expected: REFUSED });
    await own.signIn(page, { username: 'rita', password: PASSWORD });
    assert.equal(await page.getByRole('link', { name: 'New group' }).count(), 0);
    const { uid } = await own.api('GET', '/groups/office-1');
    for (const path of ['', '/members']) {
      await page.goto(`${own.url}/console/groups/${uid}${path}`);
      assert.equal(await page.locator('main form[method=post] button[type=submit]').count(), 0, path);
      await checkAccessible(page);
    }
    assert.equal((await page.goto(`${own.url}/console/groups/${uid}/danger`)).status(), 403);
  });

  test('hostile names break no page', async (t) => {
    const page = await own.page(t, { width: 360 });
    await own.signIn(page);
    const { items } = await own.api('GET', '/groups?limit=1000');
    for (const name of HOSTILE) {
      const { uid } = items.find((group) => group.name === name);
      for (const path of ['', '/members', '/danger']) {
        await page.goto(`${own.url}/console/groups/${uid}${path}`);
        assert.equal((await page.locator('h1').innerText()).trim(), name);
        await checkLayout(page);
      }
    }
    assert.deepEqual(await page.evaluate(() => document.querySelectorAll('main script').length), 0);
  });

  test('every page is accessible in both themes, wide and narrow', async (t) => {
    const { uid } = await own.api('GET', '/groups/office-1');
    await own.api('PATCH', '/groups/office-1/members', { add: ['ada', 'bram', 'chiamaka', 'diego'] });
    const paths = ['', '?q=nothing-has-this', '/new', `/${uid}`, `/${uid}/members`, `/${uid}/members/add`, `/${uid}/danger`];
    for (const [theme, width] of [['light', 1280], ['dark', 1280], ['light', 360], ['dark', 320]]) {
      const page = await own.page(t, { theme, width });
      await own.signIn(page);
      for (const path of paths) {
        await page.goto(`${own.url}/console/groups${path}`);
        await checkAccessible(page);
        await checkLayout(page);
      }
    }
  });
});
