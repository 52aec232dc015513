'use strict';
// Flows by keyboard alone: no test here touches the mouse.

const assert = require('node:assert/strict');
const { after, before, describe, test } = require('node:test');
const { Console, MARTA, skip } = require('./support/browser');

/** More than the controls of any page. */
const TABS_MAX = 120;

describe('by keyboard alone', { skip }, () => {
  let own;
  before(async () => {
    own = await Console.start();
    for (const id of ['ada', 'bram']) {
      await own.api('POST', '/users', { id, username: id, firstName: id, lastName: 'Example', email: `${id}@example.org` });
    }
    await own.api('POST', '/groups', { id: 'team', name: 'The team' });
  });
  after(() => own.stop());

  /** Presses Tab until the control with this name has the focus, which must be visible. */
  const tabTo = async (page, name) => {
    for (let at = 0; at < TABS_MAX; at += 1) {
      await page.keyboard.press('Tab');
      const found = await page.evaluate(() => {
        const active = document.activeElement;
        const label = active.getAttribute('aria-label') ?? active.labels?.[0]?.innerText ?? active.innerText ?? '';
        const style = getComputedStyle(active);
        const isMarked = style.outlineStyle !== 'none' || style.boxShadow !== 'none' || ['checkbox', 'radio'].includes(active.type);
        return { label: label.trim(), isMarked };
      });
      if (found.label.startsWith(name)) {
        assert.ok(found.isMarked, `the focus on ${name} is not visible`);
        return;
      }
    }
    assert.fail(`no control is called ${name}`);
  };

  test('signing in, finding a group, adding somebody, undoing it', async (t) => {
    const page = await own.page(t);
    await page.goto(`${own.url}/console/sign-in`);
    await page.keyboard.type(MARTA.username);
    await page.keyboard.press('Tab');
    await page.keyboard.type(MARTA.password);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Groups' }).waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('the tea');
    await page.getByRole('status').filter({ hasText: '1 group matches' }).waitFor();
    await tabTo(page, 'The team');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'The team' }).waitFor();
    await tabTo(page, 'Members');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Nobody is in this group' }).waitFor();
    await tabTo(page, 'Add a person');
    await page.keyboard.type('ada');
    await page.keyboard.press('Enter');
    await page.getByRole('status').filter({ hasText: '1 person was added.' }).waitFor();
    await tabTo(page, 'Select ada Example');
    await page.keyboard.press('Space');
    await page.getByRole('button', { name: 'Remove selected' }).waitFor();
    await tabTo(page, 'Undo');
    await page.keyboard.press('Enter');
    await page.getByRole('status').filter({ hasText: '1 change was undone.' }).waitFor();
  });

  test('filters, menus and their end with Escape', async (t) => {
    const page = await own.page(t);
    await own.signIn(page, MARTA, '/console/users');
    await tabTo(page, 'Filter');
    await page.keyboard.press('Enter');
    await tabTo(page, 'Add');
    await page.keyboard.press('Escape');
    assert.equal(await page.evaluate(() => document.activeElement.innerText.trim()), 'Filter');
    await page.keyboard.press('Enter');
    await tabTo(page, 'With the role');
    await page.keyboard.press('End');
    await tabTo(page, 'Add');
    await page.keyboard.press('Enter');
    await page.waitForURL((url) => url.searchParams.get('roles') === 'Auditor');
    await tabTo(page, 'Remove the filter');
    await page.keyboard.press('Enter');
    await page.getByRole('status').filter({ hasText: '3 users' }).waitFor();
  });

  test('a new group, its fields and its deletion', async (t) => {
    const page = await own.page(t);
    await own.signIn(page);
    await page.keyboard.press('Control+k');
    await page.keyboard.type('new group');
    await page.locator('#palette a').filter({ hasText: 'Search all groups for “new group”' }).waitFor();
    await page.locator('#palette a[aria-current]').filter({ hasText: 'New group' }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'New group' }).waitFor();
    await tabTo(page, 'English');
    await page.keyboard.type('By keyboard');
    await page.keyboard.press('Enter');
    await page.getByRole('status').filter({ hasText: 'By keyboard was created.' }).waitFor();
    await tabTo(page, 'Rename or delete');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Delete By keyboard?' }).waitFor();
    await tabTo(page, 'Delete group');
    await page.keyboard.press('Enter');
    await page.getByRole('status').filter({ hasText: 'By keyboard was deleted.' }).waitFor();
    await tabTo(page, 'Deleted');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Deleted' }).waitFor();
    await tabTo(page, 'Restore');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Restore “By keyboard”?' }).waitFor();
    await tabTo(page, 'Restore group');
    await page.keyboard.press('Enter');
    await page.getByRole('status').filter({ hasText: 'By keyboard was restored' }).waitFor();
  });
});
