/** Which signers of a response are accepted: RFC 6960 §4.2.2.2. */
import { AlgorithmIdentifier } from '@peculiar/asn1-x509';
import { describe, expect, it } from 'vitest';
import { purposes } from '../../../src/issuing/development.ts';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import type { KeyKind } from '../../../src/pki/key.ts';
import { pssAlgorithm, signatureAlgorithms } from '../../../src/pki/signature.ts';
import { type ReadOcspOptions, readOcspResponse } from '../../../src/revocation/ocsp/response.ts';
import { noCheckExtension } from '../../../src/revocation/ocsp/structure.ts';
import { authority } from '../../support/pki/authority.ts';
import {
  type AnswerOptions,
  certId,
  ocspAnswer,
  type SingleOptions,
  unwrapAnswer,
  wrapAnswer,
} from '../../support/revocation/ocsp-answer.ts';
import { delegate } from '../../support/revocation/ocsp-responder.ts';

const hour = 3_600_000;
const now = Date.UTC(2026, 0, 15, 12);

const own = authority({ now });
const otherAuthority = authority({ now });
const client = own.issueClient();
const subject = { certificate: parseCertificate(client.der), issuer: parseCertificate(own.issuing.der) };
const unknown = { oid: '1.2.3.4', critical: true, value: Buffer.of(5, 0) };

const answer = (options: Partial<AnswerOptions> = {}, single: Partial<SingleOptions> = {}) =>
  ocspAnswer({
    singles: [{ certId: certId(client, own.issuing), thisUpdate: now, nextUpdate: now + hour, ...single }],
    producedAt: now,
    signer: own.issuing,
    ...options,
  });
const read = (bytes: Uint8Array, options: Partial<ReadOcspOptions> = {}) =>
  readOcspResponse(bytes, { ...subject, now, ...options });
const good = { ok: true, answer: { status: 'good' } };
const refused = (problem: string) => expect.objectContaining({ ok: false, problem });
const delegated = (overrides: Parameters<typeof delegate>[1] = {}, issuer = own.issuing) => {
  const signer = delegate(issuer, overrides);
  return answer({ signer, certificates: [signer.der] });
};

describe('the signer of a response', () => {
  it('may be the issuer, named by name or by key, with or without its certificate in the response', () => {
    expect(read(answer({ responderId: 'key' }))).toMatchObject(good);
    expect(read(answer({ certificates: [own.issuing.der, own.root.der] }))).toMatchObject({
      answer: { responder: { delegated: false } },
    });
  });

  it.each<KeyKind>(['P-384', 'P-521', 'rsa-2048', 'ed25519'])('may sign with a key of kind %s', (key) => {
    expect(read(delegated({ key }))).toMatchObject(good);
  });

  it('may sign with RSA-PSS', () => {
    const signer = delegate(own.issuing, { key: 'rsa-2048' });
    expect(read(answer({ signer, certificates: [signer.der], pss: true, hash: 'sha384' }))).toMatchObject(
      good,
    );
    expect(read(answer({ signer, certificates: [signer.der], pss: true, hash: 'sha1' }))).toEqual(
      refused('weak_signature'),
    );
  });

  it('may be a delegated responder, named by name or by key', () => {
    const signer = delegate(own.issuing);
    const certificates = [own.root.der, Buffer.from('3000', 'hex'), signer.der];
    for (const responderId of ['name', 'key'] as const) {
      expect(read(answer({ signer, certificates, responderId }))).toMatchObject({
        answer: {
          status: 'good',
          responder: { delegated: true, noCheck: true, certificate: { der: signer.der } },
        },
      });
    }
  });

  it('is marked for a check of its own revocation if it has no ocsp-nocheck', () => {
    expect(read(delegated({ extensions: [] }))).toMatchObject({
      answer: { responder: { delegated: true, noCheck: false } },
    });
  });

  it('may have ocsp-nocheck as a critical extension', () => {
    const extensions = [{ oid: noCheckExtension, critical: true, value: Buffer.of(5, 0) }];
    expect(read(delegated({ extensions }))).toMatchObject({ answer: { responder: { noCheck: true } } });
  });

  it('may have no key usage', () => {
    expect(read(delegated({ keyUsage: null }))).toMatchObject(good);
  });

  it('is found if an expired certificate of the same key comes first', () => {
    const old = delegate(own.issuing, { notAfter: now - hour });
    const renewed = delegate(own.issuing, { key: old.privateKey });
    const both = { signer: renewed, certificates: [old.der, renewed.der] };
    expect(read(answer(both))).toMatchObject(good);
  });

  it.each<[string, string, () => Buffer]>([
    ['has no extended key usage', 'OCSPSigning', () => delegated({ extendedKeyUsage: null })],
    ['is for another purpose', 'OCSPSigning', () => delegated({ extendedKeyUsage: [purposes.clientAuth] })],
    ['is for any purpose', 'OCSPSigning', () => delegated({ extendedKeyUsage: ['2.5.29.37.0'] })],
    ['may not sign', 'digitalSignature', () => delegated({ keyUsage: ['keyEncipherment'] })],
    ['has expired', 'not valid now', () => delegated({ notAfter: now - 1000 })],
    ['is not valid yet', 'not valid now', () => delegated({ notBefore: now + 1000 })],
    ['has an unknown critical extension', '1.2.3.4', () => delegated({ extensions: [unknown] })],
    ['has a weak key', '1024', () => delegated({ key: 'rsa-1024' })],
    ['has a certificate with a weak signature', 'SHA-1', () => delegated({ hash: 'sha1' })],
    ['is certified by the root alone', 'not issued by', () => delegated({}, own.root)],
    [
      'is certified by a CA of the issuer’s name',
      'not issued by',
      () => delegated({}, otherAuthority.issuing),
    ],
    ['is certified by a responder', 'not issued by', () => delegated({}, delegate(own.issuing))],
    ['is another client', 'OCSPSigning', () => answer({ signer: client, certificates: [client.der] })],
    ['sends no certificate', 'neither', () => answer({ signer: delegate(own.issuing) })],
    ['is the root', 'not issued by', () => answer({ signer: own.root, certificates: [own.root.der] })],
  ])('is not authorized when it %s', (_, detail, bytes) => {
    expect(read(bytes())).toEqual({
      ok: false,
      problem: 'unauthorized_responder',
      detail: expect.stringContaining(detail),
    });
  });

  it('is not accepted as the issuer because it has the issuer’s name', () => {
    expect(read(answer({ signer: otherAuthority.issuing }))).toEqual(refused('bad_signature'));
    expect(
      read(answer({ signer: otherAuthority.issuing, certificates: [otherAuthority.issuing.der] })),
    ).toEqual(refused('unauthorized_responder'));
  });

  it('is refused with a SHA-1 signature, even if it is the issuer', () => {
    expect(read(answer({ hash: 'sha1' }))).toEqual(refused('weak_signature'));
  });

  it.each([
    ['RSA', new AlgorithmIdentifier({ algorithm: signatureAlgorithms.rsa.sha256, parameters: null })],
    ['RSA-PSS', pssAlgorithm('sha256')],
    ['ECDSA with another hash', new AlgorithmIdentifier({ algorithm: signatureAlgorithms.ec.sha384 })],
  ])('is not believed with an algorithm that is not that of its key: %s', (_, signatureAlgorithm) => {
    const bytes = wrapAnswer(Object.assign(unwrapAnswer(answer()), { signatureAlgorithm }));
    expect(read(bytes)).toEqual(refused('bad_signature'));
  });

  it('is refused if the issuer’s key is weak', () => {
    const weak = authority({ now, key: 'rsa-1024' });
    const leaf = weak.issueClient();
    const bytes = answer({ signer: weak.issuing }, { certId: certId(leaf, weak.issuing) });
    const certificate = parseCertificate(leaf.der);
    const issuer = parseCertificate(weak.issuing.der);
    expect(read(bytes, { certificate, issuer })).toEqual(refused('unauthorized_responder'));
  });
});
