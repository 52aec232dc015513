'use strict';
// The past: histories, why somebody is in a group, what is deleted, changes as they happen, and undoing them.

const assert = require('node:assert/strict');
const { after, before, describe, test } = require('node:test');
const { Console, MARTA, PASSWORD, checkAccessible, checkLayout, skip } = require('./support/browser');

const REFUSED = ['Failed to load resource'];
const COMMUNITY = 'a6dfbbee-4866-422a-8f83-6b8533375e7d';

describe('the past', { skip }, () => {
  let own;
  before(async () => {
    own = await Console.start();
    for (const id of ['ada', 'bram', 'chiamaka', 'diego']) {
      await own.api('POST', '/users', { id, username: `${id}@example.org`, firstName: id, lastName: 'Example', email: `${id}@example.org` });
    }
  });
  after(() => own.stop());

  /** A group with the members, made through the API; returns its path in the console. */
  const group = async (id, members = [], more = {}) => {
    const { uid } = await own.api('POST', '/groups', { id, name: `Group ${id}`, ...more });
    if (members.length > 0) await own.api('PATCH', `/groups/${id}/members`, { add: members });
    return `${own.url}/console/groups/${uid}`;
  };

  test('a history says who changed what, and leads to undoing it', async (t) => {
    const path = await group('historic', ['ada', 'bram'], { labels: { en: 'Group historic', de: 'Alt' } });
    await own.api('PATCH', '/groups/historic', { labels: { de: 'Neu' }, description: 'More' });
    for (const javaScriptEnabled of [true, false]) {
      const page = await own.page(t, { javaScriptEnabled });
      await own.signIn(page);
      await page.goto(`${path}/history`);
      await page.getByText('added 2 people').waitFor();
      const changed = page.locator('.timeline > li').filter({ hasText: 'label in German' });
      assert.deepEqual(await changed.locator('del').allInnerTexts(), ['Alt']);
      assert.deepEqual(await changed.locator('ins').allInnerTexts(), ['Neu', 'More']);
      await page.locator('summary').filter({ hasText: 'All changes' }).click();
      await page.getByRole('link', { name: 'Members only' }).click();
      await page.waitForURL((url) => url.searchParams.get('kind') === 'members');
      assert.equal(await page.locator('.timeline > li').count(), 1);
    }
    const page = await own.page(t);
    await own.signIn(page);
    await page.goto(`${path}/history`);
    await page.locator('.timeline > li').filter({ hasText: 'label in German' }).getByRole('link', { name: 'Undo' }).click();
    await page.getByRole('button', { name: 'Undo 1 change' }).waitFor();
    await page.getByLabel('Reason').fill('The old name was right');
    await page.getByRole('button', { name: 'Undo 1 change' }).click();
    await page.getByRole('status').filter({ hasText: '1 change was undone.' }).waitFor();
    assert.equal((await own.api('GET', '/groups/historic')).labels.de, 'Alt');
    await page.goto(`${path}/history`);
    await page.getByText('“The old name was right”').waitFor();
  });

  test('an undo leaves out what has changed since, or does nothing', async (t) => {
    const path = await group('contested', [], { labels: { en: 'Group contested', de: 'Eins' } });
    await own.api('PATCH', '/groups/contested', { labels: { de: 'Zwei' } });
    await own.api('PATCH', '/groups/contested', { labels: { de: 'Drei' } });
    const page = await own.page(t, { expected: REFUSED });
    await own.signIn(page);
    await page.goto(`${path}/history`);
    await page.locator('.timeline > li').filter({ hasText: 'Zwei' }).last().getByRole('link', { name: 'Undo' }).click();
    await page.getByText('changed since: Label, German').waitFor();
    assert.equal((await page.goto(`${page.url()}/undo`)).status(), 200, 'the address of the form leads to the page');
    assert.ok(await page.getByRole('button', { name: 'Undo 0 changes' }).isDisabled());
    assert.equal((await own.api('GET', '/groups/contested')).labels.de, 'Drei');
  });

  test('a group and its members are shown as of a moment', async (t) => {
    const path = await group('moment', ['ada', 'bram'], { description: 'Before' });
    const page = await own.page(t);
    await own.signIn(page);
    await page.goto(`${path}/history?at=2020-01-01T08:00`);
    await page.getByText('On 1 January 2020, 08:00 it did not exist yet.').waitFor();
    const { updated } = await own.api('GET', '/groups/moment');
    await own.api('PATCH', '/groups/moment', { description: 'After' });
    await own.api('PATCH', '/groups/moment/members', { remove: ['bram'] });
    await page.goto(`${path}/history?at=${encodeURIComponent(updated)}`);
    const then = page.locator('table', { hasText: 'Then and now' });
    assert.match(await then.locator('tr', { hasText: 'Description' }).innerText(), /Before\s+After/);
    await page.goto(`${path}/members/then?at=${encodeURIComponent(new Date(Date.parse(updated) + 1).toISOString())}`);
    await page.getByRole('heading', { name: /^Members on/ }).waitFor();
  });

  test('a membership says since when and why', async (t) => {
    const path = await group('why', ['ada']);
    const { uid } = await own.api('GET', '/users/ada');
    const page = await own.page(t);
    await own.signIn(page);
    await page.goto(`${path}/members`);
    await page.getByRole('checkbox', { name: 'Select ada Example' }).check();
    await page.getByLabel('Reason, optional').fill('Left the team');
    await page.getByRole('button', { name: 'Remove selected' }).click();
    await page.getByRole('status').filter({ hasText: '1 person was removed.' }).waitFor();
    await own.api('PUT', `/groups/why/members/ada`);
    await page.goto(`${path}/members`);
    await page.getByRole('link', { name: 'Since when and why ada Example is in the group' }).click();
    await page.waitForURL(`${path}/members/${uid}`);
    const rows = page.locator('tbody tr');
    assert.equal(await rows.count(), 2);
    assert.match(await rows.first().innerText(), /lasts/);
    assert.match(await rows.last().innerText(), /“Left the team”/);
  });

  test('a person is added by search, and a list of members is a file', async (t) => {
    const path = await group('found');
    await own.api('POST', '/users', { id: 'formula', username: '=1+1@example.org', firstName: '=cmd', lastName: 'x,"y"', email: 'f@example.org' });
    const page = await own.page(t);
    await own.signIn(page);
    await page.goto(`${path}/members`);
    await page.getByLabel('Add a person').pressSequentially('formu');
    await page.locator('#found-users option[value="formula"]').waitFor({ state: 'attached' });
    await page.getByLabel('Add a person').fill('formula');
    await page.keyboard.press('Enter');
    await page.getByRole('status').filter({ hasText: '1 person was added.' }).waitFor();
    await page.getByLabel('Add a person').fill('nobody-has-this-id');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Not found' }).waitFor();
    await page.goto(`${path}/members`);
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'CSV' }).click()]);
    const lines = require('node:fs').readFileSync(await download.path(), 'utf8').split('\r\n');
    assert.equal(lines[0], 'id,username,firstName,lastName,email,since');
    assert.ok(lines[1].startsWith(`formula,'=1+1@example.org,'=cmd,"x,""y""",f@example.org,`), lines[1]);
  });

  test('what was deleted comes back after a preview, also under another ID', async (t) => {
    const path = await group('party', ['ada', 'bram', 'diego']);
    await own.api('DELETE', '/groups/party');
    await own.api('DELETE', '/users/diego');
    await group('party', []);
    for (const javaScriptEnabled of [true, false]) {
      const page = await own.page(t, { javaScriptEnabled, expected: REFUSED });
      await own.signIn(page);
      await page.goto(path);
      await page.getByText('This group was deleted').waitFor();
      await page.getByRole('link', { name: 'Restore group' }).click();
      const preview = page.locator('.outcome');
      assert.match(await preview.innerText(), /2\s+in the group again[\s\S]*1\s+of them not/);
      await page.getByText('Another one took this ID meanwhile').waitFor();
      if (javaScriptEnabled) {
        await page.getByRole('button', { name: 'Restore group' }).click();
        await page.getByText('This one is free').waitFor();
        continue;
      }
      await page.getByLabel('ID').fill('party-again');
      await page.getByRole('button', { name: 'Restore group' }).click();
      await page.getByRole('status').filter({ hasText: 'restored as party-again, with 2 members' }).waitFor();
    }
    const page = await own.page(t);
    await own.signIn(page, MARTA, '/console/deleted/users');
    await page.getByRole('link', { name: 'Restore diego@example.org' }).click();
    await page.getByText('set a new password').waitFor();
    await page.getByRole('button', { name: 'Restore user' }).click();
    await page.getByRole('status').filter({ hasText: 'diego Example was restored, in 1 groups' }).waitFor();
  });

  test('a restore is of what was previewed', async (t) => {
    const path = await group('twice', ['ada', 'bram']);
    const { uid } = await own.api('GET', '/groups/twice');
    await own.api('DELETE', '/groups/twice');
    const page = await own.page(t, { expected: REFUSED });
    await own.signIn(page, MARTA, `/console/deleted/groups/${uid}`);
    await page.getByRole('button', { name: 'Restore group' }).waitFor();
    await own.api('POST', `/groups/uid:${uid}/restore`);
    await own.api('PATCH', '/groups/twice/members', { remove: ['bram'] });
    await own.api('DELETE', '/groups/twice');
    await page.getByRole('button', { name: 'Restore group' }).click();
    await page.getByText('Somebody else was faster').waitFor();
    await page.goto(path);
    await page.getByText('This group was deleted').waitFor();
  });

  test('an erased user is named by the ID that is left', async (t) => {
    const { uid } = await own.api('POST', '/users', { id: 'erased', username: 'erased@example.org', firstName: 'To be', lastName: 'Erased', email: 'x@example.org' });
    await own.api('DELETE', '/users/erased');
    await own.api('POST', `/users/uid:${uid}/erase`);
    const page = await own.page(t);
    await own.signIn(page, MARTA, '/console/deleted/users');
    await page.getByRole('link', { name: `erased-${uid}` }).click();
    await page.getByRole('heading', { level: 1, name: `erased-${uid}` }).waitFor();
    await checkAccessible(page);
  });

  test('changes appear as they happen, with filters in the address', async (t) => {
    const page = await own.page(t);
    await own.signIn(page, MARTA, '/console/changes');
    await page.getByRole('status').filter({ hasText: 'Live' }).waitFor();
    await own.api('POST', '/groups', { id: 'fresh', name: 'Appeared just now' });
    const line = page.locator('#newest > li').filter({ hasText: 'Appeared just now' });
    await line.waitFor();
    assert.equal(await line.count(), 1);
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('button', { name: 'Go on' }).waitFor();
    await page.locator('summary').filter({ hasText: 'Filter' }).click();
    const kind = page.getByRole('group', { name: 'Kind of change' });
    await kind.getByRole('combobox').selectOption('group.deleted');
    await kind.getByRole('button', { name: 'Add' }).click();
    await page.waitForURL((url) => url.searchParams.get('type') === 'group.deleted');
    assert.ok((await page.locator('.said').allInnerTexts()).every((said) => said.includes('deleted')));
    await own.api('POST', '/groups', { id: 'unseen', name: 'Not selected' });
    await own.api('DELETE', '/groups/unseen');
    await page.locator('#newest > li').filter({ hasText: 'Not selected' }).waitFor();
    assert.equal(await page.locator('#newest > li').filter({ hasText: 'created' }).count(), 0);
  });

  test('the palette and the page of its name find groups, users and pages', async (t) => {
    await group('palette');
    const page = await own.page(t);
    await own.signIn(page);
    await page.keyboard.press('Control+k');
    await page.keyboard.type('group pal');
    await page.locator('#palette a[aria-current]').filter({ hasText: 'Group palette' }).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Group palette' }).waitFor();
    await page.keyboard.press('Control+k');
    await page.keyboard.press('Escape');
    assert.ok(await page.locator('#palette').isHidden());
    const plain = await own.page(t, { javaScriptEnabled: false });
    await own.signIn(plain);
    await plain.getByRole('link', { name: 'Go to' }).click();
    await plain.locator('#q').fill('bram');
    await plain.keyboard.press('Enter');
    await plain.getByRole('link', { name: 'bram Example' }).click();
    await plain.getByRole('heading', { level: 1, name: 'bram Example' }).waitFor();
  });

  test('who is limited to a community sees no change and no history of the rest', async (t) => {
    const hidden = await group('hidden');
    await group('within', [], { communities: [COMMUNITY] });
    const roles = ['Auditor'];
    await own.api('POST', '/users', { id: 'limited', username: 'limited', firstName: 'L', lastName: 'L', email: 'l@example.org', password: PASSWORD, roles, communities: [COMMUNITY] });
    const page = await own.page(t, { expected: REFUSED });
    await own.signIn(page, { username: 'limited', password: PASSWORD }, '/console/changes');
    const said = await page.locator('.said').allInnerTexts();
    assert.ok(said.length > 0 && said.every((line) => line.includes('Group within')), said.join('\n'));
    for (const path of ['/history', '/members/then?at=2026-01-01T00:00', '/members/1', '/members.csv']) {
      assert.equal((await page.goto(`${hidden}${path}`)).status(), 404, path);
    }
    const { uid } = await own.api('POST', '/users', { id: 'elsewhere', username: 'elsewhere', firstName: 'E', lastName: 'E', email: 'e@example.org', communities: ['b6dfbbee-4866-422a-8f83-6b8533375e7d', COMMUNITY] });
    for (const path of ['', '/access', '/history']) {
      await page.goto(`${own.url}/console/users/${uid}${path}`);
      assert.ok(!(await page.content()).includes('b6dfbbee'), path);
    }
    await page.goto(`${own.url}/console/find?q=Group`);
    const found = await page.locator('#found a').allInnerTexts();
    assert.ok(!found.some((link) => link.includes('hidden')), found.join('\n'));
    const { operation } = (await own.api('GET', '/groups/hidden/history')).changes[0];
    assert.equal((await page.goto(`${own.url}/console/operations/${operation}`)).status(), 404);
  });

  test('every page is accessible in both themes, wide and narrow', async (t) => {
    const path = await group('accessible', ['ada', 'bram']);
    await own.api('PATCH', '/groups/accessible', { description: 'Changed', labels: { ar: 'دعم العملاء' } });
    await own.api('POST', '/groups', { id: 'gone', name: 'Gone' });
    await own.api('DELETE', '/groups/gone');
    const { operation } = (await own.api('GET', '/groups/accessible/history')).changes[0];
    const { uid } = (await own.api('GET', '/groups?deleted=true')).items.find((item) => item.id === 'gone');
    const ada = (await own.api('GET', '/users/ada')).uid;
    const now = encodeURIComponent(new Date().toISOString());
    const pages = [
      `${path}/history`, `${path}/history?at=${now}`, `${path}/members/then?at=${now}`, `${path}/members/${ada}`,
      ...['changes', `operations/${operation}`, 'deleted', 'deleted/users', `deleted/groups/${uid}`, 'find?q=a'].map((own_) => `${own.url}/console/${own_}`),
    ];
    for (const [theme, width] of [['light', 1280], ['dark', 360]]) {
      const page = await own.page(t, { theme, width });
      await own.signIn(page);
      for (const url of pages) {
        await page.goto(url);
        await checkAccessible(page);
        await checkLayout(page);
      }
    }
  });
});
