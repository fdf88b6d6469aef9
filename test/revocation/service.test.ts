import { describe, expect, it } from 'vitest';
import { openStage } from '../support/revocation-stage.ts';

describe('the first contact of a leaf', () => {
  it('resolves when its CRL and its responder have answered', async () => {
    await using stage = await openStage();
    const leaf = stage.leaf({ crl: ['/own.crl'], ocsp: true });
    stage.directory.files.set('/own.crl', stage.crl().der);
    const revocation = await stage.open();
    await revocation.contact('own', leaf.der);
    expect(revocation.material('own')).toMatchObject({
      crls: [{ number: 1n }],
      ocsp: [{ status: 'good' }],
      leaves: [expect.any(String)],
    });
    expect(stage.actions().sort()).toEqual(['crl_fetched', 'ocsp_fetched']);
  });
});
