/** Queries to a real responder over HTTP, and their outcome when it misbehaves. */
import { describe, expect, it } from 'vitest';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import { type FetchOcspOptions, fetchOcsp } from '../../../src/revocation/ocsp/fetch.ts';
import { ocspRequest } from '../../../src/revocation/ocsp/request.ts';
import { readOcspResponse } from '../../../src/revocation/ocsp/response.ts';
import { authority } from '../../support/pki/authority.ts';
import { certId, ocspAnswer } from '../../support/revocation/ocsp-answer.ts';
import {
  delegate,
  type OcspResponder,
  ocspMisbehaviours,
  openOcspResponder,
} from '../../support/revocation/ocsp-responder.ts';
import { openDirectory } from '../../support/trust/directory.ts';

const hour = 3_600_000;
const now = Date.UTC(2026, 0, 15, 12);
const own = authority({ now });
const otherAuthority = authority({ now });
const client = own.issueClient();
const subject = { certificate: parseCertificate(client.der), issuer: parseCertificate(own.issuing.der) };
const request = ocspRequest(subject);

const open = () => openOcspResponder({ issuers: [own.root, own.issuing], now: () => now });
const fetchFrom = ({ url }: OcspResponder, options: Partial<FetchOcspOptions> = {}) =>
  fetchOcsp({ url, request, ...options });
const code = (expected: string) => expect.objectContaining({ code: expected });

describe('a responder', () => {
  it('is queried about exactly one certificate, a client’s or a CA’s', async () => {
    await using responder = await open();
    const ca = { certificate: subject.issuer, issuer: parseCertificate(own.root.der) };
    responder.statuses.set(ca.certificate.serial, { revokedAt: now - hour });
    expect(readOcspResponse(await fetchFrom(responder), { ...subject, now })).toMatchObject({
      answer: { status: 'good' },
    });
    const bytes = await fetchFrom(responder, { request: ocspRequest({ ...ca, hash: 'sha256' }) });
    expect(readOcspResponse(bytes, { ...ca, now })).toMatchObject({ answer: { status: 'revoked' } });
    expect(responder.asked).toEqual([subject.certificate.serial, ca.certificate.serial]);
  });

  it('is queried over HTTPS only if its certificate is valid', async () => {
    await using directory = await openDirectory();
    const answer = ocspAnswer({
      singles: [{ certId: certId(client, own.issuing), thisUpdate: now, nextUpdate: now + hour }],
      producedAt: now,
      signer: own.issuing,
    });
    directory.misbehaviour = (_request, response) => response.end(answer);
    await expect(fetchOcsp({ url: `${directory.origin}/`, request })).rejects.toEqual(
      code('OCSP_FETCH_FAILED'),
    );
    expect(directory.requests).toEqual([]);
    const ca = Buffer.from(directory.pki.root.pem);
    expect(await fetchOcsp({ url: `${directory.origin}/`, request, ca })).toEqual(answer);
  });

  it.each<[string, keyof typeof ocspMisbehaviours, string]>([
    ['is down', 'down', 'OCSP_FETCH_FAILED'],
    ['never answers', 'hang', 'OCSP_FETCH_TIMEOUT'],
    ['serves a page', 'html', 'OCSP_FETCH_TYPE'],
    ['answers with too much', 'oversized', 'OCSP_FETCH_TOO_LARGE'],
    ['sends us elsewhere', 'elsewhere', 'OCSP_FETCH_REDIRECT'],
  ])('that %s gives no answer', async (_, misbehaviour, expected) => {
    await using responder = await open();
    responder.misbehaviour = ocspMisbehaviours[misbehaviour];
    const timeout = misbehaviour === 'hang' ? 1000 : 60_000;
    await expect(fetchFrom(responder, { timeout })).rejects.toEqual(code(expected));
    expect(responder.asked).toHaveLength(1);
  });

  it('that is not running causes OCSP_FETCH_FAILED', async () => {
    const responder = await open();
    await responder.close();
    await expect(fetchFrom(responder)).rejects.toEqual(code('OCSP_FETCH_FAILED'));
  });

  it.each<[string, keyof typeof ocspMisbehaviours, string]>([
    ['sends tryLater', 'tryLater', 'not_answered'],
    ['does not know the CA', 'unauthorized', 'not_answered'],
    ['sends garbage', 'garbage', 'malformed'],
  ])('that %s gives no status', async (_, misbehaviour, problem) => {
    await using responder = await open();
    responder.misbehaviour = ocspMisbehaviours[misbehaviour];
    expect(readOcspResponse(await fetchFrom(responder), { ...subject, now })).toMatchObject({ problem });
  });

  it.each<[string, OcspResponder['lie'], string]>([
    ['the certificate', { certId: certId(own.issueClient(), own.issuing) }, 'wrong_certificate'],
    ['a later time', { thisUpdate: now + hour }, 'not_yet_valid'],
    ['an earlier time', { thisUpdate: now - 2 * hour, nextUpdate: now - hour }, 'expired'],
    ['its identity', { signer: otherAuthority.issuing }, 'bad_signature'],
    ['its authorization', { signer: client, certificates: [client.der] }, 'unauthorized_responder'],
  ])('that lies about %s is refused', async (_, lie, problem) => {
    await using responder = await open();
    responder.lie = lie;
    const bytes = await fetchFrom(responder, { request: ocspRequest(subject) });
    expect(readOcspResponse(bytes, { ...subject, now })).toMatchObject({ ok: false, problem });
  });

  it('that is delegated is accepted', async () => {
    await using responder = await open();
    const signer = delegate(own.issuing);
    responder.lie = { signer, certificates: [signer.der] };
    expect(readOcspResponse(await fetchFrom(responder), { ...subject, now })).toMatchObject({
      answer: { responder: { delegated: true } },
    });
  });
});

it('ends when the caller aborts', async () => {
  await using responder = await open();
  const reached = Promise.withResolvers<void>();
  responder.misbehaviour = () => reached.resolve();
  const caller = new AbortController();
  const fetching = fetchFrom(responder, { signal: caller.signal });
  await reached.promise;
  caller.abort();
  await expect(fetching).rejects.toEqual(code('OCSP_FETCH_FAILED'));
});

it('accepts 64 KiB and not a byte more, whatever Content-Length states', async () => {
  await using responder = await open();
  const full = Buffer.alloc(64 * 1024, 1);
  responder.misbehaviour = (_request, response) => response.end(full);
  expect(await fetchFrom(responder)).toEqual(full);
  responder.misbehaviour = (_request, response) => {
    response.write(full);
    response.end('x');
  };
  await expect(fetchFrom(responder)).rejects.toEqual(code('OCSP_FETCH_TOO_LARGE'));
});

it.each([undefined, 'application/octet-stream', 'Application/OCSP-Response; x=y'])(
  'takes an answer of content type %s',
  async (type) => {
    await using responder = await open();
    responder.misbehaviour = (_request, response) => {
      if (type !== undefined) response.setHeader('content-type', type);
      response.end('x');
    };
    expect(await fetchFrom(responder)).toEqual(Buffer.from('x'));
  },
);

it.each(['ftp://localhost/', 'ldap://localhost/', 'http://user:word@localhost/', 'localhost', ''])(
  'refuses the URL %j',
  async (url) => {
    await expect(fetchOcsp({ url, request })).rejects.toEqual(code('OCSP_URL_REFUSED'));
  },
);
