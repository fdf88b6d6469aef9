import { describe, expect, it } from 'vitest';
import { checkRules } from '../../../src/config/rules/rules.ts';

const registered = { jwks: { file: 'clients.jwks' } };
const anchors = [{ name: 'a', files: ['root.pem'] }];
const allowlist = ['203.0.113.7'];

describe('trust.mode: registered', () => {
  const check = (trust: object, clients: object) =>
    checkRules({ trust: { mode: 'registered', ...trust }, clients });

  it('says in words what is no longer verified, and what still is', () => {
    const { problems, warnings } = check({}, { allowlist, registered });
    expect(problems).toEqual([]);
    expect(warnings).toEqual([
      {
        path: ['trust', 'mode'],
        found:
          'mode: registered: no CA vouches for a client. Not verified: who issued its certificate, a path to a trust anchor, name constraints, and revocation. Still verified: that the client has the private key, that its certificate or key is in clients.registered, the dates of the certificate, the strength of its key, and its purpose',
        allowed: 'mode: anchors, if a CA issues the clients’ certificates',
      },
    ]);
  });

  it('warns that with compare: key clients write the names in their certificates themselves', () => {
    const { problems, warnings } = check({}, { allowlist, registered: { ...registered, compare: 'key' } });
    expect(problems).toEqual([]);
    expect(warnings[1]).toMatchObject({
      path: ['clients', 'registered', 'compare'],
      found: expect.stringContaining('each client writes the names in its certificate itself'),
    });
  });

  it.each([
    ['anchors', { anchors }, { registered }, ['trust', 'anchors']],
    ['candidates', { candidates: anchors }, { registered }, ['trust', 'candidates']],
    ['clients without registered', {}, { allowlist }, ['trust', 'mode']],
    [
      'a registration in shadow mode',
      {},
      { allowlist, registered: { ...registered, mode: 'shadow' } },
      ['clients', 'registered', 'mode'],
    ],
  ])('refuses %s', (_what, trust, clients, path) => {
    expect(check(trust, { allowlist, ...clients }).problems).toMatchObject([{ path }]);
  });
});

describe('clients.registered', () => {
  it('names the caller, so that no other condition is demanded; in shadow mode it does not', () => {
    const check = (changes: object) =>
      checkRules({ trust: { anchors }, clients: { registered: { ...registered, ...changes } } }).problems;
    expect(check({})).toEqual([]);
    expect(check({ mode: 'shadow' })).toMatchObject([
      { path: ['clients'], found: 'nothing that names a caller' },
    ]);
  });

  it('does not replace the anchors by itself', () => {
    expect(checkRules({ trust: {}, clients: { allowlist, registered } }).problems).toEqual([
      { path: ['trust', 'anchors'], allowed: 'a list of anchors' },
    ]);
  });
});
