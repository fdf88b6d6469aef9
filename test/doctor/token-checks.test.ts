/** What is said about access tokens: judged from answers, and measured at an endpoint that binds them or does not. */
import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { expect, it } from 'vitest';
import type { Attempt } from '../../src/doctor/attempt.ts';
import { readTarget } from '../../src/doctor/target.ts';
import { measureToken } from '../../src/doctor/token.ts';
import { tokenChecks } from '../../src/doctor/token-checks.ts';
import { authority } from '../support/pki/authority.ts';
import { openEndpoint } from '../support/process/faulty-endpoint.ts';

const handshake = { ms: 5, protocol: 'TLSv1.3', cipher: 'A', resumed: false, verifyError: null };

function answered(status: number, challenge: string | null = null): Attempt {
  const answer = {
    ...{ status, contentType: null, contentLength: '0', chunked: false, bodyBytes: 0, challenge },
    ...{ bodySha256: 'ab'.repeat(32), acknowledgement: null, ms: 1, continueMs: null },
  };
  return { handshake, answer, failure: null, session: null };
}

const silent: Attempt = {
  ...{ handshake, answer: null, session: null },
  failure: { stage: 'response', kind: 'silent', reason: 'no answer in time', status: null },
};
const invalid = answered(401, 'Bearer error="invalid_token"');
const good = { missing: answered(401, 'Bearer'), altered: invalid, otherCertificate: invalid };

const judge = (changes: Partial<typeof good | { otherCertificate: null }>, isAccepted = true) =>
  Object.fromEntries(
    tokenChecks({ ...good, ...changes }, isAccepted).map(({ id, outcome }) => [id, outcome]),
  );

it('passes an endpoint that demands the token, verifies it, and compares the certificate', () => {
  expect(judge({})).toEqual({ 'token-missing': 'pass', 'token-altered': 'pass', 'token-bound': 'pass' });
});

it('has no check where no token was given', () => {
  expect(tokenChecks(null, true)).toEqual([]);
});

it.each<[string, Attempt, string]>([
  ['lets it in', answered(200), 'fail'],
  ['refuses with 403', answered(403), 'fail'],
  ['sends no challenge', answered(401), 'fail'],
  ['sends another challenge', answered(401, 'Basic realm="x"'), 'fail'],
  ['sends an error code', answered(401, 'Bearer error="invalid_token"'), 'warn'],
  ['does not answer', silent, 'fail'],
])('judges an endpoint that without a token %s', (_, missing, outcome) => {
  expect(judge({ missing })['token-missing']).toBe(outcome);
});

it.each<[string, Attempt, string]>([
  ['lets it in', answered(200), 'fail'],
  ['asks the host', answered(502), 'fail'],
  ['refuses for another reason', answered(403), 'unknown'],
  ['does not answer', silent, 'unknown'],
])('judges an endpoint that with an altered token, or another certificate, %s', (_, attempt, outcome) => {
  const outcomes = judge({ altered: attempt, otherCertificate: attempt });
  expect(outcomes).toMatchObject({ 'token-altered': outcome, 'token-bound': outcome });
});

it('judges no binding without a second certificate, and no refusal where the token itself gets no 2xx', () => {
  expect(judge({ otherCertificate: null })['token-bound']).toBe('unknown');
  expect(judge({}, false)).toEqual({
    ...{ 'token-missing': 'pass', 'token-altered': 'unknown', 'token-bound': 'unknown' },
  });
});

const pki = authority();
const [client, other] = [pki.issueClient(), pki.issueClient()];
const token = 'eyJh.eyJz.c2lnbmF0dXJl';
const identityOf = ({ chainPem, keyPem }: typeof client) => ({ cert: chainPem, key: keyPem });
const thumbprintOf = (der: Uint8Array) => createHash('sha256').update(der).digest('hex');

/** An endpoint that knows one token; `binds`: good only with the certificate of `client`. */
function openTokenEndpoint({ binds }: { readonly binds: boolean }) {
  return openEndpoint({
    pki,
    answer: (response: ServerResponse) => {
      const { headers, socket } = response.req;
      const der = (socket as TLSSocket).getPeerX509Certificate()?.raw ?? Buffer.of();
      const isBound = thumbprintOf(der) === thumbprintOf(client.der);
      const isGood = headers.authorization === `Bearer ${token}` && (isBound || !binds);
      const challenge = headers.authorization === undefined ? 'Bearer' : 'Bearer error="invalid_token"';
      if (isGood) response.writeHead(200, { 'Content-Length': 0 }).end();
      else response.writeHead(401, { 'WWW-Authenticate': challenge, 'Content-Length': 0 }).end();
    },
  });
}

it.each([
  [true, 'pass'],
  [false, 'fail'],
])('measures whether an endpoint compares the certificate: %s', async (binds, outcome) => {
  await using endpoint = await openTokenEndpoint({ binds });
  const options = {
    target: readTarget(endpoint.url),
    address: '127.0.0.1',
    anchors: [pki.root.pem],
    body: { bytes: Buffer.from('{}'), headers: {} },
    timeoutMs: 30_000,
    ...{ identity: identityOf(client), token },
  };
  const facts = await measureToken(options, identityOf(other));
  const outcomes = Object.fromEntries(tokenChecks(facts, true).map(({ id, outcome }) => [id, outcome]));
  expect(outcomes).toEqual({
    ...{ 'token-missing': 'pass', 'token-altered': 'pass', 'token-bound': outcome },
  });
});
