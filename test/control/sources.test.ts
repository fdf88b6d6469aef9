/** The inputs of a snapshot are opened together: a start that is refused leaves nothing running. */
import { AsyncLocalStorage, createHook } from 'node:async_hooks';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { preflight } from '../../src/control/preflight.ts';
import { Sources } from '../../src/control/sources.ts';
import { temporaryFolder } from '../support/folder.ts';
import { authority } from '../support/pki/authority.ts';

/** Runs the task, and resolves with the number of timers that it, or what it started, has left. */
async function timersLeftBy(task: () => Promise<unknown>): Promise<number> {
  const within = new AsyncLocalStorage<true>();
  const open = new Set<number>();
  const hook = createHook({
    init: (id, type) => {
      if (type === 'Timeout' && within.getStore() === true) open.add(id);
    },
    destroy: (id) => open.delete(id),
  }).enable();
  await within.run(true, task);
  // Node reports what was cleared in a later iteration of the event loop.
  await new Promise(setImmediate);
  hook.disable();
  return open.size;
}

it('leaves no timer if the anchors are refused after the configuration was read', async () => {
  await using folder = await temporaryFolder();
  const pki = authority();
  const { chainPem, keyPem } = pki.issueServer();
  const write = (name: string, text: string) => writeFile(join(folder.path, name), text, { mode: 0o600 });
  await write('server.pem', chainPem);
  await write('server.key', keyPem);
  await write('anchor.pem', pki.anchorPem);
  const config = {
    listen: { certificate: { chain: 'server.pem', key: 'server.key' } },
    trust: { anchors: [{ name: 'own', files: ['anchor.pem'] }], cacheDir: 'trust' },
    clients: { anyCertificateOfAnchor: true },
    routes: [{ path: '/', upstream: 'http://127.0.0.1:1', deadline: '30s' }],
  };
  await write('gateway.yaml', JSON.stringify(config));
  const { loaded, problems } = await preflight(join(folder.path, 'gateway.yaml'));
  if (loaded === null) throw new Error(JSON.stringify(problems));
  const options = { signal: new AbortController().signal, onChange: () => {}, onTrust: () => {} };
  const others = {
    onRevocation: () => {},
    onKeys: () => {},
    onUnknownKid: () => {},
    onIntrospection: () => {},
  };
  await write('anchor.pem', 'nothing');
  const left = await timersLeftBy(() =>
    expect(Sources.open(loaded, { ...options, ...others })).rejects.toMatchObject({
      code: 'TRUST',
    }),
  );
  expect(left).toBe(0);
});
