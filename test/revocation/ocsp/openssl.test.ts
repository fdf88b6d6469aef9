/** Compares with OpenSSL: the same requests, it accepts our responses, and the gateway accepts those of OpenSSL. */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import type { Issued } from '../../../src/issuing/certificate.ts';
import { type Certificate, parseCertificate } from '../../../src/pki/certificate.ts';
import { fetchOcsp } from '../../../src/revocation/ocsp/fetch.ts';
import { certIdHashes, ocspRequest } from '../../../src/revocation/ocsp/request.ts';
import { readOcspResponse } from '../../../src/revocation/ocsp/response.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { authority } from '../../support/pki/authority.ts';
import { listenOnLoopback } from '../../support/process/listening.ts';
import { type AnsweredStatus, certId, ocspAnswer } from '../../support/revocation/ocsp-answer.ts';
import { delegate } from '../../support/revocation/ocsp-responder.ts';

const hour = 3_600_000;
const day = 24 * hour;
const now = Math.floor(Date.now() / 1000) * 1000;
const own = authority({ now });
const client = own.issueClient();
const subject = { certificate: parseCertificate(client.der), issuer: parseCertificate(own.issuing.der) };

/** A folder with the authority's certificates, where `openssl ocsp` runs. */
async function workplace() {
  const folder = await temporaryFolder();
  const put = (name: string, contents: string | Uint8Array) =>
    writeFile(join(folder.path, name), contents, { mode: 0o600 });
  await put('root.pem', own.root.pem);
  await put('ca.pem', own.issuing.pem);
  await put('client.pem', client.pem);
  return {
    put,
    get: (name: string) => readFile(join(folder.path, name)),
    ocsp: (...flags: string[]) => promisify(execFile)('openssl', ['ocsp', ...flags], { cwd: folder.path }),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

it.each(Object.keys(certIdHashes) as (keyof typeof certIdHashes)[])(
  'makes the same request with %s as OpenSSL',
  async (hash) => {
    await using place = await workplace();
    const question = ['-issuer', 'ca.pem', `-${hash}`, '-cert', 'client.pem', '-no_nonce'];
    await place.ocsp(...question, '-reqout', 'request.der');
    expect(ocspRequest({ ...subject, hash })).toEqual(await place.get('request.der'));
  },
);

it.each<[string, AnsweredStatus, boolean]>([
  ['client.pem: good', 'good', false],
  ['client.pem: good', 'good', true],
  ['client.pem: unknown', 'unknown', false],
  ['client.pem: revoked', { revokedAt: now - day, reason: 4 }, true],
])('reads our answers as OpenSSL does: %s', async (line, status, delegated) => {
  await using place = await workplace();
  const signer = delegated ? delegate(own.issuing) : own.issuing;
  const answer = ocspAnswer({
    singles: [
      { certId: certId(client, own.issuing), status, thisUpdate: now - hour, nextUpdate: now + hour },
    ],
    producedAt: now,
    signer,
    certificates: delegated ? [signer.der] : [],
  });
  await place.put('answer.der', answer);
  const question = ['-CAfile', 'root.pem', '-issuer', 'ca.pem', '-cert', 'client.pem', '-no_nonce'];
  const { stdout, stderr } = await place.ocsp(...question, '-respin', 'answer.der');
  expect(stdout).toContain(line);
  expect(stderr).toContain('Response verify OK');
  expect(readOcspResponse(answer, { ...subject, now })).toMatchObject({
    answer: { status: line.split(' ')[1] },
  });
});

/** A line of the index of `openssl ca`; times as UTCTime. */
function indexLine({ serial, notAfter }: Certificate, revokedAt: number | null): string {
  const time = (at: number) =>
    `${new Date(at)
      .toISOString()
      .replace(/[-:T]|\..*/g, '')
      .slice(2)}Z`;
  const state = revokedAt === null ? 'V' : 'R';
  const revoked = revokedAt === null ? '' : `${time(revokedAt)},keyCompromise`;
  return `${state}\t${time(notAfter)}\t${revoked}\t${serial.toUpperCase()}\tunknown\t/CN=client\n`;
}

/** OpenSSL's responder behind a loopback server: by itself it would listen on every address. */
async function openOpensslResponder(
  place: Awaited<ReturnType<typeof workplace>>,
  { index, signer }: { index: string; signer: Issued },
) {
  await place.put('index.txt', index);
  await place.put('signer.pem', signer.pem);
  await place.put('signer.key', signer.keyPem);
  const server = createServer(async (request, response) => {
    await place.put('request.der', await buffer(request));
    const responder = [
      '-index',
      'index.txt',
      '-CA',
      'ca.pem',
      '-rsigner',
      'signer.pem',
      '-rkey',
      'signer.key',
    ];
    await place.ocsp(...responder, '-ndays', '1', '-reqin', 'request.der', '-respout', 'answer.der');
    response.setHeader('content-type', 'application/ocsp-response').end(await place.get('answer.der'));
  });
  const listening = await listenOnLoopback(server);
  return { ...listening, url: `http://127.0.0.1:${listening.port}/` };
}

it.each<[string, string, object]>([
  ['good', indexLine(subject.certificate, null), { status: 'good' }],
  [
    'revoked',
    indexLine(subject.certificate, now - day),
    { status: 'revoked', revokedAt: now - day, reason: 'keyCompromise' },
  ],
  ['unknown', '', { status: 'unknown' }],
])('accepts %s from OpenSSL’s responder, both as the issuer and delegated', async (_, index, answer) => {
  await using place = await workplace();
  for (const signer of [own.issuing, delegate(own.issuing)]) {
    await using responder = await openOpensslResponder(place, { index, signer });
    const bytes = await fetchOcsp({ url: responder.url, request: ocspRequest(subject) });
    expect(readOcspResponse(bytes, { ...subject, now: Date.now() })).toMatchObject({
      ok: true,
      answer: { ...answer, responder: { delegated: signer !== own.issuing } },
    });
  }
});
