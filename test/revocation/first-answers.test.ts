/** What the start of the gateway waits for: sources without a copy on disk, and no others. */
import { expect, it } from 'vitest';
import { ocspMisbehaviours } from '../support/revocation/ocsp-responder.ts';
import { openStage } from '../support/revocation/stage.ts';
import { misbehaviours } from '../support/trust/directory.ts';

const ca = { crl: ['/root.crl'], ocsp: true };

it('does not wait for sources with a copy on disk, even if they hang', async () => {
  await using stage = await openStage({ scope: 'chain' }, { ca });
  stage.directory.files.set('/root.crl', stage.crl({ issuer: stage.own.root }).der);
  const before = await stage.open();
  await before.firstAnswers();
  await before.close();

  stage.directory.misbehaviour = misbehaviours.hang;
  stage.responder.misbehaviour = ocspMisbehaviours.hang;
  const revocation = await stage.open();
  await revocation.firstAnswers();
  expect(revocation.material('own')).toMatchObject({ crls: [{ number: 1n }], ocsp: [{ status: 'good' }] });
});

it('waits for a source without a copy until it answers, successfully or not', async () => {
  await using stage = await openStage({ scope: 'chain' }, { ca: { crl: ca.crl } });
  const held = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  stage.directory.misbehaviour = (_request, response) => {
    asked.resolve();
    void held.promise.then(() => response.writeHead(404).end());
  };
  const revocation = await stage.open();
  let settled = false;
  const settling = revocation.firstAnswers().then(() => {
    settled = true;
  });
  await asked.promise;
  await new Promise(setImmediate);
  expect(settled).toBe(false);
  held.resolve();
  await settling;
  expect(stage.actions()).toEqual(['crl_fetch_failed']);
});
