/** Sets from URLs with skipped certificates, and with a renewed root. */
import { describe, expect, it } from 'vitest';
import { type IssueOptions, issueCertificate } from '../../src/issuing/certificate.ts';
import { day, ders, now, openStore, own, serve } from '../support/trust/anchor-store.ts';

describe('a set with a certificate that cannot be used', () => {
  const further = (options: Partial<IssueOptions> = {}) =>
    issueCertificate({
      subject: { CN: 'further' },
      issuer: own.root,
      notBefore: now - day,
      notAfter: now + day,
      basicConstraints: { ca: true },
      keyUsage: ['keyCertSign'],
      ...options,
    });
  /** A certificate that the parser refuses. */
  const unreadable = (pem: string) => pem.replace(/(?<=\n)[^\n]{64}(?=\n)/, 'A'.repeat(64));

  it('is used without it, and the skipped certificate is reported once', async () => {
    await using store = await openStore();
    const trust = await store.open();
    store.actions();
    const next = further();
    const odd = further({ key: 'rsa-1024' });
    serve(store.directory, {
      '/issuing.pem': own.issuing.pem + next.pem + odd.pem + unreadable(odd.pem),
    });
    await store.timers.fire();
    expect(ders(trust)).toEqual([[own.root.der, own.issuing.der, next.der]]);
    expect(store.events).toMatchObject([
      { action: 'fetched' },
      {
        action: 'passed_over',
        anchor: 'own',
        detail: expect.stringMatching(/issuing\.pem: PEM block 4 \(line \d+\) /),
      },
      {
        action: 'passed_over',
        anchor: 'own',
        detail: expect.stringMatching(/^CN=further: has an RSA key of/),
      },
    ]);
    store.actions();
    await store.timers.fire();
    expect(store.actions()).toEqual([]);
  });

  it('is refused if the unreadable certificate may be one that is in use', async () => {
    await using store = await openStore();
    const trust = await store.open();
    store.actions();
    serve(store.directory, { '/issuing.pem': unreadable(own.issuing.pem) + further().pem });
    await store.timers.fire();
    expect(ders(trust)).toEqual([[own.root.der, own.issuing.der]]);
    expect(store.events).toMatchObject([
      {
        action: 'refused',
        detail: expect.stringMatching(
          /PEM block 1 \(line 1\) .*; this update would remove .*, which is in use$/,
        ),
      },
    ]);
  });

  it('drops a certificate that is no longer served, beside one that was unreadable before, too', async () => {
    await using store = await openStore();
    const trust = await store.open();
    const [next, odd] = [further(), unreadable(further().pem)];
    serve(store.directory, { '/issuing.pem': odd + own.issuing.pem + next.pem });
    await store.timers.fire();
    expect(ders(trust)).toEqual([[own.root.der, own.issuing.der, next.der]]);
    serve(store.directory, { '/issuing.pem': odd + next.pem });
    await store.timers.fire();
    expect(ders(trust)).toEqual([[own.root.der, next.der]]);
  });

  it('drops a certificate that is no longer served, whatever else has problems', async () => {
    await using store = await openStore();
    const trust = await store.open();
    const [next, odd] = [further(), further({ key: 'rsa-1024' })];
    serve(store.directory, { '/issuing.pem': next.pem + odd.pem });
    await store.timers.fire();
    expect(ders(trust)).toEqual([[own.root.der, next.der]]);
  });

  it('is used at the first fetch, and again from the cache', async () => {
    await using store = await openStore();
    const old = further({ notAfter: now - 1000 });
    serve(store.directory, { '/issuing.pem': own.issuing.pem + old.pem });
    (await store.open()).close();
    expect(store.actions()).toEqual(['trust_on_first_use', 'passed_over']);
    const trust = await store.open();
    expect(store.actions()).toEqual(['from_cache', 'passed_over']);
    expect(ders(trust)).toEqual([[own.root.der, own.issuing.der, old.der]]);
  });

  it('is checked again when a certificate expires', async () => {
    await using store = await openStore();
    serve(store.directory, {
      '/issuing.pem': own.issuing.pem + further({ notAfter: now + 60_000 }).pem,
    });
    const trust = await store.open();
    store.actions();
    trust.checkDates();
    expect([store.actions(), store.published]).toEqual([[], []]);
    store.clock.now += 61_000;
    trust.checkDates();
    trust.checkDates();
    expect(store.events).toMatchObject([
      {
        action: 'passed_over',
        detail: expect.stringMatching(/^CN=further: expired at .*; the certificate is skipped: remove it/),
      },
    ]);
    expect(store.published).toHaveLength(1);
  });

  it('may hold the known root renewed under its key, and later the renewed certificate only', async () => {
    await using store = await openStore();
    const trust = await store.open();
    store.actions();
    const renewed = further({ subject: own.root.subject, issuer: own.root, key: own.root.privateKey });
    serve(store.directory, { '/root.pem': own.root.pem + renewed.pem });
    await store.timers.fire();
    expect(store.actions()).toEqual(['fetched']);
    serve(store.directory, { '/root.pem': renewed.pem });
    await store.timers.fire();
    expect(store.actions()).toEqual(['fetched']);
    expect(ders(trust)).toEqual([[renewed.der, own.issuing.der]]);
    trust.close();
    await store.open();
    expect(store.actions()).toEqual(['from_cache']);
  });

  it('with only the renewed root is pending until approved, like any other root', async () => {
    await using store = await openStore();
    await store.open();
    store.actions();
    const renewed = further({ subject: own.root.subject, issuer: own.root, key: own.root.privateKey });
    serve(store.directory, { '/root.pem': renewed.pem });
    await store.timers.fire();
    expect(store.actions()).toEqual(['root_changed_refused']);
  });
});
