/**
 * Checks the gateway like Thredd's acceptance test: it must advertise its CAs, answer 400 to a request without a
 * certificate, and 200 to one with an allowed certificate. Prints one line for each check; exits with 1 if one failed.
 */
import { existsSync, readFileSync } from 'node:fs';
import { request } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';

const env = process.env;
const host = env.GATEWAY_HOST;
const port = Number(env.GATEWAY_PORT);
const clientFolder = env.CLIENT_FOLDER ?? '/client';
const client = existsSync(`${clientFolder}/tls.crt`)
  ? { cert: readFileSync(`${clientFolder}/tls.crt`), key: readFileSync(`${clientFolder}/tls.key`) }
  : null;
// The certificate has the public name, and this test connects to the Service: it cannot verify the name.
const connection = { host, port, rejectUnauthorized: false };

/** Reads the names of the accepted CAs from the CertificateRequest, which TLS 1.2 does not encrypt (RFC 5246 §7.4.4). */
function acceptableAuthorities() {
  return new Promise((resolve, reject) => {
    const seen = [];
    const wire = connectTcp({ host, port });
    const tap = new Duplex({ read() {}, write: (bytes, _, done) => wire.write(bytes, done) });
    wire.on('data', (bytes) => {
      seen.push(bytes);
      tap.push(bytes);
    });
    const finish = () => resolve(authoritiesIn(Buffer.concat(seen)));
    // With rejectWith: close the gateway may close before its last message, after it has sent the names.
    const fail = (error) => (seen[0]?.[0] === 22 ? finish() : reject(error));
    wire.on('error', fail);
    wire.on('end', () => tap.push(null));
    const tls = connectTls({ socket: tap, rejectUnauthorized: false, maxVersion: 'TLSv1.2' });
    tls.on('error', fail);
    tls.on('secureConnect', () => {
      finish();
      tls.destroy();
    });
    tls.on('close', () => wire.destroy());
  });
}

function authoritiesIn(records) {
  const messages = [];
  for (let at = 0; at + 5 <= records.length && records[at] === 22; at += 5 + records.readUInt16BE(at + 3)) {
    messages.push(records.subarray(at + 5, at + 5 + records.readUInt16BE(at + 3)));
  }
  const handshake = Buffer.concat(messages);
  for (let at = 0; at + 4 <= handshake.length; at += 4 + handshake.readUIntBE(at + 1, 3)) {
    if (handshake[at] === 13)
      return namesIn(handshake.subarray(at + 4, at + 4 + handshake.readUIntBE(at + 1, 3)));
  }
  return [];
}

function namesIn(certificateRequest) {
  const types = certificateRequest[0] + 1;
  let at = types + 2 + certificateRequest.readUInt16BE(types);
  const names = [];
  for (at += 2; at < certificateRequest.length; at += 2 + certificateRequest.readUInt16BE(at)) {
    names.push(textIn(certificateRequest.subarray(at + 2, at + 2 + certificateRequest.readUInt16BE(at))));
  }
  return names;
}

/** The attribute values of a DER name, joined: enough to recognize it. */
function textIn(der) {
  const texts = [];
  const walk = (bytes) => {
    for (let at = 0; at + 2 <= bytes.length; ) {
      const long = bytes[at + 1] > 127 ? bytes[at + 1] & 127 : 0;
      const start = at + 2 + long;
      const end = start + (long ? bytes.readUIntBE(at + 2, long) : bytes[at + 1]);
      if (bytes[at] & 32) walk(bytes.subarray(start, end));
      else if (bytes[at] !== 6) texts.push(bytes.toString('utf8', start, end));
      at = end;
    }
  };
  walk(der);
  return texts.join(', ');
}

/** Resolves with the status of a POST, or `closed`. */
function post(identity) {
  return new Promise((resolve) => {
    const options = {
      ...connection,
      ...identity,
      method: 'POST',
      path: env.MESSAGE_PATH,
      agent: false,
      timeout: 10_000,
    };
    const body = env.MESSAGE_BODY ?? '';
    const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
    const call = request({ ...options, headers }, (response) => resolve(response.resume().statusCode));
    call.on('timeout', () => call.destroy(new Error('no response in 10 s')));
    call.on('error', () => resolve('closed'));
    call.end(body);
  });
}

let failed = false;
function report(passed, text) {
  failed ||= !passed;
  console.log(`${passed ? 'ok    ' : 'FAILED'} ${text}`);
}

async function main() {
  const allowlisted = env.ALLOWLIST === 'true' && client === null;
  const skipped =
    'refused because config.clients.allowlist does not contain this address: the other checks cannot run';
  const names = await acceptableAuthorities().catch((error) => error);
  if (allowlisted && names.code === 'ECONNRESET') return report(true, skipped);
  if (names instanceof Error) return report(false, `TLS with ${host}:${port}: ${names.message}`);
  if (env.CA_NAMES === 'true') {
    report(names.length > 0, `acceptable CA names: ${names.length > 0 ? '' : 'none'}`);
    for (const name of names) console.log(`       ${name}`);
  }
  const status = await post({});
  if (allowlisted && status === 403) return report(true, skipped);
  const refusal = env.REJECT_WITH === 'close' ? 'closed' : 400;
  report(status === refusal, `without a certificate: ${status}, expected ${refusal}`);
  if (client === null) return;
  const answer = await post(client);
  report(answer === 200, `with a certificate: ${answer}, expected 200`);
}

await main();
process.exitCode = failed ? 1 : 0;
