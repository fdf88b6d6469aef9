/**
 * Calls the gateway as Thredd's acceptance test does: it must advertise its CAs, answer 400 where there is no
 * certificate, and 200 where there is one that it lets in. Prints a line for each, and ends with 1 where one is missing.
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
// The server's name is a public one, and this call comes over the Service: whether it fits is for callers to see.
const connection = { host, port, rejectUnauthorized: false };

/** In TLS 1.2 the server's CertificateRequest is in clear: the names of the CAs that it accepts (RFC 5246 §7.4.4). */
function acceptableAuthorities() {
  return new Promise((resolve, reject) => {
    const seen = [];
    const wire = connectTcp({ host, port });
    const tap = new Duplex({ read() {}, write: (bytes, _, done) => wire.write(bytes, done) });
    wire.on('data', (bytes) => {
      seen.push(bytes);
      tap.push(bytes);
    });
    const tell = () => resolve(authoritiesIn(Buffer.concat(seen)));
    // A gateway that refuses by closing may do so before its last message, and has told the names by then.
    const fail = (error) => (seen[0]?.[0] === 22 ? tell() : reject(error));
    wire.on('error', fail);
    wire.on('end', () => tap.push(null));
    const tls = connectTls({ socket: tap, rejectUnauthorized: false, maxVersion: 'TLSv1.2' });
    tls.on('error', fail);
    tls.on('secureConnect', () => {
      tell();
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

/** The texts of a DER name, joined: enough to know it by. */
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

/** The status of a POST, or `closed`. */
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
    call.on('timeout', () => call.destroy(new Error('no answer in 10 s')));
    call.on('error', () => resolve('closed'));
    call.end(body);
  });
}

let failed = false;
function tell(right, text) {
  failed ||= !right;
  console.log(`${right ? 'ok    ' : 'FAILED'} ${text}`);
}

async function main() {
  const allowlisted = env.ALLOWLIST === 'true' && client === null;
  const excuse =
    'refused by its address, as one outside config.clients.allowlist is: more cannot be tested from here';
  const names = await acceptableAuthorities().catch((error) => error);
  if (allowlisted && names.code === 'ECONNRESET') return tell(true, excuse);
  if (names instanceof Error) return tell(false, `TLS with ${host}:${port}: ${names.message}`);
  if (env.CA_NAMES === 'true') {
    tell(names.length > 0, `acceptable CA names: ${names.length > 0 ? '' : 'none'}`);
    for (const name of names) console.log(`       ${name}`);
  }
  const status = await post({});
  if (allowlisted && status === 403) return tell(true, excuse);
  const refusal = env.REJECT_WITH === 'close' ? 'closed' : 400;
  tell(status === refusal, `without a certificate: ${status}, expected ${refusal}`);
  if (client === null) return;
  const answer = await post(client);
  tell(answer === 200, `with a certificate: ${answer}, expected 200`);
}

await main();
process.exitCode = failed ? 1 : 0;
