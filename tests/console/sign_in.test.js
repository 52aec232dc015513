'use strict';
// The first start, signing in and out, sessions, and what a session protects.

const assert = require('node:assert/strict');
const { after, before, describe, test } = require('node:test');
const { Console, MARTA, PASSWORD, checkAccessible, checkLayout, skip } = require('./support/browser');

/** What the browser reports of an answer that is an error by intention. */
const REFUSED = ['Failed to load resource'];

describe('signing in', { skip }, () => {
  let own;
  before(async () => (own = await Console.start()));
  after(() => own.stop());

  test('leads a browser from the root to the page asked for, and out again', async (t) => {
    const page = await own.page(t);
    await page.goto(`${own.url}/`);
    assert.equal(new URL(page.url()).pathname, '/console/sign-in');
    await checkAccessible(page);
    await page.goto(`${own.url}/console/groups?q=x`);
    await page.getByLabel('Username').fill(MARTA.username);
    await page.getByLabel('Password').fill(MARTA.password);
    await page.keyboard.press('Enter');
    await page.waitForURL(`${own.url}/console/groups?q=x`);
    await page.locator('.side .me summary').click();
    await page.locator('.side .me').getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('You are signed out.').waitFor();
    await page.goto(`${own.url}/console/groups`);
    assert.equal(new URL(page.url()).pathname, '/console/sign-in');
  });

  test('answers every wrong attempt alike', async (t) => {
    const page = await own.page(t, { expected: REFUSED });
    for (const [username, password] of [['marta', 'wrong'], ['nobody', PASSWORD]]) {
      await page.goto(`${own.url}/console/sign-in`);
      await page.getByLabel('Username').fill(username);
      await page.getByLabel('Password').fill(password);
      await page.getByRole('button', { name: 'Sign in' }).click();
      assert.match(await page.getByRole('alert').innerText(), /^The username or the password is wrong/);
      assert.equal(await page.getByLabel('Username').inputValue(), username);
    }
    await checkAccessible(page);
  });

  test('works without JavaScript, in the dark and on a phone', async (t) => {
    const page = await own.page(t, { javaScriptEnabled: false, width: 320, theme: 'dark' });
    await own.signIn(page);
    assert.equal(new URL(page.url()).pathname, '/console/groups');
  });

  test('leads back to pages of the console alone', async (t) => {
    const page = await own.page(t);
    for (const to of ['https://example.org/', '//example.org/console/', '/v1/usergroups']) {
      await page.context().clearCookies();
      await own.signIn(page, MARTA, to);
      assert.equal(page.url(), `${own.url}/console/groups`, to);
    }
  });

  test('sets a cookie for this host that no script reads', async (t) => {
    const page = await own.page(t);
    await own.signIn(page);
    const [cookie] = (await page.context().cookies()).filter(({ name }) => name === '__Host-rollbook');
    const { httpOnly, secure, sameSite, path, value } = cookie;
    assert.deepEqual({ httpOnly, secure, sameSite, path }, { httpOnly: true, secure: true, sameSite: 'Strict', path: '/' });
    for (const api of ['/rollbook/v1/groups', '/v1/usergroups', '/api/admin/v1/users-groups/list']) {
      const headers = { authorization: `Bearer ${value}`, cookie: `__Host-rollbook=${value}` };
      assert.equal((await fetch(own.url + api, { headers })).status, 401, api);
    }
  });

  test('refuses forms of other origins', async (t) => {
    const page = await own.page(t);
    await own.signIn(page);
    const cookies = (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
    const post = (headers) =>
      fetch(`${own.url}/console/groups/new`, {
        method: 'POST', redirect: 'manual', body: new URLSearchParams({ 'labels.en': 'Forged' }), headers: { cookie: cookies, ...headers },
      });
    for (const headers of [{}, { 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }, { origin: 'https://example.org' }]) {
      assert.equal((await post(headers)).status, 403, JSON.stringify(headers));
    }
    assert.equal((await own.api('GET', '/groups?name=Forged')).total, 0);
    assert.equal((await post({ origin: own.url })).status, 303);
  });

  test('sends every page with its policies', async () => {
    const response = await fetch(`${own.url}/console/sign-in`);
    const policy = response.headers.get('content-security-policy');
    assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self';/);
    assert.equal(response.headers.get('referrer-policy'), 'same-origin');
    assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
    assert.equal(response.headers.get('cross-origin-opener-policy'), 'same-origin');
    assert.equal(response.headers.get('cache-control'), 'no-store');
    assert.equal(response.headers.get('access-control-allow-origin'), null);
    const preflight = await fetch(`${own.url}/console/sign-in`, { method: 'OPTIONS' });
    assert.equal(preflight.headers.get('access-control-allow-origin'), null);
    const program = await fetch(`${own.url}/`, { redirect: 'manual' });
    assert.deepEqual([program.headers.get('location'), program.headers.get('vary')], ['/docs/', 'Accept']);
  });

  test('keeps what was typed when the session ends in the middle of a form', async (t) => {
    const page = await own.page(t, { expected: REFUSED });
    await own.signIn(page, MARTA, '/console/groups/new');
    await page.getByLabel('English').fill('A long name that nobody wants to type twice');
    await page.getByLabel('Description').fill('And its description');
    await page.context().clearCookies({ name: '__Host-rollbook' });
    await page.getByRole('button', { name: 'Create group' }).click();
    await page.getByText('Your session has ended').waitFor();
    await page.getByLabel('Username').fill(MARTA.username);
    await page.getByLabel('Password').fill(MARTA.password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.waitForURL(`${own.url}/console/groups/new`);
    assert.equal(await page.getByLabel('English').inputValue(), 'A long name that nobody wants to type twice');
    assert.equal(await page.getByLabel('Description').inputValue(), 'And its description');
    assert.equal((await own.api('GET', '/groups?name=A long name*')).total, 0);
    await page.getByRole('button', { name: 'Create group' }).click();
    await page.getByText('was created.').waitFor();
  });

  test('a user without a role has an account and nothing else', async (t) => {
    await own.server.user({ id: 'nora' });
    const page = await own.page(t, { expected: REFUSED });
    await own.signIn(page, { username: 'nora', password: PASSWORD });
    assert.equal(new URL(page.url()).pathname, '/console/account');
    assert.equal(await page.locator('.side nav > ul > li:not(.on-phone)').count(), 0);
    await checkAccessible(page);
    await page.goto(`${own.url}/console/groups`);
    await page.getByRole('heading', { name: 'You may not see this page' }).waitFor();
    await page.getByText('AdminUserGroupReader').waitFor();
    await checkAccessible(page);
  });

  test('a new password ends all other sessions', async (t) => {
    await own.server.user({ id: 'piet', roles: ['AdminUserGroupReader'] });
    const piet = { username: 'piet', password: PASSWORD };
    const [first, second] = [await own.page(t, { expected: REFUSED }), await own.page(t)];
    for (const page of [first, second]) await own.signIn(page, piet, '/console/account');
    await first.reload();
    assert.equal(await first.getByRole('row').filter({ hasText: 'End' }).count() >= 1, true);
    const change = async (old, next) => {
      await first.getByLabel('Present password').fill(old);
      await first.getByLabel('New password', { exact: true }).fill(next);
      await first.getByLabel('New password again').fill(next);
      await first.getByRole('button', { name: 'Change the password' }).click();
    };
    await change('wrong', 'An0ther!pass');
    await first.getByText('The present password is wrong.').waitFor();
    await change(PASSWORD, 'An0ther!pass');
    await first.getByText('Password changed.').waitFor();
    await second.goto(`${own.url}/console/groups`);
    assert.equal(new URL(second.url()).pathname, '/console/sign-in');
    await own.signIn(second, { ...piet, password: 'An0ther!pass' });
  });

  test('the account is accessible in both themes and narrow', async (t) => {
    for (const [theme, width] of [['light', 1280], ['dark', 1280], ['light', 360], ['dark', 320]]) {
      const page = await own.page(t, { theme, width });
      await own.signIn(page, MARTA, '/console/account');
      await checkAccessible(page);
      await checkLayout(page);
    }
  });
});

describe('the first start', { skip }, () => {
  test('the printed link makes the first administrator, once', async (t) => {
    const own = await Console.start({ ROLLBOOK_ADMIN_USERNAME: '', ROLLBOOK_ADMIN_PASSWORD: '' });
    t.after(() => own.stop());
    const link = await own.server.printed(/(http\S+\/console\/setup\?code=\S+)/);
    const page = await own.page(t, { expected: REFUSED });
    await page.goto(link);
    await checkAccessible(page);
    await checkLayout(page);
    const fill = async (password) => {
      await page.getByLabel('Username').fill('ada');
      await page.getByLabel('First name').fill('Ada');
      await page.getByLabel('Last name').fill('Lindqvist');
      await page.getByLabel('E-mail').fill('ada@example.org');
      await page.getByLabel('Password').fill(password);
      await page.getByRole('button', { name: 'Create the administrator' }).click();
    };
    await fill('all-small-letters');
    await page.getByRole('alert').waitFor();
    await fill(PASSWORD);
    await page.getByText('You are signed in as Ada Lindqvist').waitFor();
    assert.equal(new URL(page.url()).pathname, '/console/groups');
    await page.getByRole('heading', { name: 'No groups yet' }).waitFor();
    await checkAccessible(page);
    await page.goto(link);
    await page.getByRole('heading', { name: 'There is no such page' }).waitFor();
    assert.equal((await fetch(`${own.url}/console/setup?code=wrong`)).status, 404);
  });
});
