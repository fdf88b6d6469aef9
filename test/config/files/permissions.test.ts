import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSite, type Site } from '../site.ts';
import { examineCertificate, examineFiles, now, plain } from './certificates.ts';

let site: Site;
beforeAll(async () => {
  site = await createSite();
});
afterAll(() => site[Symbol.asyncDispose]());

describe.skipIf(process.platform === 'win32')(
  'warns of a secret that every user of the machine may read or write',
  () => {
    test.each([
      [0o644, 'which every user of this machine may read (mode 0644)'],
      [0o602, 'which every user of this machine may write (mode 0602)'],
      [0o640, null],
      [0o600, null],
    ])('a key of mode %o', async (mode, says) => {
      await examineCertificate(site, plain.chainPem, plain.keyPem);
      await chmod(join(site.folder, 'chain.key'), mode);
      const { problems, warnings } = await examineFiles(site);
      expect(problems).toEqual([]);
      expect(warnings).toEqual(says === null ? [] : [`listen.certificate.key: chain.key ${says}`]);
    });

    test('passphrase, resumption secret and header fields for the collector, without their file names', async () => {
      await examineCertificate(site, plain.chainPem, plain.keyPem);
      await chmod(join(site.folder, 'chain.key'), 0o600);
      for (const name of ['passphrase', 'secret', 'fields']) {
        await site.write(name, name === 'fields' ? 'authorization: x\n' : 'x'.repeat(32));
        await chmod(join(site.folder, name), 0o644);
      }
      const certificate = { chain: 'chain.pem', key: 'chain.key', passphraseFile: 'passphrase' };
      const { warnings } = await site.examine(
        {
          listen: { certificate, resumption: { secretFile: 'secret' } },
          tracing: { endpoint: 'https://127.0.0.1/v1/traces', headersFile: 'fields' },
        },
        now,
      );
      const own = warnings.filter(({ found }) => found.includes('mode'));
      expect(own.map(({ path }) => path).toSorted()).toEqual([
        'listen.certificate.passphraseFile',
        'listen.resumption.secretFile',
        'tracing.headersFile',
      ]);
      expect(new Set(own.map(({ found }) => found))).toEqual(
        new Set(['a file which every user of this machine may read (mode 0644)']),
      );
    });
  },
);
