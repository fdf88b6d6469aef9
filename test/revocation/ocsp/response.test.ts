/** Which responses are accepted: the rules of RFC 6960 §3.2. */
import { AlgorithmIdentifier } from '@peculiar/asn1-x509';
import { describe, expect, it } from 'vitest';
import { errorResponse } from '../../../src/issuing/ocsp.ts';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import { certIdHashes } from '../../../src/revocation/ocsp/request.ts';
import { type ReadOcspOptions, readOcspResponse } from '../../../src/revocation/ocsp/response.ts';
import { authority } from '../../support/pki/authority.ts';
import {
  type AnswerOptions,
  certId,
  ocspAnswer,
  type SingleOptions,
  unwrapAnswer,
  wrapAnswer,
} from '../../support/revocation/ocsp-answer.ts';

const minute = 60_000;
const hour = 60 * minute;
const now = Date.UTC(2026, 0, 15, 12);
const md5 = '1.2.840.113549.2.5';

const own = authority({ now });
const client = own.issueClient();
const subject = { certificate: parseCertificate(client.der), issuer: parseCertificate(own.issuing.der) };
const about = certId(client, own.issuing);

const single = (options: Partial<SingleOptions> = {}): SingleOptions => ({
  certId: about,
  thisUpdate: now - hour,
  nextUpdate: now + hour,
  ...options,
});
const answer = (options: Partial<AnswerOptions> = {}, of: Partial<SingleOptions> = {}) =>
  ocspAnswer({ singles: [single(of)], producedAt: now - hour, signer: own.issuing, ...options });
const read = (bytes: Uint8Array, options: Partial<ReadOcspOptions> = {}) =>
  readOcspResponse(bytes, { ...subject, now, ...options });
/** The CHOICE of a revoked certificate with another tag. */
function revokedAs(tag: number): Buffer {
  const [single] = unwrapAnswer(answer({}, { status: { revokedAt: now } })).data.responses;
  const der = Buffer.from(single?.certStatus ?? new ArrayBuffer());
  der[0] = tag;
  return der;
}
const good = { ok: true, answer: { status: 'good' } };
const refused = (problem: string) => expect.objectContaining({ ok: false, problem });

describe('a response', () => {
  it('gives good with times and responder', () => {
    expect(read(answer())).toEqual({
      ok: true,
      answer: {
        status: 'good',
        thisUpdate: now - hour,
        nextUpdate: now + hour,
        freshUntil: now + hour,
        responder: { certificate: subject.issuer, delegated: false, noCheck: false },
      },
    });
  });

  it('gives revoked with time and reason', () => {
    const revokedAt = now - 2 * hour;
    expect(read(answer({}, { status: { revokedAt, reason: 1 } }))).toMatchObject({
      answer: { status: 'revoked', revokedAt, reason: 'keyCompromise' },
    });
    for (const reason of [7, 99]) {
      expect(read(answer({}, { status: { revokedAt, reason } }))).toMatchObject({
        answer: { reason: 'unspecified' },
      });
    }
    const { answer: bare } = read(answer({}, { status: { revokedAt } })) as { answer: object };
    expect(bare).toMatchObject({ status: 'revoked', revokedAt });
    expect(bare).not.toHaveProperty('reason');
  });

  it('gives unknown, which is an answer and not an error', () => {
    expect(read(answer({}, { status: 'unknown' }))).toMatchObject({
      ok: true,
      answer: { status: 'unknown' },
    });
  });

  it.each(Object.keys(certIdHashes) as (keyof typeof certIdHashes)[])(
    'may identify the certificate by %s',
    (hash) => {
      expect(read(answer({}, { certId: certId(client, own.issuing, hash) }))).toMatchObject(good);
    },
  );

  it('is found among responses about other certificates', () => {
    const other = single({ certId: certId(own.issueClient(), own.issuing), status: { revokedAt: now } });
    expect(read(answer({ singles: [other, single(), other] }))).toMatchObject(good);
  });

  it('counts with its worst status about the certificate', () => {
    const sha256 = certId(client, own.issuing, 'sha256');
    const statuses = ['good', { revokedAt: now }, 'unknown'] as const;
    const singles = statuses.map((status, index) =>
      single({ status, ...(index > 0 ? { certId: sha256 } : {}) }),
    );
    expect(read(answer({ singles }))).toMatchObject({ answer: { status: 'revoked' } });
    expect(read(answer({ singles: singles.filter((_, index) => index !== 1) }))).toMatchObject({
      answer: { status: 'unknown' },
    });
  });

  it.each([
    ['another serial', { serialNumber: certId(own.issueClient(), own.issuing).serialNumber }],
    ['another issuer’s key', { issuerKeyHash: certId(own.issuing, own.root).issuerKeyHash }],
    ['another issuer’s name', { issuerNameHash: certId(own.issuing, own.root).issuerNameHash }],
    ['the right certificate by MD5', { hashAlgorithm: new AlgorithmIdentifier({ algorithm: md5 }) }],
  ])('about %s is refused', (_, change) => {
    const changed = Object.assign(certId(client, own.issuing), change);
    expect(read(answer({}, { certId: changed }))).toEqual(refused('wrong_certificate'));
  });

  it('without certificates is refused', () => {
    expect(read(answer({ singles: [] }))).toEqual(refused('wrong_certificate'));
  });

  it.each([
    [1, 'malformedRequest'],
    [2, 'internalError'],
    [3, 'tryLater'],
    [5, 'sigRequired'],
    [6, 'unauthorized'],
    [9, 'status 9'],
  ])('with the error %i is reported as %s', (status, detail) => {
    expect(read(errorResponse(status))).toEqual({ ok: false, problem: 'not_answered', detail });
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['text', Buffer.from('<html></html>')],
    ['another type of response', wrapAnswer(unwrapAnswer(answer()), '1.3.6.1.5.5.7.48.1.4')],
    ['a basic response that is none', wrapAnswer(Buffer.of(0x30, 0))],
    ['success without an answer', errorResponse(0)],
    ['a byte after it', Buffer.concat([answer(), Buffer.of(0)])],
    ['a byte less', answer().subarray(0, -1)],
    ['a certificate', client.der],
    ['a status under another tag', answer({}, { status: revokedAs(0xa3) })],
    ['a status with something in it', answer({}, { status: Buffer.of(0x80, 1, 0) })],
  ])('is refused when it is %s', (_, bytes) => {
    expect(read(bytes)).toEqual(refused('malformed'));
  });

  it('is refused if it has an unknown critical extension', () => {
    const extensions = [{ oid: '1.3.6.1.5.5.7.48.1.6', critical: true }];
    expect(read(answer({ extensions }))).toEqual(refused('critical_extension'));
    expect(read(answer({}, { extensions }))).toEqual(refused('critical_extension'));
    const known = extensions.map(({ oid }) => ({ oid }));
    expect(read(answer({ extensions: known }, { extensions: known }))).toMatchObject(good);
  });
});

it('ignores a nonce, since the request has none', () => {
  expect(read(answer({ nonce: Buffer.alloc(32, 7) }))).toMatchObject(good);
});

describe('the times of a response', () => {
  it.each<[string, Partial<SingleOptions>, number, string | null]>([
    ['thisUpdate at the limit of the skew', { thisUpdate: now + 5 * minute }, 5 * minute, null],
    ['thisUpdate past the skew', { thisUpdate: now + 5 * minute + 1000 }, 5 * minute, 'not_yet_valid'],
    ['thisUpdate ahead, no skew', { thisUpdate: now + 1000 }, 0, 'not_yet_valid'],
    ['nextUpdate at the limit of the skew', { nextUpdate: now - 5 * minute }, 5 * minute, null],
    ['nextUpdate past the skew', { nextUpdate: now - 5 * minute - 1000 }, 5 * minute, 'expired'],
    ['nextUpdate passed, no skew', { nextUpdate: now - 1000 }, 0, 'expired'],
    ['nextUpdate before thisUpdate', { thisUpdate: now, nextUpdate: now - 1000 }, 5 * minute, 'malformed'],
    ['no nextUpdate', { nextUpdate: null }, 0, null],
    ['no nextUpdate, a day old', { nextUpdate: null, thisUpdate: now - 24 * hour }, 0, null],
    ['no nextUpdate, older', { nextUpdate: null, thisUpdate: now - 24 * hour - 1000 }, 0, 'expired'],
  ])('with %s', (_, times, skew, problem) => {
    const reading = read(answer({}, times), { skew });
    if (problem === null) expect(reading).toMatchObject({ ok: true, answer: times });
    else expect(reading).toEqual(refused(problem));
  });

  it('may differ by 5 minutes by default', () => {
    expect(read(answer({}, { thisUpdate: now + 5 * minute }))).toMatchObject(good);
    expect(read(answer({}, { thisUpdate: now + 5 * minute + 1000 }))).toEqual(refused('not_yet_valid'));
  });

  it('are extended by a grace period, and freshUntil is not', () => {
    const over = answer({}, { nextUpdate: now - hour, thisUpdate: now - 2 * hour });
    expect(read(over, { grace: hour, skew: 0 })).toMatchObject({ answer: { freshUntil: now - hour } });
    expect(read(over, { grace: hour - 1, skew: 0 })).toEqual(refused('expired'));
    expect(read(answer({}, { thisUpdate: now + 1000 }), { grace: hour, skew: 0 })).toEqual(
      refused('not_yet_valid'),
    );
    expect(read(answer({}, { nextUpdate: null }))).toMatchObject({ answer: { freshUntil: now + 23 * hour } });
  });

  it('do not matter for revoked', () => {
    const status = { revokedAt: now - 3 * hour };
    const over = { status, nextUpdate: now - hour, thisUpdate: now - 2 * hour };
    expect(read(answer({}, over))).toMatchObject({ answer: { status: 'revoked' } });
    const ahead = { thisUpdate: now + hour, nextUpdate: now + 2 * hour };
    expect(read(answer({}, { status, ...ahead }))).toMatchObject({ answer: { status: 'revoked' } });
    expect(read(answer({}, ahead))).toEqual(refused('not_yet_valid'));
  });

  it('are refused if one of two about the certificate has expired', () => {
    const singles = [single(), single({ nextUpdate: now - hour, thisUpdate: now - 2 * hour })];
    expect(read(answer({ singles }))).toEqual(refused('expired'));
  });
});
