/** A response that was changed on its way never becomes another valid answer. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import { readOcspResponse } from '../../../src/revocation/ocsp/response.ts';
import type { ResponseData } from '../../../src/revocation/ocsp/structure.ts';
import { authority } from '../../support/pki/authority.ts';
import {
  type AnsweredStatus,
  certId,
  ocspAnswer,
  unwrapAnswer,
  wrapAnswer,
} from '../../support/revocation/ocsp-answer.ts';
import { delegate } from '../../support/revocation/ocsp-responder.ts';

const hour = 3_600_000;
const now = Date.UTC(2026, 0, 15, 12);
const own = authority({ now });
const client = own.issueClient();
const other = own.issueClient();
const responder = delegate(own.issuing);
const subject = { certificate: parseCertificate(client.der), issuer: parseCertificate(own.issuing.der) };

const answerAbout = (certificate: typeof client, status: AnsweredStatus) =>
  ocspAnswer({
    singles: [
      { certId: certId(certificate, own.issuing), status, thisUpdate: now - hour, nextUpdate: now + hour },
    ],
    producedAt: now - hour,
    signer: responder,
    certificates: [responder.der],
  });
const answers = (['good', 'unknown', { revokedAt: now - hour, reason: 1 }] as const).map((status) =>
  answerAbout(client, status),
);
const good = answers[0] as Buffer;
/** Good, of the same signer, about another certificate. */
const foreign = answerAbout(other, 'good');

/** A response that contains all of these bytes is this valid response. */
const goodData = Buffer.from(unwrapAnswer(good).dataRaw);

/** The fields of the answer, or `none` if the response is refused. */
function factsOf(bytes: Uint8Array): object | 'none' {
  const reading = readOcspResponse(bytes, { ...subject, now });
  if (!reading.ok) return 'none';
  const { responder: signer, ...facts } = reading.answer;
  return { ...facts, signer: signer.certificate.sha256 };
}

const place = fc.nat();
const mutation = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), at: place, byte: fc.integer({ min: 0, max: 255 }) }),
  fc.record({ kind: fc.constant('flip' as const), at: place, bit: fc.integer({ min: 0, max: 7 }) }),
  fc.record({ kind: fc.constant('cut' as const), at: place, length: fc.integer({ min: 1, max: 40 }) }),
  fc.record({
    kind: fc.constant('insert' as const),
    at: place,
    bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }),
  }),
  fc.record({ kind: fc.constant('splice' as const), at: place, length: fc.integer({ min: 1, max: 200 }) }),
);

function mutate(bytes: Buffer, change: typeof mutation extends fc.Arbitrary<infer T> ? T : never): Buffer {
  const at = change.at % bytes.length;
  const mutated = Buffer.from(bytes);
  switch (change.kind) {
    case 'set':
      mutated[at] = change.byte;
      return mutated;
    case 'flip':
      mutated[at] = mutated.readUInt8(at) ^ (1 << change.bit);
      return mutated;
    case 'cut':
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + change.length)]);
    case 'insert':
      return Buffer.concat([bytes.subarray(0, at), change.bytes, bytes.subarray(at)]);
    case 'splice':
      // As many bytes of the good response, from the same offset.
      mutated.set(good.subarray(at, at + change.length).subarray(0, mutated.length - at), at);
      return mutated;
    default:
      return change satisfies never;
  }
}

describe('a mutated response', () => {
  it.each(['good', 'unknown', 'revoked'].map((status, index) => [status, answers[index] as Buffer] as const))(
    'that said %s says the same, or nothing',
    (status, bytes) => {
      const facts = factsOf(bytes);
      expect(facts).toMatchObject({ status });
      fc.assert(
        fc.property(fc.array(mutation, { minLength: 1, maxLength: 3 }), (changes) => {
          const mutated = changes.reduce(mutate, bytes);
          fc.pre(bytes === good || !mutated.includes(goodData));
          const read = factsOf(mutated);
          if (read !== 'none') expect(read).toEqual(facts);
        }),
        { numRuns: 400 },
      );
    },
  );

  it('is never accepted for another certificate', () => {
    expect(factsOf(foreign)).toBe('none');
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 3 }), (changes) => {
        const mutated = changes.reduce(mutate, foreign);
        fc.pre(!mutated.includes(goodData));
        expect(factsOf(mutated)).toBe('none');
      }),
      { numRuns: 400 },
    );
  });

  it('is refused whichever bit of the signed bytes is flipped', () => {
    const bytes = answers[2] as Buffer;
    const { dataRaw } = unwrapAnswer(bytes);
    const start = bytes.indexOf(dataRaw);
    for (let bit = 0; bit < dataRaw.length * 8; bit += 1) {
      const mutated = Buffer.from(bytes);
      const at = start + (bit >> 3);
      mutated[at] = mutated.readUInt8(at) ^ (1 << (bit & 7));
      expect(factsOf(mutated), `bit ${bit}`).toBe('none');
    }
  });

  it.each<[string, (data: ResponseData) => void]>([
    [
      'status',
      ({ responses: [single] }) => Object.assign(single ?? {}, { certStatus: Buffer.from([0x80, 0]) }),
    ],
    [
      'serial',
      ({ responses: [single] }) => Object.assign(single?.certId ?? {}, { serialNumber: Buffer.of(1) }),
    ],
    ['thisUpdate', ({ responses: [single] }) => Object.assign(single ?? {}, { thisUpdate: new Date(now) })],
    ['nextUpdate', ({ responses: [single] }) => Object.assign(single ?? {}, { nextUpdate: new Date(now) })],
    ['producedAt', (data) => Object.assign(data, { producedAt: new Date(now) })],
  ])('with another %s in good DER has a wrong signature', (_, change) => {
    const basic = unwrapAnswer(answers[2] as Buffer);
    change(basic.data);
    const mutated = wrapAnswer(basic);
    expect(readOcspResponse(mutated, { ...subject, now })).toMatchObject({ problem: 'bad_signature' });
  });
});

it('random bytes never make the reader throw', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => factsOf(bytes) === 'none'));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => factsOf(wrapAnswer(bytes)) === 'none'));
});
