/** `listen.advertiseCaNames`: which CA names the server sends to the client, and what verifies the client without them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { statusOf } from '../support/http/http.ts';
import { authority } from '../support/pki/authority.ts';
import { sClient } from '../support/pki/openssl.ts';
import { post } from '../support/process/client.ts';
import { handshakeFrom, refusalOf } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

const other = authority({ name: 'Other' });

/** The common names under `Acceptable client certificate CA names`, in order. */
function acceptable(stdout: string): string[] {
  const [, list = ''] = stdout.split('Acceptable client certificate CA names\n');
  const names = list.split(/^(?:Client Certificate Types|Requested Signature Algorithms)/m)[0] ?? '';
  return names.split('\n').flatMap((line) => line.split(/CN ?= ?/)[1] ?? []);
}

const trust = {
  anchors: [
    { name: 'example', files: ['anchor.pem'] },
    { name: 'other', files: ['other-issuing.pem', 'other-root.pem'] },
  ],
};
const files = { 'other-issuing.pem': other.issuing.pem, 'other-root.pem': other.root.pem };

describe.each(['-tls1_2', '-tls1_3'])('over %s', (version) => {
  describe('with CA names, the default', () => {
    let stage: Stage;
    beforeAll(async () => {
      stage = await openStage({ config: { trust }, files });
    });
    afterAll(() => stage[Symbol.asyncDispose]());

    it('sends both CA names of every anchor, each root first', async () => {
      const { stdout } = await sClient(stage.gateway, version);
      expect(acceptable(stdout)).toEqual([
        'Example Root CA',
        'Example Issuing CA',
        'Other Root CA',
        'Other Issuing CA',
      ]);
    });

    it('offers no signature scheme with SHA-1, SHA-224 or DSA', async () => {
      const { stdout } = await sClient(stage.gateway, version);
      const requested = /^Requested Signature Algorithms: (.*)$/m.exec(stdout)?.[1];
      expect(requested).toMatch(/^ECDSA\+SHA256:/);
      expect(requested).not.toMatch(/SHA1|SHA224|DSA\+SHA224|(^|:)DSA|MD5/i);
    });
  });

  describe('without CA names', () => {
    let stage: Stage;
    beforeAll(async () => {
      stage = await openStage({ config: { listen: { advertiseCaNames: false } } });
    });
    afterAll(() => stage[Symbol.asyncDispose]());

    it('sends none, and still requests a certificate', async () => {
      const { stdout } = await sClient(stage.gateway, version);
      expect(stdout).toContain('No client certificate CA names sent');
      expect(stdout).toMatch(/^Requested Signature Algorithms: /m);
      expect(statusOf(await stage.send(post(), { leaf: undefined }))).toBe(400);
    });

    it('relies on the gateway’s own path validation: OpenSSL has no anchor and rejects the valid leaf too', async () => {
      await using client = await stage.connect();
      expect(await handshakeFrom(stage.gateway, client.socket)).toMatchObject({
        verdict: 'allow',
        anchor: 'example',
        openssl_code: expect.stringMatching(/^[A-Z_]+$/),
      });
      expect(statusOf(await client.exchange(post()))).toBe(200);

      for (const stranger of [other.issueClient(), authority().issueClient()]) {
        const answer = await stage.send(post(), { leaf: stranger });
        expect(statusOf(answer)).toBe(403);
        expect(await refusalOf(stage.gateway, answer)).toMatchObject({ handshake: { reason: 'untrusted' } });
      }
    });
  });
});
