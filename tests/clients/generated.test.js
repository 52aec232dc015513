'use strict';
// Programs with types and clients that generators make of the OpenAPI documents: they compile strictly, and work.

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const { cp, mkdtemp, rm, symlink, writeFile } = require('node:fs/promises');
const { tmpdir } = require('node:os');
const path = require('node:path');
const { after, before, test } = require('node:test');
const { promisify } = require('node:util');
const { ADMIN, Server } = require('./support/server');

const run = promisify(execFile);
const MODULES = path.join(__dirname, 'node_modules');
const DOCUMENTS = ['ordercloud', 'core'];

const COMPILER = {
  compilerOptions: {
    strict: true,
    target: 'es2022',
    module: 'node16',
    lib: ['es2022', 'dom', 'dom.iterable'],
    types: [],
    outDir: 'out',
    rootDir: '.',
  },
};

/** The report that each program prints. */
const EXPECTED = {
  names: ['Typed'],
  total: 1,
  Description: 'Changed',
  dept: 'IT',
  floors: null,
  restored: null,
  deleted: 204,
  error: { code: 'NotFound', of: 'UserGroup' },
  core: { added: true, labels: ['{"en":"Core"}'], refused: 'invalid_data' },
};

let folder;
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'rollbook-generated-'));
  await symlink(MODULES, path.join(folder, 'node_modules'));
});
after(() => rm(folder, { recursive: true, force: true }));

/** Runs a program of a package; throws its output if it fails. */
async function tool(file, args, cwd) {
  await run(process.execPath, [path.join(MODULES, file), ...args], { cwd }).catch((error) => {
    assert.fail(`${error.message}\n${error.stdout}${error.stderr}`);
  });
}

/** Compiles the program `name`, runs it on a new server, and checks its report. */
async function works(name, generate) {
  const server = await Server.start();
  try {
    const own = path.join(folder, name);
    await cp(path.join(__dirname, 'generated', `${name}.ts`), path.join(own, `${name}.ts`));
    await writeFile(path.join(own, 'tsconfig.json'), JSON.stringify({ ...COMPILER, files: [`${name}.ts`] }));
    for (const document of DOCUMENTS) {
      const { command, args } = generate(`${server.url}/openapi/${document}.json`, document);
      await tool(command, args, own);
    }
    await tool('typescript/bin/tsc', ['-p', own], own);
    const { flow } = require(path.join(own, 'out', `${name}.js`));
    assert.deepEqual(await flow(server.url, ADMIN.id, ADMIN.secret), EXPECTED);
  } finally {
    await server.stop();
  }
}

test('types of openapi-typescript compile strictly and fit the server', async () => {
  await works('openapi-typescript', (url, document) => ({
    command: 'openapi-typescript/bin/cli.js',
    args: [url, '-o', `${document}.ts`],
  }));
});

test('a client of @hey-api/openapi-ts compiles strictly and works', async () => {
  await works('hey-api', (url, document) => ({
    command: '@hey-api/openapi-ts/bin/index.cjs',
    args: ['-i', url, '-o', `hey-${document}`],
  }));
});
