'use strict';
// The vendor's client, configured for our server, and assertions on its results.

const assert = require('node:assert/strict');
const { Auth, Configuration, Tokens } = require('ordercloud-javascript-sdk');
const { ADMIN } = require('./server');

/** Configures the client for the server: only the base URL differs. */
function connect(server) {
  Configuration.Set({ baseApiUrl: server.url, timeoutInMilliseconds: 10_000 });
}

/** Configures the client for the server and signs it in with every right. */
async function signIn(server) {
  connect(server);
  const granted = await Auth.ClientCredentials(ADMIN.secret, ADMIN.id, ['FullAccess']);
  Tokens.SetAccessToken(granted.access_token);
}

/** Options of a call with the roles of a new client. */
async function as(server, client) {
  const { id, secret } = await server.client(client);
  const granted = await Auth.ClientCredentials(secret, id);
  return { accessToken: granted.access_token };
}

/** Fails unless the call fails with this status and code, as the vendor's error; returns the error. */
async function refused(call, status, errorCode) {
  const error = await call.then(
    () => assert.fail(`expected ${status} ${errorCode}, but the call succeeded`),
    (error) => error,
  );
  assert.equal(error.isOrderCloudError, true, `${error.stack}`);
  assert.equal(`${error.status} ${error.errorCode}`, `${status} ${errorCode}`);
  return error;
}

module.exports = { as, connect, refused, signIn };
