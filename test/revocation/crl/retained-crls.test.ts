/** Verified CRLs that may not replace the one in use: their revocations count at once, and they are judged again later. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type IssueOptions, issueCertificate } from '../../../src/issuing/certificate.ts';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import { makeKey } from '../../../src/pki/key.ts';
import { RevocationCheck } from '../../../src/revocation/judgement.ts';
import type { Revocation } from '../../../src/revocation/service.ts';
import type { Issued } from '../../support/pki/authority.ts';
import { renewSigner } from '../../support/revocation/renewed-signer.ts';
import {
  crlNumbers,
  day,
  hour,
  minute,
  openStage,
  openWithCrl,
  type Stage,
  start,
} from '../../support/revocation/stage.ts';
import { misbehaviours } from '../../support/trust/directory.ts';

/** The status of the leaf at the staged time. */
function statusOf(...about: Parameters<typeof resultOf>) {
  return resultOf(...about).status;
}

function resultOf(
  stage: Pick<Stage, 'own' | 'certificatesOf' | 'time'>,
  revocation: Revocation,
  leaf: Issued,
  signers: readonly Issued[] = [],
) {
  const [root, issuing] = stage.certificatesOf(stage.own);
  const certificates = [root, issuing, ...signers.map(({ der }) => parseCertificate(der))];
  const check = new RevocationCheck(revocation.material('own'), certificates);
  return check.resultOf([parseCertificate(leaf.der), issuing, root], stage.time.now);
}

async function openWithFile(options: Parameters<Stage['crl']>[0]) {
  await using opened = new AsyncDisposableStack();
  const stage = opened.use(await openStage());
  const file = join(stage.folder, 'own.crl');
  const leaf = stage.leaf();
  await writeFile(file, stage.crl({ revoked: [{ serial: leaf }], ...options }).der);
  const subject = stage.subject({ crl: [file] });
  const revocation = await stage.open([subject]);
  const stack = opened.move();
  return {
    ...stage,
    file,
    revoked: leaf,
    subject,
    revocation,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

describe('a revocation in a verified CRL counts even if the CRL is not in use:', () => {
  it.each<[string, Parameters<Stage['crl']>[0]]>([
    ['its number goes back', { number: 3 }],
    ['it is not yet valid', { number: 6, thisUpdate: start + day, nextUpdate: start + 2 * day }],
    ['it has expired', { number: 6, thisUpdate: start - 3 * day, nextUpdate: start - 2 * day }],
    ['it is a delta CRL', { number: 6, baseNumber: 5 }],
  ])('%s', async (_, options) => {
    await using stage = await openWithCrl();
    const { revocation, revocable: leaf } = stage;
    expect(statusOf(stage, revocation, leaf)).toBe('good');
    stage.directory.files.set('/own.crl', stage.crl({ ...options, revoked: [{ serial: leaf }] }).der);
    await stage.pass(hour);
    expect(stage.actions()).toEqual(['crl_refused']);
    expect(stage.changed).toEqual(['own']);
    expect(crlNumbers(revocation)).toEqual([5]);
    expect(statusOf(stage, revocation, leaf)).toBe('revoked');
    expect(statusOf(stage, revocation, stage.leaf()), 'an omitted certificate is not affected').toBe('good');

    // It counts after a restart too, while nothing can be fetched.
    await revocation.close();
    stage.directory.misbehaviour = misbehaviours.fail;
    const restarted = await stage.open();
    expect(crlNumbers(restarted)).toEqual([5]);
    expect(statusOf(stage, restarted, leaf)).toBe('revoked');
  });

  it('until a newer CRL that omits it is in use', async () => {
    await using stage = await openWithCrl();
    const { revocation, revocable: leaf, directory } = stage;
    directory.files.set('/own.crl', stage.crl({ number: 3, revoked: [{ serial: leaf }] }).der);
    await stage.pass(hour);
    directory.files.set('/own.crl', stage.crl({ number: 6 }).der);
    await stage.pass(hour);
    expect(crlNumbers(revocation)).toEqual([6]);
    expect(revocation.material('own').revokeOnly).toEqual([]);
    expect(statusOf(stage, revocation, leaf)).toBe('good');
  });

  it('and a denial has the same CRL id as the event of its refusal', async () => {
    await using stage = await openWithCrl();
    const { revocation, revocable: leaf, directory } = stage;
    directory.files.set('/own.crl', stage.crl({ number: 3, revoked: [{ serial: leaf }] }).der);
    await stage.pass(hour);
    const detail = stage.events.find(({ action }) => action === 'crl_refused')?.detail ?? '';
    const [, id] =
      /\(CRL ([0-9a-f]{12}), number 3\); the certificates that it lists count as revoked$/.exec(detail) ?? [];
    expect(resultOf(stage, revocation, leaf).detail).toContain(`according to CRL ${id} (number 3)`);
  });

  it('also while the source serves the CRL in use again, with its higher number', async () => {
    await using stage = await openWithCrl();
    const { revocation, revocable: leaf, directory } = stage;
    const inUse = directory.files.get('/own.crl') as Buffer;
    const restored = { number: 3, thisUpdate: start + minute, nextUpdate: start + day };
    directory.files.set('/own.crl', stage.crl({ ...restored, revoked: [{ serial: leaf }] }).der);
    await stage.pass(hour);
    expect(statusOf(stage, revocation, leaf)).toBe('revoked');
    directory.files.set('/own.crl', inUse);
    // In full, not as 304.
    await revocation.refresh();
    expect(stage.actions()).toEqual(['crl_refused', 'crl_confirmed']);
    expect(statusOf(stage, revocation, leaf)).toBe('revoked');
  });

  it('also when older CRLs that may not be used either are served after it', async () => {
    await using stage = await openWithCrl();
    const { revocation, revocable: leaf, directory } = stage;
    const restored = { number: 3, thisUpdate: start + minute, nextUpdate: start + day };
    directory.files.set('/own.crl', stage.crl({ ...restored, revoked: [{ serial: leaf }] }).der);
    await stage.pass(hour);
    for (const number of [4, 1, 2, 1, 2, 1]) {
      const replayed = { number, thisUpdate: start - hour - number * minute };
      directory.files.set('/own.crl', stage.crl(replayed).der);
      await stage.pass(hour);
      expect(statusOf(stage, revocation, leaf), `after ${number}`).toBe('revoked');
    }
    expect(revocation.material('own').revokeOnly.length).toBeLessThanOrEqual(4);
  });

  it('also when the signer’s certificate is replaced by one with the same key', async () => {
    await using stage = await openWithCrl();
    const { revocation, revocable: leaf, directory } = stage;
    const restored = { number: 3, thisUpdate: start + minute, nextUpdate: start + day };
    directory.files.set('/own.crl', stage.crl({ ...restored, revoked: [{ serial: leaf }] }).der);
    await stage.pass(hour);
    directory.files.set('/own.crl', stage.crl({ number: 4, thisUpdate: start - hour }).der);
    await stage.pass(hour);
    const { certificates, statusOf: statusAfter } = renewSigner(stage);
    directory.misbehaviour = misbehaviours.fail;
    await revocation.update([stage.subject({}, certificates)]);
    expect(crlNumbers(revocation)).toEqual([5]);
    expect(statusAfter(revocation, leaf)).toBe('revoked');
    expect(statusAfter(revocation, stage.leaf())).toBe('good');
  });

  it('also those of every kept CRL, when the signer’s certificate is replaced by one with the same key', async () => {
    await using stage = await openWithCrl();
    const { revocation, directory } = stage;
    const leaves = [4, 3, 2, 1].map((number) => ({ number, leaf: stage.leaf() }));
    for (const { number, leaf } of leaves) {
      const thisUpdate = start - hour + (4 - number) * minute;
      directory.files.set('/own.crl', stage.crl({ number, thisUpdate, revoked: [{ serial: leaf }] }).der);
      await stage.pass(hour);
    }
    const before = revocation.material('own').revokeOnly;
    expect(before).toHaveLength(4);
    const { certificates, statusOf: statusAfter } = renewSigner(stage);
    directory.misbehaviour = misbehaviours.fail;
    await revocation.update([stage.subject({}, certificates)]);
    expect(leaves.map(({ leaf }) => statusAfter(revocation, leaf))).toEqual(before.map(() => 'revoked'));
    expect(crlNumbers(revocation)).toEqual([5]);
  });

  it('also when their signer is not the issuing CA’s own key, and its certificate is replaced by one with the same key', async () => {
    await using stage = await openWithCrl();
    const { revocation, revocable: leaf, directory, own } = stage;
    const [root, issuing] = stage.certificatesOf(own);
    const key = makeKey('P-256');
    const [former, renewed] = [day, 2 * day].map((notAfter) =>
      issueCertificate({
        ...{ subject: own.issuing.subject, issuer: own.root, key, notBefore: start - day },
        ...{ notAfter: start + notAfter, basicConstraints: { ca: true }, keyUsage: ['cRLSign'] },
      }),
    ) as [Issued, Issued];
    await revocation.update([stage.subject({}, [root, issuing, parseCertificate(former.der)])]);
    const crl = stage.crl({ number: 3, issuer: former, revoked: [{ serial: leaf }] });
    directory.files.set('/own.crl', crl.der);
    await stage.pass(hour);
    expect(statusOf(stage, revocation, leaf, [former])).toBe('revoked');
    await revocation.update([stage.subject({}, [root, issuing, parseCertificate(renewed.der)])]);
    expect(statusOf(stage, revocation, leaf, [renewed])).toBe('revoked');
  });

  it.each<[string, Partial<IssueOptions>]>([
    ['has its name', { subject: { CN: 'Another CA' } }],
    ['may sign CRLs', { keyUsage: ['keyCertSign'] }],
  ])('but not when no certificate with the signer’s key %s', async (_, changes) => {
    await using stage = await openWithFile({ number: 5 });
    await writeFile(stage.file, stage.crl({ number: 3, thisUpdate: start + minute }).der);
    await stage.pass(5000);
    expect(stage.revocation.material('own')).toMatchObject({
      crls: { length: 1 },
      revokeOnly: { length: 1 },
    });
    const { certificates } = renewSigner(stage, changes);
    await stage.revocation.update([{ ...stage.subject, certificates }]);
    expect(stage.revocation.material('own')).toMatchObject({ crls: [], revokeOnly: [] });
  });

  it('but not when its signer is gone, although the signer of the CRL in use stays', async () => {
    await using stage = await openWithCrl();
    const { revocation, directory } = stage;
    const other = renewSigner(stage, { key: 'P-256' });
    const [root, issuing] = stage.certificatesOf(stage.own);
    await revocation.update([stage.subject({}, [root, issuing, other.renewed])]);
    const inUse = directory.files.get('/own.crl') as Buffer;
    directory.files.set(
      '/own.crl',
      stage.crl({ number: 3, thisUpdate: start + minute, nextUpdate: start + day, issuer: other.issued }).der,
    );
    await stage.pass(hour);
    directory.files.set('/own.crl', inUse);
    await revocation.refresh();
    expect(stage.actions()).toEqual(['crl_refused', 'crl_confirmed']);
    expect(revocation.material('own').revokeOnly).toHaveLength(1);
    await revocation.update([stage.subject({}, [root, issuing])]);
    expect(crlNumbers(revocation)).toEqual([5]);
    expect(revocation.material('own').revokeOnly).toEqual([]);
  });

  it('also when the signer’s certificate is replaced and the file of the CRL in use cannot be read', async () => {
    await using stage = await openWithFile({ number: 5 });
    const { certificates, statusOf: statusAfter } = renewSigner(stage);
    await writeFile(stage.file, 'not a CRL');
    await stage.revocation.update([{ ...stage.subject, certificates }]);
    expect(crlNumbers(stage.revocation), 'it stays in use').toEqual([5]);
    expect(statusAfter(stage.revocation, stage.revoked)).toBe('revoked');
    expect(statusAfter(stage.revocation, stage.leaf())).toBe('good');
  });

  it('but not when no certificate has the signer’s key any more', async () => {
    await using stage = await openWithCrl();
    const { revocation, revocable: leaf, directory } = stage;
    directory.files.set('/own.crl', stage.crl({ number: 3, revoked: [{ serial: leaf }] }).der);
    await stage.pass(hour);
    const { certificates } = renewSigner(stage, { key: 'P-256' });
    await revocation.update([stage.subject({}, certificates)]);
    expect(revocation.material('own')).toMatchObject({ crls: [], revokeOnly: [] });
  });

  it('but certificateHold in an older CRL is over if the CRL in use omits it', async () => {
    await using stage = await openWithCrl();
    const { revocation, revocable: leaf, directory } = stage;
    const held = [{ serial: leaf, reason: 'certificateHold' as const }];
    const old = { number: 4, thisUpdate: start - hour, nextUpdate: start + day };
    directory.files.set('/own.crl', stage.crl({ ...old, revoked: held }).der);
    await stage.pass(hour);
    expect(statusOf(stage, revocation, leaf)).toBe('good');
    directory.files.set('/own.crl', stage.crl({ number: 3, revoked: held }).der);
    await stage.pass(hour);
    expect(statusOf(stage, revocation, leaf), 'a later CRL has it again').toBe('revoked');
  });
});

describe('a file', () => {
  it('that was not yet valid is used when it becomes valid, without a change of the file', async () => {
    await using stage = await openWithFile({ number: 1, thisUpdate: start + hour, nextUpdate: start + day });
    const { revocation } = stage;
    expect(crlNumbers(revocation)).toEqual([]);
    expect(stage.actions()).toEqual(['crl_refused']);
    await stage.pass(10 * minute);
    expect(revocation.sources()).toMatchObject([{ problem: expect.stringContaining('not yet valid') }]);
    expect(revocation.sources()[0]?.failures, 'for the alert').toBeGreaterThan(3);
    await stage.pass(hour);
    expect(crlNumbers(revocation)).toEqual([1]);
    expect(stage.actions()).toEqual(['crl_fetched']);
    expect(revocation.sources()).toMatchObject([{ problem: null, failures: 0 }]);
  });

  it('that was not yet valid is used at once on an update', async () => {
    await using stage = await openWithFile({ number: 1, thisUpdate: start + hour, nextUpdate: start + day });
    stage.time.now += hour;
    await stage.revocation.update([stage.subject]);
    expect(crlNumbers(stage.revocation)).toEqual([1]);
  });

  it('that had expired before it was first read revokes the certificates that it lists', async () => {
    const over = { thisUpdate: start - 3 * day, nextUpdate: start - 2 * day };
    await using stage = await openWithFile(over);
    const { revocation, revoked: leaf } = stage;
    expect(stage.events).toMatchObject([
      {
        action: 'crl_refused',
        detail: expect.stringMatching(/^expired: at .*the certificates that it lists count/),
      },
    ]);
    expect(crlNumbers(revocation)).toEqual([]);
    expect(statusOf(stage, revocation, leaf)).toBe('revoked');
    expect(statusOf(stage, revocation, stage.leaf({ crl: ['/own.crl'] }))).toBe('unknown');
  });
});

describe('a CA that restarts its CRL numbers', () => {
  it('is accepted after the last CRL and its grace period have expired, with a warning, and not before', async () => {
    await using stage = await openWithCrl();
    const { revocation, directory, revocable: leaf } = stage;
    const restored = stage.crl({ number: 1, nextUpdate: start + 9 * day });
    directory.files.set('/own.crl', restored.der);
    await stage.pass(2 * day);
    expect(crlNumbers(revocation)).toEqual([5]);
    expect(stage.actions()).toEqual(['crl_refused', 'crl_stale']);
    await stage.pass(minute);
    expect(crlNumbers(revocation)).toEqual([1]);
    expect(statusOf(stage, revocation, leaf)).toBe('good');
    expect(stage.events).toMatchObject([
      { action: 'crl_expired' },
      { action: 'crl_fetched' },
      {
        action: 'crl_restarted',
        address: stage.url('/own.crl'),
        detail: expect.stringMatching(
          /^rolled back: CRL number 1 after 5; accepted because the CRL in use expired/,
        ),
      },
    ]);
    stage.actions();
    directory.files.set('/own.crl', stage.crl({ number: 2, nextUpdate: start + 9 * day }).der);
    await stage.pass(hour);
    expect(stage.actions()).toEqual(['crl_fetched']);
  });

  it('restores no certificate revoked before, until its numbers have reached the old one', async () => {
    await using stage = await openWithCrl();
    const { directory, revocable: leaf } = stage;
    let { revocation } = stage;
    const serve = async (number: number) => {
      directory.files.set('/own.crl', stage.crl({ number, nextUpdate: start + 9 * day }).der);
      await stage.pass(hour);
    };
    directory.files.set('/own.crl', stage.crl({ number: 6, revoked: [{ serial: leaf }] }).der);
    await stage.pass(hour);
    await serve(1);
    await stage.pass(2 * day);
    expect(crlNumbers(revocation)).toEqual([1]);
    await serve(2);
    expect(crlNumbers(revocation)).toEqual([2]);
    expect(statusOf(stage, revocation, leaf)).toBe('revoked');
    expect(statusOf(stage, revocation, stage.leaf())).toBe('good');

    await revocation.close();
    revocation = await stage.open();
    expect(crlNumbers(revocation)).toEqual([2]);
    expect(statusOf(stage, revocation, leaf)).toBe('revoked');
    await serve(6);
    expect(statusOf(stage, revocation, leaf)).toBe('good');
    expect(revocation.material('own').revokeOnly).toEqual([]);
  });

  it('restores no certificate when the signer’s certificate of the previous CRL is removed and its key stays', async () => {
    await using stage = await openWithCrl();
    const { directory, revocation, revocable: leaf, own, certificatesOf } = stage;
    const [root, issuing] = certificatesOf(own);
    const { renewed, certificates, statusOf: statusAfter } = renewSigner(stage);
    const serve = async (number: number, revoked: readonly Issued[], milliseconds: number) => {
      const entries = revoked.map((serial) => ({ serial }));
      const nextUpdate = stage.time.now + day;
      directory.files.set('/own.crl', stage.crl({ number, nextUpdate, revoked: entries }).der);
      await stage.pass(milliseconds);
    };
    await serve(6, [leaf], hour);
    await serve(1, [], 2 * day);
    await serve(1, [], 2 * hour);
    expect(crlNumbers(revocation)).toEqual([1]);
    await revocation.update([stage.subject({}, [root, issuing, renewed])]);
    await serve(2, [], hour);
    directory.misbehaviour = misbehaviours.fail;
    await stage.pass(2 * hour);
    await revocation.update([stage.subject({}, certificates)]);
    expect(crlNumbers(revocation)).toEqual([2]);
    expect(statusAfter(revocation, leaf)).toBe('revoked');
  });

  it('is accepted from the pending CRL on disk, and after a restart too', async () => {
    await using stage = await openWithCrl();
    const { revocation, directory } = stage;
    directory.files.set('/own.crl', stage.crl({ number: 1, nextUpdate: start + 9 * day }).der);
    await stage.pass(hour);
    directory.misbehaviour = misbehaviours.fail;
    await revocation.close();
    stage.actions();
    const restarted = await stage.open();
    expect(crlNumbers(restarted)).toEqual([5]);
    await stage.pass(2 * day);
    expect(crlNumbers(restarted)).toEqual([1]);
    expect(stage.actions()).toContain('crl_restarted');
    await restarted.close();
    expect(crlNumbers(await stage.open())).toEqual([1]);
  });

  it('is accepted at once when the operator drops the stored CRLs', async () => {
    await using stage = await openWithCrl();
    const { revocation, directory, url } = stage;
    directory.files.set('/own.crl', stage.crl({ number: 1 }).der);
    await stage.pass(hour);
    stage.actions();
    expect(await revocation.forget('own', url('/other.crl'))).toBe(false);
    expect(await revocation.forget('other', null)).toBe(false);
    expect(await revocation.forget('own', url('/own.crl'))).toBe(true);
    expect(stage.actions()).toEqual(['forgotten']);
    await stage.reported('crl_fetched');
    expect(crlNumbers(revocation)).toEqual([1]);
    await revocation.close();
    expect(crlNumbers(await stage.open())).toEqual([1]);
  });
});
