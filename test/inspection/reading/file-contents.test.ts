/** What files of each kind hold. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Inspected, inspect } from '../../../src/inspection/inspected-items.ts';
import { describeInspected } from '../../../src/inspection/inspection-text.ts';
import { readContents } from '../../../src/inspection/reading/file-contents.ts';
import type { Item } from '../../../src/inspection/reading/item.ts';
import { seeded } from '../../support/random.ts';
import { makeSamples, password, type Samples } from '../samples.ts';

let samples: Samples;
beforeAll(async () => {
  samples = await makeSamples();
});
afterAll(() => samples[Symbol.asyncDispose]());

const read = (bytes: Uint8Array): Promise<Item[]> => readContents(bytes, { password: async () => password });
const file = (name: string): Buffer => samples.files.get(name) as Buffer;
const kindsIn = async (name: string) => (await read(file(name))).map(({ kind }) => kind);

function inspected(items: readonly Item[]): readonly Inspected[] {
  const source = { source: 'file', isChain: false, items };
  return inspect([source], { role: null, policy: null, now: Date.now() }).items;
}

describe('each kind of file', () => {
  it.each([
    ['client.pem', ['certificate']],
    ['client.der', ['certificate']],
    ['chain.pem', ['certificate', 'certificate', 'certificate']],
    ['chain.p7b', ['certificate', 'certificate', 'certificate', 'crl']],
    ['chain-der.p7b', ['certificate', 'certificate', 'certificate', 'crl']],
    ['client.p12', ['certificate', 'certificate', 'certificate', 'private_key']],
    ['open.p12', ['certificate', 'certificate', 'certificate', 'private_key']],
    ['legacy.p12', ['certificate', 'certificate', 'certificate', 'private_key']],
    ['client.jwks', ['certificate', 'certificate']],
    ['ca.crl', ['crl']],
    ['ca-der.crl', ['crl']],
    ['client.csr', ['request']],
    ['client-der.csr', ['request']],
    ['answer.ors', ['ocsp_response']],
    ['answer.pem', ['ocsp_response']],
    ['client.key', ['private_key']],
    ['encrypted.key', ['private_key']],
    ['client.pub', ['public_key']],
  ])('%s holds %j', async (name, kinds) => {
    expect(await kindsIn(name)).toEqual(kinds);
  });

  it('reads a PKCS#7 bundle in BER with indefinite lengths', async () => {
    const der = file('chain-der.p7b');
    const content = der.subarray(4);
    const ber = Buffer.concat([Buffer.of(0x30, 0x80), content, Buffer.of(0, 0)]);
    expect((await read(ber)).map(({ kind }) => kind)).toEqual(await kindsIn('chain-der.p7b'));
  });

  it('reads what the bytes are, not what a label says', async () => {
    const text = file('chain.p7b').toString().replaceAll('PKCS7', 'CERTIFICATE');
    expect((await read(Buffer.from(text))).map(({ kind }) => kind)).toEqual(await kindsIn('chain.p7b'));
  });

  it('reads the good blocks of a bundle beside a damaged one, whose place it names', async () => {
    const text = `${file('client.pem')}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n${file('client.csr')}`;
    const items = await read(Buffer.from(text));
    expect(items.map(({ kind }) => kind)).toEqual(['certificate', 'unreadable', 'request']);
    expect(items[1]?.at).toMatch(/^PEM block 2 \(line \d+\)$/);
  });

  it('asks for the password of a key store only if the empty one does not open it', async () => {
    const refuse = async (): Promise<string> => {
      throw new Error('asked');
    };
    expect(await readContents(file('open.p12'), { password: refuse })).toHaveLength(4);
    await expect(readContents(file('client.p12'), { password: refuse })).rejects.toThrow('asked');
  });

  it('says that a password is wrong', async () => {
    const [item] = await readContents(file('client.p12'), { password: async () => 'another' });
    expect(item).toMatchObject({ kind: 'unreadable', found: expect.stringContaining('another password') });
  });

  it.each([
    ['', 'an empty file'],
    ['  \n', 'a file of white space only'],
    ['<html>', 'an HTML or XML page'],
    ['{"keys":', 'text that begins like JSON and is not, or is cut off'],
    ['{"keys":[]}', 'JSON without an array "keys"'],
    ['nothing of this', 'bytes of an unknown kind'],
    ['-----BEGIN X-----\nAAAA\n-----END X-----', 'labelled X'],
    ['-----BEGIN CERTIFICATE-----\nAAAA', 'a block without its END line: it may be cut off'],
  ])('says what is found in %j', async (text, found) => {
    expect(await read(Buffer.from(text))).toEqual([
      {
        kind: 'unreadable',
        at: expect.toSatisfy(() => true),
        found,
        allowed: expect.stringContaining('PKCS#12'),
      },
    ]);
  });
});

describe('private keys', () => {
  it('are named, with the pin of their public key, and never kept', async () => {
    for (const name of ['client.key', 'encrypted.key', 'client.p12']) {
      const items = await read(file(name));
      const shown = inspected(items).map(describeInspected).join('\n') + JSON.stringify(inspected(items));
      expect(shown).toContain('private key');
      const secret = samples.client.keyPem.split('\n')[1] as string;
      expect(shown).not.toContain(secret.slice(0, 30));
    }
    const [key] = await read(file('client.key'));
    const [certificate] = await read(file('client.pem'));
    expect(key).toMatchObject({
      spkiPin: certificate?.kind === 'certificate' && certificate.certificate?.spkiPin,
    });
  });

  it('in a JWKS are named without a value', async () => {
    const jwk = { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA', d: 'very-secret' };
    const items = await read(Buffer.from(JSON.stringify({ keys: [jwk] })));
    expect(items).toEqual([expect.objectContaining({ kind: 'private_key', what: 'a private key' })]);
    expect(JSON.stringify(items)).not.toContain('very-secret');
  });
});

describe('damaged files', () => {
  /** Describing is a part: what was read must be describable. */
  async function survive(bytes: Uint8Array): Promise<void> {
    const items = await read(bytes);
    expect(items.length).toBeGreaterThan(0);
    for (const item of inspected(items)) {
      expect(describeInspected(item)).not.toMatch(/undefined|\bNaN (?:days|to)|Invalid Date|\[object/);
      JSON.stringify(item);
    }
  }

  it('end with items or faults when they are cut off anywhere', async () => {
    for (const content of samples.files.values()) {
      const step = Math.max(1, Math.floor(content.length / 150));
      for (let length = 0; length < content.length; length += step)
        await survive(content.subarray(0, length));
    }
  });

  it('end with items or faults when bits are flipped', async () => {
    const random = seeded('flipped bits');
    for (const [name, content] of samples.files) {
      for (let round = 0; round < 150; round++) {
        const bytes = Buffer.from(content);
        for (let flips = 1 + random.below(3); flips > 0; flips--) {
          const at = random.below(bytes.length);
          bytes[at] = (bytes[at] as number) ^ (1 << random.below(8));
        }
        await survive(bytes).catch((cause: unknown) => {
          throw new Error(`${name}, seed ${random.seed}: ${bytes.toString('hex')}`, { cause });
        });
      }
    }
  });
});
