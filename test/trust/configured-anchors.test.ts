/** Anchors from files, and the problems of configured anchors. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ders, now, openStore, own, sha256, stranger } from '../support/trust/anchor-store.ts';

describe('an anchor from files', () => {
  const files = async (
    store: Awaited<ReturnType<typeof openStore>>,
    content: Record<string, string | Buffer>,
  ) => {
    const paths = Object.keys(content).map((name) => join(store.folder, name));
    await Promise.all(Object.values(content).map((text, index) => writeFile(paths[index] as string, text)));
    return { anchor: { urls: undefined, files: paths } };
  };

  it('is read once, PEM or DER', async () => {
    await using store = await openStore();
    const trust = await store.open(
      await files(store, { 'issuing.pem': own.issuing.pem, 'root.der': own.root.der }),
    );
    expect(ders(trust)).toEqual([[own.root.der, own.issuing.der]]);
    expect(trust.states()).toMatchObject([{ source: 'files', pinned: false, fetchedAt: now }]);
    expect(store.timers.pending).toEqual([]);
    expect(store.events).toEqual([]);
  });

  it('is refused with all problems of all its files', async () => {
    await using store = await openStore();
    const { anchor } = await files(store, { 'key.pem': own.root.keyPem });
    const missing = join(store.folder, 'missing.pem');
    await expect(
      store.open({ anchor: { ...anchor, files: [...anchor.files, missing] } }),
    ).rejects.toMatchObject({
      code: 'TRUST',
      problems: [
        { path: 'trust.anchors[0].files[0]', found: expect.stringContaining('is a private key') },
        { path: 'trust.anchors[0].files[1]', found: `${missing}: ENOENT` },
      ],
    });
  });

  it('is refused if it is not usable, is not the pinned one, or fails the final check', async () => {
    await using store = await openStore();
    const problem = (found: string) => ({
      problems: [{ path: 'trust.anchors[0].files', found: expect.stringContaining(found) }],
    });
    const { anchor } = await files(store, { 'anchor.pem': own.anchorPem });
    const pinned = { ...anchor, rootSha256: sha256(stranger) };
    await expect(store.open({ anchor: pinned })).rejects.toMatchObject(problem('not rootSha256'));
    await expect(store.open({ anchor, accept: () => 'no' })).rejects.toMatchObject(problem('no'));
    const mixed = await files(store, { 'mixed.pem': own.root.pem + stranger.issuing.pem });
    await expect(store.open(mixed)).rejects.toMatchObject(problem('no path leads to the root'));
  });

  it('is refused if the CA file for the server of its URLs holds no certificate', async () => {
    await using store = await openStore();
    const ca = join(store.folder, 'empty.pem');
    await writeFile(ca, '');
    await expect(store.open({ anchor: { tls: { ca } } })).rejects.toMatchObject({
      problems: [{ path: 'trust.anchors[0].tls.ca' }],
    });
  });
});
