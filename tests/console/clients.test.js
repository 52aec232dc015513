'use strict';
// Clients and their long-lived tokens: the lists, a new client, one client, its secret, its tokens, its end.

const assert = require('node:assert/strict');
const { after, before, describe, test } = require('node:test');
const { ADMIN } = require('../clients/support/server');
const { Console, HOSTILE, MARTA, PASSWORD, checkAccessible, checkLayout, skip } = require('./support/browser');

const REFUSED = ['Failed to load resource'];
const COMMUNITY = 'a6dfbbee-4866-422a-8f83-6b8533375e7d';
const DAY = 86_400_000;

describe('clients and tokens', { skip }, () => {
  let own;
  before(async () => {
    own = await Console.start();
    await own.api('POST', '/users', { id: 'ada', username: 'ada@example.org', firstName: 'Ada', lastName: 'Lindqvist', email: 'ada@example.org' });
    await own.server.user({ id: 'otto', roles: ['Auditor'] });
    await own.server.user({ id: 'gina', roles: ['AdminUserGroupAdmin', 'AdminUserAdmin'] });
    await own.server.user({ id: 'lena', roles: ['FullAccess'], communities: [COMMUNITY] });
    await own.api('POST', '/clients', { name: 'Contract sync', roles: ['AdminUserGroupAdmin'], user: 'ada' });
  });
  after(() => own.stop());

  const make = (body) => own.api('POST', '/clients', body);
  const get = (id) => own.api('GET', `/clients/${id}`);
  const names = (page) => page.locator('#list tbody th').allInnerTexts();
  const shown = (page, label) => page.locator('.facts-list > div').filter({ hasText: label }).locator('code').innerText();

  /** The status with which the token endpoint answers the client. */
  async function signIn(id, secret) {
    const form = { grant_type: 'client_credentials', client_id: id, client_secret: secret };
    return (await fetch(`${own.url}/oauth/token`, { method: 'POST', body: new URLSearchParams(form) })).status;
  }

  /** The status with which Rollbook's own API answers the bearer. */
  const call = async (bearer) =>
    (await fetch(`${own.url}/rollbook/v1/groups`, { headers: { authorization: `Bearer ${bearer}` } })).status;

  /** Sends a form as the page's session, as a browser that changed its fields would. */
  async function post(page, path, fields) {
    const cookies = (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
    const headers = { cookie: cookies, origin: own.url };
    return fetch(`${own.url}/console${path}`, { method: 'POST', redirect: 'manual', body: new URLSearchParams(fields), headers });
  }

  /** Fails if the secret stands in the address, a cookie, the log of the server or the feed of changes. */
  async function checkKept(page, secret) {
    const cookies = JSON.stringify(await page.context().cookies());
    const changes = JSON.stringify(await own.api('GET', '/changes?limit=1000'));
    for (const text of [page.url(), cookies, decodeURIComponent(cookies), own.server.log, own.server.output, changes]) {
      assert.ok(!text.includes(secret));
    }
  }

  test('the list names each client, whom it acts as and its state', async (t) => {
    const off = await make({ name: 'Old shop', enabled: false });
    await make({ name: 'Phone app', public: true });
    const page = await own.page(t);
    await own.signIn(page);
    await page.getByRole('link', { name: 'Clients and tokens' }).click();
    const row = (name) => page.getByRole('row').filter({ hasText: name });
    await row('Contract sync').getByText('AdminUserGroupAdmin').waitFor();
    await row('Contract sync').getByText('Ada Lindqvist').waitFor();
    await row('Contract sync').getByText('Enabled').waitFor();
    await row('Old shop').getByText('Disabled').waitFor();
    await row('Old shop').getByText(off.id).waitFor();
    await row('Phone app').getByText('Public').waitFor();
    await page.locator('summary').filter({ hasText: 'As curl' }).click();
    await page.getByText(`${own.url}/rollbook/v1/clients`).waitFor();
    await row('Old shop').getByRole('link').click();
    await page.getByRole('heading', { level: 1, name: 'Old shop' }).waitFor();
    assert.equal(new URL(page.url()).pathname, `/console/clients/${off.id}`);
  });

  test('the lists are paged by cursor', async (t) => {
    const many = await Console.start();
    t.after(() => many.stop());
    for (let at = 0; at < 60; at += 1) await many.api('POST', '/clients', { name: `Client ${at}` });
    for (let at = 0; at < 60; at += 1) await many.api('POST', `/clients/${ADMIN.id}/tokens`, { name: `Token ${at}` });
    const page = await many.page(t, { javaScriptEnabled: false, expected: REFUSED });
    for (const path of ['/console/clients', '/console/clients/tokens', `/console/clients/${ADMIN.id}/tokens`]) {
      await many.signIn(page, MARTA, path);
      const first = await names(page);
      assert.equal(first.length, 50);
      await page.getByRole('link', { name: 'Next' }).click();
      await page.getByText('Rows 51 to').waitFor();
      const second = await names(page);
      assert.ok(second.length >= 10 && second.every((name) => !first.includes(name)));
      await page.getByRole('link', { name: 'Previous' }).click();
      await page.getByText('Rows 1 to 50').waitFor();
      assert.deepEqual(await names(page), first);
      assert.equal((await page.goto(`${many.url}${path}?after=nonsense`)).status(), 400);
      await page.context().clearCookies();
    }
  });

  for (const javaScriptEnabled of [true, false]) {
    const how = javaScriptEnabled ? 'with JavaScript' : 'without JavaScript';

    test(`a new client shows its secret once, and gets another one, ${how}`, async (t) => {
      const page = await own.page(t, { javaScriptEnabled, expected: REFUSED });
      await own.signIn(page, MARTA, '/console/clients');
      await page.getByRole('link', { name: 'New client' }).click();
      await page.getByLabel('Name', { exact: true }).fill(`Shop ${how}`);
      await page.getByLabel('AdminUserGroupReader').check();
      await page.getByLabel('Communities').fill(`${COMMUNITY}\n`);
      await page.getByLabel(/^Acts as/).fill('username:ada@example.org');
      await page.getByLabel('Refresh tokens, in minutes').fill('1440');
      await page.getByLabel('Each use replaces').check();
      await page.getByRole('button', { name: 'Create client' }).click();
      await page.getByText('It is shown only now.').waitFor();
      await page.getByText(`Shop ${how} was created.`).waitFor();
      assert.equal(new URL(page.url()).pathname, '/console/clients/new');
      const [id, secret] = [await shown(page, 'Client ID'), await shown(page, 'Secret')];
      assert.equal(await page.getByRole('button', { name: 'Copy the secret' }).count(), javaScriptEnabled ? 1 : 0);
      if (javaScriptEnabled) await checkAccessible(page);
      await checkKept(page, secret);
      assert.equal(await signIn(id, secret), 200);
      const made = await get(id);
      assert.deepEqual([made.roles, made.communities, made.accessMinutes], [['AdminUserGroupReader'], [COMMUNITY], 600]);
      assert.deepEqual([made.refreshMinutes, made.refreshRotation, made.strictMembers], [1440, true, false]);
      assert.equal(made.user, `uid:${(await own.api('GET', '/users/ada')).uid}`);

      await page.getByRole('link', { name: 'I have copied it' }).click();
      await page.getByRole('heading', { level: 1, name: `Shop ${how}` }).waitFor();
      assert.ok(!(await page.content()).includes(secret));
      await page.getByRole('link', { name: 'Secret', exact: true }).click();
      await page.getByText('stops working at once').waitFor();
      await page.getByRole('button', { name: 'Make a new secret' }).click();
      await page.getByText('has a new secret.').waitFor();
      const next = await shown(page, 'Secret');
      assert.equal(await page.getByRole('button', { name: 'Undo' }).count(), 0);
      await checkKept(page, next);
      assert.deepEqual([await signIn(id, secret), await signIn(id, next)].map((status) => status === 200), [false, true]);
    });

    test(`a client is changed and the change undone, ${how}`, async (t) => {
      const { id } = await make({ name: `Intranet ${how}`, roles: ['Auditor'], maxRemovalPercent: 10 });
      const page = await own.page(t, { javaScriptEnabled });
      await own.signIn(page, MARTA, `/console/clients/${id}`);
      await page.getByRole('button', { name: 'Save changes' }).click();
      await page.getByText('Nothing was changed.').waitFor();
      await page.getByLabel('Auditor').uncheck();
      await page.getByLabel('AdminUserReader').check();
      await page.getByLabel(/^Acts as/).fill('ada');
      await page.getByLabel('Members that one request may remove').fill('');
      await page.getByLabel('Reason').fill('Reads people now');
      await page.getByRole('button', { name: 'Save changes' }).click();
      await page.getByText(`Intranet ${how} was changed.`).waitFor();
      const changed = await get(id);
      assert.deepEqual([changed.roles, changed.maxRemovalPercent, changed.enabled], [['AdminUserReader'], null, true]);
      assert.ok(changed.user);
      assert.equal(await page.getByLabel(/^Acts as/).inputValue(), 'ada');
      const { changes } = await own.api('GET', '/changes?type=client.updated&limit=1000');
      assert.ok(changes.some(({ reason, channel }) => reason === 'Reads people now' && channel === 'console'));
      await page.getByRole('button', { name: 'Undo' }).click();
      await page.getByText('1 change was undone.').waitFor();
      const undone = await get(id);
      assert.deepEqual([undone.roles, undone.maxRemovalPercent, undone.user], [['Auditor'], 10, null]);
    });

    test(`a client is disabled, enabled again and deleted with what it means, ${how}`, async (t) => {
      const { id, secret } = await make({ name: `Doomed ${how}`, roles: ['AdminUserGroupReader'] });
      const token = await own.api('POST', `/clients/${id}/tokens`, { name: 'nightly' });
      const page = await own.page(t, { javaScriptEnabled, expected: REFUSED });
      await own.signIn(page, MARTA, `/console/clients/${id}`);
      await page.getByRole('link', { name: 'Disable or delete' }).click();
      await page.getByRole('button', { name: 'Disable client' }).click();
      await page.getByText('was disabled, and its tokens have ended.').waitFor();
      await page.locator('.facts').getByText('Disabled').waitFor();
      assert.equal(await call(token.secret), 401);
      assert.notEqual(await signIn(id, secret), 200);
      await page.getByRole('button', { name: 'Undo' }).click();
      await page.getByText('1 change was undone.').waitFor();
      assert.equal(await signIn(id, secret), 200);
      await page.getByRole('link', { name: 'Disable or delete' }).click();
      await page.getByRole('button', { name: 'Disable client' }).click();
      await page.getByText('was disabled').waitFor();
      await page.getByRole('link', { name: 'Disable or delete' }).click();
      await page.getByRole('button', { name: 'Enable client' }).click();
      await page.getByText('was enabled.').waitFor();
      assert.equal((await get(id)).enabled, true);
      await page.getByRole('link', { name: 'Disable or delete' }).click();
      await page.getByText('A deleted client cannot be restored').waitFor();
      await page.getByRole('button', { name: 'Delete client' }).click();
      await page.getByText(`Doomed ${how} was deleted, and its tokens have ended.`).waitFor();
      assert.equal(await page.getByRole('button', { name: 'Undo' }).count(), 0);
      assert.ok(!(await names(page)).includes(`Doomed ${how}`));
      assert.equal((await page.goto(`${own.url}/console/clients/${id}`)).status(), 404);
    });

    test(`a token is created, shown once, used and revoked, ${how}`, async (t) => {
      const { id } = await make({ name: `Scripts ${how}`, roles: ['AdminUserGroupReader'] });
      const page = await own.page(t, { javaScriptEnabled });
      await own.signIn(page, MARTA, `/console/clients/${id}`);
      await page.getByRole('link', { name: 'Tokens', exact: true }).click();
      await page.getByText('This client has no long-lived tokens').waitFor();
      assert.equal(await page.getByLabel('Days until it ends').inputValue(), '365');
      await page.getByLabel('Name', { exact: true }).fill(`okta ${how}`);
      await page.getByLabel('Days until it ends').fill('20');
      await page.getByRole('button', { name: 'Create token' }).click();
      await page.getByText('It is shown only now.').waitFor();
      const token = await shown(page, 'Token');
      assert.match(token, /^rbk_\w{43}$/);
      assert.equal(await page.getByRole('button', { name: 'Copy the token' }).count(), javaScriptEnabled ? 1 : 0);
      if (javaScriptEnabled) await checkAccessible(page);
      await checkKept(page, token);
      assert.equal(await call(token), 200);
      await page.getByRole('link', { name: 'I have copied it' }).click();
      const row = page.getByRole('row').filter({ hasText: `okta ${how}` });
      await row.getByText('Ends soon').waitFor();
      assert.ok(!(await page.content()).includes(token));
      await page.goto(`${own.url}/console/clients/tokens`);
      await row.getByRole('link', { name: `Scripts ${how}` }).waitFor();
      await row.locator('summary').click();
      await row.getByLabel('Reason').fill('Left the company');
      await row.getByRole('button', { name: 'Revoke token' }).click();
      await page.getByText(`The token okta ${how} was revoked.`).waitFor();
      assert.equal(new URL(page.url()).pathname, '/console/clients/tokens');
      assert.equal(await row.count(), 0);
      assert.equal(await call(token), 401);
    });
  }

  test('a public client has no secret, no tokens and no page for them', async (t) => {
    const page = await own.page(t, { expected: REFUSED });
    await own.signIn(page, MARTA, '/console/clients/new');
    await page.getByLabel('Name', { exact: true }).fill('Open app');
    await page.getByLabel('Public, without a secret').check();
    await page.getByRole('button', { name: 'Create client' }).click();
    await page.getByText('Open app was created.').waitFor();
    const path = new URL(page.url()).pathname;
    assert.match(path, /^\/console\/clients\/[0-9a-f-]{36}$/);
    assert.equal(await page.getByRole('link', { name: 'Secret', exact: true }).count(), 0);
    assert.equal((await page.goto(`${own.url}${path}/secret`)).status(), 409);
    await page.goto(`${own.url}${path}/tokens`);
    await page.getByText('A public client gets no long-lived tokens.').waitFor();
    await page.goto(`${own.url}${path}`);
    await page.getByLabel('Name', { exact: true }).fill('Open app 2');
    await page.getByRole('button', { name: 'Save changes' }).click();
    await page.getByText('Open app 2 was changed.').waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByText('1 change was undone.').waitFor();
  });

  test('a token that has ended or ends soon says so', async (t) => {
    const { id } = await make({ name: 'Ends', roles: ['AdminUserGroupReader'] });
    for (const [name, days] of [['far', 400], ['near', 29]]) await own.api('POST', `/clients/${id}/tokens`, { name, days });
    const page = await own.page(t);
    await own.signIn(page, MARTA, `/console/clients/${id}/tokens`);
    const badge = (name) => page.getByRole('row').filter({ hasText: name }).locator('.badge');
    assert.equal(await badge('far').count(), 0);
    assert.equal((await badge('near').innerText()).trim(), 'Ends soon');
    assert.equal(await badge('near').locator('svg').count(), 1);
    await page.getByRole('row').filter({ hasText: 'far' }).getByText('Never').waitFor();
    const ends = await page.getByRole('row').filter({ hasText: 'near' }).locator('time').last().getAttribute('datetime');
    assert.ok(Math.abs(Date.parse(ends) - Date.now() - 29 * DAY) < DAY);
  });

  test('wrong forms say where, keep what was typed and change nothing', async (t) => {
    const { id } = await make({ name: 'Strict' });
    const before = (await own.api('GET', '/clients?limit=1000')).items.length;
    const page = await own.page(t, { expected: REFUSED });
    await own.signIn(page, MARTA, '/console/clients/new');
    await page.getByLabel('Name', { exact: true }).fill('Wrong');
    await page.getByLabel('Auditor').check();
    await page.getByLabel('Communities').fill('every one');
    await page.getByLabel('Access tokens, in minutes').fill('ten');
    await page.getByLabel('Public, without a secret').check();
    await page.getByRole('button', { name: 'Create client' }).click();
    await page.getByText('Communities must be an array of at most 100 GUIDs.').waitFor();
    await page.getByText('The lifetime of access tokens must be a whole number.').waitFor();
    await checkAccessible(page);
    assert.equal(await page.getByLabel('Communities').inputValue(), 'every one');
    assert.ok(await page.getByLabel('Auditor').isChecked() && await page.getByLabel('Public, without a secret').isChecked());
    await page.getByLabel('Communities').fill('');
    await page.getByLabel('Access tokens, in minutes').fill('600');
    await page.getByLabel(/^Acts as/).fill('nobody-has-this-id');
    await page.getByRole('button', { name: 'Create client' }).click();
    await page.getByText('The user does not exist.').waitFor();
    await page.getByLabel(/^Acts as/).fill('ada');
    await page.getByRole('button', { name: 'Create client' }).click();
    await page.getByText('The user is not for a public client').waitFor();
    assert.equal((await own.api('GET', '/clients?limit=1000')).items.length, before);

    await page.goto(`${own.url}/console/clients/${id}`);
    await page.getByLabel('Each use replaces').check();
    await page.getByLabel('Name', { exact: true }).fill('Typed');
    await page.getByRole('button', { name: 'Save changes' }).click();
    await page.getByText('The replacement needs refresh tokens.').waitFor();
    assert.equal(await page.getByLabel('Name', { exact: true }).inputValue(), 'Typed');
    assert.equal((await get(id)).version, 1);

    await page.goto(`${own.url}/console/clients/${id}/tokens`);
    await page.getByLabel('Name', { exact: true }).fill('Too long');
    await page.getByLabel('Days until it ends').fill('731');
    await page.getByRole('button', { name: 'Create token' }).click();
    await page.getByText('The number of days must be 1 to 730.').waitFor();
    assert.equal(await page.getByLabel('Name', { exact: true }).inputValue(), 'Too long');
    await checkAccessible(page);
    assert.equal((await own.api('GET', `/clients/${id}/tokens`)).items.length, 0);
    for (const [path, fields] of [
      ['/clients/new', { name: ' ', accessMinutes: '600', refreshMinutes: '0' }],
      [`/clients/${id}`, { name: 'x', accessMinutes: '600', refreshMinutes: '0', version: 'one' }],
      [`/clients/${id}/tokens`, { name: '', days: '' }],
    ]) {
      assert.equal((await post(page, path, fields)).status, 400, path);
    }
  });

  test('of two tabs the slower one sees both versions and overwrites nothing', async (t) => {
    const { id } = await make({ name: 'Tabs' });
    const [first, second] = [await own.page(t), await own.page(t, { expected: REFUSED })];
    for (const page of [first, second]) await own.signIn(page, MARTA, `/console/clients/${id}`);
    await first.getByLabel('Access tokens, in minutes').fill('30');
    await first.getByRole('button', { name: 'Save changes' }).click();
    await first.getByText('Tabs was changed.').waitFor();
    await second.getByLabel('Access tokens, in minutes').fill('60');
    const [answer] = await Promise.all([
      second.waitForResponse((response) => response.request().method() === 'POST'),
      second.getByRole('button', { name: 'Save changes' }).click(),
    ]);
    assert.equal(answer.status(), 409);
    await second.getByText('Somebody else was faster.').first().waitFor();
    const row = second.locator('.diff tbody tr').filter({ hasText: 'Access tokens' });
    assert.deepEqual((await row.locator('td').allInnerTexts()).map((text) => text.trim()), ['30', '60']);
    assert.equal((await get(id)).accessMinutes, 30);
    await checkAccessible(second);
    await second.getByRole('button', { name: 'Save changes' }).click();
    await second.getByText('Tabs was changed.').waitFor();
    assert.equal((await get(id)).accessMinutes, 60);
  });

  test('a form whose session ended is shown again and changes nothing', async (t) => {
    const page = await own.page(t, { expected: REFUSED });
    await own.signIn(page, MARTA, '/console/clients/new');
    await page.getByLabel('Name', { exact: true }).fill('Interrupted');
    await page.getByLabel('Auditor').check();
    await page.context().clearCookies({ name: '__Host-rollbook' });
    await page.getByRole('button', { name: 'Create client' }).click();
    await page.getByText('Your session has ended').waitFor();
    await page.getByLabel('Username').fill(MARTA.username);
    await page.getByLabel('Password').fill(MARTA.password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.waitForURL(`${own.url}/console/clients/new`);
    assert.equal(await page.getByLabel('Name', { exact: true }).inputValue(), 'Interrupted');
    assert.ok(await page.getByLabel('Auditor').isChecked());
    const { items } = await own.api('GET', '/clients?limit=1000');
    assert.ok(!items.some(({ name }) => name === 'Interrupted'));
  });

  test('an auditor sees all of it and changes nothing', async (t) => {
    const { id } = await make({ name: 'Seen', roles: ['AdminUserReader'], communities: [COMMUNITY], user: 'ada' });
    const token = await own.api('POST', `/clients/${id}/tokens`, { name: 'seen' });
    const page = await own.page(t, { expected: REFUSED });
    await own.signIn(page, { username: 'otto', password: PASSWORD });
    await page.getByRole('link', { name: 'Clients and tokens' }).click();
    assert.equal(await page.getByRole('link', { name: 'New client' }).count(), 0);
    for (const path of ['', '/tokens', `/${id}`, `/${id}/tokens`]) {
      await page.goto(`${own.url}/console/clients${path}`);
      assert.equal(await page.locator('main form').count(), 0, path);
      assert.equal(await page.getByRole('heading', { name: 'New token' }).count(), 0, path);
      await checkAccessible(page);
    }
    await page.goto(`${own.url}/console/clients/${id}`);
    await page.getByText(COMMUNITY).waitFor();
    await page.getByText('Ada Lindqvist').waitFor();
    for (const path of ['/new', `/${id}/secret`, `/${id}/end`]) {
      assert.equal((await page.goto(`${own.url}/console/clients${path}`)).status(), 403, path);
    }
    const fields = { name: 'Forged', days: '1', version: '1', accessMinutes: '1', refreshMinutes: '0' };
    const forms = ['/new', `/${id}`, `/${id}/tokens`, `/${id}/secret`, `/${id}/disable`, `/${id}/enable`, `/${id}/delete`];
    for (const path of [...forms, `/tokens/${token.id}/revoke`]) {
      assert.equal((await post(page, `/clients${path}`, fields)).status, 403, path);
    }
    assert.equal((await get(id)).version, 1);
    assert.equal(await call(token.secret), 403);
  });

  test('who has no right, or is limited to communities, gets 403 and no link', async (t) => {
    const { id } = await make({ name: 'Unseen' });
    for (const username of ['gina', 'lena']) {
      const page = await own.page(t, { expected: REFUSED });
      await own.signIn(page, { username, password: PASSWORD });
      assert.equal(await page.getByRole('link', { name: 'Clients and tokens' }).count(), 0);
      for (const path of ['', '/tokens', '/new', `/${id}`, `/${id}/tokens`, `/${id}/secret`, `/${id}/end`, '/unknown']) {
        assert.equal((await page.goto(`${own.url}/console/clients${path}`)).status(), 403, path);
      }
      await page.getByRole('heading', { name: 'You may not see this page' }).waitFor();
      assert.equal((await post(page, `/clients/${id}/delete`, {})).status, 403);
    }
  });

  test('hostile names break no page', async (t) => {
    const page = await own.page(t, { width: 360 });
    await own.signIn(page);
    for (const name of HOSTILE) {
      const { id } = await make({ name, roles: ['AdminUserGroupAdmin', 'AdminUserGroupReader', 'AdminUserAdmin'] });
      await own.api('POST', `/clients/${id}/tokens`, { name, days: 7 });
      for (const path of ['', '/tokens', '/secret', '/end']) {
        await page.goto(`${own.url}/console/clients/${id}${path}`);
        assert.equal((await page.locator('h1').innerText()).trim(), name);
        await checkLayout(page);
      }
      await page.goto(`${own.url}/console/clients/${id}/secret`);
      await page.getByRole('button', { name: 'Make a new secret' }).click();
      await page.getByText('It is shown only now.').waitFor();
      await checkLayout(page);
    }
    for (const path of ['', '/tokens']) {
      await page.goto(`${own.url}/console/clients${path}`);
      await checkLayout(page);
    }
    assert.equal(await page.evaluate(() => document.querySelectorAll('main script').length), 0);
  });

  test('every page is accessible in both themes, wide and narrow', async (t) => {
    const { id } = await make({ name: 'Accessible', roles: ['FullAccess'], user: 'ada', communities: [COMMUNITY] });
    await own.api('POST', `/clients/${id}/tokens`, { name: 'seen', days: 3 });
    const paths = ['', '/tokens', '/new', `/${id}`, `/${id}/tokens`, `/${id}/secret`, `/${id}/end`];
    for (const [theme, width] of [['light', 1280], ['dark', 1280], ['light', 360], ['dark', 360], ['light', 320]]) {
      const page = await own.page(t, { theme, width });
      await own.signIn(page);
      for (const path of paths) {
        await page.goto(`${own.url}/console/clients${path}`);
        await checkAccessible(page);
        await checkLayout(page);
        const revoke = page.locator('td.act summary').last();
        if (await revoke.count()) {
          await revoke.click();
          await checkAccessible(page);
          await checkLayout(page);
        }
      }
    }
  });
});
