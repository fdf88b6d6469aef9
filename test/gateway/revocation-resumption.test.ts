/** A resumed session: the gateway still checks whether the certificate was revoked since. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { statusOf } from '../support/http/http.ts';
import { authority } from '../support/pki/authority.ts';
import { post } from '../support/process/client.ts';
import { refusalOf } from '../support/process/records.ts';
import type { Stage } from '../support/process/stage.ts';
import { enterWhen, openSite, visitWhen } from '../support/revocation/site.ts';
import { openCrlSource, openOcspSource, type RevocationSource } from '../support/revocation/sources.ts';

const cases = (['crl', 'ocsp'] as const).flatMap((kind) =>
  (['TLSv1.2', 'TLSv1.3'] as const).map((version) => ({ kind, version })),
);
const pki = authority();
let sources: Record<'crl' | 'ocsp', RevocationSource>;
let stage: Stage;
const opened = new AsyncDisposableStack();
beforeAll(async () => {
  sources = {
    crl: opened.use(await openCrlSource(pki, 'down')),
    ocsp: opened.use(await openOcspSource(pki, 'down')),
  };
  const revocation = { scope: 'leaf', refresh: '500ms', firstContact: '5s' };
  stage = opened.use(await openSite([{ name: 'own', pki, revocation }]));
});
afterAll(() => opened.disposeAsync());

describe('a client that resumes its session', () => {
  it.each(cases)('on $version is refused once $kind revokes its certificate', async ({ kind, version }) => {
    const source = sources[kind];
    const only = { minVersion: version, maxVersion: version };
    const leaf = pki.issueClient({ extensions: source.extensions });
    const { client: first } = await enterWhen(stage, leaf, 'good');
    await first[Symbol.asyncDispose]();
    await using before = await stage.connect({ leaf, ...only });
    expect(statusOf(await before.exchange(post()))).toBe(200);
    const session = await before.session();
    {
      await using again = await stage.connect({ leaf, ...only, session });
      expect(statusOf(await again.exchange(post()))).toBe(200);
      expect(again.socket.isSessionReused()).toBe(true);
    }

    source.revoke(leaf);
    await visitWhen(stage, leaf, 'revoked');
    await using resumed = await stage.connect({ leaf, ...only, session });
    const answer = await resumed.exchange(post());
    expect(resumed.socket.isSessionReused()).toBe(true);
    expect(statusOf(answer)).toBe(403);
    const { handshake } = await refusalOf(stage.gateway, answer);
    expect(handshake).toMatchObject({
      ...{ verdict: 'deny', reason: 'revoked', revocation: 'revoked' },
      ...{ resumed: true, tls_version: version },
    });
  });
});
