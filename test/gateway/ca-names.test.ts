/** `listen.advertiseCaNames`: which CAs the server names to the client, and who judges when it names none. */
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
  describe('by default', () => {
    let stage: Stage;
    beforeAll(async () => {
      stage = await openStage({ config: { trust }, files });
    });
    afterAll(() => stage[Symbol.asyncDispose]());

    it('shows openssl both CA names of every anchor, each root first', async () => {
      const { stdout } = await sClient(stage.gateway, version);
      expect(acceptable(stdout)).toEqual([
        'Example Root CA',
        'Example Issuing CA',
        'Other Root CA',
        'Other Issuing CA',
      ]);
    });

    it('asks for no signature with SHA-1 or SHA-224, and for no DSA', async () => {
      const { stdout } = await sClient(stage.gateway, version);
      const requested = /^Requested Signature Algorithms: (.*)$/m.exec(stdout)?.[1];
      expect(requested).toMatch(/^ECDSA\+SHA256:/);
      expect(requested).not.toMatch(/SHA1|SHA224|DSA\+SHA224|(^|:)DSA|MD5/i);
    });
  });

  describe('switched off', () => {
    let stage: Stage;
    beforeAll(async () => {
      stage = await openStage({ config: { listen: { advertiseCaNames: false } } });
    });
    afterAll(() => stage[Symbol.asyncDispose]());

    it('shows none, and still asks for a certificate', async () => {
      const { stdout } = await sClient(stage.gateway, version);
      expect(stdout).toContain('No client certificate CA names sent');
      expect(stdout).toMatch(/^Requested Signature Algorithms: /m);
      expect(statusOf(await stage.send(post(), { leaf: undefined }))).toBe(400);
    });

    it('lets our own path decide alone: OpenSSL has no anchor and refuses the good leaf too', async () => {
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
