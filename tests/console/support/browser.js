'use strict';
// A server with an administrator, and a browser whose complaints fail the test.

const assert = require('node:assert/strict');
const { existsSync } = require('node:fs');
const { mkdir } = require('node:fs/promises');
const path = require('node:path');
const { AxeBuilder } = require('@axe-core/playwright');
const { chromium } = require('playwright-core');
const { ADMIN, PASSWORD, Server } = require('../../clients/support/server');

const PLACES = [process.env.TEST_CHROMIUM, '/usr/bin/chromium', '/usr/bin/google-chrome'];
const executablePath = PLACES.find((place) => place && existsSync(place));
/** The reason to skip the tests; false if there is a browser. */
const skip = executablePath ? false : 'there is no Chromium: install it, or name it in TEST_CHROMIUM';

// Chromium has no sandbox for root, and often none in a container. The pages are our own.
const ARGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
];

/** What htmx says of a request that was broken off because the page was left. */
const LEFT = 'htmx:error: Failed to fetch';

/** The administrator of every server. */
const MARTA = { username: 'marta', password: PASSWORD };

/** Hostile and unusual names. */
const HOSTILE = [
  '<script>alert(1)</script>',
  `"'>&<b>`,
  'فريق المبيعات – الرياض',
  `${'Donaudampfschifffahrtsgesellschaft'.repeat(3).slice(0, 100)}`,
];

/** A server with the administrator, and a browser. */
class Console {
  static async start(environment = {}) {
    const own = new Console();
    own.server = await Server.start({
      ROLLBOOK_ADMIN_USERNAME: MARTA.username,
      ROLLBOOK_ADMIN_PASSWORD: MARTA.password,
      ...environment,
    });
    own.url = own.server.url;
    own.browser = await chromium.launch({ executablePath, args: ARGS });
    return own;
  }

  async stop() {
    await this.browser?.close();
    await this.server?.stop();
  }

  /** Calls Rollbook's own API with every right; returns the JSON of the answer. */
  async api(method, path, body) {
    this.token ??= await this.#token();
    const headers = { authorization: `Bearer ${this.token}`, ...(body && { 'content-type': 'application/json' }) };
    const response = await fetch(`${this.url}/rollbook/v1${path}`, { method, headers, body: body && JSON.stringify(body) });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  }

  async #token() {
    const form = { grant_type: 'client_credentials', client_id: ADMIN.id, client_secret: ADMIN.secret };
    const response = await fetch(`${this.url}/oauth/token`, { method: 'POST', body: new URLSearchParams(form) });
    return (await response.json()).access_token;
  }

  /** A page in a context of its own. What the browser complains about fails the test, unless it is expected. */
  async page(t, { javaScriptEnabled = true, width = 1280, theme = 'light', expected = [] } = {}) {
    const viewport = { width, height: 900 };
    const context = await this.browser.newContext({ javaScriptEnabled, viewport, colorScheme: theme, timezoneId: 'Europe/Rome' });
    const page = await context.newPage();
    const problems = [];
    page.setDefaultTimeout(10_000);
    page.on('pageerror', (error) => problems.push(`error: ${error.message}`));
    page.on('console', (message) => message.type() === 'error' && problems.push(`console: ${message.text()}`));
    t.after(async () => {
      await context.close();
      assert.deepEqual(problems.filter((problem) => ![LEFT, ...expected].some((part) => problem.includes(part))), []);
    });
    return page;
  }

  /** Signs in and waits for the first page. */
  async signIn(page, { username, password } = MARTA, to = '/console/') {
    await page.goto(`${this.url}/console/sign-in?to=${encodeURIComponent(to)}`);
    await page.getByLabel('Username').fill(username);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.waitForURL((url) => url.pathname !== '/console/sign-in');
  }
}

/** Fails if a tool for accessibility finds a fault on the page. */
async function checkAccessible(page) {
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  const { violations } = await new AxeBuilder({ page }).withTags(tags).analyze();
  const found = violations.map((own) => `${own.id}: ${own.help}\n${own.nodes.map((node) => `    ${node.html}`).join('\n')}`);
  assert.deepEqual(found, [], page.url());
}

/** Fails if the page scrolls sideways, has an ID twice, or a control that is too small. */
async function checkLayout(page) {
  const faults = await page.evaluate(() => {
    const found = [];
    const root = document.documentElement;
    if (root.scrollWidth > root.clientWidth) found.push(`scrolls sideways: ${root.scrollWidth} > ${root.clientWidth}`);
    const ids = [...document.querySelectorAll('[id]')].map((element) => element.id);
    ids.filter((id, at) => ids.indexOf(id) !== at).forEach((id) => found.push(`the ID ${id} stands twice`));
    for (const control of document.querySelectorAll('button, summary, .btn')) {
      const { width, height } = control.getBoundingClientRect();
      if (width > 0 && (width < 24 || height < 24)) found.push(`too small: ${control.outerHTML.slice(0, 80)}`);
    }
    return found;
  });
  assert.deepEqual(faults, [], page.url());
}

/** Keeps a picture of the page under docs/console/, if UPDATE_SCREENSHOTS is set. */
async function shoot(page, name) {
  if (!process.env.UPDATE_SCREENSHOTS) return;
  const folder = path.join(__dirname, '../../../docs/console');
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: path.join(folder, `${name}.png`) });
}

module.exports = { Console, HOSTILE, MARTA, PASSWORD, checkAccessible, checkLayout, shoot, skip };
