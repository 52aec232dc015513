'use strict';
// A new database: a file or, if ROLLBOOK_TEST_STORE is postgres, one in the server of TEST_DATABASE_URL.

const { execFile } = require('node:child_process');
const { randomBytes } = require('node:crypto');
const path = require('node:path');
const { promisify } = require('node:util');

const run = promisify(execFile);

/** Creates one; returns its `url` for the server, and a function that drops it. A file is deleted with the folder. */
async function newDatabase(folder) {
  if (process.env.ROLLBOOK_TEST_STORE !== 'postgres') {
    return { url: `sqlite:${path.join(folder, 'rollbook.db')}`, drop: async () => {} };
  }
  const name = `rollbook_clients_${randomBytes(8).toString('hex')}`;
  const url = new URL(process.env.TEST_DATABASE_URL);
  const psql = (statement) => run('psql', [process.env.TEST_DATABASE_URL, '--quiet', '--command', statement]);
  await psql(`CREATE DATABASE ${name}`);
  url.pathname = name;
  return { url: url.href, drop: () => psql(`DROP DATABASE ${name} WITH (FORCE)`) };
}

module.exports = { newDatabase };
