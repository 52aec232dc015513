'use strict';
// A server for each test file: the real binary, on a free port, with a new database.

const { spawn } = require('node:child_process');
const { mkdtemp, rm } = require('node:fs/promises');
const { tmpdir } = require('node:os');
const path = require('node:path');
const readline = require('node:readline');
const { newDatabase } = require('./database');

const BINARY = path.resolve(process.env.ROLLBOOK_BIN ?? path.join(__dirname, '../../../target/release/rollbook'));
const START_MS = 30_000;
const STOP_MS = 15_000;

/** The preset client of the server, with FullAccess. */
const ADMIN = { id: 'clients-test-admin', secret: 'a-secret-of-the-clients-test' };

/** A password that the server accepts. */
const PASSWORD = 'Passw0rd!!x';

class Server {
  /** Starts a server, with these additional environment variables; `url` is its base URL. */
  static async start(environment = {}) {
    const server = new Server();
    server.folder = await mkdtemp(path.join(tmpdir(), 'rollbook-clients-'));
    server.database = await newDatabase(server.folder);
    server.environment = {
      ...process.env,
      ROLLBOOK_LISTEN: '127.0.0.1:0',
      ROLLBOOK_DATABASE: server.database.url,
      ROLLBOOK_ADMIN_CLIENT_ID: ADMIN.id,
      ROLLBOOK_ADMIN_CLIENT_SECRET: ADMIN.secret,
      ...environment,
    };
    server.child = spawn(BINARY, ['serve'], { env: server.environment, stdio: ['ignore', 'pipe', 'pipe'] });
    server.log = '';
    server.output = '';
    server.child.stdout.on('data', (text) => (server.output += text));
    server.child.stderr.on('data', (text) => (server.log += text));
    server.ended = new Promise((resolve) => server.child.once('close', (code, signal) => resolve(code ?? signal)));
    server.url = await within(START_MS, listening(server), () => `the server did not start:\n${server.log}`);
    return server;
  }

  /** What the pattern finds in what the server prints. */
  async printed(pattern) {
    const found = async () => {
      for (;;) {
        const match = pattern.exec(this.output);
        if (match) return match[1];
        await new Promise((resolve) => this.child.stdout.once('data', resolve));
      }
    };
    return within(START_MS, found(), () => `the server printed nothing like ${pattern}:\n${this.output}`);
  }

  /** Creates an API client on the command line; returns its `id` and, unless it is public, its `secret`. */
  async client({ roles, communities = [], user, isPublic = false, accessMinutes = 600, refreshMinutes = 0, refreshRotation = false }) {
    const args = ['client', 'create', '--name', 'Test', '--json'];
    roles.forEach((role) => args.push('--role', role));
    communities.forEach((community) => args.push('--community', community));
    if (user) args.push('--user', user);
    if (isPublic) args.push('--public');
    args.push('--access-minutes', `${accessMinutes}`, '--refresh-minutes', `${refreshMinutes}`);
    if (refreshRotation) args.push('--refresh-rotation');
    const made = JSON.parse(await this.command(args));
    return { id: made.client_id, secret: made.client_secret };
  }

  /** Creates a user on the command line, with PASSWORD as its password. */
  async user({ id, username = id, roles = [], communities = [] }) {
    const args = ['user', 'create', '--id', id, '--username', username];
    args.push('--first-name', 'First', '--last-name', 'Last', '--email', `${id}@example.org`);
    roles.forEach((role) => args.push('--role', role));
    communities.forEach((community) => args.push('--community', community));
    await this.command(args, `${PASSWORD}\n`);
  }

  /** Runs a command while the server runs; returns its output. */
  async command(args, input = '') {
    const child = spawn(BINARY, args, { env: this.environment, stdio: ['pipe', 'pipe', 'pipe'] });
    const printed = { stdout: '', stderr: '' };
    child.stdout.on('data', (text) => (printed.stdout += text));
    child.stderr.on('data', (text) => (printed.stderr += text));
    child.stdin.on('error', () => {}); // the command may exit without reading
    child.stdin.end(input);
    const code = await new Promise((resolve) => child.once('close', resolve));
    if (code !== 0) throw new Error(`rollbook ${args.join(' ')} ended with ${code}:\n${printed.stderr}`);
    return printed.stdout;
  }

  /** Stops the server by SIGTERM, and fails unless it exits with status 0. */
  async stop() {
    this.child.kill('SIGTERM');
    const how = await within(STOP_MS, this.ended, () => {
      this.child.kill('SIGKILL');
      return 'the server did not stop';
    });
    await this.database.drop();
    await rm(this.folder, { recursive: true, force: true });
    if (how !== 0) throw new Error(`the server ended with ${how}:\n${this.log}`);
  }
}

/** The address that the server prints. */
async function listening(server) {
  for await (const line of readline.createInterface({ input: server.child.stdout })) {
    const found = /listening on (http:\S+)/.exec(line);
    if (found) {
      server.child.stdout.resume(); // further output must not fill the pipe
      return found[1];
    }
  }
  throw new Error(`the server ended at its start with ${await server.ended}:\n${server.log}`);
}

async function within(milliseconds, promise, complaint) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(complaint())), milliseconds);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

module.exports = { ADMIN, PASSWORD, Server };
