/** Shadow mode: a planned policy is evaluated on every handshake, and only reported. */
import { describe, expect, it } from 'vitest';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { statusOf } from '../support/http/http.ts';
import { authority, type Leaf } from '../support/pki/authority.ts';
import { post } from '../support/process/client.ts';
import { metricsWhen } from '../support/process/metrics.ts';
import { handshakeFrom } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';
import { distributionPoints } from '../support/revocation/crl.ts';
import { openDirectory } from '../support/trust/directory.ts';

async function visit(stage: Stage, leaf: Leaf) {
  await using client = await stage.connect({ leaf });
  const status = statusOf(await client.exchange(post()));
  return { status, record: await handshakeFrom(stage.gateway, client.socket) };
}

const anchors = [{ name: 'example', files: ['anchor.pem'] }];

describe('clients.shadow', () => {
  it('refuses no client, and reports every reason that would have denied one', async () => {
    const pki = authority();
    const [pinned, other] = [pki.issueClient(), pki.issueClient({ subject: { CN: 'other' } })];
    const shadow = {
      allowlist: ['192.0.2.0/24'],
      pins: [`sha256/${parseCertificate(pinned.der).spkiPin}`],
      match: { commonName: 'Example client' },
    };
    const clients = { anyCertificateOfAnchor: true, shadow };
    await using stage = await openStage({ authority: pki, config: { clients } });

    const first = await visit(stage, pinned);
    expect(first.status).toBe(200);
    expect(first.record).toMatchObject({
      verdict: 'allow',
      shadow: { verdict: 'deny', reasons: ['address_refused'], anchor: 'example' },
    });
    const second = await visit(stage, other);
    expect(second.status).toBe(200);
    expect(second.record.shadow.reasons).toEqual(['address_refused', 'pin_mismatch', 'match_mismatch']);
    await metricsWhen(
      stage.gateway,
      (samples) =>
        samples.get('ehi_shadow_handshakes_total{shadow="deny",verdict="allow"}') === 2 &&
        samples.get('ehi_shadow_denials_total{reason="address_refused"}') === 2 &&
        samples.get('ehi_shadow_denials_total{reason="pin_mismatch"}') === 1,
    );

    // Once enforced, the same controls refuse the clients that they reported.
    await stage.reload({ clients: { match: shadow.match } });
    while ((await visit(stage, other)).status !== 403);
    expect((await visit(stage, pinned)).record.shadow).toBeNull();
  });

  it('accepts no client that the policy denies', async () => {
    const pki = authority();
    const stranger = pki.issueClient({ subject: { CN: 'stranger' } });
    const clients = {
      match: { commonName: 'Example client' },
      shadow: { match: { commonName: 'stranger' } },
    };
    await using stage = await openStage({ authority: pki, config: { clients } });
    const { status, record } = await visit(stage, stranger);
    expect(status).toBe(403);
    expect(record).toMatchObject({ verdict: 'deny', reason: 'match_mismatch', shadow: { verdict: 'allow' } });
  });
});

describe('trust.candidates', () => {
  it('are evaluated in place of the anchors, and accept no client', async () => {
    const [old, next] = [authority(), authority({ name: 'Next' })];
    const clients = { match: [{ commonName: 'Example client' }, { commonName: 'Next client' }] };
    const candidates = [{ name: 'next', files: ['next.pem'] }];
    await using stage = await openStage({
      authority: old,
      files: { 'next.pem': next.anchorPem },
      config: { clients, trust: { anchors, candidates, cacheDir: 'trust' } },
    });
    const [ofOld, ofNext] = [old.issueClient(), next.issueClient()];
    expect(await visit(stage, ofOld)).toMatchObject({
      status: 200,
      record: { anchor: 'example', shadow: { verdict: 'deny', reasons: ['untrusted'], anchor: null } },
    });
    expect(await visit(stage, ofNext)).toMatchObject({
      status: 403,
      record: { reason: 'untrusted', shadow: { verdict: 'allow', reasons: [], anchor: 'candidates/next' } },
    });

    // The rotation: both are anchors, the new one is the candidate, and the metrics show clients still under the old one.
    const both = [...anchors, { name: 'next', files: ['next.pem'] }];
    await stage.reload({ clients, trust: { anchors: both, candidates, cacheDir: 'trust' } });
    while ((await visit(stage, ofNext)).status !== 200);
    const issuer = (pki: typeof old) => parseCertificate(pki.issuing.der).sha256;
    await metricsWhen(stage.gateway, (samples) =>
      [old, next].every((pki) =>
        [...samples].some(
          ([name, time]) =>
            name.startsWith('ehi_client_last_handshake_timestamp_seconds') &&
            name.includes(issuer(pki)) &&
            Math.abs(time - Date.now() / 1000) < 600,
        ),
      ),
    );
  });

  it('have their revocation checked like anchors, once an anchor accepts a client', async () => {
    const pki = authority();
    const directory = await openDirectory({}, { secure: false });
    await using _ = directory;
    const leaf = pki.issueClient({
      extensions: [distributionPoints([{ urls: [`${directory.origin}/ca.crl`] }])],
    });
    directory.files.set('/ca.crl', pki.crl({ revoked: [{ serial: leaf }] }).der);
    const off = { ...anchors[0], revocation: { crl: 'off', ocsp: 'off' } };
    await using stage = await openStage({
      authority: pki,
      config: { trust: { anchors: [off], candidates: anchors, cacheDir: 'trust' } },
    });
    // The first handshake starts the revocation query; no handshake waits for a check in shadow mode.
    for (;;) {
      const { status, record } = await visit(stage, leaf);
      expect(status).toBe(200);
      if (record.shadow.reasons.includes('revoked')) break;
      expect(record.shadow.reasons).toEqual(['revocation_unknown']);
    }
  });
});
