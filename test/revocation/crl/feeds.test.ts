/** Which CRLs a trust anchor has: delta CRLs, CRLs after its certificates change, one copy of identical CRLs. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import { authority } from '../../support/pki/authority.ts';
import { distributionPoints } from '../../support/revocation/crl.ts';
import { renewSigner } from '../../support/revocation/renewed-signer.ts';
import { crlNumbers, hour, openStage, openWithCrl, start } from '../../support/revocation/stage.ts';
import { misbehaviours } from '../../support/trust/directory.ts';

const otherAuthority = authority({ now: start });

describe('a delta CRL', () => {
  it('is fetched if the CRL in use names it, and a first contact waits for it', async () => {
    await using stage = await openStage();
    const leaf = stage.leaf({ crl: ['/own.crl'] });
    const freshest = distributionPoints([{ urls: [stage.url('/delta.crl')] }], { freshest: true });
    stage.directory.files.set('/own.crl', stage.crl({ number: 5, extensions: [freshest] }).der);
    const delta = stage.crl({ number: 6, baseNumber: 5, revoked: [{ serial: leaf }] });
    stage.directory.files.set('/delta.crl', delta.der);
    const revocation = await stage.open();
    await revocation.contact('own', leaf.der);
    expect(crlNumbers(revocation)).toEqual([5, 6]);
    await revocation.close();

    const restarted = await stage.open();
    expect(crlNumbers(restarted), 'loaded from disk').toEqual([5, 6]);
  });

  it('is fetched if the certificate names it', async () => {
    await using stage = await openStage();
    const leaf = stage.leaf({ crl: ['/own.crl'], freshest: ['/delta.crl'] });
    stage.directory.files.set('/own.crl', stage.crl({ number: 5 }).der);
    stage.directory.files.set('/delta.crl', stage.crl({ number: 6, baseNumber: 5 }).der);
    const revocation = await stage.open();
    await revocation.contact('own', leaf.der);
    expect(crlNumbers(revocation)).toEqual([5, 6]);
  });

  it('is not fetched if the addresses are configured', async () => {
    await using stage = await openStage();
    const freshest = distributionPoints([{ urls: [stage.url('/delta.crl')] }], { freshest: true });
    stage.directory.files.set('/own.crl', stage.crl({ extensions: [freshest] }).der);
    const revocation = await stage.open([stage.subject({ crl: [stage.url('/own.crl')] })]);
    await stage.reported('crl_fetched');
    const leaf = stage.leaf({ crl: ['/leaf.crl'] });
    await revocation.contact('own', leaf.der);
    expect(stage.directory.requests.map(({ path }) => path)).toEqual(['/own.crl']);
  });
});

describe('the certificates of an anchor', () => {
  it('may change: CRLs that they did not sign are dropped, and those that they signed are fetched', async () => {
    await using stage = await openWithCrl();
    const other = stage.certificatesOf(otherAuthority);
    stage.directory.files.set('/own.crl', stage.crl({ issuer: otherAuthority.issuing, number: 1 }).der);
    await stage.pass(hour);
    expect(stage.actions()).toEqual(['crl_refused']);
    const crl = [stage.url('/own.crl')];
    await stage.revocation.update([stage.subject({ crl }, other)]);
    expect(stage.revocation.material('own').crls).toEqual([]);
    await stage.reported('crl_fetched');
    expect(crlNumbers(stage.revocation)).toEqual([1]);
    expect(stage.revocation.material('own').leaves, 'the leaf has another issuer').toEqual([]);
  });

  it('may grow: a CRL that was refused without its signer is fetched again at once', async () => {
    await using stage = await openStage();
    const [root] = stage.certificatesOf(stage.own);
    stage.directory.files.set('/own.crl', stage.crl().der);
    const crl = [stage.url('/own.crl')];
    const revocation = await stage.open([stage.subject({ crl }, [root])]);
    await stage.reported('crl_refused');
    await revocation.update([stage.subject({ crl })]);
    await stage.reported('crl_fetched');
    expect(crlNumbers(revocation)).toEqual([1]);
  });

  it('may gain a key: a file that was refused without it is read again', async () => {
    await using stage = await openStage();
    const file = join(stage.folder, 'own.crl');
    await writeFile(file, stage.crl({ number: 1 }).der);
    const revocation = await stage.open([stage.subject({ crl: [file] })]);
    await writeFile(file, stage.crl({ number: 2, issuer: otherAuthority.issuing }).der);
    await stage.pass(5000);
    expect(stage.actions()).toEqual(['crl_fetched', 'crl_refused']);
    const [root, issuing] = stage.certificatesOf(stage.own);
    const renewed = parseCertificate(otherAuthority.issuing.der);
    await revocation.update([stage.subject({ crl: [file] }, [root, issuing, renewed])]);
    expect(crlNumbers(revocation)).toEqual([2]);
  });

  it('may be renewed with the same keys: a CRL stays in use without its copy and its source', async () => {
    await using stage = await openWithCrl();
    const before = stage.revocation.material('own').crls;
    const { certificates, statusOf } = renewSigner(stage);
    await rm(stage.cacheDir, { recursive: true });
    stage.directory.misbehaviour = misbehaviours.fail;
    await stage.revocation.update([stage.subject({}, certificates)]);
    expect(stage.revocation.material('own').crls).toEqual(before);
    expect(statusOf(stage.revocation, stage.revocable)).toBe('good');
    expect(stage.actions(), 'nothing was refused or fetched').toEqual([]);
  });

  it('may stay the same: every CRL stays in use', async () => {
    await using stage = await openWithCrl();
    const before = stage.revocation.material('own');
    const [, issuing] = stage.certificatesOf(stage.own);
    await stage.revocation.update([stage.subject()]);
    expect(stage.revocation.material('own')).toBe(before);
    const sibling = parseCertificate(otherAuthority.root.der);
    await stage.revocation.update([
      stage.subject({}, [parseCertificate(stage.own.root.der), issuing, sibling]),
    ]);
    expect(stage.revocation.material('own')).toBe(before);
    expect(stage.directory.requests).toHaveLength(1);
  });
});

it('keeps one table for a CRL that several addresses serve', async () => {
  await using stage = await openStage();
  const { der } = stage.crl();
  for (const path of ['/a.crl', '/b.crl']) stage.directory.files.set(path, der);
  const revocation = await stage.open();
  await revocation.contact('own', stage.leaf({ crl: ['/a.crl', '/b.crl'] }).der);
  expect(revocation.material('own').crls).toHaveLength(1);
  expect(revocation.sources()).toHaveLength(2);
});
