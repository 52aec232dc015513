'use strict';
// The vendor's middleware, which verifies tokens by `{aud}/oauth/certs/{kid}` before it accepts a request.

const assert = require('node:assert/strict');
const http = require('node:http');
const { after, before, test } = require('node:test');
const { verifyTokenAsync } = require('@ordercloud/catalyst');
const { Auth } = require('ordercloud-javascript-sdk');
const { connect } = require('./support/ordercloud');
const { ADMIN, Server } = require('./support/server');

const PATH = '/directory';
/** The paths that were requested through the proxy. */
const requested = [];

let proxy;
let server;
before(async () => {
  // Callers use the address of a proxy, which has to exist first.
  proxy = http.createServer((request, response) => {
    requested.push(request.url);
    const forwarded = http.request(`${server.url}${request.url.slice(PATH.length)}`, { method: request.method }, (upstream) => {
      response.writeHead(upstream.statusCode, upstream.headers);
      upstream.pipe(response);
    });
    request.pipe(forwarded);
  });
  await new Promise((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const publicUrl = `http://127.0.0.1:${proxy.address().port}${PATH}`;
  server = await Server.start({ ROLLBOOK_PUBLIC_URL: `${publicUrl}/` });
  connect(server);
});
after(async () => {
  proxy.closeAllConnections();
  await new Promise((resolve) => proxy.close(resolve));
  await server.stop();
});

test('a token is verified with the keys at the public URL', async () => {
  const { access_token: token } = await Auth.ClientCredentials(ADMIN.secret, ADMIN.id, ['FullAccess']);
  const verified = await verifyTokenAsync(token, ['FullAccess'], [], [ADMIN.id]);
  assert.equal(verified.payload.cid, ADMIN.id);
  assert.equal(requested.length, 1, 'the key was fetched through the public URL');
  const [header, payload] = token.split('.');
  const forged = `${header}.${payload}.${'x'.repeat(342)}`;
  await assert.rejects(verifyTokenAsync(forged, ['FullAccess'], [], [ADMIN.id]));
});
