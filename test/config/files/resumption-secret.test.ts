import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeProblem } from '../../../src/errors.ts';
import { createSite, minimal, type Site } from '../site.ts';

let site: Site;
beforeAll(async () => {
  site = await createSite();
});
afterAll(() => site[Symbol.asyncDispose]());

async function examine(content: string | Uint8Array | null) {
  if (content !== null) await site.write('secret', content);
  const secretFile = content === null ? 'absent' : 'secret';
  return site.examine({ listen: { ...minimal.listen, resumption: { secretFile } } });
}

const secret = Buffer.alloc(32, 'secret-');

test('has no secret without a file', async () => {
  const { loaded } = await site.examine({});
  expect(loaded?.resumptionSecret).toBeNull();
});

describe('accepts', () => {
  const binary = Uint8Array.from({ length: 64 }, (_, index) => index * 5);
  test.each<[string, Uint8Array, Uint8Array]>([
    ['32 bytes', secret, secret],
    ['any bytes', binary, binary],
    ['them without the line break that ends them', Buffer.concat([secret, Buffer.from('\n')]), secret],
    ['them without a line break of two bytes', Buffer.concat([secret, Buffer.from('\r\n')]), secret],
    [
      'them, and removes only the last line break',
      Buffer.concat([secret, Buffer.from('\n\n')]),
      Buffer.concat([secret, Buffer.from('\n')]),
    ],
    [
      'a carriage return without a line feed',
      Buffer.concat([secret, Buffer.from('\r')]),
      Buffer.concat([secret, Buffer.from('\r')]),
    ],
  ])('%s', async (_, content, taken) => {
    const { loaded, problems } = await examine(content);
    expect(problems).toEqual([]);
    expect(loaded?.resumptionSecret).toEqual(Buffer.from(taken));
    expect(loaded?.config.listen.resumption).toEqual({
      secretFile: join(site.folder, 'secret'),
      rotate: 43_200_000,
    });
  });
});

describe('refuses, without repeating content', () => {
  test.each<[string, string | null, string]>([
    ['a file that is not there', null, 'a file that cannot be read (ENOENT)'],
    ['an empty file', '', 'a file with 0 bytes'],
    ['31 bytes and a line break', `${secret.toString('latin1', 0, 31)}\n`, 'a file with 31 bytes'],
  ])('%s', async (_, content, found) => {
    const { loaded, problems } = await examine(content);
    expect(loaded).toBeNull();
    expect(problems).toMatchObject([
      { path: 'listen.resumption.secretFile', found, allowed: 'a file with at least 32 bytes' },
    ]);
    expect(problems.map(describeProblem).join()).not.toContain('secret-');
  });
});
