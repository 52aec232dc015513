'use strict';
// A directory of 100,000 groups and users, and one group of all of them: each page stays small.

const assert = require('node:assert/strict');
const http = require('node:http');
const { after, before, describe, test } = require('node:test');
const { Console, MARTA } = require('./support/browser');

const COUNT = 100_000;
/** The maximum length of a page, in bytes as they are sent. */
const BYTES_MAX = 40 * 1024;
/** The number of rows of a page. */
const ROWS = 50;

const isPostgres = process.env.ROLLBOOK_TEST_STORE === 'postgres';
const wanted = isPostgres ? 'the pages are the same on both stores; filling takes its time once' : false;

/** The directory as lines of JSON. */
function* lines() {
  for (let at = 1; at <= COUNT; at += 1) {
    const id = String(at).padStart(6, '0');
    yield { user: { id: `u${id}`, username: `u${id}@example.org`, first_name: `First ${at % 977}`, last_name: `Last ${at % 1009}`, email: `u${id}@example.org`, active: true } };
    yield { group: { id: `g${id}`, labels: { en: `Group ${id} of the large directory`, de: `Gruppe ${id} des großen Verzeichnisses` }, xp: { Site: { City: `City ${at % 31}` } } } };
  }
  yield { group: { id: 'everyone', labels: { en: 'Everyone' } } };
  for (let at = 1; at <= COUNT; at += 1) yield { membership: { group: 'everyone', user: `u${String(at).padStart(6, '0')}` } };
}

describe('a large directory', { skip: wanted }, () => {
  let own;
  let cookie;
  before(async () => {
    own = await Console.start();
    const text = [...lines()].map((line) => JSON.stringify(line)).join('\n');
    await own.server.command(['import', '-'], text);
    const form = new URLSearchParams({ username: MARTA.username, password: MARTA.password, to: '/console/' });
    const signedIn = await fetch(`${own.url}/console/sign-in`, { method: 'POST', body: form, redirect: 'manual', headers: { 'sec-fetch-site': 'same-origin' } });
    cookie = signedIn.headers.get('set-cookie').split(';')[0];
  });
  after(() => own.stop());

  /** The page as it is sent: its status, its bytes, and its text. */
  const get = (path) =>
    new Promise((resolve, reject) => {
      const request = http.get(`${own.url}/console/${path}`, { headers: { cookie, 'accept-encoding': 'gzip' } }, (response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('end', () => {
          const bytes = Buffer.concat(chunks);
          const text = response.headers['content-encoding'] === 'gzip' ? require('node:zlib').gunzipSync(bytes) : bytes;
          resolve({ status: response.statusCode, bytes: bytes.length, text: text.toString('utf8') });
        });
      });
      request.on('error', reject);
    });

  test('no page is longer than 40 KB, or has rows that it does not show', async () => {
    const everyone = (await own.api('GET', '/groups/everyone')).uid;
    const user = (await own.api('GET', '/users/u050000')).uid;
    const pages = [
      'groups', 'groups?q=group%200', 'groups?sort=-updated', 'groups?labels.it=!*', `groups/${everyone}`,
      `groups/${everyone}/members`, `groups/${everyone}/members?q=u0500`, `groups/${everyone}/members?sort=-since`,
      `groups/${everyone}/history`, 'users', 'users?q=last', 'users?sort=lastName', `users/${user}`, `users/${user}/history`,
      'changes', 'deleted', 'find?q=group', 'find/groups?q=group', 'clients', 'system',
    ];
    for (const path of pages) {
      const { status, bytes, text } = await get(path);
      assert.equal(status, 200, path);
      assert.ok(bytes <= BYTES_MAX, `${path}: ${bytes} bytes`);
      const rows = text.split(/<tr>|<tr /).length - 1;
      // One head of a table, and for System the table of days.
      const most = path === 'system' ? 100 : ROWS + 1;
      assert.ok(rows <= most, `${path}: ${rows} rows`);
    }
  });

  test('the last groups and members are reached by search and by the other order', async () => {
    const { text } = await get('groups?sort=-name');
    assert.match(text, /Group 100000 of the large directory/);
    const everyone = (await own.api('GET', '/groups/everyone')).uid;
    const last = await get(`groups/${everyone}/members?sort=-id`);
    assert.match(last.text, /u100000/);
    assert.match(last.text, /100,000 members/);
  });

  test('the file has every member', async () => {
    const everyone = (await own.api('GET', '/groups/everyone')).uid;
    const { status, text } = await get(`groups/${everyone}/members.csv`);
    assert.equal(status, 200);
    assert.equal(text.split('\r\n').length, COUNT + 2);
  });
});
