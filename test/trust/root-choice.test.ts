import { describe, expect, it } from 'vitest';
import { type Certificate, parseCertificate } from '../../src/pki/certificate.ts';
import {
  ca,
  certificates,
  issuing,
  now,
  readWithSkipped,
  root,
} from '../support/trust/anchor-certificates.ts';

describe('a root that was renewed under its key', () => {
  const subject = { CN: 'renewed' };
  const old = ca({ subject, notAfter: now + 1000 });
  const renewed = ca({ subject, key: old.privateKey, notAfter: now + 9000 });
  const below = ca({ subject: { CN: 'below' }, issuer: old, notAfter: now + 9000 });

  it('is one root, the certificate that expires last first', () => {
    for (const order of [
      [old, renewed, below],
      [below, renewed, old],
    ])
      expect(readWithSkipped(order)).toEqual({
        used: [renewed.der, old.der, below.der],
        skipped: [],
        usable: true,
      });
  });

  it('is usable after its old certificate expired, and before its new one is valid', () => {
    expect(readWithSkipped([old, renewed, below], { at: now + 1001 })).toMatchObject({
      used: [renewed.der, old.der, below.der],
      skipped: [{ reason: 'expired' }],
      usable: true,
    });
    const next = ca({ subject, key: old.privateKey, notBefore: now + 1000, notAfter: now + 9000 });
    expect(readWithSkipped([old, next, below])).toMatchObject({
      skipped: [{ reason: 'not_yet_valid' }],
      usable: true,
    });
  });

  it('is the pinned root if the pin names either certificate', () => {
    for (const { sha256 } of certificates(old, renewed))
      expect(readWithSkipped([old, renewed, below], { rootSha256: sha256 })).toMatchObject({ usable: true });
  });

  it('is the issuer of CAs that name the serial of its old certificate', () => {
    const authoritySerial = parseCertificate(old.der).serialOctets;
    const named = ca({ subject: { CN: 'named' }, issuer: old, authoritySerial });
    expect(readWithSkipped([renewed, named])).toMatchObject({
      used: [renewed.der, named.der],
      skipped: [],
    });
  });
});

describe('a root with another key', () => {
  const former = ca({ subject: { CN: 'former' }, notAfter: now - 1000 });

  it('is skipped if it has expired', () => {
    expect(readWithSkipped([former, root, issuing])).toMatchObject({
      used: [root.der, issuing.der],
      skipped: [{ reason: 'expired', detail: 'CN=former: expired at 2026-01-14T23:59:59.000Z' }],
    });
  });

  it('is skipped if the pin names another root', () => {
    const other = ca({ subject: { CN: 'other' } });
    const [{ sha256 }] = certificates(root) as [Certificate];
    expect(readWithSkipped([other, root, issuing], { rootSha256: sha256 })).toMatchObject({
      used: [root.der, issuing.der],
      skipped: [{ reason: 'unusable', detail: 'CN=other: another root than rootSha256 names' }],
    });
  });
});
