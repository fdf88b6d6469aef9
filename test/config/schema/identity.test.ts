/** `identity` in a configuration: the header sets that may be set, and the problems of other values. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeProblem } from '../../../src/errors.ts';
import { createSite, type Site } from '../site.ts';

let site: Site;

beforeAll(async () => {
  site = await createSite();
});

afterAll(() => site[Symbol.asyncDispose]());

test.each([
  [undefined, { headers: ['rfc9440'], chain: false, remove: [] }],
  [{}, { headers: ['rfc9440'], chain: false, remove: [] }],
  [
    { headers: ['forwarded', 'rfc9440'], chain: true },
    { headers: ['forwarded', 'rfc9440'], chain: true, remove: [] },
  ],
  [{ remove: ['X-User', '$my_Field', 'X-Tenant-*'] }, { remove: ['X-User', '$my_Field', 'X-Tenant-*'] }],
])('accepts %j, and keeps the order', async (identity, expected) => {
  const { loaded } = await site.examine(identity === undefined ? {} : { identity });
  expect(loaded?.config.identity).toMatchObject(expected);
});

test.each<[string, object, string]>([
  ['identity.headers', { headers: [] }, 'at least one'],
  ['identity.headers', { headers: 'rfc9440' }, 'a list of header sets'],
  ['identity.headers', { headers: ['aws', 'envoy', 'aws'] }, 'each header set once'],
  ['identity.headers[1]', { headers: ['aws', 'haproxy'] }, 'any of rfc9440, nginx, ingress-nginx, aws'],
  ['identity.chain', { headers: ['aws'], chain: true }, 'chain only with rfc9440'],
  ['identity.remove', { remove: 'X-User' }, 'a list of names of fields'],
  ['identity.remove[1]', { remove: ['X-User', 'X User'] }, 'the name of a field such as X-User'],
  ['identity.remove[0]', { remove: ['*'] }, 'the name of a field such as X-User'],
  ['identity.remove[0]', { remove: ['X-*-User'] }, 'the name of a field such as X-User'],
  ['identity.remove[0]', { remove: ['Content-Type'] }, 'which the gateway or the host needs'],
  ['identity.remove[0]', { remove: ['transfer-encoding'] }, 'which the gateway or the host needs'],
  ['identity.header', { header: ['aws'] }, 'an unknown key'],
])('reports at %s the problem of %j', async (path, identity, says) => {
  const { problems, loaded } = await site.examine({ identity });
  expect(loaded).toBe(null);
  expect(problems.map((problem) => problem.path)).toEqual([path]);
  expect(problems.map(describeProblem).join()).toContain(says);
});
