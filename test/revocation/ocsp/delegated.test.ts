/** The revocation of a delegated responder without ocsp-nocheck is checked too (RFC 6960 §4.2.2.2.1). */
import { describe, expect, it } from 'vitest';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import { RevocationCheck } from '../../../src/revocation/judgement.ts';
import { noCheckExtension } from '../../../src/revocation/ocsp/structure.ts';
import type { Revocation } from '../../../src/revocation/service.ts';
import type { Issued } from '../../support/pki/authority.ts';
import { delegate } from '../../support/revocation/ocsp-responder.ts';
import { openStage, type Stage, start } from '../../support/revocation/stage.ts';

const withNoCheck = { extensions: [{ oid: noCheckExtension, value: Buffer.of(5, 0) }] };
const withoutNoCheck = { extensions: [] };

/** The service has a CRL of the issuing CA that lists the given certificates. */
async function openWith(stage: Stage, revoked: readonly Issued[]): Promise<Revocation> {
  const der = stage.crl({ number: 5, revoked: revoked.map((serial) => ({ serial })) }).der;
  stage.directory.files.set('/own.crl', der);
  const revocation = await stage.open();
  await revocation.contact('own', stage.leaf({ crl: ['/own.crl'] }).der);
  await stage.pass(0);
  stage.actions();
  return revocation;
}

function sign(stage: Stage, signer: Issued, status: 'good' | { readonly revokedAt: number } = 'good'): void {
  stage.responder.lie = { signer, certificates: [signer.der], status };
}

/** The status of a leaf by its responder alone: by the CRL it would be good. */
function wordOn(stage: Stage, revocation: Revocation, leaf: Issued) {
  const [root, issuing] = stage.certificatesOf(stage.own);
  const known = revocation.material('own');
  const words = known.ocsp.filter(({ certificate }) => certificate === parseCertificate(leaf.der).tbsSha256);
  const now = stage.time.now;
  // After its grace period a CRL still revokes, and shows no certificate to be good.
  const crls = known.crls.map((crl) => ({ ...crl, nextUpdate: 0 }));
  const check = new RevocationCheck({ ...known, crls, ocsp: words }, [root, issuing]);
  return check.resultOf([parseCertificate(leaf.der), issuing, root], now);
}

describe('a delegated responder that is known to be revoked', () => {
  it('is not accepted, and the refusal names it', async () => {
    await using stage = await openStage();
    const signer = delegate(stage.own.issuing, withoutNoCheck);
    const revocation = await openWith(stage, [signer]);
    sign(stage, signer);
    const leaf = stage.leaf({ ocsp: true });
    await revocation.contact('own', leaf.der);
    expect(stage.events).toContainEqual(
      expect.objectContaining({
        action: 'ocsp_refused',
        detail: 'the certificate of the responder, CN=Example OCSP responder, is revoked',
      }),
    );
    expect(revocation.material('own').ocsp).toMatchObject([{ status: 'failed', responder: null }]);
  });

  it('by a CRL that is not in use, is not accepted, and the next responder is queried', async () => {
    await using stage = await openStage();
    const signer = delegate(stage.own.issuing, withoutNoCheck);
    const revocation = await openWith(stage, []);
    const restored = stage.crl({ number: 3, revoked: [{ serial: signer }] });
    stage.directory.files.set('/own.crl', restored.der);
    await stage.pass(2 * 3_600_000);
    sign(stage, signer);
    await revocation.contact('own', stage.leaf({ ocsp: true }).der);
    expect(revocation.material('own').ocsp).toMatchObject([{ status: 'failed', responder: null }]);
  });

  it('invalidates its earlier response when its revocation becomes known', async () => {
    await using stage = await openStage();
    const signer = delegate(stage.own.issuing, withoutNoCheck);
    const revocation = await openWith(stage, []);
    sign(stage, signer);
    const leaf = stage.leaf({ ocsp: true });
    await revocation.contact('own', leaf.der);
    expect(revocation.material('own').ocsp).toMatchObject([
      { status: 'good', responder: { subject: 'CN=Example OCSP responder' } },
    ]);
    const crl = stage.crl({ number: 6, revoked: [{ serial: signer }] });
    stage.directory.files.set('/own.crl', crl.der);
    expect(wordOn(stage, revocation, leaf)).toMatchObject({ status: 'good' });
    await stage.pass(2 * 3_600_000);
    expect(wordOn(stage, revocation, leaf)).toMatchObject({
      status: 'unknown',
      detail: expect.stringContaining(
        'the certificate of its OCSP responder, CN=Example OCSP responder, is revoked',
      ),
    });
  });

  it('is still accepted when it reports a certificate as revoked', async () => {
    await using stage = await openStage();
    const signer = delegate(stage.own.issuing, withoutNoCheck);
    const revocation = await openWith(stage, [signer]);
    sign(stage, signer, { revokedAt: start });
    const leaf = stage.leaf({ ocsp: true });
    await revocation.contact('own', leaf.der);
    expect(wordOn(stage, revocation, leaf)).toMatchObject({ status: 'revoked' });
  });
});

it('a delegated responder with ocsp-nocheck is not checked', async () => {
  await using stage = await openStage();
  const signer = delegate(stage.own.issuing, withNoCheck);
  const revocation = await openWith(stage, [signer]);
  sign(stage, signer);
  const leaf = stage.leaf({ ocsp: true });
  await revocation.contact('own', leaf.der);
  expect(revocation.material('own').ocsp).toMatchObject([{ status: 'good', responder: null }]);
});
