import { describe, expect, it } from 'vitest';
import { failureReasons } from '../../src/handshake/failure-reasons.ts';
import { denyReasons } from '../../src/identity/deny-reasons.ts';

const reasons = Object.entries(denyReasons);

describe('the table of deny reasons', () => {
  it('has names that are metric labels, and no name of the table of failure reasons', () => {
    const codes = [...Object.keys(denyReasons), ...Object.keys(failureReasons)];
    for (const code of codes) expect(code).toMatch(/^[a-z]+[0-9]?(_[a-z]+[0-9]?)*$/);
    expect(new Set(codes).size).toBe(codes.length);
    expect(codes).not.toContain('none');
  });

  it('has status 400 for a client without a certificate, and 403 for every other reason', () => {
    for (const [code, { status }] of reasons) expect(status).toBe(code === 'no_certificate' ? 400 : 403);
  });

  it('says for each what happened, in a sentence that no other reason has', () => {
    const says = [
      ...reasons.map(([, reason]) => reason.says),
      ...Object.values(failureReasons).map(({ says }) => says),
    ];
    for (const sentence of says) expect(sentence.length).toBeGreaterThan(10);
    expect(new Set(says).size).toBe(says.length);
    for (const [, { alb }] of reasons) expect(alb).toMatch(/^Failed:[A-Za-z]+$/);
  });

  it('says for each what to do, and both leave a quarter of an audit record’s detail for names', () => {
    for (const [, { says, advice }] of reasons) {
      expect(`${says}. ${advice}`).toMatch(/^[a-zA-Z].*[^.]\. [A-Z].*\.$/s);
      expect(Buffer.byteLength(`${says}. ${advice}`)).toBeLessThanOrEqual(768);
    }
  });
});
