'use strict';
// The documents page in a real browser: sign in with its Authorize button, then "Try it out". Skipped if there is no
// Chromium; TEST_CHROMIUM is the path of another one.

const assert = require('node:assert/strict');
const { existsSync } = require('node:fs');
const { after, before, beforeEach, afterEach, describe, test } = require('node:test');
const { chromium } = require('playwright-core');
const { ADMIN, PASSWORD, Server } = require('./support/server');

const places = [process.env.TEST_CHROMIUM, '/usr/bin/chromium', '/usr/bin/google-chrome'];
const executablePath = places.find((place) => place && existsSync(place));
const skip = executablePath ? false : 'there is no Chromium: install it, or name it in TEST_CHROMIUM';

describe('the documents page', { skip }, () => {
  let server, browser, page, problems;
  before(async () => {
    server = await Server.start();
    await server.user({ id: 'ada', roles: ['AdminUserGroupAdmin'] });
    // Chromium has no sandbox for root, and often none in a container. The page is our own.
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  });
  after(async () => {
    await browser?.close();
    await server.stop();
  });
  beforeEach(async () => {
    problems = [];
    page = await browser.newPage({ viewport: { width: 1300, height: 1000 } });
    page.setDefaultTimeout(10_000);
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
    await page.goto(`${server.url}/docs/`);
  });
  afterEach(() => page.close());

  /** Selects a definition in the list at the top. */
  async function choose(name, path) {
    await page.locator('#select').selectOption({ label: name });
    await operation('get', path).waitFor();
  }

  const operation = (method, path) =>
    page.locator(`.opblock-${method}`, { has: page.locator(`[data-path="${path}"]`) });

  /** Signs in with an OAuth 2.0 flow; returns the request that the page sent, and the response. */
  async function authorize(flow, fields) {
    await page.locator('.scheme-container .authorize').click();
    const form = page.locator('.auth-container', { has: page.locator(`h4:has-text("${flow}")`) });
    for (const [name, value] of Object.entries(fields)) await form.locator(`[data-name="${name}"]`).fill(value);
    const received = page.waitForResponse(`${server.url}/oauth/token`);
    await form.locator('.modal-btn.authorize').click();
    const response = await received;
    if (response.ok()) await form.locator('button', { hasText: 'Logout' }).waitFor();
    return { form, response, request: response.request() };
  }

  const closeDialog = () => page.locator('.close-modal').click();

  /** Tries an operation out; returns the status and the body that the page shows. */
  async function tryOut(method, path, body) {
    const block = operation(method, path);
    if ((await block.locator('.opblock-body').count()) === 0) await block.locator('.opblock-summary-control').click();
    await block.locator('.try-out__btn').click();
    if (body) await block.locator('.body-param__text').fill(JSON.stringify(body));
    await block.locator('.execute').click();
    const live = block.locator('.live-responses-table .response');
    const status = Number(/\d+/.exec(await live.locator('.response-col_status').innerText())[0]);
    return { status, body: JSON.parse(await live.locator('.highlight-code code').first().innerText()) };
  }

  test('client credentials by HTTP Basic are used for both APIs', async () => {
    await choose('OrderCloud', '/v1/usergroups');
    const { request, response } = await authorize('clientCredentials', { clientId: ADMIN.id, clientSecret: ADMIN.secret });
    assert.equal(response.status(), 200);
    const basic = Buffer.from(`${ADMIN.id}:${ADMIN.secret}`).toString('base64');
    assert.equal(await request.headerValue('authorization'), `Basic ${basic}`);
    await closeDialog();
    const groups = await tryOut('get', '/v1/usergroups');
    assert.deepEqual([groups.status, groups.body.Meta.TotalCount], [200, 0]);
    await choose('Core', '/api/admin/v1/users-groups/list');
    assert.equal((await tryOut('get', '/api/admin/v1/users-groups/list')).status, 200);
    assert.deepEqual(problems, []);
  });

  test("a user's password is accepted through a client of either kind", async () => {
    for (const isPublic of [false, true]) {
      const { id, secret } = await server.client({ roles: [], isPublic });
      await choose('Core', '/api/admin/v1/users-groups/list');
      const fields = { username: 'ada', password: PASSWORD, clientId: id, ...(secret && { clientSecret: secret }) };
      const { response, form } = await authorize('password', fields);
      assert.equal(response.status(), 200, `public: ${isPublic}`);
      await closeDialog();
      assert.equal((await tryOut('get', '/api/admin/v1/users-groups/list')).status, 200);
      await page.reload();
      assert.equal(await form.count(), 0, 'a sign-in ends with the page');
    }
    assert.deepEqual(problems, []);
  });

  test('a logon of the Core API returns a token to paste', async () => {
    await choose('Core', '/api/admin/v1/users-groups/list');
    const loggedOn = await tryOut('post', '/api/admin/v1/user/logon', { username: 'ada', password: PASSWORD });
    assert.equal(loggedOn.status, 200);
    await page.locator('.scheme-container .authorize').click();
    await page.locator('#auth-bearer-value').fill(loggedOn.body.Token);
    await page.locator('form .modal-btn.authorize').click();
    await closeDialog();
    assert.equal((await tryOut('get', '/api/admin/v1/users-groups/list')).status, 200);
    assert.deepEqual(problems, []);
  });

  test('a wrong secret is reported on the page and signs nobody in', async () => {
    await choose('Core', '/api/admin/v1/users-groups/list');
    // A browser may ask for a password in its own dialog, and then gives the page no response.
    const { response, form } = await authorize('clientCredentials', { clientId: ADMIN.id, clientSecret: 'wrong' });
    assert.equal(response.status(), 401);
    assert.match(await form.locator('.errors').innerText(), /Auth Error/i);
    await closeDialog();
    assert.equal((await tryOut('get', '/api/admin/v1/users-groups/list')).status, 401);
  });
});
