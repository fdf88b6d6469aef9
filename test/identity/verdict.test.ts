import { describe, expect, it } from 'vitest';
import { deny, denyReasons, failureReasons } from '../../src/identity/verdict.ts';

const reasons = Object.entries(denyReasons);

describe('the table of reasons', () => {
  it('has codes that are metric labels, and no code in both tables', () => {
    const codes = [...Object.keys(denyReasons), ...Object.keys(failureReasons)];
    for (const code of codes) expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
    expect(new Set(codes).size).toBe(codes.length);
    expect(codes).not.toContain('none');
  });

  it('answers 400 to who sent no certificate, and 403 to everyone else', () => {
    for (const [code, { status }] of reasons) expect(status).toBe(code === 'no_certificate' ? 400 : 403);
  });

  it('says of each what an operator reads, and nothing twice', () => {
    const says = [
      ...reasons.map(([, reason]) => reason.says),
      ...Object.values(failureReasons).map(({ says }) => says),
    ];
    for (const sentence of says) expect(sentence.length).toBeGreaterThan(10);
    expect(new Set(says).size).toBe(says.length);
    for (const [, { alb }] of reasons) expect(alb).toMatch(/^Failed:[A-Za-z]+$/);
  });
});

it('denies with the reason’s own words unless there are better ones', () => {
  expect(deny('expired')).toEqual({ allow: false, reason: 'expired', detail: denyReasons.expired.says });
  expect(deny('expired', 'CN=a expired')).toEqual({
    allow: false,
    reason: 'expired',
    detail: 'CN=a expired',
  });
});
