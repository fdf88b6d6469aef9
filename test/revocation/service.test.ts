/** The service as a whole: which sources it fetches from, and what an update and the end change. */
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { openRevocation } from '../../src/revocation/service.ts';
import { authority } from '../support/pki/authority.ts';
import { distributionPoints } from '../support/revocation/crl.ts';
import { day, hour, openStage, start } from '../support/revocation/stage.ts';

const otherAuthority = authority({ now: start });

describe('a contact', () => {
  it('fetches from every source at once, and from each once', async () => {
    await using stage = await openStage({ scope: 'chain' }, { ca: { crl: ['/root.crl'] } });
    const leaf = stage.leaf({ crl: ['/own.crl'], ocsp: true });
    stage.directory.files.set('/own.crl', stage.crl().der);
    stage.directory.files.set('/root.crl', stage.crl({ issuer: stage.own.root }).der);
    const revocation = await stage.open();
    await revocation.contact('own', leaf.der);
    expect(revocation.material('own')).toMatchObject({
      crls: [{ number: 1n }, { number: 1n }],
      ocsp: [{ status: 'good' }],
      leaves: [parseCertificate(leaf.der).tbsSha256],
    });
    await revocation.contact('own', leaf.der);
    expect(stage.directory.requests.map(({ path }) => path).sort()).toEqual(['/own.crl', '/root.crl']);
    expect(stage.responder.asked).toHaveLength(1);
  });

  it.each(['an unknown CA’s', 'an expired', 'an unreadable'])(
    'with %s certificate causes no request, and stores nothing',
    async (kind) => {
      await using stage = await openStage();
      const sources = { extensions: [distributionPoints([{ urls: [stage.url('/own.crl')] }])] };
      const leaf = {
        'an unknown CA’s': otherAuthority.issueClient(sources).der,
        'an expired': stage.own.issueClient({ ...sources, notAfter: start - 1000 }).der,
        'an unreadable': Buffer.from('no certificate'),
      }[kind] as Buffer;
      const revocation = await stage.open();
      await revocation.contact('own', leaf);
      await revocation.contact('another anchor', leaf);
      expect(revocation.material('own')).toMatchObject({ crls: [], ocsp: [], leaves: [] });
      expect(revocation.sources()).toEqual([]);
      expect(stage.directory.requests).toEqual([]);
      await expect(readdir(join(stage.cacheDir, 'leaves', 'own'))).rejects.toMatchObject({ code: 'ENOENT' });
    },
  );

  it('is required before anything is requested about a certificate', async () => {
    await using stage = await openStage();
    stage.leaf({ crl: ['/own.crl'], ocsp: true });
    await stage.open();
    await stage.pass(day);
    expect([stage.directory.requests, stage.responder.asked]).toEqual([[], []]);
  });

  it('with a leaf without sources resolves at once, and is reported once', async () => {
    await using stage = await openStage();
    const leaf = stage.leaf();
    const revocation = await stage.open();
    await revocation.contact('own', leaf.der);
    await revocation.contact('own', leaf.der);
    expect(revocation.material('own').leaves).toHaveLength(1);
    expect(stage.actions()).toEqual(['not_checked']);
  });

  it('causes no request if CRL and OCSP are off', async () => {
    await using stage = await openStage({ crl: 'off', ocsp: 'off' });
    const revocation = await stage.open();
    await revocation.contact('own', stage.leaf({ crl: ['/own.crl'], ocsp: true }).der);
    expect([stage.directory.requests, stage.responder.asked, stage.actions()]).toEqual([[], [], []]);
  });
});

describe('addresses', () => {
  it('with other schemes or with a password are skipped and reported once', async () => {
    await using stage = await openStage();
    const crl = ['ldap://directory.example/cn=ca', 'http://user:word@localhost/own.crl', '/own.crl'];
    stage.directory.files.set('/own.crl', stage.crl().der);
    const revocation = await stage.open();
    await revocation.contact('own', stage.leaf({ crl }).der);
    await revocation.contact('own', stage.leaf({ crl }).der);
    const skipped = stage.events.filter(({ action }) => action === 'address_skipped');
    expect(skipped).toMatchObject([
      { address: 'ldap://directory.example/cn=ca', certificate: expect.stringContaining('CN=') },
      { address: 'http://localhost', detail: 'the URL contains credentials' },
    ]);
    expect(JSON.stringify(stage.events)).not.toContain('word');
    expect(revocation.sources()).toHaveLength(1);
  });

  it('are used up to the sixteenth, CRLs and responders together', async () => {
    await using stage = await openStage();
    const crl = Array.from({ length: 20 }, (_, index) => `/${index}.crl`);
    const revocation = await stage.open();
    await revocation.contact('own', stage.leaf({ crl: crl.slice(0, 15), ocsp: true }).der);
    expect(revocation.sources()).toHaveLength(16);
    stage.actions();
    await revocation.contact('own', stage.leaf({ crl, ocsp: true }).der);
    expect(stage.directory.requests).toHaveLength(15);
    expect(revocation.material('own').ocsp, 'a known responder needs no further address').toHaveLength(2);
    expect(stage.events.filter(({ action }) => action === 'too_many_addresses')).toHaveLength(5);
  });
});

describe('an update', () => {
  it('keeps the feeds of addresses that stay, ends others and starts new ones', async () => {
    await using stage = await openStage();
    for (const [index, path] of ['/a.crl', '/b.crl', '/c.crl'].entries())
      stage.directory.files.set(path, stage.crl({ number: index }).der);
    const [a, b, c] = ['/a.crl', '/b.crl', '/c.crl'].map(stage.url) as [string, string, string];
    const revocation = await stage.open([stage.subject({ crl: [a, b] })]);
    await stage.pass(0);
    const [first] = revocation.material('own').crls;
    await revocation.update([stage.subject({ crl: [a, c] })]);
    await stage.pass(0);
    expect(revocation.material('own').crls).toMatchObject([{ number: 0n }, { number: 2n }]);
    expect(revocation.material('own').crls[0]).toBe(first);
    const asked = () => stage.directory.requests.splice(0).map(({ path }) => path);
    expect(asked().sort()).toEqual(['/a.crl', '/b.crl', '/c.crl']);
    await stage.pass(hour);
    expect(asked().sort()).toEqual(['/a.crl', '/c.crl']);
  });

  it('publishes a changed policy, and nothing if nothing changes', async () => {
    await using stage = await openStage();
    const revocation = await stage.open();
    const before = revocation.material('own');
    await revocation.update([stage.subject()]);
    expect(revocation.material('own')).toBe(before);
    expect(stage.changed).toEqual([]);
    await revocation.update([stage.subject({ onUnknown: 'allow' })]);
    expect(revocation.material('own').policy.onUnknown).toBe('allow');
    expect(stage.changed).toEqual(['own']);
  });

  it('ends the feeds of a removed trust anchor, and no others', async () => {
    await using stage = await openStage();
    stage.directory.files.set('/own.crl', stage.crl().der);
    const own = stage.subject({ crl: [stage.url('/own.crl')] });
    const other = { ...own, name: 'other' };
    const revocation = await stage.open([own, other]);
    await stage.pass(0);
    await revocation.update([other]);
    expect(() => revocation.material('own')).toThrow(TypeError);
    expect(revocation.material('other').crls).toHaveLength(1);
    await stage.pass(hour);
    expect(stage.directory.requests).toHaveLength(3);
  });

  it('uses separate folders for trust anchors, whatever their names', async () => {
    await using stage = await openStage();
    stage.directory.files.set('/own.crl', stage.crl().der);
    const subjects = ['..', 'a/b', 'own'].map((name) => ({
      ...stage.subject({ crl: [stage.url('/own.crl')] }),
      name,
    }));
    await stage.open(subjects);
    await stage.pass(0);
    expect((await readdir(join(stage.cacheDir, 'crl'))).sort()).toEqual(['%2E%2E', 'a%2Fb', 'own']);
    expect(await readdir(stage.cacheDir)).toEqual(['crl']);
  });

  it('waits for the update before it', async () => {
    await using stage = await openStage();
    const file = join(stage.folder, 'own.crl');
    await writeFile(file, stage.crl().der);
    const revocation = await stage.open([]);
    const subject = stage.subject({ crl: [file] });
    await Promise.all([[subject], [], [subject]].map((subjects) => revocation.update(subjects)));
    expect(stage.actions(), 'the second has ended the first').toEqual(['crl_fetched', 'crl_fetched']);
  });
});

describe('the service', () => {
  it.each(['close', 'signal'])('ends at once by %s, whatever is in progress', async (how) => {
    await using stage = await openStage();
    const stop = new AbortController();
    const [directory, responder] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    stage.directory.misbehaviour = () => directory.resolve();
    stage.responder.misbehaviour = () => responder.resolve();
    // No fetch would time out during this test.
    const timeouts = { crl: hour, ocsp: hour };
    const revocation = await stage.open(undefined, { signal: stop.signal, timeouts });
    const contact = revocation.contact('own', stage.leaf({ crl: ['/own.crl'], ocsp: true }).der);
    await Promise.all([directory.promise, responder.promise]);
    if (how === 'signal') stop.abort();
    else await revocation.close();
    await contact;
    expect(stage.time.pending.size).toBe(0);
    expect([stage.events, stage.changed]).toEqual([[], []]);
    await revocation.contact('own', stage.leaf({ ocsp: true }).der);
    await revocation.update([stage.subject()]);
    expect(stage.responder.asked).toHaveLength(1);
  });

  it('ends without any trust anchor if its signal is aborted already', async () => {
    await using stage = await openStage();
    const revocation = openRevocation({
      ...{ cacheDir: stage.cacheDir, onChange: () => {}, onEvent: () => {} },
      signal: AbortSignal.abort(),
    });
    await revocation.update([stage.subject({ crl: [stage.url('/own.crl')] })]);
    await revocation.close();
    expect(stage.directory.requests).toEqual([]);
  });
});
